"""Data association: which boxes of one shot are the same face, by constant-velocity motion and overlap, frame by frame.

The scheme of SORT (Bewley et al. 2016, arXiv 1602.00763) with changes for video that is sampled only a few times a
second, and for gaps:

- True times instead of frame counts, and a second round in which the boxes are enlarged, so that a face that jumped
  further than its own width still meets its track (buffered IoU, Yang et al. 2023, arXiv 2211.14317).
- Frame by frame, only the shortest gaps are bridged, because a face that appears near a lost one may be another person.
  Longer gaps are bridged when all tracks of the shot are known (`bridging`).
- Where motion and overlap cannot decide between two faces, appearance decides, if it is available.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fercli.geometry import iou_matrix
from fercli.tracking.bridging import Appearance, bridge

DROPPED = -1
"""Track number of faces that belong to no track."""

_JITTER = 0.05
"""Standard deviation of a detected box, in box sizes."""
_ACCELERATION = 5.0
"""Standard deviation of the acceleration, box sizes / s²."""
_FIRST_SPEED = 0.5
"""Standard deviation of the speed of a face seen once, box sizes / s."""
_BUFFER = (4.0, 0.4)
"""In the second round, boxes grow on every side by this share of their size per second since the previous frame, and by
the second share at most."""
_SIZE_RATIO = 1.6
"""A face never grows or shrinks more than this factor from one detection to the next."""
_SHORT_GAP_S = 0.2
"""Gaps up to this length, and any gap between two consecutive sampled frames, are bridged frame by frame."""
_UNDECIDED = 0.6
"""Two faces are ambiguous if exchanging them costs at most this much overlap in total."""


@dataclass
class _Track:
    """Kalman filter of one face. Position is in pixels and size in logarithms, so that noise relative to the size of
    the box is the same for all four coordinates and one 2 x 2 covariance serves them all.

    Attributes:
        state: (2, 4) centre x, centre y, log width, log height, and their change per second; the change of size is
            always 0.
        covariance: (2, 2) of value and speed, in box sizes.
        seen_s: when the face was last seen.
        clear: row of the last face that could not be confused with that of another track.
    """

    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    seen_s: float
    clear: int

    @classmethod
    def begin(cls, measured: NDArray[np.float64], until_s: float, face: int) -> _Track:
        return cls(np.stack([measured, np.zeros(4)]), np.diag([_JITTER**2, _FIRST_SPEED**2]), until_s, face)

    def expected(self, time_s: float) -> NDArray[np.float64]:
        """(4,) predicted centre and log size."""
        place: NDArray[np.float64] = self.state[0] + self.state[1] * (time_s - self.seen_s)
        return place

    def see(self, measured: NDArray[np.float64], time_s: float, until_s: float) -> None:
        """Update with a measured face, which stays in place until `until_s`."""
        step = time_s - self.seen_s
        move = np.array([[1, step], [0, 1]])
        shake = _ACCELERATION**2 * np.array([[step**4 / 4, step**3 / 2], [step**3 / 2, step**2]])
        covariance = move @ self.covariance @ move.T + shake
        gain = covariance[:, 0] / (covariance[0, 0] + _JITTER**2)
        surprise = measured - self.expected(time_s)
        self.state = np.stack([self.expected(time_s) + gain[0] * surprise, self.state[1] + gain[1] * surprise])
        self.state[1, 2:] = 0
        self.covariance = covariance - np.outer(gain, covariance[0])
        self.seen_s = until_s


def associate(
    times_s: NDArray[np.float64],
    boxes: NDArray[np.float32],
    *,
    min_iou: float,
    max_gap_s: float,
    min_faces: int,
    until_s: NDArray[np.float64] | None = None,
    looks: NDArray[np.float64] | None = None,
    appearance: Appearance | None = None,
) -> NDArray[np.int32]:
    """Track number of every face of one shot.

    Args:
        times_s: (N,) time of each face, ascending, equal for faces of one frame; the spacing may be irregular.
        boxes: (N, 4) boxes.
        min_iou: least overlap between the predicted box of a track and the box of a face, both enlarged by up to 0.4 of
            their size on every side; in [0, 1].
        max_gap_s: a face that was not detected for longer starts a new track.
        min_faces: shorter tracks are dropped.
        until_s: (N,) for a face in a still picture, the end of that picture; by default `times_s`.
        looks: (N,) how many faces each one counts as for `min_faces`; by default one.
        appearance: called only for ambiguous faces, and for the faces at both ends of longer gaps.

    Returns:
        (N,) numbers from 0 in order of first appearance, DROPPED for faces of dropped tracks.
    """
    measured = _measure(boxes)
    until_s = times_s if until_s is None else until_s
    owner = _follow(times_s, until_s, measured, min_iou, max_gap_s, appearance)
    return _without_short(bridge(times_s, until_s, measured, owner, max_gap_s, appearance), min_faces, looks)


def _follow(
    times_s: NDArray[np.float64],
    until_s: NDArray[np.float64],
    measured: NDArray[np.float64],
    min_iou: float,
    max_gap_s: float,
    appearance: Appearance | None,
) -> NDArray[np.int32]:
    """(N,) tracks, each without long gaps, numbered by first appearance."""
    owner = np.full(len(measured), DROPPED, dtype=np.int32)
    tracks: list[_Track] = []
    alive: list[int] = []
    frames = np.split(np.arange(len(times_s)), np.flatnonzero(np.diff(times_s)) + 1) if len(times_s) else []
    # A factor of 1.5, because sampled frames are not spaced quite evenly.
    next_s = 1.5 * float(np.median(np.diff(np.unique(times_s)))) if len(frames) > 1 else 0.0
    # Timestamps are multiples of a time base: a gap of exactly max_gap_s must not depend on rounding.
    longest = min(max_gap_s, max(_SHORT_GAP_S, next_s)) + 1e-6
    before_s = -np.inf
    for faces in frames:
        time_s = float(times_s[faces[0]])
        alive = [number for number in alive if time_s - tracks[number].seen_s <= longest]
        expected = np.array([tracks[number].expected(time_s) for number in alive]).reshape(-1, 4)
        found = measured[faces]
        pairs = _match(expected, found, min(_BUFFER[0] * (time_s - before_s), _BUFFER[1]), min_iou)
        mistakable: set[int] = set()
        if appearance is not None:
            clear = [tracks[number].clear for number in alive]
            mistakable = _settle(appearance, _undecided(expected, found, pairs, min_iou), pairs, clear, faces)
        for row, column in pairs.items():
            track, face = tracks[alive[row]], int(faces[column])
            track.see(measured[face], time_s, float(until_s[face]))
            owner[face] = alive[row]
            if row not in mistakable:
                track.clear = face
        for face in faces[owner[faces] == DROPPED]:
            owner[face] = len(tracks)
            alive.append(len(tracks))
            tracks.append(_Track.begin(measured[face], float(until_s[face]), int(face)))
        before_s = float(until_s[faces[0]])
    return owner


def _match(expected: NDArray[np.float64], found: NDArray[np.float64], buffer: float, min_iou: float) -> dict[int, int]:
    """Track -> face, one to one; plain boxes first, then boxes enlarged by `buffer` for the rest."""
    pairs: dict[int, int] = {}
    rows, columns = np.arange(len(expected)), np.arange(len(found))
    for grown in (0.0, buffer):
        a, b = expected[rows], found[columns]
        overlap = _overlaps(a, b, grown)
        ratio = np.abs(a[:, None, 2:] - b[None, :, 2:]).max(axis=2)
        allowed = (overlap >= min_iou) & (ratio <= np.log(_SIZE_RATIO))
        kept = _one_to_one(allowed, 1 - overlap)
        pairs |= {int(rows[row]): int(columns[column]) for row, column in kept}
        rows = np.delete(rows, [row for row, _ in kept])
        columns = np.delete(columns, [column for _, column in kept])
    return pairs


def _one_to_one(allowed: NDArray[np.bool_], cost: NDArray[np.floating]) -> list[tuple[int, int]]:
    """The allowed pairs of rows and columns, one to one, as many as possible and of the lowest cost in all."""
    if (allowed.sum(axis=0) <= 1).all() and (allowed.sum(axis=1) <= 1).all():
        return [(row, column) for row, column in np.argwhere(allowed).tolist()]
    # Imported where it is needed: this alone takes a third of a second.
    from scipy.optimize import linear_sum_assignment

    # Forbidden pairs cost more than any number of allowed ones, so they are only chosen when there is no other pair.
    chosen = linear_sum_assignment(np.where(allowed, cost, 1e3))
    return [(int(row), int(column)) for row, column in zip(*chosen, strict=True) if allowed[row, column]]


def _undecided(
    expected: NDArray[np.float64], found: NDArray[np.float64], pairs: dict[int, int], min_iou: float
) -> list[tuple[int, int]]:
    """Disjoint pairs of tracks whose faces are ambiguous: they overlap with both tracks. Most ambiguous pair first."""
    overlap = _overlaps(expected, found)
    couples = []
    for first, second in combinations(sorted(pairs), 2):
        four = overlap[np.ix_([first, second], [pairs[first], pairs[second]])]
        loss = float(np.trace(four) - np.trace(four[::-1]))
        if four.min() >= min_iou and loss <= _UNDECIDED:
            couples.append((loss, first, second))
    chosen: list[tuple[int, int]] = []
    taken: set[int] = set()
    for _, first, second in sorted(couples):
        if not {first, second} & taken:
            chosen.append((first, second))
            taken |= {first, second}
    return chosen


def _settle(
    appearance: Appearance,
    couples: list[tuple[int, int]],
    pairs: dict[int, int],
    clear: list[int],
    faces: NDArray[np.int64],
) -> set[int]:
    """Exchange two faces in `pairs` if each looks more like the other track; returns all ambiguous tracks."""
    for first, second in couples:
        rows = [clear[first], clear[second], int(faces[pairs[first]]), int(faces[pairs[second]])]
        a, b, now_a, now_b = appearance(np.array(rows, dtype=np.int64)).astype(np.float64)
        if np.linalg.norm([a - now_b, b - now_a]) < np.linalg.norm([a - now_a, b - now_b]):
            pairs[first], pairs[second] = pairs[second], pairs[first]
    return {row for couple in couples for row in couple}


def _measure(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N, 4) centre x, centre y, log width, log height."""
    exact = boxes.astype(np.float64)
    size = np.maximum(exact[:, 2:] - exact[:, :2], 1e-3)
    return np.concatenate([(exact[:, :2] + exact[:, 2:]) / 2, np.log(size)], axis=1)


def _overlaps(a: NDArray[np.float64], b: NDArray[np.float64], buffer: float = 0.0) -> NDArray[np.float32]:
    """(N, M) intersection over union of results of `_measure`, all boxes enlarged by `buffer` first."""
    return iou_matrix(_boxes(a, buffer), _boxes(b, buffer))


def _boxes(measured: NDArray[np.float64], buffer: float) -> NDArray[np.float32]:
    """(N, 4) boxes of a result of `_measure`, enlarged by `buffer` of their size on every side."""
    half = np.exp(measured[:, 2:]) * (0.5 + buffer)
    return np.concatenate([measured[:, :2] - half, measured[:, :2] + half], axis=1).astype(np.float32)


def _without_short(owner: NDArray[np.int32], min_faces: int, looks: NDArray[np.float64] | None) -> NDArray[np.int32]:
    """The tracks without those that have fewer faces, renumbered."""
    kept = np.bincount(owner, looks, minlength=1) >= min_faces
    numbers = np.where(kept, np.cumsum(kept) - 1, DROPPED).astype(np.int32)
    return numbers[owner]
