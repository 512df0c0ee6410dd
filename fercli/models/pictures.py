"""Faces in single pictures, found as `detect-faces` finds them in the frames of a video."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fercli.config import FacesParams
from fercli.models.detections import Detections, Detector
from fercli.models.registry import find_model, load_model

MIN_SIDE = 96
"""Smaller pictures are enlarged for the detector: a face that fills 48 pixels is hard for it."""


@lru_cache(maxsize=1)
def default_detector() -> Detector:
    """The default detector of detect-faces, on the CPU.

    Raises:
        ModelError: it cannot be used.
    """
    detector: Detector = load_model(find_model(FacesParams.detector, "detector"))
    return detector


def find_faces(picture: NDArray[np.uint8], detector: Detector) -> NDArray[np.float32]:
    """Find the faces in an upright (H, W, 3) picture, at the default size of detect-faces.

    Returns:
        (N, 4) boxes `x1, y1, x2, y2`, pixels, inside the picture.
    """
    return detect_faces(picture, detector).boxes


def detect_faces(picture: NDArray[np.uint8], detector: Detector) -> Detections:
    """As `find_faces`, with scores and, if the detector returns them, landmarks."""
    import cv2

    height, width = picture.shape[:2]
    longer = max(height, width)
    factor = min(FacesParams.max_side / longer, max(1.0, MIN_SIDE / longer))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(picture, size, interpolation=way), dtype=np.uint8)
    found = detector.detect(small).scaled(width / size[0], height / size[1])
    edges = np.array([width, height, width, height], dtype=np.float32)
    found = found.take(np.flatnonzero(found.scores >= FacesParams.min_score))
    return replace(found, boxes=np.clip(found.boxes, 0, edges))
