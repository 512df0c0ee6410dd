"""Single pictures are shown to the detector as frames of a video are."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.models.detections import Detections
from fercli.models.pictures import find_faces


class Everywhere:
    """Finds a face that reaches over all edges, and an unlikely one; keeps what it was shown."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        self.shapes.append(image.shape)
        height, width = image.shape[:2]
        boxes = np.array([(-5, -5, width + 5, height / 2), (0, 0, 1, 1)], np.float32)
        return Detections(boxes, np.array([0.9, 0.2], np.float32))


@pytest.mark.parametrize(
    ("shape", "shown"),
    [((1000, 2000), (320, 640)), ((48, 48), (96, 96)), ((200, 300), (200, 300)), ((30, 60), (48, 96))],
)
def test_the_size_the_detector_sees(shape: tuple[int, int], shown: tuple[int, int]) -> None:
    detector = Everywhere()
    boxes = find_faces(np.zeros((*shape, 3), np.uint8), detector)
    assert detector.shapes == [(*shown, 3)]
    np.testing.assert_allclose(boxes, [[0, 0, shape[1], shape[0] / 2]])
