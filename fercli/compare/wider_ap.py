"""Average precision as the evaluation of WIDER FACE computes it (Yang et al. 2016, arXiv 1511.06523, `eval_tools`).

What differs from a usual average precision, and is done here as there:

- Scores are scaled so that the lowest score of a detector on the whole set is 0 and the highest 1.
- A face of another difficulty is neither right nor wrong: a detection that overlaps it most is left out.
- A second detection of a face counts neither as right nor as left out: it is wrong.
- Boxes are taken as inclusive: width and height are one larger in the overlap.
- The curve has 1000 points, at scores 0.999, 0.998 ... 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = 1000
MIN_IOU = 0.5


@dataclass(frozen=True)
class Faces:
    """The true faces of one image.

    Attributes:
        boxes: (N, 4) `x1, y1, x2, y2`, pixels.
        counted: (N,) whether a face belongs to the difficulty that is scored; the others are left out.
    """

    boxes: NDArray[np.float32]
    counted: NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """The detections in one image: (N, 4) boxes, pixels, and (N,) scores on any scale."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]


@dataclass(frozen=True)
class Curve:
    """Precision and recall, both (THRESHOLDS,) in [0, 1], strictest first, and the average precision, in [0, 1]."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    ap: float


def precision_curve(truth: Sequence[Faces], found: Sequence[Found]) -> Curve | None:
    """The curve of one detector on all images; None if no face is counted.

    Args:
        truth, found: of the same images, in the same order.
    """
    n_faces = sum(int(faces.counted.sum()) for faces in truth)
    if not n_faces:
        return None
    low, high = _range([one.scores for one in found])
    proposals, hits = np.zeros(THRESHOLDS), np.zeros(THRESHOLDS)
    for faces, one in zip(truth, found, strict=True):
        if len(faces.boxes) and len(one.scores):
            scaled = (one.scores.astype(np.float64) - low) / (high - low)
            counts = _counts(faces, one.boxes, scaled)
            proposals += counts[0]
            hits += counts[1]
    precision = np.divide(hits, proposals, out=np.zeros(THRESHOLDS), where=proposals > 0)
    recall = hits / n_faces
    return Curve(precision, recall, _area(recall, precision))


def inclusive_iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N, M) overlap of (N, 4) and (M, 4) boxes whose right and bottom pixels belong to them, in [0, 1]."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.clip(high - low + 1, 0, None), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2] + 1, axis=1) for boxes in (a, b)]
    overlap: NDArray[np.float64] = shared / (areas[0][:, None] + areas[1][None] - shared)
    return overlap


def _range(scores: Sequence[NDArray[np.float32]]) -> tuple[float, float]:
    """Lowest and highest score, which the official program begins with 1 and 0."""
    flat = np.concatenate([np.zeros(0, np.float32), *scores]).astype(np.float64)
    low, high = (min(1.0, flat.min()), max(0.0, flat.max())) if len(flat) else (0.0, 1.0)
    return low, high if high > low else low + 1


def _counts(
    faces: Faces, boxes: NDArray[np.float32], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(THRESHOLDS,) detections that count, and true faces found by them, at each threshold in one image."""
    order = np.argsort(-scores, kind="stable")
    overlaps = inclusive_iou(boxes[order], faces.boxes)
    nearest = overlaps.argmax(axis=1)
    reached = overlaps.max(axis=1) >= MIN_IOU
    left_out = reached & ~faces.counted[nearest]
    right = reached & faces.counted[nearest]
    first = np.zeros(len(order), bool)
    first[np.unique(np.where(right, nearest, -1), return_index=True)[1]] = True
    at_least = 1 - (np.arange(THRESHOLDS) + 1) / THRESHOLDS
    taken = np.searchsorted(-scores[order], -at_least, side="right")
    up_to = [np.concatenate([[0], np.cumsum(flags)])[taken] for flags in (~left_out, first & right)]
    return up_to[0], up_to[1]


def _area(recall: NDArray[np.float64], precision: NDArray[np.float64]) -> float:
    """Area under the precision envelope (PASCAL VOC 2010)."""
    at = np.concatenate([[0.0], recall, [1.0]])
    envelope = np.maximum.accumulate(np.concatenate([[0.0], precision, [0.0]])[::-1])[::-1]
    return float(np.sum(np.diff(at) * envelope[1:]))
