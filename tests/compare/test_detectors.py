"""Detectors side by side, on bright rectangles whose places are known."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fercli.cli.entry import main
from fercli.compare import contenders as under_test
from fercli.compare.box_truth import read_boxes
from fercli.compare.contenders import Running
from fercli.compare.detectors import compare_detectors, false_alarms, matches
from fercli.compare.orders import wrong_orders
from fercli.compare.wider_ap import Found
from fercli.progress import Silent
from tests.compare.sets import BOXES, BrightDetector, write_csv, write_pictures, write_wider
from tests.models.detector_files import write_faster_rcnn, write_ssd_tensorflow


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """centerface finds everything, dlib-hog only what is wider than 45 pixels; the others are not installed."""
    made = {"centerface": BrightDetector(), "dlib-hog": BrightDetector(45)}
    monkeypatch.setattr(under_test, "_missing", lambda name, _: "" if name in made else "not installed")
    monkeypatch.setattr(under_test, "load_model", lambda spec, *_: made[spec.name])


def test_figures_for_people_and_for_programs(fakes: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, out = write_wider(tmp_path / "wider"), tmp_path / "out"
    command = ["compare", "detectors", "--dataset", "wider", "--root", str(root), "-o", str(out)]
    assert main([*command, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["images"], figures["faces"], figures["dataset"]) == (2, 3, "wider")
    exact, large = figures["detectors"]
    assert [exact[f"ap_{level}"] for level in ("easy", "medium", "hard")] == [1, 1, 1]
    assert [large[f"recall_{level}"] for level in ("easy", "medium", "hard")] == pytest.approx([0, 0.5, 1 / 3])
    assert exact["mean_iou"] > 0.9 and exact["false_alarms_per_image"] == 0 and exact["cpu_ms_per_image"] > 0
    assert json.loads((out / "detectors.json").read_text()) == figures
    rows = list(csv.DictReader((out / "detectors.csv").read_text().splitlines()))
    assert [row["detector"] for row in rows] == ["centerface", "dlib-hog"]
    assert float(rows[1]["recall_hard"]) == pytest.approx(1 / 3)
    picture = cv2.imread(str(out / "detectors.png"))
    assert picture is not None and picture.std() > 5
    page = (out / "detectors.html").read_text()
    assert "2 of 2 images" in page and "dlib-hog: 0 of 1 faces" in page and page.count("<figure") == 2
    assert main(command) == 2  # the directory has figures already
    assert main([*command, "--overwrite"]) == 0
    shown = capsys.readouterr()
    assert "AP medium" in shown.out and "0.333" in shown.out and "left out: dlib-cnn" in shown.err


def test_a_face_has_one_detection_and_the_best_chooses_first() -> None:
    image = read(np.array([[0, 0, 10, 10], [4, 0, 14, 10]], np.float32))
    found = Found(np.array([[1, 0, 11, 10], [0, 0, 10, 10]], np.float32), np.array([0.9, 0.8], np.float32))
    assert matches(image, found, 0.5).tolist() == pytest.approx([9 / 11, 0])
    assert matches(image, found, 0.85).tolist() == pytest.approx([9 / 11, 0])
    assert false_alarms(image, Found(found.boxes + 30, found.scores), 0.85).tolist() == [0]


def read(boxes: Any) -> Any:
    from fercli.compare.box_truth import TrueImage

    return TrueImage(Path("x.jpg"), "x.jpg", boxes, {"all": np.ones(len(boxes), bool)})


def test_pictures_are_scaled_down_and_boxes_back(tmp_path: Path) -> None:
    images = read_boxes("folder", write_csv(write_pictures(tmp_path)))
    result = compare_detectors(images, [Running("small", BrightDetector(), 100)], 0.5, Silent())
    assert result.scores[0].recall["all"] == 1
    np.testing.assert_allclose(result.found["small"][0].boxes, BOXES["one.jpg"], atol=2)


def detections(folder: Path, order: tuple[int, ...]) -> None:
    """Files of another program; a box is written as the given places of x1 y1 x2 y2 w h."""
    folder.mkdir()
    for name, boxes in BOXES.items():
        wide = [[*box, box[2] - box[0], box[3] - box[1]] for box in boxes]
        lines = [" ".join(str(box[place]) for place in order) + " 0.9" for box in wide]
        (folder / name).with_suffix(".txt").write_text("\n".join([name, str(len(lines)), *lines]) + "\n")


@pytest.mark.parametrize(
    ("order", "recall", "warned"),
    [((0, 1, 4, 5), 1.0, ""), ((0, 1, 2, 3), 0.4, "x1 y1 x2 y2"), ((1, 2, 3, 0), 0.0, "top right bottom left")],
)
def test_detections_of_another_program_in_any_order(
    tmp_path: Path, order: tuple[int, ...], recall: float, warned: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_csv(write_pictures(tmp_path / "set"))
    detections(tmp_path / "theirs", order)
    command = ["compare", "detectors", "--dataset", "folder", "--root", str(root), "--detectors", "dlib-hog"]
    assert main([*command, "--found", f"theirs={tmp_path / 'theirs'}", "--json"]) == 0
    shown = capsys.readouterr()
    row = json.loads(shown.out)["detectors"][1]
    assert row["detector"] == "theirs" and row["recall_all"] <= recall and row["ms_per_image"] is None
    assert (f"seem to be {warned}" in shown.err) if warned else "seem" not in shown.err


def test_detectors_from_files_of_the_user_stand_in_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One face is where the small SSD sees it, one where the small Faster R-CNN does, and a third nowhere."""
    cv2.imwrite(str(tmp_path / "a.png"), np.full((120, 200, 3), 204, np.uint8))
    (tmp_path / "boxes.csv").write_text(
        "image,x1,y1,x2,y2\na.png,50,30,150,90\na.png,0,0,100,60\na.png,150,90,200,120\n"
    )
    given = {"ssd-resnet10": write_ssd_tensorflow(tmp_path), "faster-rcnn": write_faster_rcnn(tmp_path / "rcnn.onnx")}
    command = ["compare", "detectors", "--dataset", "folder", "--root", str(tmp_path), "--detectors", ",".join(given)]
    weights = [part for name, file in given.items() for part in ("--weights", f"{name}={file}")]
    assert main([*command, *weights, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["detectors"]
    assert [row["detector"] for row in rows] == list(given)
    for row in rows:
        assert row["recall_all"] == pytest.approx(1 / 3) and row["mean_iou"] == pytest.approx(1, abs=1e-4)
        assert row["false_alarms_per_image"] == 0 and row["cpu_ms_per_image"] > 0
    assert main(command) == 5  # without their files


def test_truth_with_x_and_y_exchanged_is_noticed(tmp_path: Path) -> None:
    images = read_boxes("folder", write_csv(write_pictures(tmp_path), order=(1, 0, 3, 2)))
    result = compare_detectors(images, [Running("exact", BrightDetector(), 0)], 0.5, Silent())
    (warning,) = wrong_orders(result, [])
    assert "y1, x1, y2, x2" in warning and "100%" in warning


@pytest.mark.parametrize(
    "more",
    [["--weights", "yunet"], ["--weights", "ssd=a"], ["--found", "a=b", "--found", "a=c"], ["--max-side", "-1"]],
)
def test_options_that_cannot_be_used(tmp_path: Path, more: list[str]) -> None:
    root = write_csv(write_pictures(tmp_path / "set"))
    assert main(["compare", "detectors", "--dataset", "folder", "--root", str(root), *more]) == 2
