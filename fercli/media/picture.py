"""A decoded frame, and the size of its preview."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

PREVIEW_SIDE = 256
"""Long side of `Picture.preview`, pixels; smaller frames keep their size."""


@dataclass(frozen=True)
class Picture:
    """A decoded frame that is converted only when needed.

    Attributes:
        frame: its number in the video.
        rgb: gives the upright full-size picture, RGB uint8 HxWx3, of the size of the video's `Screen`.
        preview: gives the same with a long side of at most PREVIEW_SIDE, RGB uint8 HxWx3.
        fitted: whether its stored shape differs from that of the video, so that it was fitted.
    """

    frame: int
    rgb: Callable[[], Image]
    preview: Callable[[], Image]
    fitted: bool = False


def preview_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of a preview of a frame of this size."""
    scale = min(1.0, PREVIEW_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
