"""Less of everything: what a page of a few megabytes keeps of hours of windows, boxes and faces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SLIVER_S = 0.02
"""A window that reaches no further into a bin has only been rounded into it."""


@dataclass(frozen=True)
class Stream:
    """Mean probabilities along time, in equal bins; bins without an assessed window are left out.

    Attributes:
        step_s: length of a bin, seconds; bin k covers [origin + k step_s, origin + (k + 1) step_s).
        bins: (B,) numbers of the bins, ascending.
        probabilities: (B, C), each row sums to 1.
    """

    step_s: float
    bins: NDArray[np.int64]
    probabilities: NDArray[np.float64]


def bin_stream(
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
    probabilities: NDArray[np.float64],
    *,
    origin_s: float,
    shortest_s: float,
    most: int,
) -> Stream:
    """Average windows in bins, each weighed by how long it overlaps the bin.

    The bins are as short as `most` of them over the time the windows take allows: someone seen for a minute of two
    hours is drawn finely all the same.

    Args:
        start_s, end_s: (N,) windows in any order; they may overlap.
        probabilities: (N, C); rows with NaN were not assessable and are left out.
        origin_s: where bin 0 begins; what lies earlier is in bins below 0.
        shortest_s: bins are never shorter.
        most: about how many bins there may be; each time the person comes back may add one.
    """
    known = ~np.isnan(probabilities).any(axis=1)
    start, end, probabilities = start_s[known] - origin_s, end_s[known] - origin_s, probabilities[known]
    step = max(shortest_s, float((end - start).sum()) / most)
    first, last = np.floor(start / step).astype(np.int64), np.ceil(end / step).astype(np.int64)
    spans = np.maximum(last - first, 1)
    window = np.repeat(np.arange(len(start)), spans)
    number = np.repeat(first, spans) + np.arange(spans.sum()) - np.repeat(spans.cumsum() - spans, spans)
    overlap = np.minimum(end[window], (number + 1) * step) - np.maximum(start[window], number * step)
    inside = overlap > _SLIVER_S
    bins, place = np.unique(number[inside], return_inverse=True)
    total = np.zeros((len(bins), probabilities.shape[1]))
    np.add.at(total, place, probabilities[window[inside]] * overlap[inside, None])
    return Stream(step, bins, total / np.maximum(total.sum(axis=1, keepdims=True), 1e-12))


def keyframes(pts_s: NDArray[np.float64], boxes: NDArray[np.float64], tolerance: float) -> NDArray[np.int64]:
    """The boxes of a track that have to be kept so that the others lie between them.

    The method of Ramer (1972) and of Douglas and Peucker (1973), with time as the first axis.

    Args:
        pts_s: (N,) ascending, N >= 1.
        boxes: (N, 4).
        tolerance: how far an edge may be from where interpolation in time puts it, pixels.

    Returns:
        Numbers of the boxes to keep, ascending; the first and the last are among them.
    """
    kept = {0, len(pts_s) - 1}
    waiting = [(0, len(pts_s) - 1)]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        share = ((pts_s[first + 1 : last] - pts_s[first]) / (pts_s[last] - pts_s[first]))[:, None]
        between = boxes[first] + share * (boxes[last] - boxes[first])
        error = np.abs(boxes[first + 1 : last] - between).max(axis=1)
        worst = int(error.argmax())
        if error[worst] > tolerance:
            middle = first + 1 + worst
            kept.add(middle)
            waiting += [(first, middle), (middle, last)]
    return np.array(sorted(kept), np.int64)


def shares(counts: NDArray[np.int64], *, most_each: int, most: int) -> NDArray[np.int64]:
    """How many faces of each person to keep: at most `most_each`, then all scaled down to `most` or a few more."""
    wanted = np.minimum(counts, most_each)
    if wanted.sum() <= most:
        return wanted
    scaled: NDArray[np.int64] = np.maximum(wanted * most // wanted.sum(), 1)
    return scaled


def spread_evenly(count: int, keep: int) -> NDArray[np.int64]:
    """`keep` of the numbers below `count`, ascending: the middles of equal parts; all if there are no more."""
    keep = min(count, keep)
    return ((np.arange(keep) + 0.5) * count / max(keep, 1)).astype(np.int64)


def lanes(start_s: NDArray[np.float64], end_s: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """(N,) lane of each of (N,) spans, from 0: spans in a lane do not overlap, as long as `most` lanes are enough."""
    taken: list[float] = []
    lane = np.zeros(len(start_s), np.int64)
    for span in np.lexsort((end_s, start_s)).tolist():
        free = next((number for number, end in enumerate(taken) if end <= start_s[span] + 1e-6), len(taken))
        if free < most:
            taken[free : free + 1] = [float(end_s[span])]
            lane[span] = free
        else:
            lane[span] = int(np.argmin(taken))
            taken[lane[span]] = max(taken[lane[span]], float(end_s[span]))
    return lane
