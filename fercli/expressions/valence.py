"""Valence and arousal derived from the classes of an expression, over time.

Derived, not trained: each class has the valence and arousal that people gave its name, and a moment has the mean of
those, by the probabilities of the classes around it. Its spread gives the interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 10
"""Moments per second: the multiples of 1 / RATE_HZ seconds, so that all tracks share them."""

NORMS = {
    "anger": (-0.51, 0.59),
    "disgust": (-0.60, 0.35),
    "fear": (-0.64, 0.60),
    "happiness": (0.81, 0.51),
    "sadness": (-0.63, -0.27),
    "surprise": (0.40, 0.67),
    "neutral": (0.0, 0.0),
    "contempt": (-0.555, 0.47),
}
"""Class -> valence and arousal, in [-1, 1]: mean ratings of the terms angry, disgusted, fearful, happy, sad and
surprised (Russell and Mehrabian 1977, Evidence for a three-factor theory of emotions, J. Research in Personality 11,
273-294: terms 82, 75, 101, 31, 151 and 52 of 151). Neutral is the middle of both scales. Contempt, which is not from
there, has the mean of anger and disgust."""
FACE_SHARE = 0.15
"""Share of mouth and brows in the valence (`movement.pleasantness`); the rest is that of the classes. On faces that
look at the camera the classes know nearly all of it: .1 to .2 agree best with the votes of FER+, and not by much."""
WIDTH, LEAST_SD = 1.25, 0.1
"""Half of an interval in standard deviations, and what is added to the spread (as variances). With these the interval
has the mean rating by ten voters in nine of ten faces of FER+; see `benchmarks/valence.py`."""
TRUNCATED = 3.0
"""Windows further from a moment than this, in standard deviations of the filter, do not count."""
_AT_ONCE = 512
"""Moments that are smoothed at a time."""


@dataclass(frozen=True)
class Rating:
    """(M,) values in [-1, 1], and the ends of their 90 % intervals; NaN if unknown."""

    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class Pooled:
    """What is known at M moments of a track.

    Attributes:
        probabilities: (M, C) mean of the classes around each moment; NaN rows where the face is not assessable.
        others: (M, K) means of the other values; NaN where none is known.
    """

    probabilities: NDArray[np.float64]
    others: NDArray[np.float64]


def moments(start_s: float, end_s: float) -> NDArray[np.float64]:
    """The moments in [start_s, end_s): multiples of 1 / RATE_HZ seconds."""
    first, last = np.ceil(np.array([start_s, end_s]) * RATE_HZ - 1e-6).astype(np.int64)
    return np.arange(first, last) / RATE_HZ


def pool(
    probabilities: NDArray[np.float64],
    others: NDArray[np.float64],
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
    at_s: NDArray[np.float64],
    sigma_s: float,
) -> Pooled:
    """Means of windows, weighted by a Gaussian around each moment: a filter without delay.

    Each window counts by the part of the Gaussian that lies in it, up to TRUNCATED standard deviations away, so that
    the result does not depend on how long windows are. Windows that are not assessable do not count, and moments in
    them are unknown.

    Args:
        probabilities: (N, C), rows summing to 1, or NaN.
        others: (N, K) further values; NaN if unknown.
        start_s, end_s: (N,) windows [start, end) in order.
        at_s: (M,) ascending.
        sigma_s: standard deviation, above 0.
    """
    from scipy.special import ndtr  # a tenth of the start-up of every command, if it stood above

    known = np.asarray(np.isfinite(probabilities).all(axis=1))
    place = np.searchsorted(start_s, at_s + 1e-9, side="right") - 1
    inside = (place >= 0) & (at_s < end_s[place]) & known[place]
    reach = TRUNCATED * sigma_s
    found, beside = (np.full((len(at_s), part.shape[1]), np.nan) for part in (probabilities, others))
    for first in range(0, len(at_s), _AT_ONCE):
        rows = np.flatnonzero(inside[first : first + _AT_ONCE]) + first
        if not len(rows):
            continue
        times = at_s[rows, None]
        low = int(np.searchsorted(end_s, times[0, 0] - reach, side="right"))
        high = int(np.searchsorted(start_s, times[-1, 0] + reach))
        near = slice(low, high)
        begin, end = (np.clip((edge[near] - times) / sigma_s, -TRUNCATED, TRUNCATED) for edge in (start_s, end_s))
        weights = (ndtr(end) - ndtr(begin)) * known[near]
        found[rows] = _mean(weights, probabilities[near])
        beside[rows] = _mean(weights, others[near])
    return Pooled(found, beside)


def ratings(
    probabilities: NDArray[np.float64], labels: Sequence[str], pleasantness: NDArray[np.float64]
) -> tuple[Rating, Rating]:
    """Valence and arousal: the means of NORMS by the probabilities, for valence with a share of mouth and brows.

    The interval is WIDTH times the standard deviation of NORMS under the pooled probabilities. By the law of total
    variance that is the spread within the windows and between them: it is wide where each window is unsure, and where
    neighbouring windows contradict each other.

    Args:
        probabilities: (M, C) as `Pooled.probabilities`.
        labels: the C classes.
        pleasantness: (M,) in [-1, 1]; where it is NaN the classes count alone.
    """
    valence, arousal = np.array([NORMS[label] for label in labels]).T
    share = np.where(np.isnan(pleasantness), 0.0, FACE_SHARE)
    moved = share * (np.nan_to_num(pleasantness) - probabilities @ valence)
    return _rating(probabilities, valence, moved), _rating(probabilities, arousal, np.zeros(len(moved)))


def _rating(probabilities: NDArray[np.float64], norms: NDArray[np.float64], moved: NDArray[np.float64]) -> Rating:
    mean = probabilities @ norms
    variance = np.maximum(probabilities @ norms**2 - mean**2, 0) + LEAST_SD**2
    values, half = np.clip(mean + moved, -1, 1), WIDTH * np.sqrt(variance)
    return Rating(values, np.maximum(values - half, -1), np.minimum(values + half, 1))


def _mean(weights: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(M, K) means of (N, K) values without NaN by (M, N) weights; NaN where nothing has a weight."""
    known = np.isfinite(values)
    total = weights @ known
    summed = weights @ np.where(known, values, 0.0)
    mean: NDArray[np.float64] = np.divide(summed, total, out=np.full_like(summed, np.nan), where=total > 1e-9)
    return mean
