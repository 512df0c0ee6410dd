"""The two commands, as a shell would call them."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from fercli.cli import app as program
from fercli.cli.app import main
from fercli.cli.render import render
from tests.render.scenes import Box, grey_video, make_scene, times

BOX: Box = (40, 60, 100, 130)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> object:
    """The program with nothing but `render` and a second command."""
    app = typer.Typer(context_settings={"help_option_names": ["-h", "--help"]})
    app.command()(render)
    app.command("other")(lambda: None)
    monkeypatch.setattr(program, "app", app)
    return program.main


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_scene(tmp_path / "w", grey_video(tmp_path / "v.mp4"), {"Zoë": {k: BOX for k in range(20)}}).path


def test_the_path_of_the_video_goes_to_stdout(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], run: object
) -> None:
    assert run(["render", str(workspace), "--only", "Zoë", "--blur-faces"]) == 0  # type: ignore[operator]
    assert capsys.readouterr().out == "v.annotated.mp4\n"
    assert len(times(tmp_path / "v.annotated.mp4")) == 20


def test_an_existing_file_ends_with_2_and_a_hint(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], run: object
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"mine")
    command = ["render", str(workspace), "-o", "a.mp4"]
    assert run(command) == 2  # type: ignore[operator]
    assert "error: a.mp4 exists" in (talk := capsys.readouterr().err) and "--overwrite" in talk
    assert run([*command, "--overwrite"]) == 0  # type: ignore[operator]


def test_an_unknown_person_ends_with_2_and_the_known_ones(
    workspace: Path, capsys: pytest.CaptureFixture[str], run: object
) -> None:
    assert run(["render", str(workspace), "--only", "Zoe"]) == 2  # type: ignore[operator]
    assert "hint: known: Zoë" in capsys.readouterr().err


def test_a_video_that_is_gone_ends_with_3(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], run: object
) -> None:
    (tmp_path / "v.mp4").unlink()
    assert run(["render", str(workspace)]) == 3  # type: ignore[operator]
    assert "v.mp4 is gone" in capsys.readouterr().err


def test_no_workspace_ends_with_3(capsys: pytest.CaptureFixture[str], run: object, tmp_path: Path) -> None:
    assert run(["render", str(tmp_path / "none")]) == 3  # type: ignore[operator]
    assert "no workspace at" in capsys.readouterr().err


def test_help_says_which_faces_stay_visible(capsys: pytest.CaptureFixture[str], run: object) -> None:
    assert run(["render", "--help"]) == 0  # type: ignore[operator]
    words = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "never detected stay visible" in words


def test_plot_draws_a_workspace(workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plot", str(workspace), "-o", str(tmp_path / "t.svg")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 't.svg'}\n"
    assert "Zoë" in (tmp_path / "t.svg").read_text(encoding="utf-8")
