"""Which boxes of one shot are the same face: constant-velocity motion, overlap, one assignment a frame.

The scheme of SORT (Bewley et al. 2016, arXiv 1602.00763) with two changes for frames that are looked at only a few
times a second: true times instead of frame counts, and a second round in which the boxes are enlarged, so that a face
that jumped further than its own width still meets its track (buffered IoU, Yang et al. 2023, arXiv 2211.14317).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.geometry import iou_matrix

DROPPED = -1
"""Track number of faces that belong to no track."""

_JITTER = 0.05
"""Standard deviation of a detected box, in box sizes."""
_ACCELERATION = 5.0
"""Standard deviation of the acceleration, box sizes / s²."""
_FIRST_SPEED = 0.5
"""Standard deviation of the speed of a face seen once, box sizes / s."""
_BUFFERS = (0.0, 0.4)
"""Boxes grow by this share of their size on every side, one round of matching each."""
_SIZE_RATIO = 1.6
"""A face never grows or shrinks more than this from one sight to the next."""


@dataclass
class _Track:
    """Kalman filter of one face. Position is in pixels and size in logarithms, so that noise relative to the size of
    the box is the same for all four coordinates and one 2 x 2 covariance serves them all.

    Attributes:
        state: (2, 4) centre x, centre y, log width, log height, and their change a second; the size has no speed.
        covariance: (2, 2) of value and speed, in box sizes.
        seen_s: when the face was last seen.
    """

    state: NDArray[np.float64]
    covariance: NDArray[np.float64]
    seen_s: float

    @classmethod
    def begin(cls, measured: NDArray[np.float64], time_s: float) -> _Track:
        return cls(np.stack([measured, np.zeros(4)]), np.diag([_JITTER**2, _FIRST_SPEED**2]), time_s)

    def expected(self, time_s: float) -> NDArray[np.float64]:
        """(4,) where the face should be."""
        place: NDArray[np.float64] = self.state[0] + self.state[1] * (time_s - self.seen_s)
        return place

    def see(self, measured: NDArray[np.float64], time_s: float) -> None:
        """Take in where the face is."""
        step = time_s - self.seen_s
        move = np.array([[1, step], [0, 1]])
        shake = _ACCELERATION**2 * np.array([[step**4 / 4, step**3 / 2], [step**3 / 2, step**2]])
        covariance = move @ self.covariance @ move.T + shake
        gain = covariance[:, 0] / (covariance[0, 0] + _JITTER**2)
        surprise = measured - self.expected(time_s)
        self.state = np.stack([self.expected(time_s) + gain[0] * surprise, self.state[1] + gain[1] * surprise])
        self.state[1, 2:] = 0
        self.covariance = covariance - np.outer(gain, covariance[0])
        self.seen_s = time_s


def associate(
    times_s: NDArray[np.float64],
    boxes: NDArray[np.float32],
    *,
    min_iou: float,
    max_gap_s: float,
    min_faces: int,
) -> NDArray[np.int32]:
    """Track number of every face of one shot.

    Args:
        times_s: (N,) when each face was seen, ascending, equal for faces of one frame; spaced as irregularly as it may.
        boxes: (N, 4) boxes.
        min_iou: the box a track is expected at and the box of a face, both enlarged by 0.4 of their size on every side,
            overlap at least this much; in [0, 1].
        max_gap_s: a face unseen for longer starts a new track.
        min_faces: shorter tracks are dropped.

    Returns:
        (N,) numbers from 0 in order of first appearance, DROPPED for faces of dropped tracks.
    """
    measured = _measure(boxes)
    owner = np.full(len(boxes), DROPPED, dtype=np.int32)
    tracks: list[_Track] = []
    alive: list[int] = []
    frames = np.split(np.arange(len(times_s)), np.flatnonzero(np.diff(times_s)) + 1) if len(times_s) else []
    for faces in frames:
        time_s = float(times_s[faces[0]])
        # Timestamps are multiples of a time base: a gap of exactly max_gap_s must not depend on rounding.
        alive = [number for number in alive if time_s - tracks[number].seen_s <= max_gap_s + 1e-6]
        expected = np.array([tracks[number].expected(time_s) for number in alive]).reshape(-1, 4)
        for row, column in _match(expected, measured[faces], min_iou):
            tracks[alive[row]].see(measured[faces[column]], time_s)
            owner[faces[column]] = alive[row]
        for face in faces[owner[faces] == DROPPED]:
            owner[face] = len(tracks)
            alive.append(len(tracks))
            tracks.append(_Track.begin(measured[face], time_s))
    return _without_short(owner, min_faces)


def _match(expected: NDArray[np.float64], found: NDArray[np.float64], min_iou: float) -> list[tuple[int, int]]:
    """Pairs (track, face), one to one; narrow overlaps first, enlarged boxes for what is left."""
    from scipy.optimize import linear_sum_assignment

    pairs: list[tuple[int, int]] = []
    rows, columns = np.arange(len(expected)), np.arange(len(found))
    for buffer in _BUFFERS:
        a, b = expected[rows], found[columns]
        overlap = iou_matrix(_boxes(a, buffer), _boxes(b, buffer))
        ratio = np.abs(a[:, None, 2:] - b[None, :, 2:]).max(axis=2)
        allowed = (overlap >= min_iou) & (ratio <= np.log(_SIZE_RATIO))
        # Forbidden pairs cost more than any number of allowed ones, so they are only taken when nothing else is left.
        chosen = linear_sum_assignment(np.where(allowed, 1 - overlap, 1e3))
        kept = [(row, column) for row, column in zip(*chosen, strict=True) if allowed[row, column]]
        pairs += [(int(rows[row]), int(columns[column])) for row, column in kept]
        rows = np.delete(rows, [row for row, _ in kept])
        columns = np.delete(columns, [column for _, column in kept])
    return pairs


def _measure(boxes: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N, 4) centre x, centre y, log width, log height."""
    exact = boxes.astype(np.float64)
    size = np.maximum(exact[:, 2:] - exact[:, :2], 1e-3)
    return np.concatenate([(exact[:, :2] + exact[:, 2:]) / 2, np.log(size)], axis=1)


def _boxes(measured: NDArray[np.float64], buffer: float) -> NDArray[np.float32]:
    """(N, 4) boxes of what `_measure` gives, enlarged by `buffer` of their size on every side."""
    half = np.exp(measured[:, 2:]) * (0.5 + buffer)
    return np.concatenate([measured[:, :2] - half, measured[:, :2] + half], axis=1).astype(np.float32)


def _without_short(owner: NDArray[np.int32], min_faces: int) -> NDArray[np.int32]:
    """The same tracks without those of fewer faces, numbered anew."""
    kept = np.bincount(owner, minlength=1) >= min_faces
    numbers = np.where(kept, np.cumsum(kept) - 1, DROPPED).astype(np.int32)
    return numbers[owner]
