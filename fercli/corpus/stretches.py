"""The stretches of a video in which a person is seen and can be judged, from a result.

A stretch lies in one track, and so in one shot, and has no moment in which the person is not assessable. With
`speaking`, it lies in a turn of the person by `detect-speakers` if it has run; otherwise where there is a voice while
the mouth of the person moves (the signal `talking`), which is an approximation.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fercli.errors import InputError, command
from fercli.results.model import Interval, Result, Segment

TOUCHING_S = 1e-3
"""Segments that are closer together follow each other, seconds."""
MOVES_FROM = 0.5
"""Share of `talking` from which the mouth of a person counts as moving."""
PAUSE_S = 0.3
"""Pauses in speech that do not end a stretch, seconds."""


@dataclass(frozen=True)
class Wanted:
    """Which stretches.

    Attributes:
        persons: displayed names; empty: everyone with a name.
        speaking: only where the person speaks.
        min_s, max_s: shortest and longest stretch, seconds; a longer one is cut into equal parts.
        emotions: canonical names; empty: all. With some, a stretch shows one of them throughout.
    """

    persons: tuple[str, ...] = ()
    speaking: bool = False
    min_s: float = 1.0
    max_s: float = 10.0
    emotions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stretch(Interval):
    """A stretch.

    Attributes:
        person, track, shot: who, and where.
        emotion: the emotion shown for the longest time, canonical name.
        score: mean score of its segments, weighted by their time; None if all are manual.
        share: share of the stretch in which that emotion is shown.
        manual: whether its emotion is a manual annotation.
        speech_s: seconds of speech in it, by anyone; None if `transcribe` has not run.
        text: what is said in it; empty without.
    """

    person: str
    track: int
    shot: int
    emotion: str
    score: float | None
    share: float
    manual: bool
    speech_s: float | None
    text: str


def find_stretches(result: Result, wanted: Wanted) -> list[Stretch]:
    """All stretches, by start, then track.

    Raises:
        InputError: `speaking`, but nothing is known of the sound.
    """
    if wanted.speaking and result.speech is None:
        raise InputError(
            f"what is said in {result.video['name']} is not known",
            hint=f"run: {command('transcribe', 'WORKSPACE')}",
            code="speech-missing",
        )
    known = any(turn.person for turn in result.turns)
    talking = _talking(result) if wanted.speaking and not known else {}
    found = []
    for person in result.persons:
        if wanted.persons and person.name not in wanted.persons:
            continue
        by_track: dict[int, list[Segment]] = defaultdict(list)
        for segment in person.segments:
            if segment.assessed and (not wanted.emotions or segment.emotion in wanted.emotions):
                by_track[segment.track].append(segment)
        for track in person.tracks:
            segments = by_track[track.track]
            seen: list[Interval] = _joined(segments, same_emotion=bool(wanted.emotions))
            if wanted.speaking:
                seen = list(_both(seen, _spoken(result, person.name, talking.get(track.track, []))))
            for part in _parts(seen, wanted.min_s, wanted.max_s):
                found.append(_stretch(result, part, segments, person.name, track.track, track.shot))
    return sorted(found, key=lambda one: (one.start_s, one.track))


def _joined(segments: Iterable[Segment], *, same_emotion: bool) -> list[Interval]:
    """Segments that follow each other put together; with `same_emotion` only those of one emotion."""
    found: list[Interval] = []
    last = ""
    for one in sorted(segments, key=lambda segment: segment.start_s):
        follows = bool(found) and one.start_s - found[-1].end_s <= TOUCHING_S
        if follows and not (same_emotion and one.emotion != last):
            found[-1] = Interval(found[-1].start_s, max(found[-1].end_s, one.end_s))
        else:
            found.append(Interval(one.start_s, one.end_s))
        last = one.emotion
    return found


def _spoken(result: Result, person: str, mouth: Sequence[Interval]) -> list[Interval]:
    """When a person speaks, by start."""
    assert result.speech is not None
    if any(turn.person for turn in result.turns):
        return [Interval(turn.start_s, turn.end_s) for turn in result.turns if turn.person == person]
    voice = [Interval(one.start_s, one.end_s) for one in result.speech.voice]
    return _bridged(list(_both(voice, mouth)))


def _talking(result: Result) -> dict[int, list[Interval]]:
    """Track -> when its mouth moves, by start."""
    found: dict[int, list[Interval]] = {}
    for signal in result.details().signals():
        if signal.name == "talking":
            rows = zip(signal.start_s.tolist(), signal.end_s.tolist(), signal.values[:, 0].tolist(), strict=True)
            found[signal.track] = _bridged([Interval(start, end) for start, end, share in rows if share >= MOVES_FROM])
    return found


def _bridged(parts: Sequence[Interval]) -> list[Interval]:
    found: list[Interval] = []
    for one in parts:
        if found and one.start_s - found[-1].end_s <= PAUSE_S:
            found[-1] = Interval(found[-1].start_s, max(found[-1].end_s, one.end_s))
        else:
            found.append(one)
    return found


def _both(some: Sequence[Interval], others: Sequence[Interval]) -> Iterator[Interval]:
    """Where two lists of intervals overlap, by start."""
    for one in some:
        for other in others:
            start, end = max(one.start_s, other.start_s), min(one.end_s, other.end_s)
            if start < end:
                yield Interval(start, end)


def _parts(seen: Iterable[Interval], min_s: float, max_s: float) -> Iterator[Interval]:
    for one in seen:
        count = max(1, math.ceil((one.seconds - TOUCHING_S) / max_s))
        length = one.seconds / count
        if length + TOUCHING_S >= min_s:
            for number in range(count):
                end = one.end_s if number == count - 1 else one.start_s + (number + 1) * length
                yield Interval(one.start_s + number * length, end)


def _stretch(
    result: Result, part: Interval, segments: Sequence[Segment], person: str, track: int, shot: int
) -> Stretch:
    seconds: dict[str, float] = defaultdict(float)
    scored: dict[str, list[tuple[float, float]]] = defaultdict(list)
    manual: dict[str, bool] = defaultdict(bool)
    for one in segments:
        inside = min(one.end_s, part.end_s) - max(one.start_s, part.start_s)
        if inside > 0:
            seconds[one.emotion] += inside
            manual[one.emotion] |= one.source == "human"
            if one.score is not None:
                scored[one.emotion].append((one.score, inside))
    emotion = max(sorted(seconds), key=seconds.__getitem__)
    scores, speech = scored[emotion], result.speech
    weight = sum(inside for _, inside in scores)
    voice = None
    if speech is not None:
        voice = round(sum(one.seconds for one in _both([part], speech.voice)), 3)
    words = [word.text for word in result.words if part.start_s <= (word.start_s + word.end_s) / 2 < part.end_s]
    return Stretch(
        part.start_s,
        part.end_s,
        person=person,
        track=track,
        shot=shot,
        emotion=emotion,
        score=sum(score * inside for score, inside in scores) / weight if weight else None,
        share=min(1.0, seconds[emotion] / part.seconds),
        manual=manual[emotion],
        speech_s=voice,
        text=" ".join(words),
    )
