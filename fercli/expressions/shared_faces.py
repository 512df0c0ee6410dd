"""Windows of a track share faces and views, so that the network computes each face once.

The network answers frame by frame, and its answer for a clip is their mean. Where the clips before and after a window
show all of its faces between them, their answers for these faces are its answer: usually the last two faces of one
clip and the first two of the other. So every face keeps the neighbours that it had in its clip, and every window still
has one face in each place of a clip.

A network is a little more accurate on the mean of a face and its mirror image. Segments are longer than a window, so
every second clip is looked at as its mirror image, and a segment is the mean of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Network(Protocol):
    """A classifier that looks at some windows."""

    def logits(self, rows: NDArray[np.intp], *, mirrored: bool) -> NDArray[np.float32]:
        """(n, n_frames, C) logits of each face in the clips of windows, by their rows, or of their mirror images."""

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, C) calibrated probabilities of (V, N, C) logits of V views of the same windows."""


@dataclass(frozen=True)
class Sources:
    """Of N windows: which of them the network looks at, how, and where the answer for each of their faces is.

    Attributes:
        plain, mirrored: (N,) the clips that it looks at as they are, and as their mirror images; a clip that no other
            follows or precedes is both.
        row, place: (N, n_frames) for each face of a window a clip that shows it, and its place in that.
    """

    plain: NDArray[np.bool_]
    mirrored: NDArray[np.bool_]
    row: NDArray[np.intp]
    place: NDArray[np.intp]


def classify_shared(
    track: NDArray[np.int32], clip: NDArray[np.int64], assessable: NDArray[np.bool_], network: Network
) -> NDArray[np.float32]:
    """Probabilities of N windows, ordered by time within each track.

    Args:
        track: (N,) track of each.
        clip: (N, n_frames) faces that the network sees of each.
        assessable: (N,) the others get no probabilities.
        network: looks at some of the windows.

    Returns:
        (N, C), NaN where a window is not assessable.
    """
    sources = find_sources(track, clip, assessable)
    seen = []
    for looked, mirrored in ((sources.plain, False), (sources.mirrored, True)):
        logits = network.logits(np.flatnonzero(looked), mirrored=mirrored)
        everywhere = np.zeros((len(track), *logits.shape[1:]), np.float32)
        everywhere[looked] = logits
        seen.append(everywhere)
    plain, other = seen
    # Each view stands for the other where there is only one.
    views = np.stack(
        [
            np.where(sources.plain[:, None, None], plain, other),
            np.where(sources.mirrored[:, None, None], other, plain),
        ]
    )
    rows = np.flatnonzero(assessable)
    answers = network.probabilities(views[:, sources.row[rows], sources.place[rows]].mean(axis=2))
    found = np.full((len(track), answers.shape[1]), np.nan, np.float32)
    found[rows] = answers
    return found


def find_sources(track: NDArray[np.int32], clip: NDArray[np.int64], assessable: NDArray[np.bool_]) -> Sources:
    """What the network looks at; arguments as `classify_shared`."""
    before, after = _neighbours(track)
    row = np.repeat(np.arange(len(track))[:, None], clip.shape[1], axis=1)
    place = np.repeat(np.arange(clip.shape[1])[None], len(track), axis=0)
    shared = np.zeros(len(track), np.bool_)
    for one, around in enumerate(zip(before.tolist(), after.tolist(), strict=True)):
        if min(around) < 0 or not assessable[[one, *around]].all() or shared[around[0]]:
            continue
        where = {face: (other, k) for other in reversed(around) for k, face in enumerate(clip[other].tolist())}
        if all(face in where for face in clip[one].tolist()):
            shared[one] = True
            row[one], place[one] = zip(*(where[face] for face in clip[one].tolist()), strict=True)
    looked = assessable & ~shared
    return Sources(*_in_turn(looked, _skipping(before, shared)), row, place)


def _in_turn(looked: NDArray[np.bool_], before: NDArray[np.intp]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which clips are looked at as they are, and which as mirror images, in turn; one that stands alone is both.

    Args:
        looked: (N,) the clips that are looked at.
        before: (N,) the clip before each in its track, -1 where there is none.
    """
    plain, mirrored = looked.copy(), np.zeros(len(looked), np.bool_)
    follows = looked & (before >= 0) & looked[before]
    alone = looked & ~follows
    alone[before[follows]] = False
    for row in np.flatnonzero(follows).tolist():
        mirrored[row] = not mirrored[before[row]]
        plain[row] = not mirrored[row]
    return plain, mirrored | alone


def _skipping(before: NDArray[np.intp], shared: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The rows before each, without those that are shared: no two of them follow each other."""
    skipped: NDArray[np.intp] = np.where((before >= 0) & shared[before], before[before], before)
    return skipped


def _neighbours(track: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows before and after each in its track; -1 where there is none."""
    order = np.argsort(track, kind="stable")
    joined = track[order][1:] == track[order][:-1]
    before, after = (np.full(len(track), -1, np.intp) for _ in range(2))
    before[order[1:][joined]] = order[:-1][joined]
    after[order[:-1][joined]] = order[1:][joined]
    return before, after
