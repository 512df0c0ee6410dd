"""What is named after the video: workspaces and outputs, of any name there can be, and of two videos that share one."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from fercli.cli.entry import main
from fercli.cli.names import output_file
from fercli.errors import OutputError, WorkspaceError
from fercli.files import fitting_name
from fercli.hashing import sha256_file
from fercli.workspace import Workspace
from fercli.workspace.places import named_after, workspace_of
from tests.cli.test_errors import make_video
from tests.failing import fails
from tests.views.report.film import make_film
from tests.workspaces import VIDEO


def video(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def made(place: Path, file: Path) -> Path:
    facts = replace(VIDEO, path=str(file.absolute()), size=file.stat().st_size, sha256=sha256_file(file))
    return Workspace.create(place, facts).path


def test_two_videos_of_one_name_find_their_own_workspaces_whatever_the_order(tmp_path: Path) -> None:
    first, second = video(tmp_path / "a.mp4", "one"), video(tmp_path / "a.mov", "two")
    assert made(workspace_of(first, tmp_path), first).name == "a.fercli"
    assert made(workspace_of(second, tmp_path), second).name == "a.mov.fercli"
    for _ in range(2):
        assert workspace_of(second, tmp_path).name == "a.mov.fercli"
        assert workspace_of(first, tmp_path).name == "a.fercli"
    # The first one's workspace is gone: the second keeps its own.
    (tmp_path / "a.fercli").rename(tmp_path / "b.fercli")
    assert workspace_of(second, tmp_path).name == "a.mov.fercli"
    assert workspace_of(first, tmp_path).name == "a.fercli"


def test_a_video_that_was_moved_or_replaced_keeps_its_workspace(tmp_path: Path) -> None:
    first = video(tmp_path / "a.mp4", "one")
    place = made(workspace_of(first, tmp_path), first)
    (tmp_path / "moved").mkdir()
    assert workspace_of(first.rename(tmp_path / "moved" / "a.mp4"), tmp_path) == place
    assert workspace_of(video(tmp_path / "a.mp4", "other"), tmp_path) == place


def test_what_is_there_and_no_workspace_is_said_and_not_gone_round(tmp_path: Path) -> None:
    (tmp_path / "a.fercli").mkdir()
    (tmp_path / "a.fercli" / "mine.txt").touch()
    file = video(tmp_path / "a.mp4", "one")
    with pytest.raises(WorkspaceError):
        made(workspace_of(file, tmp_path), file)


def test_where_both_names_are_taken_the_first_is_refused_by_name(tmp_path: Path) -> None:
    for name in ("a.fercli", "a.mp4.fercli"):
        made(tmp_path / name, video(tmp_path / f"{name}.mkv", name))
    file = video(tmp_path / "a.mp4", "one")
    with fails(WorkspaceError, "workspace-of-another-video"):
        made(workspace_of(file, tmp_path), file)


@pytest.mark.parametrize(
    ("name", "workspace", "expected"),
    [
        ("a.mp4", "a.fercli", "a.json"),
        ("a.mp4", "w", "a.json"),
        ("a.mp4", "a.mp4.fercli", "a.mp4.json"),
        (".mp4", ".mp4.fercli", ".mp4.json"),
        ("a", "a.fercli", "a.json"),
        ("a.", "a..fercli", "a..json"),
        ("a .mp4 ", "a .fercli", "a .json"),
        ("Zoe\u0308.mp4", "w", "Zoe\u0308.json"),
    ],
)
def test_outputs_are_named_as_the_workspace_is(tmp_path: Path, name: str, workspace: str, expected: str) -> None:
    assert named_after(Path(name), tmp_path / workspace, ".json") == expected


@pytest.mark.parametrize("letter", ["x", "\u00eb", "\u5b57", "\U0001f600"])
def test_names_that_are_too_long_are_cut_and_kept_apart(tmp_path: Path, letter: str) -> None:
    length = 255 // len(letter.encode())
    names = [fitting_name(letter * (length - 1) + last, ".annotated.mp4") for last in "ab"]
    assert len({*names}) == 2
    for name in names:
        assert name.endswith(".annotated.mp4")
        (tmp_path / name).touch()
    assert fitting_name("x" * 245, ".json") == "x" * 245 + ".json"
    assert len(fitting_name("x" * 246, ".json")) == 250


def test_a_directory_is_known_by_being_there_or_by_its_slash(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    assert output_file(str(there), "a.json") == there / "a.json"
    assert output_file(f"{tmp_path}/new/er/", "a.json") == tmp_path / "new" / "er" / "a.json"
    assert (tmp_path / "new" / "er").is_dir()
    assert output_file(f"{tmp_path}/b.json", "a.json") == tmp_path / "b.json"
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        output_file(f"{tmp_path}/file/", "a.json")
    assert output_file("x" * 300, "a.json") == Path("x" * 300)


@pytest.mark.parametrize("name", ["talk:1.mp4", "-x.mp4", ".mp4", "100 %?.mp4", "x" * 251 + ".mp4", "Zoe\u0308 .mp4"])
def test_any_name_is_annotated_and_exported_into_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    make_video(tmp_path / "made.mp4").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    argument = f"./{name}" if name.startswith("-") else name
    assert main(["annotate", argument, "-q"]) == 0, capsys.readouterr().err
    stem = Path(name).stem
    assert (tmp_path / fitting_name(stem, ".json")).is_file()
    workspace = f"./{fitting_name(stem, '.fercli')}"
    assert main(["export", workspace, "-o", "out/", "--format", "csv", "-q"]) == 0
    assert main(["annotate", argument, "-o", "out/"]) == 0
    assert sorted(os.listdir("out")) == sorted(fitting_name(stem, suffix) for suffix in (".csv", ".json", ".fercli"))


def test_two_videos_of_one_name_are_annotated_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_video(tmp_path / "a.mp4")
    make_video(tmp_path / "b.mkv").rename(tmp_path / "a.mkv")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        for name in ("a.mp4", "a.mkv"):
            assert main(["annotate", name]) == 0
    assert capsys.readouterr().err.count("up to date") == 12
    assert {"a.fercli", "a.json", "a.mkv.fercli", "a.mkv.json"} <= {*os.listdir()}
    assert main(["export", "a.mkv.fercli", "-o", ".", "--format", "srt", "-q"]) == 0
    assert (tmp_path / "a.mkv.srt").is_file()


def test_report_and_plot_into_a_directory(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.fercli")
    stem = Path(film.video.path).stem
    assert main(["report", str(film.path), "-o", f"{tmp_path}/out/", "-q"]) == 0
    assert main(["plot", str(film.path), "-o", f"{tmp_path}/out", "-q"]) == 0
    assert sorted(os.listdir(tmp_path / "out")) == sorted([f"{stem}.html", f"{stem}.png"])
