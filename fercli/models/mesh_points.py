"""From what the face mesh sees back to the pixels of the frame: the way a face was cut out, turned round.

A frame is stretched to square pixels, a square round the box is cut out of it and may be scaled down, the crop is
turned upright, and the middle of it becomes the view of the network. Points are where the middles of pixels are: the
first pixel of a picture is at 0, 0 and reaches half a pixel to each side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fercli.geometry import square_around, square_factors, whole_square
from fercli.models.classifier import FaceView

Points = NDArray[np.float64]


def in_frame(
    points: NDArray[np.float32],
    view: FaceView,
    side: int,
    turned: float,
    box: NDArray[np.float32],
    pixel_aspect: float,
) -> NDArray[np.float32]:
    """The points of a mesh in the frame.

    Args:
        points: (N, 3) pixels of the view.
        view: that cut it out of the crop.
        side: of the crop as it is stored, pixels.
        turned: by how much it was turned upright, degrees; what `upright` was given.
        box: (4,) of the face, stored pixels.
        pixel_aspect: width / height of a stored pixel.

    Returns:
        (N, 3) float32: x and y in stored pixels of the frame, z in square pixels.
    """
    left, top, right, _ = view.square(side)
    stretch = np.array(square_factors(pixel_aspect))
    grown = (right - left) / view.header.input_size
    upright = scaled(points[:, :2].astype(np.float64), grown) + np.array([left, top])
    square = square_around(box * np.tile(stretch, 2).astype(np.float32), view.crop_scale)
    *corner, cut_out = whole_square(square)
    enlarged = cut_out / side
    in_square = scaled(turned_back(upright, turned, (side - 1) / 2), enlarged) + np.array(corner)
    stored = scaled(in_square, 1 / stretch)
    return np.column_stack([stored, points[:, 2] * grown * enlarged]).astype(np.float32)


def scaled(points: Points, factor: float | NDArray[np.float64]) -> Points:
    """Points of a picture in the same picture enlarged by a factor."""
    moved: Points = (points + 0.5) * factor - 0.5
    return moved


def turned_back(points: Points, degrees: float, middle: float) -> Points:
    """Points of a crop that was turned upright, in the crop as it was.

    Args:
        points: (N, 2).
        degrees: how far the face is turned in the crop, clockwise.
        middle: x and y of the middle of the crop.
    """
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    back: Points = (points - middle) @ turn + middle
    return back
