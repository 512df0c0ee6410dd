"""Which faces talk: their mouths open and close again and again.

The movement of a mouth within a second, there and back, is the sum of all changes of its opening less the range of the
openings. It is 0 for a mouth that stays as it is, and for one that only opens, as in a smile or a gasp.

An open mouth is evidence of surprise in a silent face, and none in one that talks: what is left there are brows and
eyes. So surprise and fear need more of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables

HALF_S = 0.5
"""Speech is sought in a second around each face."""
STEP_S = 0.1
"""The openings are averaged over this time, so that the noise of more frames is not more movement."""
MIN_STEPS = 6
"""Steps with a mouth, of the eleven of a second, from which the movement is known. Five faces a second are too few."""
TALKS = 0.1
"""Movement from which a face talks, in widths of the mouth. Set by eye on the clips of docs/talking.md, whose table
`benchmarks/talking.py --clips` prints: above the still and the smiling faces (three quarters of them up to .04), below
the talkers (median .20 to .79). Listeners and slow speech lie between."""
PAUSE_S = 0.5
"""A shorter pause belongs to the speech around it."""


SPEECH_S = 1.0
"""Up to this long before and after, the mouth is formed by speech as well: a breath is taken, a word is sought."""
OPEN_MOUTH = {"surprise": (1.24, 0.05), "fear": (0.78, 0.03)}
"""Class -> by how much speech lowers its log odds: always, and for each mouth width of opening. Printed by
`benchmarks/talking.py fer2013_ferplus.npz --faces 300` with the default network: 1,591 faces of FER+'s Training split,
as they are and with their mouths opened by warping. These two classes are what that changes most."""
WIDEST = 0.8
"""Wider openings count as this."""
_ROUNDING_S = 1e-6


@dataclass(frozen=True)
class Speech:
    """What is known of the speech of N faces.

    Attributes:
        talks: (N,) 1 talks, 0 does not, NaN if it is in no track or its mouth was measured too rarely.
        shapes_mouth: (N,) bool, whether the face talks within SPEECH_S.
    """

    talks: NDArray[np.float32]
    shapes_mouth: NDArray[np.bool_]


def find_speech(tracks: pa.Table, attributes: pa.Table, times_s: NDArray[np.float64]) -> Speech:
    """Which faces talk.

    Args:
        tracks, attributes: the tables of these names.
        times_s: (N,) time of each face, seconds.
    """
    mouth = attributes["mouth"].to_numpy().astype(np.float64)
    found = Speech(np.full(len(mouth), np.nan, np.float32), np.zeros(len(mouth), np.bool_))
    members = tracks["face"].to_numpy()
    for rows in tables.rows_by_value(tracks["track"]).values():
        own = np.sort(members[rows])
        times = times_s[own]
        talks = found.talks[own] = _talks(times, mouth[own])
        spoken = times[talks == 1]
        first, last = (
            np.searchsorted(spoken, times + side) for side in (-SPEECH_S - _ROUNDING_S, SPEECH_S + _ROUNDING_S)
        )
        found.shapes_mouth[own] = last > first
    return found


def without_speech(
    probabilities: NDArray[np.float32],
    labels: Sequence[str],
    shaped: NDArray[np.bool_],
    mouth: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Probabilities in which a mouth that speech has opened counts for less.

    Args:
        probabilities: (N, C), rows summing to 1, or NaN.
        labels: the C classes.
        shaped: (N,) whether speech shapes the mouth; other rows stay as they are.
        mouth: (N,) opening as a share of its width; NaN counts as 0.

    Returns:
        (N, C), rows summing to 1, or NaN.
    """
    opening = np.clip(np.nan_to_num(mouth), 0, WIDEST).astype(np.float64)
    odds = probabilities.astype(np.float64)
    for place, label in enumerate(labels):
        if label in OPEN_MOUTH:
            always, by_opening = OPEN_MOUTH[label]
            odds[:, place] *= np.where(shaped, np.exp(-always - by_opening * opening), 1)
    return np.where(shaped[:, None], odds / odds.sum(axis=1, keepdims=True), probabilities).astype(np.float32)


def movement(times_s: NDArray[np.float64], mouth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Movement of a mouth there and back within the second around each moment.

    Args:
        times_s: (N,) ascending, N >= 1.
        mouth: (N,) opening as a share of its width; NaN if it is unknown.

    Returns:
        (N,) in widths of the mouth, from 0; NaN if fewer than MIN_STEPS steps of the second are known.
    """
    step, steps, openings = _steps(times_s, mouth)
    known = np.isfinite(openings)
    if known.sum() < MIN_STEPS:
        return np.full(len(times_s), np.nan)
    half = round(HALF_S / STEP_S)
    places = np.arange(steps)
    filled = np.interp(places, places[known], openings[known])
    # Repeated edges do not move, so a second that is cut off at the end of the track has the movement of the rest.
    seconds = np.lib.stride_tricks.sliding_window_view(np.pad(filled, half, mode="edge"), 2 * half + 1)
    there_and_back = np.abs(np.diff(seconds, axis=1)).sum(axis=1) - np.ptp(seconds, axis=1)
    count = np.lib.stride_tricks.sliding_window_view(np.pad(known, half), 2 * half + 1).sum(axis=1)
    found: NDArray[np.float64] = np.where(count >= MIN_STEPS, there_and_back, np.nan)[step]
    return found


def _steps(
    times_s: NDArray[np.float64], mouth: NDArray[np.float64]
) -> tuple[NDArray[np.int64], int, NDArray[np.float64]]:
    """The step of each moment, how many there are, and the mean opening in each, NaN where none is known."""
    step = np.rint((times_s - times_s[0]) / STEP_S).astype(np.int64)
    steps, known = int(step[-1]) + 1, np.isfinite(mouth)
    count = np.bincount(step[known], minlength=steps)
    total = np.bincount(step[known], weights=mouth[known], minlength=steps)
    return step, steps, np.divide(total, count, out=np.full(steps, np.nan), where=count > 0)


def _talks(times_s: NDArray[np.float64], mouth: NDArray[np.float64]) -> NDArray[np.float32]:
    """(N,) 1, 0 or NaN for the faces of a track, in order."""
    moved = movement(times_s, mouth)
    talks = np.where(np.isnan(moved), np.nan, moved >= TALKS)
    speech = np.flatnonzero(talks == 1)
    for before, after in pairwise(speech):
        if times_s[after] - times_s[before] <= PAUSE_S + _ROUNDING_S:
            talks[before:after] = 1
    return talks.astype(np.float32)
