"""Boxes and landmarks. Boxes are float32 `x1, y1, x2, y2`, half-open, pixels of the upright full-size frame.

Where pixels are not square, those are the pixels as they are stored; angles and shapes only mean something after
`square_factors`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ALMOST_SQUARE = 0.01
"""No face looks different for that: sizes are rounded to even numbers of pixels."""
EDGE = 0.25
"""How near to the edge of the picture the middle of the mouth or of the eyes may be, in distances between the two.

A detector draws the landmarks of a face that is cut off into the picture: in photographs cut through the line of the
mouth they lie 0.15 to 0.25 inside, with the lower lip in the picture 0.25 to 0.33, with half of the chin 0.41."""


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


def square_factors(pixel_aspect: float) -> tuple[float, float]:
    """What x and y of stored pixels are multiplied by to be in square ones; the picture only grows.

    Args:
        pixel_aspect: width / height of a stored pixel. Within ALMOST_SQUARE of 1 nothing is done.
    """
    if abs(pixel_aspect - 1) <= ALMOST_SQUARE:
        return 1.0, 1.0
    return max(1.0, pixel_aspect), max(1.0, 1 / pixel_aspect)


def frontality(landmarks: NDArray[np.float32]) -> float:
    """How far a face looks into the camera, in [0, 1]: 1 frontal, 0 in profile.

    The nose lies midway between the eyes, along the line through them, in a frontal view, and outside of one of them in
    profile: 1 - |2 s - 1| clipped to [0, 1], s being the nose's place from the left eye (0) to the right eye (1).

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
    """How far a face is turned in the plane of the picture, degrees clockwise, in (-180, 180]: 0 upright.

    The angle of the similarity that brings two lines nearest to where they lie in an upright face: from eye to eye, and
    from between the eyes to the mouth. Each counts by its length, so a profile is judged by the second.

    Args:
        landmarks: (5, 2) left eye, right eye, nose, left and right mouth corner as seen in the upright face.
    """
    points = landmarks.astype(np.float64) @ (1, 1j)
    across, down = points[1] - points[0], points[3:].mean() - points[:2].mean()
    return float(np.degrees(np.angle(across + down / 1j)))


def cut_off(landmarks: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the mouth or the eyes of faces lie outside the picture, or so near its edge (EDGE) that they may.

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
    """The boxes of a track that have to be kept so that the others lie between them.

    The method of Ramer (1972) and of Douglas and Peucker (1973), with time as the first axis and the largest difference
    as distance.

    Args:
        at: (N,) time or number of the frame of each box, ascending, N >= 1.
        boxes: (N, 4) edges, or corner and size, in any unit.
        tolerance: how far one of the four may be from where interpolation in time puts it, in that unit.

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
