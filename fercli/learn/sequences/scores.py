"""How good the predictions of series are: for each task the figures of the field, over all videos and by person.

Intervals are the 2.5 and 97.5 percentiles of a bootstrap that draws persons (see `evaluation.metrics.bootstrap`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.expressions.courses import Course, find_course
from fercli.learn.evaluation.concordance import LEAST, common, concordance, over_videos
from fercli.learn.evaluation.over_time import OVERLAPS, class_scores
from fercli.learn.sequences.series import Series

DRAWS, SEED = 1000, 0


@dataclass(frozen=True)
class SequenceScores:
    """Scores of a network on some series.

    Attributes:
        task: one of `models.sequence.TASKS`.
        videos, persons: how many were scored.
        figures: name -> value over all videos. `valence_ccc` is the mean over the videos, `valence_ccc_pooled` is over
            all moments one behind the other.
        interval: 95 % interval of the first figure; None for fewer than two persons.
        by_person: person -> figures of their videos.
    """

    task: str
    videos: int
    persons: int
    figures: dict[str, float]
    interval: tuple[float, float] | None
    by_person: dict[str, dict[str, float]]

    @property
    def main(self) -> str:
        """Name of the figure that networks are chosen by."""
        return next(iter(self.figures))

    def as_json(self) -> dict[str, Any]:
        """For files and `--json`; what is not defined is null."""
        return dict(_plain(asdict(self)))


def score(
    task: str, outputs: Sequence[str], series: Sequence[Series], predicted: Sequence[NDArray[np.float32]]
) -> SequenceScores:
    """Scores of predictions.

    Args:
        task, outputs: of the network.
        series: the truth.
        predicted: (T, K) of each, as `SequenceModel.run` gives it.

    Raises:
        ValueError: nothing can be scored.
    """
    figures_of = {"valence": _values, "classes": _classes, "intensity": _intensity}[task]
    pairs = [pair for pair in zip(series, predicted, strict=True) if _can_be_scored(task, *pair)]
    if not pairs:
        raise ValueError("no series has annotations and predictions")
    persons = sorted({one.person for one, _ in pairs})
    by_person = {
        person: figures_of(outputs, [pair for pair in pairs if pair[0].person == person]) for person in persons
    }
    figures = figures_of(outputs, pairs)
    return SequenceScores(task, len(pairs), len(persons), figures, _interval(outputs, pairs, figures_of), by_person)


def _can_be_scored(task: str, series: Series, predicted: NDArray[np.float32]) -> bool:
    if task == "classes":
        return bool((np.isfinite(predicted).all(axis=1) & (series.labels >= 0)).any())
    columns = zip(predicted.T, series.values.T, strict=False)
    return any(len(common(ours, theirs)[0]) >= LEAST for ours, theirs in columns)


_Pairs = Sequence[tuple[Series, NDArray[np.float32]]]


def _values(outputs: Sequence[str], pairs: _Pairs) -> dict[str, float]:
    figures: dict[str, float] = {}
    for column, name in enumerate(outputs):
        own = {f"{n}": (ours[:, column], one.values[:, column]) for n, (one, ours) in enumerate(pairs)}
        if not any(len(common(*pair)[0]) >= LEAST for pair in own.values()):
            continue
        found = over_videos(own)
        figures |= {
            f"{name}_ccc": found.mean.ccc,
            f"{name}_ccc_std": found.std,
            f"{name}_ccc_pooled": found.pooled.ccc,
            f"{name}_pearson": found.mean.pearson,
            f"{name}_pearson_pooled": found.pooled.pearson,
            f"{name}_rmse": found.mean.rmse,
            f"{name}_sign_agreement": found.mean.sign_agreement,
        }
    return figures


def _classes(outputs: Sequence[str], pairs: _Pairs) -> dict[str, float]:
    both = []
    for one, ours in pairs:
        known = np.isfinite(ours).all(axis=1) & (one.labels >= 0)
        both.append((np.nan_to_num(ours[known]).argmax(axis=1), one.labels[known]))
    found = class_scores(both, len(outputs))
    overlaps = {f"f1_at_{round(100 * least)}": value for least, value in zip(OVERLAPS, found.segment_f1, strict=True)}
    return {
        "macro_f1": found.macro_f1,
        "weighted_f1": found.weighted_f1,
        "accuracy": found.accuracy,
        **overlaps,
        "edit": found.edit,
    }


def _intensity(outputs: Sequence[str], pairs: _Pairs) -> dict[str, float]:
    """Of the intensity over all moments, of the class of each clip, and how far onset, apex and offset are off.

    Onset and offset are where the course passes half of its peak, in the annotation as in the prediction.
    """
    ours = np.concatenate([found[:, 0] for _, found in pairs])
    theirs = np.concatenate([one.values[:, 0] for one, _ in pairs])
    found = concordance(ours, theirs)
    right, apart = [], []
    for one, predicted in pairs:
        known = np.isfinite(predicted).all(axis=1)
        if (one.labels >= 0).any() and known.any():
            wanted = np.bincount(one.labels[one.labels >= 0]).argmax()
            right.append(predicted[known, 1:].mean(axis=0).argmax() == wanted)
        told, true = (_course(one.start_s, values[:, 0]) for values in (predicted, one.values))
        if told and true:
            apart.append([abs(a - b) for a, b in zip(_times(told), _times(true), strict=True)])
    errors = np.mean(apart, axis=0).tolist() if apart else [math.nan] * 3
    return {
        "intensity_ccc": found.ccc,
        "intensity_pearson": found.pearson,
        "intensity_rmse": found.rmse,
        "accuracy": float(np.mean(right)) if right else math.nan,
        "onset_error_s": errors[0],
        "apex_error_s": errors[1],
        "offset_error_s": errors[2],
    }


def _course(at_s: NDArray[np.float64], intensity: NDArray[np.float32]) -> Course | None:
    begin, end = float(at_s[0]), float(at_s[-1]) + 1
    return find_course(at_s, intensity.astype(np.float64), begin, end, (begin, end))


def _times(course: Course) -> tuple[float, float, float]:
    return course.onset_s, course.apex_s, course.offset_s


def _interval(outputs: Sequence[str], pairs: _Pairs, figures_of: Any) -> tuple[float, float] | None:
    """Of the first figure: means over persons drawn with replacement, of the figure of each person."""
    persons = sorted({one.person for one, _ in pairs})
    if len(persons) < 2:
        return None
    single = [
        next(iter(figures_of(outputs, [pair for pair in pairs if pair[0].person == person]).values()))
        for person in persons
    ]
    drawn = np.random.default_rng(SEED).integers(0, len(persons), (DRAWS, len(persons)))
    low, high = np.percentile(np.array(single)[drawn].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
