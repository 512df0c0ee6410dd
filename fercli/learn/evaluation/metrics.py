"""Classification metrics on arrays. Every function states its range and formula.

TP, FP and FN of a class are the numbers of true positives, false positives and false negatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def confusion(truth: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """(n_classes, n_classes) counts; row the true class, column the predicted one."""
    return np.bincount(truth * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)


def accuracy(matrix: NDArray[np.int64]) -> float:
    """Share of samples on the diagonal (WAR), in [0, 1]."""
    return float(np.trace(matrix) / matrix.sum())


def precision(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """(C,) TP / (TP + FP) a class, in [0, 1]; NaN for a class never predicted."""
    return _ratio(np.diag(matrix), matrix.sum(axis=0), undefined=np.nan)


def recall(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """(C,) TP / (TP + FN) a class, in [0, 1]; NaN for a class with no sample."""
    return _ratio(np.diag(matrix), matrix.sum(axis=1), undefined=np.nan)


def uar(matrix: NDArray[np.int64]) -> float:
    """Unweighted average recall over the classes that have samples, in [0, 1]."""
    return float(np.nanmean(recall(matrix)))


def f1(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """(C,) 2 TP / (2 TP + FP + FN) a class, in [0, 1]; 0 for a class neither present nor predicted."""
    return _ratio(2 * np.diag(matrix), matrix.sum(axis=0) + matrix.sum(axis=1), undefined=0.0)


def macro_f1(matrix: NDArray[np.int64]) -> float:
    """Mean F1 of the classes that have samples, in [0, 1]; classes without samples do not count."""
    return float(f1(matrix)[matrix.sum(axis=1) > 0].mean())


def weighted_f1(matrix: NDArray[np.int64]) -> float:
    """Mean of the per-class F1, each class weighted by its samples, in [0, 1]."""
    return float(np.average(f1(matrix), weights=matrix.sum(axis=1)))


def cohen_kappa(matrix: NDArray[np.int64]) -> float:
    """Agreement beyond chance, in [-1, 1]; NaN if chance agreement is 1.

    Cohen 1960, doi 10.1177/001316446002000104: kappa = (p_o - p_e) / (1 - p_e) with p_o the accuracy and p_e the
    sum over classes of the share of samples of the class times the share of predictions of the class.
    """
    total = matrix.sum()
    by_chance = float(matrix.sum(axis=1) @ matrix.sum(axis=0)) / float(total) ** 2
    return (accuracy(matrix) - by_chance) / (1 - by_chance) if by_chance < 1 else math.nan


@dataclass(frozen=True)
class Bin:
    """Samples of similar confidence.

    Attributes:
        lower, upper: confidences from `lower` up to, but not including, `upper`; the last bin includes 1.
        count: samples in it, at least 1.
        confidence: their mean confidence, in [0, 1].
        accuracy: the share of correct samples, in [0, 1].
    """

    lower: float
    upper: float
    count: int
    confidence: float
    accuracy: float


def reliability_bins(probabilities: NDArray[np.float32], truth: NDArray[np.int64], n_bins: int = 15) -> tuple[Bin, ...]:
    """The bins that hold samples, out of `n_bins` equally wide ones between 0 and 1, lowest first.

    The confidence of a sample is the largest of its (N, C) `probabilities`, and it is correct if that is the class in
    (N,) `truth`.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    numbers = np.clip((confidence * n_bins).astype(int), 0, n_bins - 1)
    bins = []
    for number in np.unique(numbers):
        inside = numbers == number
        mean_confidence, share_right = float(confidence[inside].mean()), float(correct[inside].mean())
        bins.append(
            Bin(float(number / n_bins), float((number + 1) / n_bins), int(inside.sum()), mean_confidence, share_right)
        )
    return tuple(bins)


def expected_calibration_error(probabilities: NDArray[np.float32], truth: NDArray[np.int64], n_bins: int = 15) -> float:
    """Gap between confidence and accuracy, averaged over the `reliability_bins` by size (Naeini 2015), in [0, 1].

    ECE = sum over bins of |bin| / N * |accuracy(bin) - mean confidence(bin)|.
    """
    bins = reliability_bins(probabilities, truth, n_bins)
    return sum(b.count / len(truth) * abs(b.accuracy - b.confidence) for b in bins)


def risk_and_coverage(
    probabilities: NDArray[np.float32], truth: NDArray[np.int64], limits: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What it costs and gains to leave out predictions below a limit (El-Yaniv and Wiener 2010, JMLR 11).

    Args:
        probabilities: (N, C); the confidence of a sample is the largest.
        truth: (N,) classes from 0.
        limits: (L,) confidences from which a prediction is kept.

    Returns:
        (L,) coverage, the share of predictions that are kept, and (L,) risk, the share of these that is wrong, NaN
        where none is kept.
    """
    confidence, wrong = probabilities.max(axis=1), probabilities.argmax(axis=1) != truth
    kept = confidence >= limits[:, None]
    count = kept.sum(axis=1)
    return count / len(truth), _ratio((kept & wrong).sum(axis=1), count, undefined=np.nan)


def bootstrap(
    statistic: Callable[[NDArray[np.int64]], float],
    truth: NDArray[np.int64],
    predicted: NDArray[np.int64],
    n_classes: int,
    groups: NDArray[np.int64] | None = None,
    *,
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile confidence interval of a statistic (Efron and Tibshirani 1993, chapter 13).

    The statistic is computed on `n` confusion matrices of samples drawn with replacement; the interval leaves out the
    (1 - level) / 2 smallest and largest of its values. Samples of one person are alike, so if (N,) `groups` number the
    persons from 0, whole persons are drawn instead (cluster bootstrap, Field and Welsh 2007, doi
    10.1111/j.1467-9868.2007.00593.x). The same seed draws the same samples for every statistic.

    Args:
        statistic: function of an (n_classes, n_classes) confusion matrix with at least one sample.
        truth, predicted: (N,) classes from 0.

    Returns:
        The lower and the upper bound.
    """
    cells = truth * n_classes + predicted
    n_cells = n_classes**2
    if groups is None:  # drawing samples is the same as drawing cells of the matrix by their counts
        share = np.bincount(cells, minlength=n_cells) / len(cells)
        drawn = np.random.default_rng(seed).multinomial(len(cells), share, size=n)
    else:
        n_groups = int(groups.max()) + 1
        of_group = np.bincount(groups * n_cells + cells, minlength=n_groups * n_cells).reshape(n_groups, n_cells)
        drawn = np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n) @ of_group
    values = [statistic(matrix) for matrix in drawn.reshape(n, n_classes, n_classes)]
    lower, upper = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(lower), float(upper)


def none_if_undefined(value: float) -> float | None:
    """The value, or None for NaN, which JSON does not have."""
    return None if math.isnan(value) else float(value)


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64], undefined: float) -> NDArray[np.float64]:
    """part / whole; `undefined` if the whole is 0."""
    shares: NDArray[np.float64] = np.divide(part, whole, out=np.full(len(part), undefined), where=whole > 0)
    return shares
