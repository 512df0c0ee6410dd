"""Classifiers under conditions: accuracy by yaw, by light, and with smaller faces."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.compare.classifiers import ClassifierComparison, answers_of
from fercli.errors import ConfigError
from fercli.learn.datasets.faces import DatasetSplits, FaceSet
from fercli.models.classifier import FaceView, View
from fercli.models.face_mesh import INPUT_SIZE, VIEW_SCALE, FaceMesh, head_pose
from fercli.models.registry import find_model, load_model
from fercli.progress import Reporter

CONDITIONS = ("yaw", "light", "size")
YAW_EDGES = (0, 10, 20, 30, 90)
"""Degrees to either side."""
LIGHT_EDGES = (0, 60, 100, 140, 256)
"""Mean luma of the face, 0 to 255."""
SIZES = (12, 24, 48)
"""Longer side of the face's box to which faces are scaled down, pixels."""
MIN_FLAG = 0.5
"""Faces in which the mesh finds none have no yaw."""


@dataclass(frozen=True)
class ConditionScore:
    """Accuracy of one classifier on the `n` faces in one bin of a condition, in [0, 1]."""

    model: str
    condition: str
    bin: str
    n: int
    accuracy: float


def by_condition(
    comparison: ClassifierComparison,
    conditions: Sequence[str],
    data: DatasetSplits,
    device: str,
    reporter: Reporter,
) -> list[ConditionScore]:
    """Accuracy of all classifiers in bins of what is known of the faces.

    Yaw is what the face mesh finds. Sets keep no original sizes, so for `size` all faces are scaled down to each of
    SIZES that is smaller than they are, and classified again.

    Raises:
        ConfigError: an unknown condition.
        ModelError: the face mesh cannot be loaded.
    """
    for name in conditions:
        if name not in CONDITIONS:
            raise ConfigError(
                f"unknown condition {name!r}", hint=f"known: {', '.join(CONDITIONS)}", code="name-unknown"
            )
    scores: list[ConditionScore] = []
    if "yaw" in conditions:
        scores += _binned(comparison, "yaw", np.abs(yaws(comparison.faces, data.face_scale, reporter)), YAW_EDGES)
    if "light" in conditions:
        scores += _binned(comparison, "light", lights(comparison.faces), LIGHT_EDGES)
    if "size" in conditions:
        scores += _smaller(comparison, data, device, reporter)
    return scores


def lights(faces: FaceSet) -> NDArray[np.float64]:
    """(N,) mean luma of the middle half of each face's middle picture, 0 to 255."""
    side = faces.images.shape[2]
    part = np.s_[side // 4 : side - side // 4]
    return np.array([_grey(_middle(faces, row))[part, part].mean() for row in range(len(faces))], np.float64)


def yaws(faces: FaceSet, face_scale: float, reporter: Reporter) -> NDArray[np.float64]:
    """(N,) yaw of each face's middle picture, degrees as `head_pose`; NaN where the mesh finds no face."""
    networks = (("face-mesh", "mesh"), ("face-blendshapes", "blendshapes"))
    mesh = FaceMesh(*(load_model(find_model(name, task)) for name, task in networks))
    view = FaceView(View(INPUT_SIZE, VIEW_SCALE), face_scale)
    found = np.full(len(faces), np.nan)
    with reporter.task("yaw", len(faces), "face") as task:
        for row in range(len(faces)):
            picture = _middle(faces, row)
            colour = picture if picture.ndim == 3 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB), np.uint8)
            one = mesh.measure([view.cut(colour)])
            if one.flag[0] >= MIN_FLAG:
                found[row] = head_pose(one.points[0])[0]
            task.advance()
    return found


def smaller(picture: NDArray[np.uint8], face_scale: float, side: int) -> NDArray[np.uint8]:
    """A picture as if the longer side of the face's box had `side` pixels, enlarged again to its own size."""
    small = max(1, round(side * face_scale))
    if small >= picture.shape[0]:
        return picture
    shrunk = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _binned(
    comparison: ClassifierComparison, condition: str, values: NDArray[np.float64], edges: Sequence[float]
) -> list[ConditionScore]:
    scores = []
    for low, high in itertools.pairwise(edges):
        rows = (values >= low) & (values < high)
        if rows.any():
            scores += [
                _score(comparison, one.model, condition, f"{low:g} to {high:g}", one.predicted, rows)
                for one in comparison.answers
            ]
    return scores


def _smaller(
    comparison: ClassifierComparison, data: DatasetSplits, device: str, reporter: Reporter
) -> list[ConditionScore]:
    own = round(comparison.faces.images.shape[2] / data.face_scale)
    every = np.ones(len(comparison.faces), bool)
    scores = [
        _score(comparison, one.model, "size", f"{own} (as packed)", one.predicted, every) for one in comparison.answers
    ]
    for side in (size for size in SIZES if size < own):
        for one in comparison.answers:
            again = answers_of(
                one.model,
                data,
                comparison.faces,
                comparison.truth,
                device,
                reporter,
                restricted=comparison.restricted,
                changed=lambda picture, side=side: smaller(picture, data.face_scale, side),  # type: ignore[misc]
            )
            scores.append(_score(comparison, one.model, "size", str(side), again.predicted, every))
    return scores


def _score(
    comparison: ClassifierComparison,
    model: str,
    condition: str,
    name: str,
    predicted: NDArray[np.int64],
    rows: NDArray[np.bool_],
) -> ConditionScore:
    right = predicted[rows] == comparison.truth.labels[rows]
    return ConditionScore(model, condition, name, int(rows.sum()), float(right.mean()))


def _middle(faces: FaceSet, row: int) -> NDArray[np.uint8]:
    picture: NDArray[np.uint8] = faces.images[row : row + 1][0, faces.images.shape[1] // 2]
    return picture


def _grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
