"""Where the clock inside a file jumps: recordings put together with `cat`, receivers that started anew.

A jump back would interleave what was recorded before and after it. Each part between two jumps gets an offset instead,
so that it goes on where the part before it ends, as players do it.
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
"""A clock that goes back this far starts again; less is a trembling clock. As in ffmpeg (`ts_discontinuity_detect`)."""
AHEAD_S = 10.0
"""A broadcast's clock that leaps ahead further than this has jumped, unless pictures are that rare in it, as in ffmpeg.
In other containers a gap is a gap: the picture stands as long."""
_RARE = 10
"""A leap is this many times as long as pictures usually are apart."""


@dataclass(frozen=True)
class Jump:
    """The clock jumps.

    Attributes:
        packet: the first one of the stream behind the jump, counted from 0 in the order of the file; empty ones do not
            count.
        offset: what is added to its timestamps and to those of all after it up to the next jump, units of the
            stream's time base.
    """

    packet: int
    offset: int


class Stamp(NamedTuple):
    """What a packet says without being decoded.

    Attributes:
        pts, dts: when it is shown and decoded, in units of its stream's time base; None where it does not say.
        duration: how long it is shown, in the same units; 0 where it does not say.
        key: whether its picture needs no other one.
        hidden: whether an edit list leaves it out; it is decoded for the sake of others.
    """

    pts: int | None
    dts: int | None
    duration: int
    key: bool
    hidden: bool

    def later(self, offset: int) -> Stamp:
        """The same, moved."""
        pts, dts = (None if time is None else time + offset for time in (self.pts, self.dts))
        return self._replace(pts=pts, dts=dts)


def broadcast(container: InputContainer) -> bool:
    """Whether clocks may jump in this format: MPEG's transport and program streams, and a few more."""
    from av.format import Flags

    return bool(Flags(container.format.flags) & Flags.ts_discont)


def find_jumps(stamps: Sequence[Stamp], base: Fraction, *, broadcast: bool) -> list[Jump]:
    """The jumps of a stream of pictures.

    Only there a clock goes back: at a picture that needs no other one and is shown before one that the file has before
    it; in a broadcast, whose decoding times are written and not guessed, also anywhere else.

    Args:
        stamps: of all packets that are not empty, in the order of the file.
        base: time base, seconds.
        broadcast: as the function of that name says.
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
    """Whether a stream of sound, whose packets are shown in the order of the file, jumps from one to the next."""
    return after < before - BACK_S / base or (broadcast and after > before + AHEAD_S / base)


def _usual(stamps: Sequence[Stamp]) -> int:
    """From one picture to the next as a rule."""
    times = [stamp.dts if stamp.dts is not None else stamp.pts for stamp in stamps]
    known = [time for time in times if time is not None]
    return int(median([abs(after - before) for before, after in pairwise(known)] or [0]))


def _starts(stamps: Sequence[Stamp], back: int, ahead: int | None) -> Iterator[int]:
    """Packets behind a jump; `ahead` is None where the clock does not leap."""
    latest: int | None = None
    before: int | None = None
    for number, stamp in enumerate(stamps):
        if stamp.hidden:  # what an edit list repeats has been shown before
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
