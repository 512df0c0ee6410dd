"""Whether a classifier looks at the same places of a face that is mirrored, turned, cropped or scaled.

Attention consistency (Guo et al. 2019, doi 10.1109/CVPR.2019.00082; for expressions Zhang et al. 2022, arXiv
2207.10299): the heat map of a changed face should be the heat map of the face, changed likewise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.learn.datasets.faces import FaceSet, middle_frames
from fercli.models.classifier import EmotionClassifier, FaceView
from fercli.progress import Reporter

MOST_FACES = 1000
"""Faces compared, evenly over the split."""
BATCH = 32
TURN = 10.0
"""Degrees."""
WINDOW, MOVED = 0.85, 0.05
"""Side of a crop, and how far its middle is moved to the right and down, in sides of the view."""
SHRUNK = 0.8
HOT = 0.5
"""Evidence, as a share of the most, from which a place belongs to the region whose overlap is measured."""


def _flip(side: int) -> NDArray[np.float64]:
    return np.array([[-1, 0, side - 1], [0, 1, 0]], np.float64)


def _rotation(side: int) -> NDArray[np.float64]:
    middle = (side - 1) / 2
    return np.asarray(cv2.getRotationMatrix2D((middle, middle), TURN, 1.0), np.float64)


def _zoom(side: int, factor: float, moved: float) -> NDArray[np.float64]:
    """Enlarged about a middle that is moved right and down by a share of the side."""
    middle = (side - 1) / 2
    shift = middle - factor * (middle + moved * side)
    return np.array([[factor, 0, shift], [0, factor, shift]], np.float64)


TRANSFORMS: dict[str, Callable[[int], NDArray[np.float64]]] = {
    "flip": _flip,
    "rotation": _rotation,
    "crop": lambda side: _zoom(side, 1 / WINDOW, MOVED),
    "scale": lambda side: _zoom(side, SHRUNK, 0.0),
}
"""Name -> (2, 3) matrix that moves the pixels of a view of a side."""


@dataclass(frozen=True)
class Consistency:
    """How alike the heat maps of faces and of changed faces are.

    Attributes:
        correlation: mean of Pearson's correlation over the places that both show, in [-1, 1].
        iou: mean overlap of the regions with at least HOT of the most evidence, in [0, 1].
        same_class: share of the faces whose predicted class stays.
        faces: how many were compared; those without evidence in one of the maps are left out of the means.
    """

    correlation: float
    iou: float
    same_class: float
    faces: int


def attention_consistency(
    classifier: EmotionClassifier, faces: FaceSet, face_scale: float, reporter: Reporter
) -> dict[str, Consistency]:
    """Compare the heat maps of the class that is predicted for each unchanged face.

    Args:
        classifier: with the head to use.
        faces: at most MOST_FACES of them are compared.
        face_scale: see `DatasetSplits`.
        reporter: gets progress.

    Returns:
        Transform -> figures.
    """
    rows = np.unique(np.linspace(0, len(faces) - 1, min(len(faces), MOST_FACES)).round().astype(int))
    view = FaceView(classifier.header, face_scale)
    chosen = middle_frames(faces.images.shape[1], classifier.header.n_frames)
    found: dict[str, list[tuple[float, float, bool]]] = {name: [] for name in TRANSFORMS}
    with reporter.task("consistency", len(rows), "face") as task:
        for start in range(0, len(rows), BATCH):
            own = rows[start : start + BATCH]
            clips = np.asarray([[view(image) for image in faces.images[row]] for row in own], np.uint8)[:, chosen]
            labels = _classes(classifier, clips)
            maps = classifier.heat_maps(clips, labels.tolist()).mean(axis=1)
            for name, matrix_of in TRANSFORMS.items():
                matrix = matrix_of(clips.shape[2])
                changed = np.asarray([[moved(image, matrix) for image in clip] for clip in clips], np.uint8)
                again = _classes(classifier, changed)
                theirs = classifier.heat_maps(changed, labels.tolist()).mean(axis=1)
                for one, other, same in zip(maps, theirs, again == labels, strict=True):
                    found[name].append((*alike(one, other, matrix), bool(same)))
            task.advance(len(own))
    return {name: _mean(rows_of) for name, rows_of in found.items()}


def moved(image: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """An (S, S) or (S, S, 3) view whose pixels are moved; outside the view its edge is repeated."""
    size = image.shape[1::-1]
    return np.asarray(cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def alike(heat: NDArray[np.float32], changed: NDArray[np.float32], matrix: NDArray[np.float64]) -> tuple[float, float]:
    """Correlation and overlap of the (S, S) map of a face, moved by a matrix, with that of the moved face.

    Only places that both show are compared; NaN where one of the maps is constant there.
    """
    size = heat.shape[::-1]
    expected = cv2.warpAffine(heat, matrix, size)
    seen = cv2.warpAffine(np.ones_like(heat), matrix, size) > 0.999
    one, other = expected[seen].astype(np.float64), changed[seen].astype(np.float64)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan"), float("nan")
    hot = one >= HOT * one.max(), other >= HOT * other.max()
    union = (hot[0] | hot[1]).sum()
    return float(np.corrcoef(one, other)[0, 1]), float((hot[0] & hot[1]).sum() / union)


def _classes(classifier: EmotionClassifier, clips: NDArray[np.uint8]) -> NDArray[np.intp]:
    """(N,) most probable classes of the clips alone: averaged with the mirror image, no mirror would change them."""
    return np.asarray(classifier.logits(clips)[0].argmax(axis=1), np.intp)


def _mean(rows: list[tuple[float, float, bool]]) -> Consistency:
    figures = np.array([row[:2] for row in rows])
    known = np.isfinite(figures).all(axis=1)
    correlation, iou = figures[known].mean(axis=0) if known.any() else (float("nan"), float("nan"))
    return Consistency(float(correlation), float(iou), float(np.mean([row[2] for row in rows])), len(rows))
