"""`fercli render`, and `fercli plot` of a workspace, as a shell would call them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli.cli.entry import main
from tests.views.render.scenes import Box, grey_video, make_scene, times

BOX: Box = (40, 60, 100, 130)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_scene(tmp_path / "w", grey_video(tmp_path / "v.mp4"), {"Zoë": {k: BOX for k in range(20)}}).path


def test_where_the_video_is_is_said_on_stderr(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", str(workspace), "--only", "Zoë", "--blur-faces"]) == 0
    said = capsys.readouterr()
    assert said.out == "" and "video: v.annotated.mp4\n" in said.err
    assert len(times(tmp_path / "v.annotated.mp4")) == 20


def test_an_existing_file_ends_with_2_and_a_hint(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"mine")
    command = ["render", str(workspace), "-o", "a.mp4"]
    assert main(command) == 2
    assert "error[output-exists]: a.mp4 exists" in (talk := capsys.readouterr().err) and "--overwrite" in talk
    assert main([*command, "--overwrite"]) == 0


def test_an_unknown_person_ends_with_2_and_the_known_ones(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", str(workspace), "--only", "Zoe"]) == 2
    assert "hint: known: Zoë" in capsys.readouterr().err


def test_a_video_that_is_gone_ends_with_3(workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "v.mp4").unlink()
    assert main(["render", str(workspace)]) == 3
    assert "v.mp4 is gone" in capsys.readouterr().err


def test_no_workspace_ends_with_3(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["render", str(tmp_path / "none")]) == 3
    assert "no workspace at" in capsys.readouterr().err


def test_help_says_which_faces_stay_visible(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "--help"]) == 0
    words = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "never detected stay visible" in words


def test_plot_draws_a_workspace(workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot", str(workspace), "-o", str(tmp_path / "t.svg")]) == 0
    said = capsys.readouterr()
    assert said.out == "" and f"plot: {tmp_path / 't.svg'}\n" in said.err
    assert "Zoë" in (tmp_path / "t.svg").read_text(encoding="utf-8")
