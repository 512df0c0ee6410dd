"""`fercli edits` through `main`, and names of a cast in all episodes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fercli.cli.console import ConsoleReporter
from fercli.cli.entry import main
from fercli.exports import write_export
from fercli.persons import cast
from fercli.workspace import Workspace
from tests.edits.by_hand import annotate
from tests.edits.film import make_film
from tests.workspaces import add_receipt


@pytest.fixture
def film(tmp_path: Path) -> Workspace:
    return make_film(tmp_path / "film.fercli")


def test_edits_are_listed_with_what_each_does_and_undone(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["edits", str(film.path)]) == 0
    assert "no edits" in capsys.readouterr().err
    assert main(["people", "rename", str(film.path), "Person 1", "Ross", "--by", "annotator-2"]) == 0
    assert main(["people", "ignore", str(film.path), "Person 3", "--by", "annotator-2"]) == 0
    annotate(film, "Narrator,0,1,sad")
    capsys.readouterr()
    assert main(["edits", "undo", str(film.path), "2", "--by", "annotator-3"]) == 0
    shown = capsys.readouterr().out
    assert "Person 1 is Ross" in shown and "annotator-2" in shown and "undone" in shown
    assert main(["edits", "list", str(film.path), "--json"]) == 0
    edits = json.loads(capsys.readouterr().out)["edits"]
    assert [(one["number"], one["edit"], one["by"], one["state"]) for one in edits] == [
        (1, "rename", "annotator-2", "applied"),
        (2, "ignore", "annotator-2", "undone"),
        (3, "set-emotion", "me", "applied"),
        (4, "undo", "annotator-3", "applied"),
    ]
    assert edits[0]["detail"] == "Ross, tracks 0, 2"


def test_a_range_passes_over_what_is_undone(film: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("A", "B", "C", "D"):
        assert main(["people", "rename", str(film.path), "Person 1" if name == "A" else chr(ord(name) - 1), name]) == 0
    assert main(["edits", "undo", str(film.path), "3"]) == 0
    assert main(["edits", "undo", str(film.path), "2-4"]) == 0
    capsys.readouterr()
    assert main(["edits", str(film.path), "--json"]) == 0
    states = [one["state"] for one in json.loads(capsys.readouterr().out)["edits"]]
    assert states == ["applied", "undone", "undone", "undone", "applied", "applied", "applied"]


@pytest.mark.parametrize("words", [["7"], ["0"], ["x"], ["3-1"], ["5-9"], ["1.5"], ["-1"]])
def test_what_is_no_edit_cannot_be_undone(
    film: Workspace, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    annotate(film, "Narrator,0,1,sad")
    before = film.edits.read_bytes()
    assert main(["edits", "undo", str(film.path), *words]) == 2
    assert film.edits.read_bytes() == before


def episode(path: Path, show: Path, video: str, looks: tuple[int, int, int]) -> Workspace:
    """A film whose persons were found with a cast."""
    workspace = make_film(path)
    file = path / "workspace.json"
    file.write_text(file.read_text().replace(workspace.video.sha256, video))
    groups = [cast.Group(np.full((1, 4), 10.0 * k, np.float32), np.ones(1, np.float32)) for k in looks]
    assert cast.enrol(show, "net", video, groups, [], 0.5) == ["Person 1", "Person 2", "Person 3"]
    workspace = Workspace.open(path)
    for directory in ("frames", "faces", "tracks", "emotions"):
        add_receipt(workspace, directory)
    add_receipt(workspace, "persons", cast=str(show))
    return workspace


def test_a_person_renamed_in_one_episode_has_the_name_in_all_at_the_next_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show = tmp_path / "show.cast"
    one = episode(tmp_path / "1.fercli", show, "aa" * 32, (0, 1, 2))
    two = episode(tmp_path / "2.fercli", show, "bb" * 32, (0, 1, 2))
    out = tmp_path / "1.json"

    def exported() -> str:
        write_export(one, ["json"], [out], ConsoleReporter())
        return out.read_text(encoding="utf-8")

    assert "Person 3" in exported()
    assert main(["people", "rename", str(two.path), "Person 3", "Rachel"]) == 0
    assert "Rachel" in exported() and "Person 3" not in out.read_text(encoding="utf-8")
    assert main(["edits", "undo", str(two.path), "1"]) == 0
    assert "Person 3" in exported()
    capsys.readouterr()
    show.unlink()
    exported()
    assert f"warning: the cast {show} does not exist" in capsys.readouterr().err
