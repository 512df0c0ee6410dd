"""Resampling: what is measured in intervals of any length, averaged onto others.

The rules, for features and for annotations alike:

- step k of a rate of r steps a second is the interval [k / r, (k + 1) / r), counted from the start of the video;
- its value is the mean of what was measured in it, weighted by time;
- less than half of it measured: it is missing.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

LEAST = 0.5
"""Share of an interval that must be measured."""
_ROUNDING = 1e-6
"""Tolerance: times are rounded when they are stored."""


def average_onto(
    starts: NDArray[np.floating],
    ends: NDArray[np.floating],
    values: NDArray[np.floating],
    onto: tuple[NDArray[np.floating], NDArray[np.floating]],
) -> NDArray[np.float32]:
    """Mean of the measurements in each of some intervals.

    Args:
        starts, ends: (N,) intervals of the measurements, by start; one that overlaps the next ends where that starts.
        values: (N, D); rows with a NaN were not measured.
        onto: (M,) starts and ends.

    Returns:
        (M, D) float32; rows of NaN where less than LEAST of the interval was measured.
    """
    begins, ends_onto = (np.asarray(edge, np.float64) for edge in onto)
    result = np.full((len(begins), values.shape[1]), np.nan, np.float32)
    known = np.isfinite(values).all(axis=1)
    starts, ends, values = starts[known].astype(np.float64), ends[known].astype(np.float64), values[known]
    if not len(starts) or not len(begins):
        return result
    ends = np.minimum(ends, np.append(starts[1:], np.inf))
    edges = np.stack([starts, ends], axis=1).ravel()
    seconds = np.concatenate([[0.0], (ends - starts).cumsum()])
    totals = np.concatenate([np.zeros((1, values.shape[1])), ((ends - starts)[:, None] * values).cumsum(axis=0)])

    def until(times: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Measured seconds, and the integral of the values, up to each time."""
        row = np.searchsorted(edges[::2], times, side="right") - 1
        inside = np.clip(times - starts[row], 0, ends[row] - starts[row]) * (row >= 0)
        row = np.maximum(row, 0)
        return seconds[row] + inside, totals[row] + inside[:, None] * values[row]

    (from_s, from_sum), (to_s, to_sum) = until(begins), until(ends_onto)
    measured = to_s - from_s
    enough = (measured >= LEAST * (ends_onto - begins) - _ROUNDING) & (measured > 0)
    result[enough] = (to_sum - from_sum)[enough] / measured[enough, None]
    return result


def steps_between(start_s: float, end_s: float, rate: float) -> NDArray[np.int64]:
    """Numbers of the steps that overlap [start_s, end_s)."""
    first, last = math.floor(start_s * rate + _ROUNDING), math.ceil(end_s * rate - _ROUNDING)
    return np.arange(max(first, 0), max(last, 0), dtype=np.int64)


def step_edges(steps: NDArray[np.int64], rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Starts and ends of steps, seconds."""
    return steps / rate, (steps + 1) / rate
