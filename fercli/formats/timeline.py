"""Shared code of the timeline formats: whole milliseconds, and tiers without overlaps.

Times count from the start of the video in a player, as in every table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count

from fercli.results.model import Result, Segment

_NOT_HELD = "which this format cannot hold"


@dataclass(frozen=True)
class Tier:
    """A row of a timeline.

    Attributes:
        name: unique name of the tier.
        person: its person; the same as `name` unless a person needs several tiers.
        segments: segments in whole milliseconds, by start, without overlaps.
    """

    name: str
    person: str
    segments: list[Segment]


def in_milliseconds(segments: Iterable[Segment]) -> list[Segment]:
    """Segments by start, rounded to whole milliseconds.

    These formats have no times before 0: segments are cut there, and empty ones left out; `losses` reports it.
    """
    rounded = [replace(one, start_s=max(0, one.start_ms) / 1000, end_s=max(0, one.end_ms) / 1000) for one in segments]
    kept = [one for one in rounded if one.start_ms < one.end_ms]
    return sorted(kept, key=lambda one: (one.start_ms, one.end_ms, one.track))


def losses(segments: Iterable[Segment], unit_ms: int) -> list[str]:
    """Messages about segments that a format with this unit, counted from 0, cannot hold.

    Times before 0 are rare: frames that are shown before the first one of the file, for example in a cut broadcast.
    """
    spans = [(units(one.start_ms, unit_ms), units(one.end_ms, unit_ms)) for one in segments]
    kinds = {
        f"before 0 s, {_NOT_HELD}, and left out": sum(end <= 0 for _, end in spans),
        f"from before 0 s on, {_NOT_HELD}, and cut off there": sum(start < 0 < end for start, end in spans),
        f"shorter than the {unit_ms} ms in which this format counts, and left out": sum(
            max(start, 0) >= end > 0 for start, end in spans
        ),
    }
    return [f"{number} segment{'' if number == 1 else 's'} {kind}" for kind, number in kinds.items() if number]


def units(milliseconds: int, unit_ms: int) -> int:
    """The nearest number of units, halves rounded up as in pysubs2."""
    return (milliseconds + unit_ms // 2) // unit_ms


def tiers(result: Result, segments: Iterable[Segment]) -> list[Tier]:
    """A tier for each person of the result, by screen time, `Unassigned` last.

    If segments of one person overlap, as in a split screen, the others go to tiers called `Ross (2)`,
    `Ross (3)` ...
    """
    own: dict[str, list[Segment]] = {person.name: [] for person in result.everyone}
    for segment in in_milliseconds(segments):
        own[segment.person].append(segment)
    names = set(own)
    found = []
    for person, row in own.items():
        lane = lanes([(one.start_ms, one.end_ms) for one in row])
        for number in range(max(lane, default=0) + 1):
            name = _free_name(person, number + 1, names) if number else person
            names.add(name)
            found.append(Tier(name, person, [one for one, k in zip(row, lane, strict=True) if k == number]))
    return found


def lanes(spans: Sequence[tuple[int, int]], most: int | None = None) -> list[int]:
    """Lane, from 0, of each span [start, end): spans in a lane do not overlap, if `most` lanes suffice.

    By start, each span goes to the first free lane, or else to the one that becomes free first.
    """
    busy: list[int] = []
    lane = [0] * len(spans)
    for number in sorted(range(len(spans)), key=spans.__getitem__):
        start, end = spans[number]
        free = next((k for k, until in enumerate(busy) if until <= start), len(busy))
        if free == most:
            free = busy.index(min(busy))
        elif free == len(busy):
            busy.append(end)
        busy[free] = max(busy[free], end)
        lane[number] = free
    return lane


def _free_name(person: str, number: int, names: set[str]) -> str:
    return next(name for name in (f"{person} ({n})" for n in count(number)) if name not in names)
