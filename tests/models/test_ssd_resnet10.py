"""OpenCV's SSD in each form in which a user may have it, as small networks of the same inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.models.registry import find_model, load_model
from tests.failing import fails
from tests.models.detector_files import (
    ssd_score,
    write_faster_rcnn,
    write_ssd_caffe,
    write_ssd_onnx,
    write_ssd_tensorflow,
)

SPEC = find_model("ssd-resnet10", "detector")
CAFFE = hasattr(cv2.dnn, "readNetFromCaffe")


def picture(blue: int, red: int) -> NDArray[np.uint8]:
    image = np.full((120, 200, 3), 90, np.uint8)
    image[..., 0], image[..., 2] = red, blue  # RGB
    return image


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: write_ssd_onnx(folder / "ssd.onnx"),
        write_ssd_tensorflow,
        pytest.param(write_ssd_caffe, marks=pytest.mark.skipif(not CAFFE, reason="OpenCV 5 reads no Caffe networks")),
    ],
    ids=["onnx", "tensorflow", "caffe"],
)
def test_boxes_and_scores_of_each_form(write: Callable[[Path], Path], tmp_path: Path) -> None:
    detector = load_model(SPEC, str(write(tmp_path)))
    for blue, red in ((100, 118), (100, 119), (100, 120)):
        found = detector.detect(picture(blue, red))
        assert found.boxes.tolist() == [[50, 30, 150, 90]]
        assert found.scores.tolist() == pytest.approx([ssd_score(blue, red)], abs=1e-4)
        assert found.landmarks is None
    none = detector.detect(picture(90, 140))  # a score below every useful one
    assert none.boxes.shape == (0, 4) and none.scores.shape == (0,)


@pytest.mark.skipif(CAFFE, reason="this OpenCV reads Caffe networks")
def test_opencv_5_says_which_form_it_takes_instead_of_caffe(tmp_path: Path) -> None:
    with fails(WeightsError, "weights-unusable", "Caffe") as error:
        load_model(SPEC, str(write_ssd_caffe(tmp_path)))
    assert ".pbtxt" in error.value.hint


def test_the_description_must_lie_beside_the_weights(tmp_path: Path) -> None:
    weights = write_ssd_tensorflow(tmp_path)
    (tmp_path / "opencv_face_detector.pbtxt").unlink()
    with fails(WeightsError, "weights-missing", ".pbtxt"):
        load_model(SPEC, str(weights))
    for name in ("a.pbtxt", "b.pbtxt"):
        (tmp_path / name).write_text("")
    with fails(WeightsError, "weights-missing", "2"):
        load_model(SPEC, str(weights))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with fails(WeightsError, "weights-missing") as error:
        load_model(SPEC)
    assert "face_detector" in error.value.hint
    (tmp_path / "no.onnx").write_bytes(b"no network")
    (tmp_path / "no.pb").write_bytes(b"no network")
    (tmp_path / "no.pbtxt").write_text("no network")
    (tmp_path / "no.zip").write_bytes(b"no network")
    files = [tmp_path / name for name in ("no.onnx", "no.pb", "no.zip")]
    files += [write_ssd_onnx(tmp_path / "five.onnx", columns=5), write_faster_rcnn(tmp_path / "rcnn.onnx")]
    for file in files:
        with fails(WeightsError, "weights-unusable", file.name):
            load_model(SPEC, str(file))
