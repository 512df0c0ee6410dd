"""Which tracks of a shot continue after a gap: an occlusion, a face turned away, a few missed detections.

All tracks are known by then, so the motion on both sides of a gap is used, and a gap is only bridged where only one
track can follow. Two persons in one track are worse than one person in two tracks: clustering by face joins the latter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Appearance = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""(n,) rows of faces -> (n, D) descriptors; the nearer (Euclidean), the more alike."""

_MOTION_S = 0.5
"""The motion on each side of a longer gap is measured over this much of the track ..."""
_LEAST_MOTION_S = 0.15
"""... and is unknown if there is less than this."""
_REACH = (0.5, 1.5)
"""After a longer gap a face is at most this far from its predicted position, in box sizes, plus this much per
second."""
_LOG_SIZE = 0.35
"""Its width and height have changed by at most this, in natural logarithms."""
_LOOKS = 3
"""Faces compared on each side of a longer gap."""
_UNALIKE = 0.2
"""If thumbnails on both sides of a gap are further apart, the gap is not bridged. Of faces of one track 0.3 to 1 s
apart, 97 % lie nearer (measured on GRID, hamilton_short and facenet_pytorch_video; without the limit, the last has
errors)."""
_CLEARLY = 1.5
"""A gap is bridged only if every other way to bridge it costs at least this many times more."""


def bridge(
    times_s: NDArray[np.float64],
    until_s: NDArray[np.float64],
    measured: NDArray[np.float64],
    owner: NDArray[np.int32],
    max_gap_s: float,
    appearance: Appearance | None = None,
) -> NDArray[np.int32]:
    """Join the tracks of one shot.

    Args:
        times_s: (N,) time of each face, ascending.
        until_s: (N,) end of its picture if that is a still; otherwise the same as `times_s`.
        measured: (N, 4) centre x, centre y, log width, log height of its box.
        owner: (N,) its track, numbered from 0 by first appearance.
        max_gap_s: longer gaps are not bridged.
        appearance: called for the faces at both ends of the gaps that would be bridged.

    Returns:
        (N,) tracks; a track that continues another has the number of the first, so some numbers are missing.
    """
    order = np.argsort(owner, kind="stable")
    tracks = np.split(order, np.flatnonzero(np.diff(owner[order])) + 1) if len(owner) else []
    heads, tails = ([_End.of(times_s[rows], measured[rows], place) for rows in tracks] for place in (0, -1))
    # Tracks are numbered by first appearance, so this ascends.
    starts_s = np.array([times_s[rows[0]] for rows in tracks])
    costs: dict[tuple[int, int], float] = {}
    for before, rows in enumerate(tracks):
        end_s = until_s[rows[-1]]
        first, last = np.searchsorted(starts_s, [end_s, end_s + max_gap_s + 1e-6], side="right")
        for after in range(first, last):
            cost = _gap_cost(tails[before], heads[after], starts_s[after] - end_s)
            if cost <= 1:
                costs[before, after] = cost
    earlier = {
        after: before
        for before, after in _clear_links(costs)
        if appearance is None or _look_alike(appearance, tracks[before][-_LOOKS:], tracks[after][:_LOOKS])
    }
    number = np.arange(len(tracks), dtype=np.int32)
    for after in sorted(earlier):
        number[after] = number[earlier[after]]
    return number[owner]


def _look_alike(appearance: Appearance, before: NDArray[np.int64], after: NDArray[np.int64]) -> bool:
    """Whether any face before the gap looks like any face after it."""
    looks = appearance(np.concatenate([before, after])).astype(np.float64)
    first, second = looks[: len(before)], looks[len(before) :]
    return float(np.linalg.norm(first[:, None] - second[None], axis=2).min()) <= _UNALIKE


@dataclass(frozen=True)
class _End:
    """How a track ends, or begins.

    Attributes:
        place: (2,) centre of its outermost box, pixels.
        log_size: (2,) mean log width and log height nearby.
        velocity: (2,) pixels / s nearby; None if the track is too short to measure it.
    """

    place: NDArray[np.float64]
    log_size: NDArray[np.float64]
    velocity: NDArray[np.float64] | None

    @classmethod
    def of(cls, times_s: NDArray[np.float64], measured: NDArray[np.float64], outermost: int) -> _End:
        """The begin (`outermost` 0) or the end (-1) of a track."""
        near = np.abs(times_s - times_s[outermost]) <= _MOTION_S
        centred_s = times_s[near] - times_s[near].mean()
        velocity = None
        if np.ptp(centred_s) >= _LEAST_MOTION_S:
            velocity = centred_s @ measured[near, :2] / (centred_s @ centred_s)
        return cls(measured[outermost, :2], measured[near, 2:].mean(axis=0), velocity)


def _gap_cost(tail: _End, head: _End, gap_s: float) -> float:
    """How unlikely it is that a face went from one end to the other, 1 being the limit.

    The expected motion is the mean of the velocities on both sides, or the one that is known.
    """
    known = [end.velocity for end in (tail, head) if end.velocity is not None]
    led = np.mean(known, axis=0) * gap_s if known else np.zeros(2)
    size = np.exp((tail.log_size + head.log_size).mean() / 2)
    away = float(np.linalg.norm(head.place - tail.place - led)) / size
    change = float(np.abs(head.log_size - tail.log_size).max())
    return math.hypot(away / (_REACH[0] + _REACH[1] * gap_s), change / _LOG_SIZE)


def _clear_links(costs: dict[tuple[int, int], float]) -> Iterator[tuple[int, int]]:
    """Pairs (before, after), cheapest first, each track at most once on each side; no pair with an alternative that is
    almost as cheap."""
    ways_on: dict[int, list[int]] = {}
    ways_back: dict[int, list[int]] = {}
    for before, after in costs:
        ways_on.setdefault(before, []).append(after)
        ways_back.setdefault(after, []).append(before)
    begun: set[int] = set()
    ended: set[int] = set()
    for (before, after), cost in sorted(costs.items(), key=lambda item: (item[1], item[0])):
        if before in ended or after in begun:
            continue
        rivals = [costs[before, other] for other in ways_on[before] if other not in begun | {after}]
        rivals += [costs[other, after] for other in ways_back[after] if other not in ended | {before}]
        if min(rivals, default=np.inf) >= _CLEARLY * cost:
            yield before, after
            ended.add(before)
            begun.add(after)
