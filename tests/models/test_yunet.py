"""No package fercli needs has a YuNet file, so a stand-in for `cv2.FaceDetectorYN` tests the adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.models.registry import find_model, find_weights, load_model, packaged_weights
from fercli.models.yunet import YuNet, load
from tests.failing import fails


class Network:
    """What `cv2.FaceDetectorYN` returns: None or (N, 15) x, y, w, h, five points from the person's right, score."""

    def __init__(self, faces: NDArray[np.float32] | None) -> None:
        self.faces = faces
        self.size: tuple[int, int] | None = None
        self.shown: NDArray[np.uint8] | None = None

    def setInputSize(self, size: tuple[int, int], /) -> None:  # noqa: N802
        self.size = size

    def detect(self, image: NDArray[np.uint8], /) -> Any:
        self.shown = image
        return 1, self.faces


def test_columns_become_boxes_landmarks_and_scores() -> None:
    row = [10, 20, 30, 40, 15, 30, 33, 31, 24, 42, 17, 52, 32, 53, 0.75]
    found = YuNet(Network(np.array([row, row], np.float32))).detect(np.zeros((90, 160, 3), np.uint8))
    assert found.boxes.tolist() == [[10, 20, 40, 60]] * 2
    assert found.scores.tolist() == [0.75] * 2
    assert found.landmarks is not None
    assert found.landmarks[0].tolist() == [[15, 30], [33, 31], [24, 42], [17, 52], [32, 53]]


def test_the_network_is_told_the_size_and_sees_bgr() -> None:
    network = Network(None)
    image = np.zeros((90, 160, 3), np.uint8)
    image[..., 0] = 200
    found = YuNet(network).detect(image)
    assert network.size == (160, 90)
    assert network.shown is not None
    assert network.shown[0, 0].tolist() == [0, 0, 200]
    assert found.boxes.shape == (0, 4)
    assert found.landmarks is not None
    assert found.landmarks.shape == (0, 5, 2)


def test_without_a_file_the_hint_says_where_to_get_one() -> None:
    with fails(WeightsError, "weights-missing") as error:
        load_model(find_model("yunet", "detector"))
    assert "opencv_zoo" in error.value.hint


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(WeightsError, match=r"mine\.onnx is not a YuNet"):
        load(path, "cpu")


def test_another_network_is_refused() -> None:
    path = packaged_weights() / "centerface.onnx"
    assert find_weights(find_model("yunet", "detector"), str(path)) == path
    with pytest.raises(WeightsError, match=r"centerface\.onnx is not a YuNet"):
        load(path, "cpu")
