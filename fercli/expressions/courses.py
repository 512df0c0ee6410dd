"""The course of an expression: how strong it is over time, and when it begins, is strongest, and ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HALF = 0.5
"""Share of the peak at which an expression has its onset and its offset: the full width at half maximum."""


@dataclass(frozen=True)
class Course:
    """When an expression begins, is strongest, and ends.

    Attributes:
        onset_s: when the intensity rises through half of its peak, or where it begins to be known; seconds.
        apex_s: when it is highest, seconds.
        offset_s: when it falls through half again, or until when it is known; seconds.
        peak: intensity at the apex, in [0, 1].
    """

    onset_s: float
    apex_s: float
    offset_s: float
    peak: float


def intensity(neutral: NDArray[np.float64], moved: NDArray[np.float64]) -> NDArray[np.float64]:
    """(M,) how strongly a face shows anything but neutral, in [0, 1].

    The geometric mean of the probability that it is not neutral, which soon is near 1 and says no more, and of how far
    it has moved, which goes on rising up to the apex but is no evidence of an emotion alone.

    Args:
        neutral: (M,) probability of neutral; NaN if the face is not assessable.
        moved: (M,) as `movement.movement`; where it is NaN the probability counts alone.
    """
    shown = np.clip(1 - neutral, 0, 1)
    strong: NDArray[np.float64] = np.sqrt(shown * np.where(np.isnan(moved), shown, moved))
    return strong


def find_course(
    at_s: NDArray[np.float64], strength: NDArray[np.float64], start_s: float, end_s: float, bounds: tuple[float, float]
) -> Course | None:
    """The course of the expression in [start_s, end_s).

    Args:
        at_s: (M,) ascending.
        strength: (M,) intensity at these times; NaN if unknown, where a course ends.
        start_s, end_s: the segment.
        bounds: onset and offset are sought in this interval, which contains the segment.

    Returns:
        None if the intensity is unknown in the whole segment, or 0.
    """
    inside = np.flatnonzero((at_s >= start_s - 1e-9) & (at_s < end_s) & np.isfinite(strength))
    if not len(inside):
        return None
    apex = int(inside[strength[inside].argmax()])
    peak = float(strength[apex])
    if peak <= 0:
        return None
    low, high = bounds
    before = np.flatnonzero(at_s[:apex] >= low - 1e-9)[::-1]
    after = np.flatnonzero(at_s <= high + 1e-9)
    after = after[after > apex]
    onset = _half(at_s, strength, apex, before.tolist(), HALF * peak)
    offset = _half(at_s, strength, apex, after.tolist(), HALF * peak)
    return Course(onset, float(at_s[apex]), offset, peak)


def _half(
    at_s: NDArray[np.float64], strength: NDArray[np.float64], apex: int, places: list[int], level: float
) -> float:
    """When the intensity first is at a level on the way from the apex; where it ends to be known if it never is."""
    last = apex
    for place in places:
        value = strength[place]
        if np.isnan(value):
            break
        if value < level:
            share = (strength[last] - level) / (strength[last] - value)
            return float(at_s[last] + share * (at_s[place] - at_s[last]))
        last = place
    return float(at_s[last])
