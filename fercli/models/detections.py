"""The interface of all face detectors, and their result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Detections:
    """The faces found in one image, one row per face.

    Attributes:
        boxes: (N, 4) float32 `x1, y1, x2, y2`, pixels of the image; may reach outside it.
        scores: (N,) float32 in [0, 1], on the detector's own scale.
        landmarks: (N, 5, 2) float32 x, y of the left eye, right eye, nose, left and right mouth corner as seen in the
            picture; None if the detector has none.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, rows: NDArray[np.intp]) -> Detections:
        """The given rows, in the given order."""
        landmarks = None if self.landmarks is None else self.landmarks[rows]
        return Detections(self.boxes[rows], self.scores[rows], landmarks)

    def scaled(self, x: float, y: float) -> Detections:
        """The same faces in an image `x` times as wide and `y` times as high."""
        factors = np.array([x, y], dtype=np.float32)
        landmarks = None if self.landmarks is None else self.landmarks * factors
        return Detections(self.boxes * np.tile(factors, 2), self.scores, landmarks)


class Detector(Protocol):
    """A face detector, ready to use."""

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Find the faces in an (H, W, 3) RGB image of any size."""
