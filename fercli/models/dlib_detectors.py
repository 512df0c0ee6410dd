"""dlib's two face detectors: HOG, which is fast and only for upright frontal faces, and a convolutional network.

Dalal, Triggs 2005 (HOG); King 2015, "Max-Margin Object Detection" (arXiv 1502.00046), both with dlib's own weights.
They are the detectors behind `face_recognition.face_locations`, called directly because that function drops the scores.

No landmarks: the free five-point predictor has eye corners and the base of the nose but no mouth, and the licence of
the 68-point one forbids commercial use.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import dlib
import numpy as np
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.models.detections import Detections

HOG_DOUBLINGS = 1
"""How often the image is doubled first, as in `face_recognition`: faces from about 40 pixels instead of 80."""
CNN_DOUBLINGS = 0
"""Faces from about 80 pixels; one doubling costs 8 instead of 2 seconds of CPU per frame of 640 x 360."""


class Rectangle(Protocol):
    """The used part of `dlib.rectangle`; its right and bottom are inclusive."""

    def left(self) -> int: ...
    def top(self) -> int: ...
    def right(self) -> int: ...
    def bottom(self) -> int: ...


class DlibHog:
    """Histograms of oriented gradients and five linear filters. A score of 0.5 is dlib's own threshold."""

    def __init__(self) -> None:
        self._network: Any = dlib.get_frontal_face_detector()

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """See `Detector.detect`."""
        rectangles, margins, _ = self._network.run(np.ascontiguousarray(image), HOG_DOUBLINGS)
        return _detections(list(rectangles), list(margins))


class DlibCnn:
    """A small network trained with max-margin loss. A score of 0.5 is dlib's own threshold."""

    def __init__(self, weights: Path) -> None:
        self._network: Any = dlib.cnn_face_detection_model_v1(str(weights))

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """See `Detector.detect`."""
        found = self._network(np.ascontiguousarray(image), CNN_DOUBLINGS)
        return _detections([face.rect for face in found], [face.confidence for face in found])


def load_hog(weights: Path | None, device: str) -> DlibHog:
    """Build the HOG detector; it runs on the CPU for any `device`.

    Raises:
        WeightsError: a file was given; the filters are part of dlib.
    """
    if weights is not None:
        raise WeightsError(
            f"dlib-hog cannot use {weights}: its filters are part of dlib",
            hint="omit the weights option",
            code="weights-not-wanted",
        )
    return DlibHog()


def load_cnn(weights: Path | None, device: str) -> DlibCnn:
    """Build the network; it runs on the device that dlib was compiled for.

    Raises:
        WeightsError: not a network of this kind.
    """
    if weights is None:
        raise WeightsError(
            "dlib-cnn needs its weights file", hint="pip install face_recognition_models", code="weights-missing"
        )
    try:
        return DlibCnn(weights)
    except RuntimeError as error:
        raise WeightsError(
            f"{weights} is not a dlib face detection network", hint="omit the weights option to use dlib's own"
        ) from error


def _detections(rectangles: list[Rectangle], margins: list[float]) -> Detections:
    """Margins are unbounded; the logistic function maps them to [0, 1], and dlib's threshold 0 to 0.5."""
    corners = [(r.left(), r.top(), r.right() + 1, r.bottom() + 1) for r in rectangles]
    scores = 1 / (1 + np.exp(-np.array(margins)))
    return Detections(np.array(corners, dtype=np.float32).reshape(-1, 4), scores.astype(np.float32))
