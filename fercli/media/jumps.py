"""Jumps of the clock inside a file: recordings concatenated with `cat`, receivers that restarted.

A jump back would interleave the frames before and after it. Instead, each part between two jumps gets an offset, so
that it starts where the part before it ends, as in players.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from av.container import InputContainer

BACK_S = 0.1
"""A clock that goes back this far has restarted; less is jitter. As in ffmpeg (`ts_discontinuity_detect`)."""
AHEAD_S = 10.0
"""A broadcast clock that goes ahead further than this has jumped, unless its pictures are that rare, as in ffmpeg. In
other containers a gap is a real gap: the picture is shown for that long."""
_RARE = 10
"""A jump ahead is at least this many times the usual distance of pictures."""


@dataclass(frozen=True)
class Jump:
    """A jump of the clock.

    Attributes:
        packet: the first packet of the stream after the jump, counted from 0 in file order; empty packets do not count.
        offset: added to the timestamps from this packet up to the next jump, in units of the stream's time base.
    """

    packet: int
    offset: int


class Stamp(NamedTuple):
    """Properties of a packet that need no decoding.

    Attributes:
        pts, dts: when it is shown and decoded, in units of its stream's time base; None if unknown.
        duration: how long it is shown, in the same units; 0 if unknown.
        key: whether it is a key frame.
        hidden: whether an edit list hides it; it is decoded because other frames need it.
    """

    pts: int | None
    dts: int | None
    duration: int
    key: bool
    hidden: bool

    def later(self, offset: int) -> Stamp:
        """The same packet, shown later by an offset."""
        pts, dts = (None if time is None else time + offset for time in (self.pts, self.dts))
        return self._replace(pts=pts, dts=dts)


def broadcast(container: InputContainer) -> bool:
    """Whether clocks may jump in this format: MPEG's transport and program streams, and a few more."""
    from av.format import Flags

    return bool(Flags(container.format.flags) & Flags.ts_discont)


def find_jumps(stamps: Sequence[Stamp], base: Fraction, *, broadcast: bool) -> list[Jump]:
    """The jumps of a stream of pictures.

    A clock can go back at a key frame that is shown before an earlier frame of the file; in a broadcast, which stores
    its decoding times, also anywhere else.

    Args:
        stamps: stamps of all packets that are not empty, in file order.
        base: time base, seconds.
        broadcast: result of the function of that name.
    """
    usual = _usual(stamps)
    ahead = max(math.ceil(AHEAD_S / base), _RARE * usual) if broadcast else None
    starts = [0, *_starts(stamps, math.ceil(BACK_S / base), ahead)]
    jumps: list[Jump] = []
    end: int | None = None
    for first, last in zip(starts, [*starts[1:], len(stamps)], strict=True):
        own = [
            (stamp.pts, stamp.duration) for stamp in stamps[first:last] if stamp.pts is not None and not stamp.hidden
        ]
        if not own:
            continue
        offset = 0
        if end is not None:
            offset = end - min(pts for pts, _ in own)
            jumps.append(Jump(first, offset))
        pts, duration = max(own)
        end = pts + offset + (duration or usual)
    return jumps


def clock_jumped(before: int, after: int, base: Fraction, *, broadcast: bool) -> bool:
    """Whether an audio stream, whose packets are in presentation order, jumps between two packets."""
    return after < before - BACK_S / base or (broadcast and after > before + AHEAD_S / base)


def _usual(stamps: Sequence[Stamp]) -> int:
    """Usual distance from one picture to the next."""
    times = [stamp.dts if stamp.dts is not None else stamp.pts for stamp in stamps]
    known = [time for time in times if time is not None]
    return int(median([abs(after - before) for before, after in pairwise(known)] or [0]))


def _starts(stamps: Sequence[Stamp], back: int, ahead: int | None) -> Iterator[int]:
    """Packets after a jump; `ahead` is None if the clock cannot jump ahead."""
    latest: int | None = None
    before: int | None = None
    for number, stamp in enumerate(stamps):
        if stamp.hidden:  # frames repeated by an edit list were shown before
            continue
        pts, dts = stamp.pts, stamp.dts
        jumped = stamp.key and pts is not None and latest is not None and pts < latest - back
        if ahead is not None and dts is not None and before is not None:
            jumped = jumped or dts < before - back or dts > before + ahead
        if jumped:
            yield number
            latest = None
        if pts is not None:
            latest = pts if latest is None else max(latest, pts)
        before = dts if dts is not None else before
