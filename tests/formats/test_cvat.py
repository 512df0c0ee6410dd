from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from fercli.formats import cvat
from fercli.labels import RECORD_NAMES
from fercli.persons.names import UNASSIGNED
from tests.formats.face_documents import FACES, ROSS, SHOWN, VIDEO, ZOE, empty_document, make_document


def written(path: Path) -> ElementTree.Element:
    cvat.write(make_document(), path)
    return ElementTree.parse(path).getroot()


def test_tracks_and_boxes_are_those_of_the_tables(tmp_path: Path) -> None:
    root = written(tmp_path / "a.xml")
    tracks = root.findall("track")
    assert [(track.get("id"), track.get("label")) for track in tracks] == [
        ("0", ROSS),
        ("1", ZOE),
        ("2", ROSS),
        ("3", UNASSIGNED),
    ]
    for row, emotion in zip(FACES, SHOWN, strict=True):
        boxes = [box for box in tracks[row[3]] if box.get("frame") == str(row[1]) and box.get("outside") == "0"]
        assert len(boxes) == 1
        x1, y1, x2, y2 = row[5:9]
        expected = [max(x1, 0), y1, x2, min(y2, 100)]
        assert [float(boxes[0].get(e, "")) for e in ("xtl", "ytl", "xbr", "ybr")] == pytest.approx(expected, abs=0.005)
        assert (boxes[0].get("keyframe"), boxes[0].get("occluded")) == ("1", "0")
        attribute = boxes[0].find("attribute")
        assert attribute is not None
        assert (attribute.get("name"), attribute.text) == ("emotion", RECORD_NAMES[emotion])


def test_a_track_ends_outside_unless_the_video_does(tmp_path: Path) -> None:
    ends = [(track[-1].get("frame"), track[-1].get("outside")) for track in written(tmp_path / "a.xml").iter("track")]
    # Track 3 is seen in the last of the 20 frames.
    assert ends == [("7", "1"), ("5", "1"), ("5", "1"), ("19", "0")]


def test_the_structure_is_that_of_the_documentation(tmp_path: Path) -> None:
    root = written(tmp_path / "a.xml")
    assert root.tag == "annotations" and root.findtext("version") == "1.1"
    assert [child.tag for child in root] == ["version", "meta", "track", "track", "track", "track"]
    assert (root.findtext("meta/task/mode"), root.findtext("meta/task/size")) == ("interpolation", "20")
    assert (root.findtext("meta/task/start_frame"), root.findtext("meta/task/stop_frame")) == ("0", "19")
    assert root.findtext("meta/task/name") == root.findtext("meta/source") == VIDEO["name"]
    size = root.find("meta/task/original_size")
    assert size is not None and (size.findtext("width"), size.findtext("height")) == ("200", "100")
    for box in root.iter("box"):
        assert set(box.attrib) == {
            *("frame", "outside", "occluded", "keyframe"),
            *("xtl", "ytl", "xbr", "ybr", "z_order"),
        }


def test_every_label_and_value_in_use_is_declared(tmp_path: Path) -> None:
    root = written(tmp_path / "a.xml")
    labels = root.findall("meta/task/labels/label")
    assert [label.findtext("name") for label in labels] == [ROSS, ZOE, UNASSIGNED]
    for label in labels:
        attribute = label.find("attributes/attribute")
        assert attribute is not None and attribute.findtext("mutable") == "True"
        values = str(attribute.findtext("values")).split("\n")
        assert values == list(RECORD_NAMES.values()) and attribute.findtext("default_value") in values


def test_no_person_makes_a_task_without_tracks(tmp_path: Path) -> None:
    cvat.write(empty_document(), tmp_path / "a.xml")
    root = ElementTree.parse(tmp_path / "a.xml").getroot()
    assert root.findall("track") == [] and root.findall("meta/task/labels/label") == []
