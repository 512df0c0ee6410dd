"""Boxes and landmarks. Boxes are float32 `x1, y1, x2, y2`, half-open, pixels of the upright full-size frame.

If pixels are not square, boxes are in stored pixels; angles and shapes are only valid after `square_factors`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ALMOST_SQUARE = 0.01
"""A smaller deviation is ignored: it comes from sizes rounded to even numbers of pixels."""
EDGE = 0.25
"""Least distance of the middle of the mouth or of the eyes from the edge, in distances between the two.

For a face that is cut off, detectors place the landmarks inside the picture: in photographs cut through the mouth they
are 0.15 to 0.25 inside, with the lower lip in the picture 0.25 to 0.33, with half of the chin 0.41."""


def iou_matrix(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, M) intersection over union of (N, 4) and (M, 4) boxes, in [0, 1]; empty boxes overlap with nothing."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    union = _area(a)[:, None] + _area(b)[None, :] - shared
    overlap: NDArray[np.float32] = np.divide(
        shared, union, out=np.zeros_like(shared, dtype=np.float32), where=union > 0
    )
    return overlap


def square_around(box: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """(4,) square with the centre of a (4,) box and `scale` times its longer side; may reach outside the frame."""
    centre = (box[:2] + box[2:]) / 2
    half = max(box[2] - box[0], box[3] - box[1]) * scale / 2
    return np.concatenate([centre - half, centre + half]).astype(np.float32)


def whole_square(square: NDArray[np.float32]) -> tuple[int, int, int]:
    """Left, top and side of the whole pixels that are cut out for a (4,) square."""
    return round(float(square[0])), round(float(square[1])), max(1, round(float(square[2] - square[0])))


def square_factors(pixel_aspect: float) -> tuple[float, float]:
    """Factors of x and y from stored to square pixels; both are 1 or more.

    Args:
        pixel_aspect: width / height of a stored pixel. Within ALMOST_SQUARE of 1, the factors are 1.
    """
    if abs(pixel_aspect - 1) <= ALMOST_SQUARE:
        return 1.0, 1.0
    return max(1.0, pixel_aspect), max(1.0, 1 / pixel_aspect)


def frontality(landmarks: NDArray[np.float32]) -> float:
    """Frontality of a face, in [0, 1]: 1 frontal, 0 in profile.

    Along the line through the eyes, the nose is midway between them in a frontal view, and outside of them in profile:
    1 - |2 s - 1| clipped to [0, 1], s being the nose's place from the left eye (0) to the right eye (1).

    Args:
        landmarks: (5, 2) left eye, right eye, nose, left and right mouth corner as seen in the picture.
    """
    left, right, nose = landmarks[:3].astype(np.float64)
    line = right - left
    length = float(line @ line)
    if length == 0:
        return 0.0
    place = float((nose - left) @ line) / length
    return float(np.clip(1 - abs(2 * place - 1), 0, 1))


def roll(landmarks: NDArray[np.float32]) -> float:
    """In-plane rotation of a face, degrees clockwise, in (-180, 180]: 0 upright.

    The angle of the similarity that best maps two lines to those of an upright face: from eye to eye, and from between
    the eyes to the mouth. Each is weighted by its length, so in profile the second dominates.

    Args:
        landmarks: (5, 2) left eye, right eye, nose, left and right mouth corner as seen in the upright face.
    """
    points = landmarks.astype(np.float64) @ (1, 1j)
    across, down = points[1] - points[0], points[3:].mean() - points[:2].mean()
    return float(np.degrees(np.angle(across + down / 1j)))


def cut_off(landmarks: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the mouth or the eyes of faces are outside the picture, or so near its edge (EDGE) that they may be.

    Args:
        landmarks: (N, 5, 2) as for `roll`, NaN where there are none: such faces are not cut off.
        size: (2,) width and height of the picture, square pixels as the landmarks.

    Returns:
        (N,) bool.
    """
    eyes, mouth = landmarks[:, :2].mean(axis=1), landmarks[:, 3:].mean(axis=1)
    inside = [np.minimum(part, size - part).min(axis=1) for part in (eyes, mouth)]
    near: NDArray[np.bool_] = np.minimum(*inside) < EDGE * np.hypot(*(mouth - eyes).T)
    return near


def keyframes(at: NDArray[Any], boxes: NDArray[np.float64], tolerance: float) -> NDArray[np.int64]:
    """The boxes of a track that must be kept so that the others can be interpolated.

    The method of Ramer (1972) and of Douglas and Peucker (1973), with time as the first axis and the largest difference
    as distance.

    Args:
        at: (N,) time or number of the frame of each box, ascending, N >= 1.
        boxes: (N, 4) edges, or corner and size, in any unit.
        tolerance: largest deviation of one of the four values from the interpolation in time, in that unit.

    Returns:
        Numbers of the boxes to keep, ascending; the first and the last are among them.
    """
    kept = {0, len(at) - 1}
    waiting = [(0, len(at) - 1)]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        share = ((at[first + 1 : last] - at[first]) / (at[last] - at[first]))[:, None]
        between = boxes[first] + share * (boxes[last] - boxes[first])
        error = np.abs(boxes[first + 1 : last] - between).max(axis=1)
        worst = int(error.argmax())
        if error[worst] > tolerance:
            middle = first + 1 + worst
            kept.add(middle)
            waiting += [(first, middle), (middle, last)]
    return np.array(sorted(kept), np.int64)


def _area(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    sides: NDArray[np.float32] = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None)
    area: NDArray[np.float32] = sides.prod(axis=1)
    return area
