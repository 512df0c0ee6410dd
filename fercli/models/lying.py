"""Landmarks of faces that lie sideways or upside down.

A detector trained on upright faces finds many lying ones, but its landmarks are biased towards an upright face: the
eyes are too close together and the angle is wrong by up to 60 degrees. So a face that appears rotated is detected
again, in the picture rotated by the estimated angle, until it appears upright.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.geometry import roll, square_around
from fercli.models.detections import Detections, Detector

REDETECT_FROM = 25.0
"""Degrees: the landmarks of faces rotated by up to 30 are correct to within 10, and few upright faces appear that
rotated."""
UPRIGHT_WITHIN = 15.0
"""Largest estimated rotation of an upright face, degrees."""
MAX_ROUNDS = 4
SIDE = 160
"""Side of the picture for the repeated detection, pixels."""
FRAME_SCALE = 2.0
"""Its side in longer sides of the box."""
LOWEST_SCORE = 0.4


def redetect_rotated(detector: Detector, image: NDArray[np.uint8], found: Detections) -> Detections:
    """Correct the landmarks of the faces that appear rotated.

    Args:
        detector: the detector that found them.
        image: (H, W, 3) RGB.
        found: boxes and landmarks in pixels of the image.

    Returns:
        The same faces. Those that appeared rotated have the landmarks of the upright picture, left and right as in the
        upright face; NaN if they were not found upright.
    """
    if found.landmarks is None:
        return found
    landmarks = found.landmarks.copy()
    for row in range(len(found)):
        if abs(roll(landmarks[row])) > REDETECT_FROM:
            points = _detected_upright(detector, image, found.boxes[row], roll(landmarks[row]))
            landmarks[row] = np.nan if points is None else points
    return Detections(found.boxes, found.scores, landmarks)


def _detected_upright(
    detector: Detector, image: NDArray[np.uint8], box: NDArray[np.float32], turned: float
) -> NDArray[np.float32] | None:
    """(5, 2) landmarks in pixels of the image, or None if no rotation makes the face upright."""
    square = square_around(box, FRAME_SCALE)
    scale = SIDE / float(square[2] - square[0])
    part, corner = _scaled_part(image, square, scale)
    middle = (square[:2] + square[2:]) / 2
    for _ in range(MAX_ROUNDS):
        matrix = cv2.getRotationMatrix2D(((middle - corner) * scale).tolist(), turned, 1.0)
        matrix[:, 2] += np.array(SIDE / 2 - (middle - corner) * scale, dtype=matrix.dtype)
        view = cv2.warpAffine(part, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        seen = detector.detect(np.asarray(view, dtype=np.uint8))
        row = _middle_face(seen, SIDE / 2, SIDE / FRAME_SCALE)
        if row is None or seen.landmarks is None:
            return None
        points = seen.landmarks[row]
        rest = roll(points)
        if abs(rest) <= UPRIGHT_WITHIN:
            back = cv2.invertAffineTransform(matrix)
            return np.asarray((points @ back[:, :2].T + back[:, 2]) / scale + corner, dtype=np.float32)
        turned += rest
    return None


def _scaled_part(
    image: NDArray[np.uint8], square: NDArray[np.float32], scale: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The part of a square that lies in the image, scaled, and its upper left corner in the image."""
    size = np.array(image.shape[1::-1])
    x1, y1 = np.clip(np.floor(square[:2]), 0, size - 1).astype(int).tolist()
    x2, y2 = np.clip(np.ceil(square[2:]), [x1 + 1, y1 + 1], size).astype(int).tolist()
    small = max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    part = cv2.resize(image[y1:y2, x1:x2], small, interpolation=way)
    return np.asarray(part, dtype=np.uint8), np.array([x1, y1], dtype=np.float32)


def _middle_face(seen: Detections, middle: float, side: float) -> int | None:
    """The face in the middle of the picture, if it is about as large as the expected one."""
    centres = (seen.boxes[:, :2] + seen.boxes[:, 2:]) / 2
    longer = (seen.boxes[:, 2:] - seen.boxes[:, :2]).max(axis=1, initial=0)
    near = np.hypot(*(centres - middle).T) < 0.35 * side
    same = near & (longer > 0.5 * side) & (longer < 1.6 * side) & (seen.scores >= LOWEST_SCORE)
    return int(np.where(same, seen.scores, -1).argmax()) if same.any() else None
