"""How the pictures of a data set frame the face, measured by the detector that is used for video.

The face must have the same share of the picture in training and in use. So the default detector is first run on the
data set; its boxes determine how pictures are cropped and which view is recorded in the network's file.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fercli.geometry import frontality
from fercli.models.pictures import default_detector, detect_faces, find_faces

MIN_FRONTAL = 0.25
"""Frontality (`geometry.frontality`) from which a face counts as frontal."""
LOOK_AT = 100
"""Number of pictures used to measure how a data set frames faces."""
FILLS = 0.6
"""If the face has this share of the picture's shorter side, the picture is already cropped to the face."""


def largest_face(picture: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """(4,) box of the largest face in an (H, W, 3) picture, or None."""
    boxes = find_faces(picture, default_detector())
    if not len(boxes):
        return None
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(boxes[sides.prod(axis=1).argmax()], dtype=np.float32)


def frontal_face(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
    """Find the face in a picture that may also show a profile (a mirror) or be rotated.

    The detector is run on the picture, then on the picture rotated to the left and to the right, until there is an
    upright face that is frontal enough for the defaults of `classify-emotions`.

    Returns:
        The upright picture, (H, W, 3), and the (4,) box of the largest such face in it; or None.
    """
    for quarter_turns in (0, 1, -1):
        turned = np.ascontiguousarray(np.rot90(picture, quarter_turns))
        found = detect_faces(turned, default_detector())
        if found.landmarks is None:
            return None
        fitting = [row for row, points in enumerate(found.landmarks) if _looks_into_camera(points)]
        if fitting:
            boxes = found.boxes[fitting]
            sides = boxes[:, 2:] - boxes[:, :2]
            return turned, np.asarray(boxes[sides.prod(axis=1).argmax()], dtype=np.float32)
    return None


def _looks_into_camera(points: NDArray[np.float32]) -> bool:
    """Whether the eyes are above the mouth, not beside it, and the nose is between the eyes; for (5, 2) landmarks."""
    down = points[3:].mean(axis=0) - points[:2].mean(axis=0)
    return bool(down[1] > abs(down[0])) and frontality(points) >= MIN_FRONTAL


def face_share(pictures: Sequence[NDArray[np.uint8]]) -> float | None:
    """Median, over the pictures in which a face is found, of the box's longer side over the picture's shorter side.

    None if no face is found in any.
    """
    shares = []
    for picture in pictures:
        box = largest_face(picture)
        if box is not None:
            shares.append(float(max(box[2:] - box[:2])) / min(picture.shape[:2]))
    return float(np.median(shares)) if shares else None


def spread(count: int, wanted: int = LOOK_AT) -> list[int]:
    """At most `wanted` of `count` rows, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(int)).tolist() if count else []
