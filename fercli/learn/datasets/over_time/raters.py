"""One truth from several raters of one video: the evaluator weighted estimator, and how well the raters agree.

The estimator (Grimm and Kroschel 2005, "Evaluation of natural emotions using self assessment manikins", ASRU):

    x_hat(t) = sum_k r_k x_k(t) / sum_k r_k,      r_k = correlation of x_k with the mean of all raters

A rater whose correlation is negative or not defined (a constant) gets the weight 0. At each moment only the raters who
rated it count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.learn.evaluation.concordance import ccc, pearson

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """The estimate of several raters.

    Attributes:
        values: (T,) the estimate; NaN where nobody rated.
        spread: (T,) standard deviation of the raters (population); NaN where fewer than two rated.
        weights: rater -> weight, in [0, 1].
        agreement: rater -> CCC with the estimate of the other raters, in [-1, 1]; NaN if it is not defined. The mean is
            what a person reaches on this video, and so what a network can be compared with.
    """

    values: Floats
    spread: Floats
    weights: dict[str, float]
    agreement: dict[str, float]

    @property
    def human_agreement(self) -> float:
        """Mean of `agreement`; NaN if it is not defined for any rater."""
        known = [value for value in self.agreement.values() if not math.isnan(value)]
        return float(np.mean(known)) if known else math.nan


def estimate(ratings: Mapping[str, Floats]) -> Estimate:
    """The estimate of (T,) ratings, NaN where a rater has none.

    Raises:
        ValueError: no rater, or ratings of different lengths.
    """
    if not ratings or len({len(values) for values in ratings.values()}) > 1:
        raise ValueError("ratings of one video must be equally long, and at least one")
    values, weights = _weighted(ratings)
    stacked = np.stack(list(ratings.values()))
    counts = np.isfinite(stacked).sum(axis=0)
    spread = np.full(stacked.shape[1], np.nan)
    spread[counts > 1] = np.nanstd(stacked[:, counts > 1], axis=0)
    return Estimate(values, spread, weights, _leave_one_out(ratings))


def _weighted(ratings: Mapping[str, Floats]) -> tuple[Floats, dict[str, float]]:
    stacked = np.stack([np.asarray(values, np.float64) for values in ratings.values()])
    mean = _mean(stacked, np.ones(len(stacked)))
    correlations = [pearson(values, mean) for values in stacked]
    weights = np.array([0.0 if math.isnan(value) else max(value, 0.0) for value in correlations])
    if not weights.any():  # no rater agrees with the others, or there is but one who is constant: all alike
        weights = np.ones(len(stacked))
    return _mean(stacked, weights), dict(zip(ratings, weights.tolist(), strict=True))


def _mean(stacked: Floats, weights: Floats) -> Floats:
    """(T,) weighted mean of (R, T) ratings that are there; of those of weight 0 alone it is the plain mean."""
    there = np.isfinite(stacked)
    filled = np.where(there, stacked, 0.0)
    total = weights @ there
    sums, counts = weights @ filled, there.sum(axis=0)
    plain = np.divide(filled.sum(axis=0), counts, out=np.full(len(counts), np.nan), where=counts > 0)
    found: Floats = np.divide(sums, total, out=plain, where=total > 0)
    return found


def _leave_one_out(ratings: Mapping[str, Floats]) -> dict[str, float]:
    if len(ratings) < 2:
        return dict.fromkeys(ratings, math.nan)
    others = {name: {key: value for key, value in ratings.items() if key != name} for name in ratings}
    return {name: ccc(ratings[name], _weighted(rest)[0]) for name, rest in others.items()}
