"""A Faster R-CNN as torchvision exports it: a small network of the same input and outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.errors import WeightsError
from fercli.models.registry import find_model, load_model
from tests.failing import fails
from tests.models.detector_files import write_faster_rcnn, write_ssd_onnx

SPEC = find_model("faster-rcnn", "detector")


@pytest.mark.parametrize("sides", [("height", "width"), (60, 400)])
def test_faces_are_the_first_class_at_the_size_of_the_picture(
    tmp_path: Path, sides: tuple[int | str, int | str]
) -> None:
    detector = load_model(SPEC, str(write_faster_rcnn(tmp_path / "faces.onnx", sides)))
    image = np.zeros((120, 200, 3), np.uint8)
    image[..., 0], image[..., 1] = 204, 51  # red is the score of the face, green that of the other thing
    found = detector.detect(image)
    assert found.boxes.tolist() == [[0, 0, 100, 60]]
    assert found.scores.tolist() == pytest.approx([0.8], abs=1e-3)
    assert found.landmarks is None


def test_other_files_are_refused(tmp_path: Path) -> None:
    with fails(WeightsError, "weights-missing") as error:
        load_model(SPEC)
    assert "torch.onnx.export" in error.value.hint
    (tmp_path / "no.onnx").write_bytes(b"no network")
    files = [tmp_path / "no.onnx", write_ssd_onnx(tmp_path / "ssd.onnx")]
    for file in [*files, write_faster_rcnn(tmp_path / "named.onnx", boxes="dets")]:
        with fails(WeightsError, "weights-unusable", file.name):
            load_model(SPEC, str(file))
