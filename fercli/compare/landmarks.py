"""Landmarks side by side: error, cumulative error, area under its curve, failures and time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.compare.point_finders import GROUPS, Face, PointFinder
from fercli.compare.point_truth import Points, TrueFace
from fercli.media.images import read_image
from fercli.models.detections import Detections, Detector
from fercli.models.pictures import detect_faces
from fercli.progress import Reporter

LIMIT = 0.08
"""Error from which a face has failed, and end of the area under the curve, as in the 300-W challenge."""
OUTER_CORNERS = 36, 45
"""The outer corners of the eyes, whose distance is the unit of the error."""


@dataclass(frozen=True)
class PointScore:
    """One finder on one set of points.

    Attributes:
        finder, points: its name, and a key of GROUPS.
        nme: mean over the faces found of the mean distance of the points, divided by the distance of the outer corners
            of the eyes; None if no face was found.
        median: median of it, likewise.
        auc: area under the cumulative curve up to LIMIT, divided by LIMIT, in [0, 1].
        failures: share of all faces whose error is above LIMIT, or which were not found.
        faces, found: how many faces there are, and how many of them the detector found.
        cpu_ms_per_face: median processor time, milliseconds, without that of the detector.
    """

    finder: str
    points: str
    nme: float | None
    median: float | None
    auc: float
    failures: float
    faces: int
    found: int
    cpu_ms_per_face: float

    def as_row(self) -> dict[str, Any]:
        """A flat row, for tables and CSV."""
        return dict(vars(self))


@dataclass(frozen=True)
class LandmarkComparison:
    """All finders on a set.

    Attributes:
        faces: the set.
        placed: finder -> its points in each face, None where the face was not found.
        errors: (finder, key of GROUPS) -> (N,) error of each face, infinite where it was not found.
        scores: a row for each key of `errors`.
    """

    faces: list[TrueFace]
    placed: dict[str, list[Points | None]]
    errors: dict[tuple[str, str], NDArray[np.float64]]
    scores: list[PointScore]


def compare_landmarks(
    faces: Sequence[TrueFace], finders: Sequence[PointFinder], detector: Detector, reporter: Reporter
) -> LandmarkComparison:
    """Run all finders on all faces, in the boxes of one detector.

    Args:
        faces: by picture, so that each is read once.
        finders: which ones.
        detector: one with landmarks.
        reporter: gets progress.

    Raises:
        InputError: a picture cannot be read.
    """
    placed: dict[str, list[Points | None]] = {one.name: [None] * len(faces) for one in finders}
    seconds: dict[str, list[float]] = {one.name: [0.0] for one in finders}
    with reporter.task("compare", len(faces), "face") as task:
        for rows in _by_picture(faces):
            picture = read_image(faces[rows[0]].path)
            for row, face in zip(rows, _seen(picture, [faces[row] for row in rows], detector), strict=True):
                for one in finders if face is not None else ():
                    began = time.process_time()
                    placed[one.name][row] = one.find(face)  # type: ignore[arg-type]  # not None
                    seconds[one.name].append(time.process_time() - began)
                task.advance()
    errors = {
        (one.name, group): np.array(
            [_error(found, face, group) for found, face in zip(placed[one.name], faces, strict=True)]
        )
        for one in finders
        for group in one.groups
    }
    scores = [_score(name, group, own, seconds[name]) for (name, group), own in errors.items()]
    return LandmarkComparison(list(faces), placed, errors, scores)


def area(errors: NDArray[np.float64], limit: float = LIMIT) -> float:
    """Area under the cumulative curve of (N,) errors from 0 to a limit, divided by it; in [0, 1]."""
    return float(np.clip(1 - errors / limit, 0, None).mean())


def _error(found: Points | None, face: TrueFace, group: str) -> float:
    """Error of one face; `found` has all 68 points, or those of the group."""
    if found is None:
        return float("inf")
    truth = GROUPS[group](face.points)
    points = GROUPS[group](found) if len(found) == len(face.points) else found
    left, right = face.points[list(OUTER_CORNERS)]
    return float(np.linalg.norm(points - truth, axis=1).mean() / np.linalg.norm(left - right))


def _score(finder: str, group: str, errors: NDArray[np.float64], seconds: Sequence[float]) -> PointScore:
    known = errors[np.isfinite(errors)]
    return PointScore(
        finder,
        group,
        float(known.mean()) if len(known) else None,
        float(np.median(known)) if len(known) else None,
        area(errors),
        float((errors > LIMIT).mean()),
        len(errors),
        len(known),
        1000 * median(seconds[1:] or [0.0]),
    )


def _by_picture(faces: Sequence[TrueFace]) -> list[list[int]]:
    rows: dict[str, list[int]] = {}
    for row, face in enumerate(faces):
        rows.setdefault(str(face.path), []).append(row)
    return list(rows.values())


def _seen(picture: NDArray[np.uint8], faces: Sequence[TrueFace], detector: Detector) -> list[Face | None]:
    """The detection of each face: the nearest whose box holds the middle of the points; each is taken once."""
    found: Detections = detect_faces(picture, detector)
    free = np.ones(len(found), bool)
    seen: list[Face | None] = []
    for face in faces:
        middle = face.points[17:].mean(axis=0)
        inside = (found.boxes[:, :2] < middle).all(axis=1) & (middle < found.boxes[:, 2:]).all(axis=1) & free
        if not inside.any() or found.landmarks is None:
            seen.append(None)
            continue
        away = np.linalg.norm((found.boxes[:, :2] + found.boxes[:, 2:]) / 2 - middle, axis=1)
        best = int(np.where(inside, away, np.inf).argmin())
        free[best] = False
        seen.append(Face(picture, found.boxes[best], found.landmarks[best]))
    return seen
