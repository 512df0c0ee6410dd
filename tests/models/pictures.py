"""A portrait with known places, public domain, from scikit-image."""

from __future__ import annotations

import numpy as np
import skimage.data
from numpy.typing import NDArray

LANDMARKS = np.array([[204, 101], [248, 103], [224, 125], [205, 142], [242, 142]], dtype=np.float32)
"""Left eye, right eye, nose, left and right mouth corner as seen in the picture, found by eye; good to 4 pixels."""


def portrait() -> NDArray[np.uint8]:
    """512 x 512 RGB, one woman's face, about 90 pixels wide."""
    picture: NDArray[np.uint8] = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    return picture


def holds_the_face(box: NDArray[np.float32]) -> bool:
    """Whether a box has eyes and mouth in it and is no larger than a head."""
    x1, y1, x2, y2 = box
    inside = bool((LANDMARKS[:, 0] > x1).all() and (LANDMARKS[:, 0] < x2).all())
    inside = inside and bool((LANDMARKS[:, 1] > y1).all() and (LANDMARKS[:, 1] < y2).all())
    return inside and bool(x2 - x1 < 130 and y2 - y1 < 160)
