"""Delays of raters: people answer some seconds after they have seen something, and each after a time of their own.

Of all delays up to a limit, each rater gets the one with which the rating fits a reference best: by CCC, or by mutual
information (Mariooryad and Busso 2015, doi 10.1109/TAFFC.2014.2334294), which asks for no linear relation. The
reference is the mean of the other raters, which gives delays relative to the fastest rater; or a signal of the video
itself, such as a feature, which gives absolute ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from fercli.learn.evaluation.concordance import ccc, common

Floats = NDArray[np.float64]
BINS = 8
"""Bins of each signal for the mutual information, equally full."""
LEAST = 10
"""Common moments with which a delay is judged at least."""
ROUNDS = 3
"""Times that the delays are found again, each time against raters that are already shifted."""


def mutual_information(one: Floats, other: Floats) -> float:
    """Sum over cells of p log(p / (row p * column p)) of equally full bins, in nats, at least 0; NaN if they have no
    moment in common."""
    first, second = common(one, other)
    if not len(first):
        return math.nan
    table = np.zeros((BINS, BINS))
    np.add.at(table, (_binned(first), _binned(second)), 1 / len(first))
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0)
    filled = table > 0
    return float((table[filled] * np.log(table[filled] / expected[filled])).sum())


CRITERIA: dict[str, Callable[[Floats, Floats], float]] = {"ccc": ccc, "mutual-information": mutual_information}
"""Name -> how well two series fit."""


def earlier(values: Floats, steps: int) -> Floats:
    """(T,) the series moved to earlier times by some steps, or to later ones if they are negative; NaN where it had
    nothing."""
    moved = np.full(len(values), np.nan)
    if steps >= 0:
        moved[: len(values) - steps] = values[steps:]
    else:
        moved[-steps:] = values[:steps]
    return moved


def find_delay(values: Floats, reference: Floats, most: int, criterion: str = "ccc") -> int:
    """The delay of a series against a reference, in steps, from 0 to `most`; of equal ones the shortest.

    Both are (T,), NaN where there is nothing. Delays that leave fewer than LEAST common moments are not tried.
    """
    scores = {}
    for steps in range(min(most, len(values) - 1) + 1):
        moved = earlier(values, steps)
        if np.isfinite(moved + reference).sum() >= LEAST:
            score = CRITERIA[criterion](moved, reference)
            scores[steps] = -math.inf if math.isnan(score) else score
    return max(scores, key=lambda steps: (scores[steps], -steps)) if scores else 0


def find_delays(
    ratings: Mapping[str, Floats], most: int, criterion: str = "ccc", reference: Floats | None = None
) -> dict[str, int]:
    """Delay of each rater in steps, from 0 to `most`.

    Args:
        ratings: rater -> (T,) values.
        most: longest delay.
        criterion: a key of CRITERIA.
        reference: (T,) a signal of the video; by default the mean of the others, so that the fastest rater has 0.
    """
    if reference is not None:
        return {name: find_delay(values, reference, most, criterion) for name, values in ratings.items()}
    delays = dict.fromkeys(ratings, 0)
    if len(ratings) < 2:
        return delays
    for _ in range(ROUNDS):
        for name, values in ratings.items():
            others = _mean([earlier(ratings[key], delays[key]) for key in ratings if key != name])
            # Later by `most`, so that a rater who is faster than the others is found, too.
            later = np.concatenate([np.full(most, np.nan), values, np.full(most, np.nan)])
            found = find_delay(later, np.concatenate([others, np.full(2 * most, np.nan)]), 2 * most, criterion)
            delays[name] = found - most
        fastest = min(delays.values())
        delays = {name: min(delay - fastest, most) for name, delay in delays.items()}
    return delays


def _mean(series: list[Floats]) -> Floats:
    stacked = np.stack(series)
    counts = np.isfinite(stacked).sum(axis=0)
    nothing = np.full(len(counts), np.nan)
    found: Floats = np.divide(np.nansum(stacked, axis=0), counts, out=nothing, where=counts > 0)
    return found


def _binned(values: Floats) -> NDArray[np.int64]:
    edges = np.quantile(values, np.arange(1, BINS) / BINS)
    return np.searchsorted(edges, values, side="right")
