"""Which windows the network looks at, and what holds for those between.

Neighbouring windows share half of their faces. So the network looks at every second window of a track first. Where it
says almost the same of the windows before and after, all faces of the one between have been seen already, and their
mean holds for it; elsewhere the network looks at that one, too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

CALM = 0.1
"""Largest total variation distance of the probabilities before and after. On five clips, 457 windows: where it is below
this, the mean has the class of the window itself in 99.6 %, and in 95 % a distance of less than .1 (docs/speed.md)."""

Probabilities = NDArray[np.float32]


def classify_calm(
    track: NDArray[np.int32],
    clip: NDArray[np.int64],
    assessable: NDArray[np.bool_],
    classify: Callable[[NDArray[np.intp]], Probabilities],
) -> Probabilities:
    """Probabilities of N windows, ordered by time within each track.

    Args:
        track: (N,) track of each.
        clip: (N, n_frames) faces that the network sees of each.
        assessable: (N,) the others get no probabilities.
        classify: (n, C) probabilities of windows, by their rows.

    Returns:
        (N, C), NaN where a window is not assessable.
    """
    before, after = _neighbours(track)
    between = _between(before, after, clip, assessable)
    first = np.flatnonzero(assessable & ~between)
    looked = classify(first)
    found = np.full((len(track), looked.shape[1]), np.nan, np.float32)
    found[first] = looked
    rows = np.flatnonzero(between)
    earlier, later = found[before[rows]], found[after[rows]]
    calm = (earlier.argmax(axis=1) == later.argmax(axis=1)) & (np.abs(earlier - later).sum(axis=1) / 2 < CALM)
    found[rows] = (earlier + later) / 2
    second = rows[~calm]
    if len(second):
        found[second] = classify(second)
    return found


def _between(
    before: NDArray[np.intp], after: NDArray[np.intp], clip: NDArray[np.int64], assessable: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Every second window, where those before and after show all of its faces and are assessable."""
    found = np.zeros(len(before), np.bool_)
    for row, around in enumerate(zip(before.tolist(), after.tolist(), strict=True)):
        if min(around) < 0 or not assessable[[row, *around]].all() or found[around[0]]:
            continue
        found[row] = np.isin(clip[row], clip[list(around)]).all()
    return found


def _neighbours(track: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows before and after each in its track; -1 where there is none."""
    order = np.argsort(track, kind="stable")
    joined = track[order][1:] == track[order][:-1]
    before, after = (np.full(len(track), -1, np.intp) for _ in range(2))
    before[order[1:][joined]] = order[:-1][joined]
    after[order[:-1][joined]] = order[1:][joined]
    return before, after
