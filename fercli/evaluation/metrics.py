"""Classification metrics on arrays. Every function states its range and formula."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def confusion(truth: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """(n_classes, n_classes) counts; row the true class, column the predicted one."""
    return np.bincount(truth * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)


def accuracy(matrix: NDArray[np.int64]) -> float:
    """Share of samples on the diagonal (WAR), in [0, 1]."""
    return float(np.trace(matrix) / matrix.sum())


def recall(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """(C,) TP / (TP + FN) a class, in [0, 1]; NaN for a class with no sample."""
    support = matrix.sum(axis=1)
    rates: NDArray[np.float64] = np.divide(
        np.diag(matrix), support, out=np.full(len(matrix), np.nan), where=support > 0
    )
    return rates


def uar(matrix: NDArray[np.int64]) -> float:
    """Unweighted average recall over the classes that have samples, in [0, 1]."""
    return float(np.nanmean(recall(matrix)))


def f1(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """(C,) 2 TP / (2 TP + FP + FN) a class, in [0, 1]; 0 for a class neither present nor predicted."""
    hits = np.diag(matrix)
    denominator = matrix.sum(axis=0) + matrix.sum(axis=1)
    scores: NDArray[np.float64] = np.divide(2.0 * hits, denominator, out=np.zeros(len(matrix)), where=denominator > 0)
    return scores


def macro_f1(matrix: NDArray[np.int64]) -> float:
    """Mean of the per-class F1, in [0, 1]."""
    return float(f1(matrix).mean())


def expected_calibration_error(probabilities: NDArray[np.float32], truth: NDArray[np.int64], n_bins: int = 15) -> float:
    """Gap between confidence and accuracy, averaged over equal-width bins by size (Naeini 2015), in [0, 1].

    ECE = sum over bins of |bin| / N * |accuracy(bin) - mean confidence(bin)|, confidence being the largest of the
    (N, C) `probabilities` of a sample.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == truth
    bins = np.clip((confidence * n_bins).astype(int), 0, n_bins - 1)
    error = 0.0
    for number in np.unique(bins):
        inside = bins == number
        error += inside.mean() * abs(correct[inside].mean() - confidence[inside].mean())
    return float(error)
