"""Thinning of windows and faces, so that the page of hours of video has a few megabytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SLIVER_S = 0.02
"""A smaller overlap of a window with a bin is only rounding."""


@dataclass(frozen=True)
class Stream:
    """Means along time, of probabilities or measurements, in equal bins; bins without any are left out.

    Attributes:
        step_s: length of a bin, seconds; bin k covers [origin + k step_s, origin + (k + 1) step_s).
        bins: (B,) numbers of the bins, ascending.
        values: (B, C).
    """

    step_s: float
    bins: NDArray[np.int64]
    values: NDArray[np.float64]


def bin_stream(
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
    values: NDArray[np.float64],
    *,
    origin_s: float,
    shortest_s: float,
    most: int,
) -> Stream:
    """Average windows, or faces, in bins, each weighed by how long it overlaps the bin.

    The bin length is the time covered by windows divided by `most`, so that also a person with one minute in two hours
    is drawn with fine bins.

    Args:
        start_s, end_s: (N,) windows in any order; they may overlap.
        values: (N, C); rows with NaN are left out: not assessable, or without a mesh.
        origin_s: start of bin 0; earlier windows are in negative bins.
        shortest_s: least length of a bin.
        most: approximate largest number of bins; each reappearance of the person may add one.
    """
    known = ~np.isnan(values).any(axis=1)
    start, end, values = start_s[known] - origin_s, end_s[known] - origin_s, values[known]
    step = max(shortest_s, float((end - start).sum()) / most)
    first, last = np.floor(start / step).astype(np.int64), np.ceil(end / step).astype(np.int64)
    spans = np.maximum(last - first, 1)
    window = np.repeat(np.arange(len(start)), spans)
    number = np.repeat(first, spans) + np.arange(spans.sum()) - np.repeat(spans.cumsum() - spans, spans)
    overlap = np.minimum(end[window], (number + 1) * step) - np.maximum(start[window], number * step)
    inside = overlap > _SLIVER_S
    bins, place = np.unique(number[inside], return_inverse=True)
    total = np.zeros((len(bins), values.shape[1]))
    np.add.at(total, place, values[window[inside]] * overlap[inside, None])
    weight = np.bincount(place, overlap[inside], len(bins))
    return Stream(step, bins, total / np.maximum(weight, 1e-12)[:, None])


def shares(counts: NDArray[np.int64], *, most_each: int, most: int) -> NDArray[np.int64]:
    """Number of faces kept for each person: at most `most_each`, then all scaled down to about `most`."""
    wanted = np.minimum(counts, most_each)
    if wanted.sum() <= most:
        return wanted
    scaled: NDArray[np.int64] = np.maximum(wanted * most // wanted.sum(), 1)
    return scaled


def spread_evenly(count: int, keep: int) -> NDArray[np.int64]:
    """`keep` of the numbers below `count`, ascending: the middles of equal parts; all if there are no more."""
    keep = min(count, keep)
    return ((np.arange(keep) + 0.5) * count / max(keep, 1)).astype(np.int64)
