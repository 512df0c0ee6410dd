"""Difference between the present annotations and an edited file. All times in whole milliseconds."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fercli.edits.apply import Manual
from fercli.errors import DatasetError
from fercli.formats.annotations import Label
from fercli.timing import outside

TOLERANCE_MS = 2
"""Times at most this far apart are equal, because programs round them."""

Span = tuple[int, int]


@dataclass(frozen=True)
class Shown:
    """A segment as it is exported.

    Attributes:
        person, emotion: displayed name of the person, canonical name of the emotion.
        span: [start, end).
        written: the span as stored in a file of the format.
        carried: whether the format can store such segments.
    """

    person: str
    emotion: str
    span: Span
    written: Span
    carried: bool


@dataclass(frozen=True)
class Difference:
    """The changes in a file.

    Attributes:
        rows: manual annotations to be added, including deletions; all other times are unchanged.
        changed: number of segments that replace others.
        added: number of segments at times where their person had none.
        deleted: number of segments that are not replaced.
    """

    rows: list[Manual]
    changed: int
    added: int
    deleted: int


def difference(shown: Sequence[Shown], marks: Sequence[Label]) -> Difference:
    """Compare the present segments with the marks of a file, person by person.

    Raises:
        DatasetError: a person's marks overlap where the present segments do not.
    """
    people: dict[str, tuple[list[Shown], list[Label]]] = defaultdict(lambda: ([], []))
    for segment in shown:
        people[segment.person][0].append(segment)
    for mark in marks:
        people[mark.person][1].append(mark)
    found = [_of_person(person, own, theirs) for person, (own, theirs) in people.items()]
    return Difference(
        [row for part in found for row in part.rows],
        sum(part.changed for part in found),
        sum(part.added for part in found),
        sum(part.deleted for part in found),
    )


def same(a: Span, b: Span) -> bool:
    """Whether two spans have the same ends."""
    return abs(a[0] - b[0]) <= TOLERANCE_MS and abs(a[1] - b[1]) <= TOLERANCE_MS


def _of_person(person: str, shown: list[Shown], marks: list[Label]) -> Difference:
    _refuse_overlaps(person, shown, marks)
    alike, new, gone = _matched(shown, marks)
    new = _snapped(shown, new)
    gone_spans = [segment.span for segment in gone]
    stated = _closure(alike, new, gone_spans)
    rows = [Manual(person, *span, emotion) for span, emotion in stated]
    holes = [span for span, _ in stated]
    empty = [piece for span in union(gone_spans) for piece in outside(*span, holes)]
    rows += [Manual(person, round(start), round(end), None) for start, end in empty]
    new_spans = [(mark.start_ms, mark.end_ms) for mark in new]
    changed = sum(_meets(span, gone_spans) for span in new_spans)
    deleted = sum(not _meets(span, new_spans) for span in gone_spans)
    return Difference(rows, changed, len(new) - changed, deleted)


def _matched(shown: list[Shown], marks: list[Label]) -> tuple[list[Shown], list[Label], list[Shown]]:
    """Segments that are in the file, new marks, and segments that are not in the file."""
    by_start: dict[tuple[str, int], list[Shown]] = defaultdict(list)
    for segment in shown:
        by_start[segment.emotion, segment.written[0]].append(segment)
    alike, new = [], []
    for mark in marks:
        starts = sorted(range(-TOLERANCE_MS, TOLERANCE_MS + 1), key=abs)
        lists = [by_start[mark.emotion, mark.start_ms + shift] for shift in starts]
        span = (mark.start_ms, mark.end_ms)
        home = next((found for found in lists if any(same(one.written, span) for one in found)), None)
        if home is None:
            new.append(mark)
        else:
            alike.append(home.pop(next(place for place, one in enumerate(home) if same(one.written, span))))
    left = [segment for found in by_start.values() for segment in found]
    return alike, new, [segment for segment in left if segment.carried]


def _snapped(shown: list[Shown], marks: list[Label]) -> list[Label]:
    """The marks, with ends within the tolerance moved to those of present segments, so that neighbours touch."""
    ends = sorted({pair for one in shown for pair in zip(one.written, one.span, strict=True)})

    def snap(time_ms: int) -> int:
        first = bisect_left(ends, (time_ms - TOLERANCE_MS,))
        near = [pair for pair in ends[first : first + 8] if pair[0] <= time_ms + TOLERANCE_MS]
        return min(near, key=lambda pair: (abs(pair[0] - time_ms), abs(pair[1] - time_ms)))[1] if near else time_ms

    moved = [replace(mark, start_ms=snap(mark.start_ms), end_ms=snap(mark.end_ms)) for mark in marks]
    return [after if after.start_ms < after.end_ms else before for before, after in zip(marks, moved, strict=True)]


def _closure(alike: list[Shown], new: list[Label], gone: list[Span]) -> list[tuple[Span, str]]:
    """The new marks, and the unchanged segments at the same time: a row replaces all segments of a person at its
    time."""
    stated = [((mark.start_ms, mark.end_ms), mark.emotion) for mark in new]
    waiting = list(alike)
    touched = [span for span, _ in stated] + gone
    while touched:
        joining: list[Shown] = []
        staying: list[Shown] = []
        for segment in waiting:
            (joining if _meets(segment.span, touched) else staying).append(segment)
        stated += [(segment.span, segment.emotion) for segment in joining]
        waiting, touched = staying, [segment.span for segment in joining]
    return stated


def _refuse_overlaps(person: str, shown: list[Shown], marks: list[Label]) -> None:
    """At most one mark at a time, or as many as there are present segments (several in a split screen)."""
    running: list[Label] = []
    for mark in sorted(marks, key=lambda mark: (mark.start_ms, mark.end_ms)):
        time_ms = mark.start_ms + TOLERANCE_MS
        running = [other for other in running if other.end_ms > time_ms]
        if running and mark.end_ms > time_ms:
            at_once = sum(one.carried and one.written[0] <= time_ms < one.written[1] for one in shown)
            if len(running) + 1 > max(1, at_once):
                raise DatasetError(
                    f"{mark.place}: overlaps another segment of {person}, from {running[-1].start_ms / 1000:g} "
                    f"to {running[-1].end_ms / 1000:g} s",
                    hint="end one segment where the next begins",
                    code="segments-overlap",
                )
        running.append(mark)


def union(spans: Iterable[Span]) -> list[Span]:
    """The times in any of the spans, in order."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _meets(span: Span, others: Iterable[Span]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in others)
