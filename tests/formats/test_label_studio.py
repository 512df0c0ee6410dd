from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from fercli.formats import label_studio
from fercli.formats.label_studio import LABELLING_CONFIG
from fercli.labels import RECORD_NAMES
from fercli.persons.names import UNASSIGNED
from fercli.results.model import Result
from tests.formats.face_documents import ROSS, VIDEO, ZOE, empty_document, make_document


def written(path: Path, result: Result) -> dict[str, Any]:
    label_studio.write(result, path)
    (task,) = json.loads(path.read_text(encoding="utf-8"))
    return dict(task)


def results(task: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    (prediction,) = task["predictions"]
    return [result for result in prediction["result"] if result["type"] == kind]


def shown_at(sequence: list[dict[str, Any]], frame: int) -> list[float]:
    """Where Label Studio draws a box: on the line between the keyframes around the frame."""
    frames = [key["frame"] for key in sequence]
    return [float(np.interp(frame, frames, [key[name] for key in sequence])) for name in ("x", "y", "width", "height")]


def test_segments_are_regions_of_whole_frames_from_one(tmp_path: Path) -> None:
    regions = results(written(tmp_path / "a.json", make_document()), "timelinelabels")
    # 10 frames a second: frame 3 begins at 0.2 s, and frame 5 at 0.4 s; the end is the last frame.
    assert [(r["value"]["ranges"], r["value"]["timelinelabels"]) for r in regions] == [
        ([{"start": 3, "end": 5}], ["happy"]),
        ([{"start": 3, "end": 4}], ["not assessable"]),
        ([{"start": 5, "end": 6}], ["angry"]),
        ([{"start": 6, "end": 7}], ["sad"]),
        ([{"start": 7, "end": 20}], ["contemptuous"]),
    ]
    assert [r.get("score") for r in regions] == [0.75, None, 0.5, 0.4, 0.5]


def test_the_person_is_text_of_the_same_region(tmp_path: Path) -> None:
    task = written(tmp_path / "a.json", make_document())
    texts = {result["id"]: result["value"]["text"] for result in results(task, "textarea")}
    assert [texts[region["id"]] for region in results(task, "timelinelabels")] == [
        [ROSS],
        [ZOE],
        [ZOE],
        [ROSS],
        [UNASSIGNED],
    ]


def test_boxes_are_percent_of_the_frame_and_end(tmp_path: Path) -> None:
    boxes = results(written(tmp_path / "a.json", make_document()), "videorectangle")
    assert [box["value"]["labels"] for box in boxes] == [[ROSS], [ZOE], [ROSS], [UNASSIGNED]]
    first = boxes[0]["value"]
    assert (first["framesCount"], first["duration"]) == (20, 2.0)
    assert first["sequence"] == [
        {"x": 5.0, "y": 20.0, "width": 20.0, "height": 40.0, "rotation": 0, "frame": 3, "time": 0.2, "enabled": True},
        {"x": 7.0, "y": 20.0, "width": 20.0, "height": 40.0, "rotation": 0, "frame": 7, "time": 0.6, "enabled": False},
    ]
    assert shown_at(first["sequence"], 5) == pytest.approx([12.13 / 2, 20, 20, 40], abs=1)
    assert [key["enabled"] for key in boxes[2]["value"]["sequence"]] == [False]
    assert boxes[3]["value"]["sequence"][0] == {
        **{"x": 0.0, "y": 30.0, "width": 18.0, "height": 70.0},
        **{"rotation": 0, "frame": 7, "time": 0.6, "enabled": True},
    }


def test_many_boxes_become_few_keyframes_within_one_percent(tmp_path: Path) -> None:
    # A face that walks, stops, and comes nearer, seen twenty times a second for ten seconds.
    times = np.arange(200) / 20
    x1 = np.where(times < 5, 10 + 20 * times, 110) + 0.3 * np.sin(40 * times)
    side = np.where(times < 5, 20, 20 + 8 * (times - 5))
    faces = [
        (n, 3 * n, float(t), 0, ROSS, float(x), 20.0, float(x + s), float(20 + s), 0.9, None)
        for n, (t, x, s) in enumerate(zip(times, x1, side, strict=True))
    ]
    video = {**VIDEO, "fps": 60.0, "duration_s": 10.0}
    task = written(tmp_path / "a.json", make_document(faces, video=video, segments=[], gaps=[]))
    (box,) = results(task, "videorectangle")
    sequence = box["value"]["sequence"]
    assert 3 <= len(sequence) <= 12
    for _, frame, _, _, _, left, top, right, bottom, _, _ in faces:
        percent = [left / 2, top, (right - left) / 2, bottom - top]
        assert shown_at(sequence, frame + 1) == pytest.approx(percent, abs=1)


def test_two_pictures_in_one_frame_of_label_studio_make_one_keyframe(tmp_path: Path) -> None:
    faces = [(n, n, pts_s, 0, ROSS, 0.0, 0.0, 9.0, 9.0, 0.9, None) for n, pts_s in enumerate((0.0, 0.01, 0.02, 0.3))]
    (box,) = results(written(tmp_path / "a.json", make_document(faces)), "videorectangle")
    assert [key["frame"] for key in box["value"]["sequence"]] == [1, 4]


def test_the_task_fits_the_labelling_interface(tmp_path: Path) -> None:
    task = written(tmp_path / "a.json", make_document())
    view = ElementTree.fromstring(LABELLING_CONFIG)
    controls = {tag.get("name"): tag for tag in view if tag.get("toName")}
    assert [label.get("value") for label in controls["emotion"]] == list(RECORD_NAMES.values())
    (prediction,) = task["predictions"]
    assert prediction["model_version"] == "fercli 1.2 tsm-resnet18"
    for result in prediction["result"]:
        assert result["to_name"] == controls[result["from_name"]].get("toName") == "video"
        assert result["type"] == controls[result["from_name"]].tag.lower()
    wanted = {str(value)[1:] for tag in view for value in tag.attrib.values() if value.startswith("$")}
    assert wanted <= set(task["data"])
    assert task["data"]["persons"] == [{"value": ROSS}, {"value": ZOE}, {"value": UNASSIGNED}]


def test_people_find_the_labelling_interface_beside_the_format() -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    section = page.split("\n## label-studio\n")[1].split("\n## ")[0]
    assert f"```xml\n{LABELLING_CONFIG}```" in section


def test_no_person_makes_a_task_without_results(tmp_path: Path) -> None:
    task = written(tmp_path / "a.json", empty_document())
    assert task["predictions"][0]["result"] == [] and task["data"]["persons"] == []
