"""Persons whose name in the file differs from their name in the workspace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from fercli.formats.annotations import Label
from fercli.importers.difference import TOLERANCE_MS, Shown
from fercli.persons.names import UNASSIGNED

SHARE = 0.5
"""Least share of the time of both persons in segments with the same start and end."""


def find_renames(shown: Sequence[Shown], marks: Sequence[Label], known: Iterable[str]) -> dict[str, str]:
    """Current name -> new name in the file, for persons whose name in the file is new.

    A name is new if it is not in `known`; a person is missing if the file has no segment of that name. A missing and a
    new name are the same person if at least half of the time of each is in common segments. The pair with most in
    common is assigned first; equal emotions count more.
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
    """Share of the longer time in segments with the same ends, and in those that also have the same emotion."""
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
    """Sets for comparing times up to TOLERANCE_MS apart: each time, shifted by up to that much."""
    return time_ms // (2 * TOLERANCE_MS)
