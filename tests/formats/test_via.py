from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fercli.formats import via
from fercli.persons.names import UNASSIGNED
from tests.formats.face_documents import ROSS, VIDEO, ZOE, empty_document, make_document


def written(path: Path) -> dict[str, Any]:
    via.write(make_document(), path)
    project: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return project


def described(project: dict[str, Any], anchor: str) -> list[tuple[list[float], list[float], str, str]]:
    """z, xy, person and emotion of what has this anchor, as VIA shows them."""
    attributes = {key: value for key, value in project["attribute"].items() if value["anchor_id"] == anchor}
    name_of = {value["aname"]: key for key, value in attributes.items()}
    return [
        (
            entry["z"],
            entry["xy"],
            entry["av"][name_of["person"]],
            attributes[name_of["emotion"]]["options"][entry["av"][name_of["emotion"]]],
        )
        for entry in project["metadata"].values()
        if set(entry["av"]) == set(attributes)
    ]


def test_segments_are_spans_of_time_with_person_and_emotion(tmp_path: Path) -> None:
    assert described(written(tmp_path / "a.json"), "FILE1_Z2_XY0") == [
        ([0.2, 0.5], [], ROSS, "happy"),
        ([0.2, 0.4], [], ZOE, "not assessable"),
        ([0.4, 0.6], [], ZOE, "angry"),
        ([0.5, 0.7], [], ROSS, "sad"),
        ([0.6, 2.0], [], UNASSIGNED, "contemptuous"),
    ]


def test_boxes_are_the_faces_next_to_the_middles(tmp_path: Path) -> None:
    assert described(written(tmp_path / "a.json"), "FILE1_Z1_XY1") == [
        ([0.4], [2, 12.13, 20.0, 40.0, 40.0], ROSS, "happy"),
        ([0.2], [2, 100.0, 20.0, 40.0, 50.0], ZOE, "not assessable"),
        ([0.4], [2, 100.0, 20.0, 40.0, 50.0], ZOE, "angry"),
        ([0.6], [2, 14.0, 20.0, 40.0, 40.0], ROSS, "sad"),
        ([1.9], [2, 0.0, 30.0, 36.0, 70.0], UNASSIGNED, "contemptuous"),
    ]


def test_the_project_hangs_together(tmp_path: Path) -> None:
    project = written(tmp_path / "a.json")
    assert set(project) == {"project", "config", "attribute", "file", "view", "metadata"}
    assert project["project"]["pid"] == "__VIA_PROJECT_ID__"
    (view,) = project["project"]["vid_list"]
    (file,) = project["view"][view]["fid_list"]
    assert project["file"][file] == {"fid": file, "fname": VIDEO["name"], "type": 4, "loc": 1, "src": VIDEO["name"]}
    assert all(entry["vid"] == view and entry["flg"] == 0 for entry in project["metadata"].values())
    assert len(project["metadata"]) == 10


def test_a_segment_without_faces_has_no_box(tmp_path: Path) -> None:
    via.write(make_document([]), tmp_path / "a.json")
    project = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert len(described(project, "FILE1_Z2_XY0")) == 5 and described(project, "FILE1_Z1_XY1") == []


def test_no_person_makes_a_project_without_metadata(tmp_path: Path) -> None:
    via.write(empty_document(), tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["metadata"] == {}
