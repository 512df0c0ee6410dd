"""Who only has another name in the file than in what is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from fercli.formats.annotations import Label
from fercli.importers.difference import TOLERANCE_MS, Shown
from fercli.persons.names import UNASSIGNED

SHARE = 0.5
"""Of the time of either, in segments that both have with the same ends."""


def find_renames(shown: Sequence[Shown], marks: Sequence[Label], known: Iterable[str]) -> dict[str, str]:
    """Shown name -> name in the file, of persons the file calls something nobody is called.

    A name is new if it is not among the `known`; a shown person is missing if the file has nothing of that name. They
    are one and the same if at least half of the time of either lies in segments that both have; who has most in common
    goes first, the same emotions counting as more.
    """
    theirs = _by_person((mark.person, mark.emotion, (mark.start_ms, mark.end_ms)) for mark in marks)
    ours = _by_person((one.person, one.emotion, one.written) for one in shown if one.carried)
    new = theirs.keys() - set(known) - {UNASSIGNED}
    missing = ours.keys() - theirs.keys() - {UNASSIGNED}
    pairs = [(*_common(ours[old], theirs[name]), old, name) for old in missing for name in new]
    found: dict[str, str] = {}
    for share, _, old, name in sorted(pairs, key=lambda pair: (-pair[0] - pair[1], pair[2], pair[3])):
        if share >= SHARE and old not in found and name not in found.values():
            found[old] = name
    return found


_Segments = list[tuple[str, tuple[int, int]]]


def _by_person(segments: Iterable[tuple[str, str, tuple[int, int]]]) -> dict[str, _Segments]:
    people: dict[str, _Segments] = defaultdict(list)
    for person, emotion, span in segments:
        people[person].append((emotion, span))
    return people


def _common(ours: _Segments, theirs: _Segments) -> tuple[float, float]:
    """Share of the longer time in segments with the same ends, and in those with the same emotion too."""
    emotions: dict[tuple[int, int], set[str]] = defaultdict(set)
    for emotion, (start, end) in theirs:
        emotions[_blurred(start), _blurred(end)].add(emotion)
    both = alike = 0
    for emotion, (start, end) in ours:
        found = {
            name
            for first in (_blurred(start - TOLERANCE_MS), _blurred(start + TOLERANCE_MS))
            for last in (_blurred(end - TOLERANCE_MS), _blurred(end + TOLERANCE_MS))
            for name in emotions.get((first, last), ())
        }
        both += end - start if found else 0
        alike += end - start if emotion in found else 0
    longer = max(sum(end - start for _, (start, end) in segments) for segments in (ours, theirs))
    return both / longer, alike / longer


def _blurred(time_ms: int) -> int:
    """Times up to TOLERANCE_MS apart: the one lies where the other, moved by so much either way, does."""
    return time_ms // (2 * TOLERANCE_MS)
