"""Face detectors side by side: average precision, recall, false alarms and time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.compare.box_truth import TrueImage
from fercli.compare.contenders import Contender, Running
from fercli.compare.wider_ap import MIN_IOU, Curve, Faces, Found, precision_curve
from fercli.geometry import iou_matrix
from fercli.media.images import read_image
from fercli.progress import Reporter


@dataclass(frozen=True)
class DetectorScore:
    """One detector on a set.

    Attributes:
        detector: its name.
        ap: difficulty -> average precision in [0, 1]; None if the set has no face of it.
        recall: difficulty -> share of the faces found at the score that `detect-faces` uses, overlap at least MIN_IOU.
        false_alarms: detections at that score that overlap no true face so much, per image.
        mean_iou: overlap of the faces found, in [0, 1]; None if none is.
        ms_per_image: median time of a picture, milliseconds; None for detections from files.
        cpu_ms_per_image: processor time of it, all cores together; it hardly depends on what else the machine does.
    """

    detector: str
    ap: dict[str, float | None]
    recall: dict[str, float | None]
    false_alarms: float
    mean_iou: float | None
    ms_per_image: float | None
    cpu_ms_per_image: float | None


@dataclass(frozen=True)
class DetectorComparison:
    """All detectors on a set.

    Attributes:
        images: the set.
        found: detector -> its detections in each image, of any score.
        scores: in the order of the detectors.
        curves: detector -> difficulty -> curve.
        min_score: for recall and false alarms.
    """

    images: list[TrueImage]
    found: dict[str, list[Found]]
    scores: list[DetectorScore]
    curves: dict[str, dict[str, Curve | None]]
    min_score: float

    @property
    def difficulties(self) -> tuple[str, ...]:
        """Names, easiest first."""
        return tuple(self.images[0].counted)

    def as_rows(self) -> list[dict[str, Any]]:
        """A flat row a detector, for tables and CSV."""
        return [
            {
                "detector": score.detector,
                **{f"ap_{name}": value for name, value in score.ap.items()},
                **{f"recall_{name}": value for name, value in score.recall.items()},
                "false_alarms_per_image": score.false_alarms,
                "mean_iou": score.mean_iou,
                "ms_per_image": score.ms_per_image,
                "cpu_ms_per_image": score.cpu_ms_per_image,
            }
            for score in self.scores
        ]


def compare_detectors(
    images: Sequence[TrueImage], chosen: Sequence[Contender], min_score: float, reporter: Reporter
) -> DetectorComparison:
    """Run all detectors on all images, one image in memory at a time.

    Raises:
        InputError: a picture cannot be read.
    """
    found: dict[str, list[Found]] = {one.name: [] for one in chosen}
    seconds: dict[str, list[tuple[float, float]]] = {one.name: [] for one in chosen}
    with reporter.task("compare", len(images), "image") as task:
        for image in images:
            picture = read_image(image.path)
            for one in chosen:
                began, busy = time.perf_counter(), time.process_time()
                found[one.name].append(one.find(image, picture))
                seconds[one.name].append((time.perf_counter() - began, time.process_time() - busy))
            task.advance()
    timed = {one.name: _milliseconds(seconds[one.name]) if isinstance(one, Running) else None for one in chosen}
    curves = {name: _curves(images, own) for name, own in found.items()}
    scores = [_score(name, images, own, curves[name], min_score, timed[name]) for name, own in found.items()]
    return DetectorComparison(list(images), found, scores, curves, min_score)


def share(values: dict[str, float | None]) -> float:
    """The value of the last difficulty, which holds all others; 0 if there is none."""
    return list(values.values())[-1] or 0.0


def matches(image: TrueImage, found: Found, min_score: float) -> NDArray[np.float64]:
    """(N,) overlap of each true face with its detection, 0 if it has none; a detection has one face.

    The best detections choose first, each the true face that it overlaps most and that is free, as the evaluation of
    COCO does.
    """
    overlap = np.zeros(len(image.boxes))
    kept = np.flatnonzero(found.scores >= min_score)
    if not len(overlap):
        return overlap
    ious = iou_matrix(found.boxes[kept], image.boxes).astype(np.float64)
    for row in np.argsort(-found.scores[kept], kind="stable"):
        free = np.where(overlap > 0, 0, ious[row])
        if free.max() >= MIN_IOU:
            overlap[free.argmax()] = free.max()
    return overlap


def false_alarms(image: TrueImage, found: Found, min_score: float) -> NDArray[np.intp]:
    """Numbers of the detections that overlap no true face by MIN_IOU, whether it is counted or not."""
    kept = np.flatnonzero(found.scores >= min_score)
    if not len(image.boxes):
        return kept
    alarms: NDArray[np.intp] = kept[iou_matrix(found.boxes[kept], image.boxes).max(axis=1, initial=0) < MIN_IOU]
    return alarms


def _curves(images: Sequence[TrueImage], found: Sequence[Found]) -> dict[str, Curve | None]:
    return {
        name: precision_curve([Faces(image.boxes, image.counted[name]) for image in images], found)
        for name in images[0].counted
    }


def _milliseconds(seconds: Sequence[tuple[float, float]]) -> tuple[float, float]:
    wall, processor = zip(*seconds, strict=True)
    return 1000 * median(wall), 1000 * median(processor)


def _score(
    name: str,
    images: Sequence[TrueImage],
    found: Sequence[Found],
    curves: dict[str, Curve | None],
    min_score: float,
    ms: tuple[float, float] | None,
) -> DetectorScore:
    overlaps = [matches(image, own, min_score) for image, own in zip(images, found, strict=True)]
    alarms = sum(len(false_alarms(image, own, min_score)) for image, own in zip(images, found, strict=True))
    hit = np.concatenate(overlaps)
    return DetectorScore(
        name,
        {level: None if curve is None else curve.ap for level, curve in curves.items()},
        recall(images, overlaps),
        alarms / len(images),
        float(hit[hit > 0].mean()) if (hit > 0).any() else None,
        *(ms or (None, None)),
    )


def recall(images: Sequence[TrueImage], overlaps: Sequence[NDArray[np.float64]]) -> dict[str, float | None]:
    """Difficulty -> share of its faces that have a detection; overlaps as `matches` gives them for each image."""
    shares: dict[str, float | None] = {}
    hit = np.concatenate(overlaps) > 0
    for name in images[0].counted:
        counted = np.concatenate([image.counted[name] for image in images])
        shares[name] = float(hit[counted].mean()) if counted.any() else None
    return shares
