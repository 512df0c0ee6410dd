"""Erasing a person: nothing of them is left in the workspace and the cast, and the rest is as it was and fresh."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fercli import tables
from fercli.cli.entry import main
from fercli.edits.editing import merge, rename, split
from fercli.edits.erase import erase
from fercli.edits.log import read_log
from fercli.edits.state import read_state
from fercli.media.images import decode_jpeg
from fercli.persons import cast
from fercli.results.load import load
from fercli.workspace import Workspace
from tests.edits.by_hand import annotate
from tests.edits.film import FACES, make_film
from tests.workspaces import add_receipt, meshes_table


@pytest.fixture
def film(tmp_path: Path) -> Workspace:
    return make_film(tmp_path / "film.fercli")


def test_nothing_of_the_person_is_left_and_the_rest_is_fresh(film: Workspace, tmp_path: Path) -> None:
    show = tmp_path / "show.cast"
    groups = [cast.Group(np.full((1, 4), 10.0 * k, np.float32), np.ones(1, np.float32)) for k in range(3)]
    cast.enrol(show, "net", film.video.sha256, groups, [], 0.5)
    add_receipt(film, "persons", cast=str(show))
    rename(film, "Person 1", "Ross")
    split(film, "Ross", [2], "Rachel")
    merge(film, ["Person 3"], "Person 2")
    annotate(film, "Ross,0,1,sad", "Narrator,0,1,sad")
    for name, text in (("old.json", "Ross"), ("other.json", "Monica")):
        (tmp_path / name).write_text(text)
    exports = {str(tmp_path / name): ["ab"] for name in ("old.json", "other.json", "gone.json")}
    (film.path / "exports.json").write_text(json.dumps(exports))
    before = load(film)
    crops = tables.read_table(film.table("crops"))["jpeg"].to_pylist()
    assert main(["people", "erase", str(film.path), "Ross"]) == 2
    assert main(["people", "erase", str(film.path), "Ross", "--yes"]) == 0
    after = load(film)
    assert [one.name for one in after.persons] == [one.name for one in before.persons if one.name != "Ross"]
    assert [one for one in before.segments if one.person != "Ross"] == after.segments
    assert "Ross" not in film.edits.read_text(encoding="utf-8") and "Person 1" not in film.edits.read_text()
    assert [edit.kind for edit in read_log(film).edits] == ["erased", "split", "merge", "erased", "set-emotion"]
    assert read_log(film).problems == [] and film.edits.stat().st_mode & 0o777 == 0o600
    left = tables.read_table(film.table("crops"), tables.CROPS)["jpeg"].to_pylist()
    for face, (_, _, track) in enumerate(FACES):
        assert (decode_jpeg(left[face]).max() == 0) if track == 0 else left[face] == crops[face]
    assert film.table("crops").stat().st_mode & 0o777 == 0o600
    assert 0 not in read_state(film).tracks
    with cast.renaming(show) as names:
        assert names.find("Ross") is None and names.find("Person 1") is None and names.find("Person 2") is not None


def test_what_was_measured_of_the_face_is_erased_too(film: Workspace) -> None:
    tables.write_table(film.table("meshes"), [meshes_table(range(len(FACES)))], tables.MESHES)
    add_receipt(film, "attributes")
    assert main(["people", "erase", str(film.path), "Person 2", "--yes"]) == 0
    own = [face for face, (_, _, track) in enumerate(FACES) if track == 1]
    others = [face for face in range(len(FACES)) if face not in own]
    assert tables.read_table(film.table("meshes"), tables.MESHES)["face"].to_pylist() == others
    rows = tables.read_table(film.table("attributes"), tables.ATTRIBUTES).to_pylist()
    assert [row["face"] for row in rows if row["yaw"] is None and row["jawOpen"] is None] == own
    assert [row["face"] for row in rows if row["mouth"] is not None] == others
    load(film)  # and the rest is fresh


def test_files_that_still_name_the_person_are_listed(
    film: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("old.json", "Person 2"), ("other.json", "Monica")):
        (tmp_path / name).write_text(text)
    (film.path / "exports.json").write_text(
        json.dumps({str(tmp_path / n): [] for n in ("old.json", "other.json", "x")})
    )
    (film.path / "frames" / "images").mkdir()
    for number in (0, 59):
        (film.path / "frames" / "images" / f"{number:06d}.jpg").touch()
    assert main(["people", "erase", str(film.path), "Person 2", "--yes"]) == 0
    assert capsys.readouterr().out.split() == [
        str(tmp_path / "old.json"),
        str(film.path / "frames" / "images" / "000000.jpg"),
    ]


def test_no_person_of_that_name_is_erased(film: Workspace) -> None:
    before = {file: file.read_bytes() for file in film.path.rglob("*") if file.is_file()}
    assert main(["people", "erase", str(film.path), "Emily", "--yes"]) == 2
    assert main(["people", "erase", str(film.path), "Unassigned", "--yes"]) == 2
    assert {file: file.read_bytes() for file in before} == before


def test_the_voice_that_stays_is_named(film: Workspace) -> None:
    assert not any("voices" in note for note in erase(film, "Person 1").notes)
    (film.path / "audio").mkdir()
    notes = erase(film, "Person 2").notes
    assert any("voices" in note and str(film.path / "audio") in note for note in notes)
