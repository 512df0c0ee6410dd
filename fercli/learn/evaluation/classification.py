"""All metrics of a classifier on a labelled set, for the table, the JSON and the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError
from fercli.learn.evaluation import metrics
from fercli.learn.evaluation.ratings import RatingScore

INTERVALS = {"accuracy": metrics.accuracy, "uar": metrics.uar, "macro_f1": metrics.macro_f1}
"""Metrics with a 95 % confidence interval."""


@dataclass(frozen=True)
class ClassScore:
    """Figures of one class, in [0, 1].

    Attributes:
        precision: None if it was never predicted.
        recall: None if the class has no samples. f1: 0 if the class neither occurs nor was predicted.
        support: samples of the class.
    """

    precision: float | None
    recall: float | None
    f1: float
    support: int


@dataclass(frozen=True)
class SubjectScore:
    """Accuracy on the `n` samples of one person, in [0, 1]."""

    accuracy: float
    n: int


@dataclass(frozen=True)
class Scores:
    """Figures of a classifier on the samples that have a label; formulas: `fercli.learn.evaluation.metrics`.

    Attributes:
        n: samples counted.
        classes: names in the order of the matrix.
        uar, macro_f1: means over the classes that have samples.
        kappa: None if truth and prediction are always the same single class.
        ece: over fifteen bins.
        intervals: figure -> lower and upper bound of its 95 % bootstrap interval; whole persons are drawn if the person
            of every sample is known and there are at least two.
        confusion: (C, C) counts; row the true class, column the predicted one.
        per_class: class -> its metrics.
        per_subject: person -> metrics, by name; without samples of unknown persons.
        reliability: bins of confidence that hold samples, lowest first.
        ratings: `valence`, `arousal` -> metrics; empty if the network or the set has none.
    """

    n: int
    classes: tuple[str, ...]
    accuracy: float
    uar: float
    macro_f1: float
    weighted_f1: float
    kappa: float | None
    ece: float
    intervals: dict[str, tuple[float, float]]
    confusion: NDArray[np.int64]
    per_class: dict[str, ClassScore]
    per_subject: dict[str, SubjectScore]
    reliability: tuple[metrics.Bin, ...]
    ratings: dict[str, RatingScore] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As JSON types; keys are the names above."""
        return {**asdict(self), "confusion": self.confusion.tolist()}


def score(
    probabilities: NDArray[np.float32],
    truth: NDArray[np.int64],
    classes: Sequence[str],
    subjects: Sequence[str] | None = None,
) -> Scores:
    """Compare the most probable class of each sample with its label.

    Args:
        probabilities: (N, C), each row summing to 1.
        truth: (N,) index into `classes`; samples with -1 have no label and are not counted.
        classes: C names.
        subjects: N names of persons, empty if unknown; None if the set has no subjects.

    Raises:
        DatasetError: no sample has a label.
    """
    labelled = truth >= 0
    if not labelled.any():
        raise DatasetError(
            f"none of the {len(truth)} samples has a label the model knows",
            hint=f"its classes: {', '.join(classes)}",
            code="labels-missing",
        )
    names = np.asarray([""] * len(truth) if subjects is None else subjects)[labelled]
    probabilities, truth = probabilities[labelled], truth[labelled]
    predicted = probabilities.argmax(axis=1)
    matrix = metrics.confusion(truth, predicted, len(classes))
    persons = persons_of(names)
    return Scores(
        n=len(truth),
        classes=tuple(classes),
        accuracy=metrics.accuracy(matrix),
        uar=metrics.uar(matrix),
        macro_f1=metrics.macro_f1(matrix),
        weighted_f1=metrics.weighted_f1(matrix),
        kappa=metrics.none_if_undefined(metrics.cohen_kappa(matrix)),
        ece=metrics.expected_calibration_error(probabilities, truth),
        intervals={
            name: metrics.bootstrap(statistic, truth, predicted, len(classes), persons)
            for name, statistic in INTERVALS.items()
        },
        confusion=matrix,
        per_class=_per_class(matrix, classes),
        per_subject=_per_subject(names, predicted == truth),
        reliability=metrics.reliability_bins(probabilities, truth),
    )


def _per_class(matrix: NDArray[np.int64], classes: Sequence[str]) -> dict[str, ClassScore]:
    figures = zip(
        metrics.precision(matrix), metrics.recall(matrix), metrics.f1(matrix), matrix.sum(axis=1), strict=True
    )
    return {
        name: ClassScore(
            metrics.none_if_undefined(precision), metrics.none_if_undefined(recall), float(f1), int(support)
        )
        for name, (precision, recall, f1, support) in zip(classes, figures, strict=True)
    }


def _per_subject(names: NDArray[np.str_], right: NDArray[np.bool_]) -> dict[str, SubjectScore]:
    scores = {}
    for name in np.unique(names[names != ""]):
        own = names == name
        scores[str(name)] = SubjectScore(float(right[own].mean()), int(own.sum()))
    return scores


def persons_of(names: NDArray[np.str_]) -> NDArray[np.int64] | None:
    """(N,) number of the person of each sample, from 0; None if one is unknown or all are the same."""
    known, numbers = np.unique(names, return_inverse=True)
    return numbers if len(known) > 1 and "" not in known else None
