"""CenterFace: faces as points, a small fully convolutional network under onnxruntime.

Xu, Yan, Sun, Liu, Jiang, Tang, Wang 2019, "CenterFace: Joint Face Detection and Alignment Using Face as Point"
(arXiv 1911.03599). WIDER FACE validation .935 easy, .924 medium, .875 hard, as its authors publish.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.geometry import iou_matrix
from fercli.models.detections import Detections
from fercli.models.onnx_session import ERRORS, open_session

OUTPUTS = ("heatmap", "size", "offset", "landmarks")
MULTIPLE = 32
"""Width and height the network takes must be multiples of it."""
STRIDE = 4
"""Pixels of the input to one cell of the output."""
LOWEST_SCORE = 0.1
"""Cells below it are ignored; far below any useful threshold."""
MAX_OVERLAP = 0.3
"""Of two boxes with a larger intersection over union, the one with the lower score is dropped."""
AGREEMENT = 0.6
"""Intersection over union from which another cell's box counts as a detection of the same face."""


class CenterFace:
    """A session with the network. Scores are the network's own, a sigmoid."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """See `Detector.detect`. Finds faces from about 12 pixels wide up to about 900."""
        heatmap, size, offset, landmarks = self._session.run(list(OUTPUTS), {"image": _network_input(image)})
        return _merged(_decoded(heatmap[0, 0], size[0], offset[0], landmarks[0]))


def load(weights: Path | None, device: str) -> CenterFace:
    """Build the detector. Without a CUDA build of onnxruntime it runs on the CPU for any `device`.

    Raises:
        WeightsError: it is not the network written by `benchmarks/convert_centerface.py`.
    """
    if weights is None:
        raise WeightsError("centerface needs its weights file", hint="reinstall fercli", code="weights-missing")
    try:
        session = open_session(weights, device)
    except ERRORS as error:
        raise _not_centerface(weights) from error
    if [tensor.name for tensor in session.get_outputs()] != list(OUTPUTS):
        raise _not_centerface(weights)
    return CenterFace(session)


def _not_centerface(weights: Path) -> WeightsError:
    return WeightsError(
        f"{weights} is not the CenterFace network fercli uses",
        hint="omit the weights option to use the shipped file",
    )


def _network_input(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(1, 3, H', W') RGB in [0, 255], padded with black below and on the right to the next multiple, so that boxes do
    not move."""
    bottom, right = -image.shape[0] % MULTIPLE, -image.shape[1] % MULTIPLE
    padded = cv2.copyMakeBorder(image, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    return np.ascontiguousarray(padded.transpose(2, 0, 1)[None], dtype=np.float32)


def _decoded(
    heatmap: NDArray[np.float32],
    size: NDArray[np.float32],
    offset: NDArray[np.float32],
    landmarks: NDArray[np.float32],
) -> Detections:
    """Every cell that could be the centre of a face (arXiv 1911.03599, section 3.2), doubles included.

    Args:
        heatmap: (h, w) probability that a face has its centre in the cell.
        size: (2, h, w) logarithm of height and width, in cells.
        offset: (2, h, w) y and x of the centre inside the cell, less one half, in cells.
        landmarks: (10, h, w) y and x of each point from the top left corner of the box, in heights and widths of it.
    """
    rows, columns = np.nonzero(heatmap >= LOWEST_SCORE)
    sides = np.exp(size[:, rows, columns].T) * STRIDE
    cells = np.stack([rows, columns], axis=1).astype(np.float32)
    centres = (cells + offset[:, rows, columns].T + 0.5) * STRIDE
    low = centres - sides / 2
    points = landmarks[:, rows, columns].T.reshape(-1, 5, 2) * sides[:, None] + low[:, None]
    boxes = np.concatenate([low[:, ::-1], (low + sides)[:, ::-1]], axis=1)
    return Detections(
        boxes.astype(np.float32), heatmap[rows, columns].astype(np.float32), points[..., ::-1].astype(np.float32)
    )


def _merged(found: Detections) -> Detections:
    """One detection per face, best first: greedy non-maximum suppression, then the mean of the boxes that agree with
    the best.

    The best cell alone jumps by up to half a stride (2 pixels) when a face moves by one pixel, because the network's
    offsets are too small; the mean, weighted by score, moves with the face. The score stays that of the best cell.
    """
    places = np.concatenate([found.boxes[:, :2], found.boxes[:, 2:] - found.boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(places.tolist(), found.scores.tolist(), LOWEST_SCORE, MAX_OVERLAP)
    best = found.take(np.asarray(kept, dtype=np.intp).reshape(-1))
    weights = (iou_matrix(best.boxes, found.boxes) >= AGREEMENT) * found.scores
    weights /= weights.sum(axis=1, keepdims=True)
    points = np.tensordot(weights, found.landmarks, axes=1) if found.landmarks is not None else None
    return Detections(weights @ found.boxes, best.scores, points)
