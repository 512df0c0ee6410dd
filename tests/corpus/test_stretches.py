from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from fercli.corpus.stretches import Stretch, Wanted, find_stretches
from fercli.errors import InputError
from fercli.labels import NOT_ASSESSABLE
from fercli.results.model import Column, Interval, Person, Result, Segment, Signal, Speech, Track, Word
from tests.failing import fails
from tests.workspaces import FACTS, no_details


def track(number: int, start_s: float, end_s: float, name: str = "Ross") -> Track:
    return Track(start_s, end_s, number, number, name, faces=9, best_face=0, best_box=(0, 0, 1, 1), best_s=start_s)


def person(tracks: Sequence[Track], segments: Sequence[Segment], name: str = "Ross") -> Person:
    return Person(name, tuple(tracks), tuple(segments))


def segment(start_s: float, end_s: float, emotion: str = "happiness", track: int = 0, score: float = 0.8) -> Segment:
    return Segment(start_s, end_s, emotion, "Ross", track, score)


def result(*persons: Person, speech: Speech | None = None) -> Result:
    return Result(FACTS, list(persons), None, [], [], {}, [], no_details, speech=speech)


def times(found: Sequence[Stretch]) -> list[tuple[float, float]]:
    return [(round(one.start_s, 3), round(one.end_s, 3)) for one in found]


def test_a_stretch_ends_where_the_person_is_not_assessable_and_with_the_track() -> None:
    segments = [segment(0, 2), segment(2, 4, "anger"), segment(4, 5, NOT_ASSESSABLE), segment(5, 7)]
    segments.append(segment(7, 9, track=1))
    found = find_stretches(result(person([track(0, 0, 7), track(1, 7, 9)], segments)), Wanted())
    assert times(found) == [(0, 4), (5, 7), (7, 9)]
    assert [(one.track, one.shot) for one in found] == [(0, 0), (0, 0), (1, 1)]


def test_short_ones_are_left_out_and_long_ones_are_divided_equally() -> None:
    segments = [segment(0, 0.9), segment(10, 35, track=1)]
    ross = person([track(0, 0, 1), track(1, 10, 35)], segments)
    found = find_stretches(result(ross), Wanted(min_s=1, max_s=10))
    assert times(found) == [(10, 18.333), (18.333, 26.667), (26.667, 35)]
    assert find_stretches(result(ross), Wanted(min_s=9, max_s=10)) == []


def test_with_emotions_a_stretch_shows_one_of_them_throughout() -> None:
    segments = [segment(0, 2), segment(2, 4, "anger"), segment(4, 6, "fear"), segment(6, 8, "anger")]
    ross = person([track(0, 0, 8)], segments)
    found = find_stretches(result(ross), Wanted(emotions=("anger", "fear")))
    assert [(one.emotion, *times([one])[0], one.share) for one in found] == [
        ("anger", 2, 4, 1.0),
        ("fear", 4, 6, 1.0),
        ("anger", 6, 8, 1.0),
    ]


def test_the_emotion_is_the_one_shown_longest() -> None:
    manual = Segment(2, 5, "sadness", "Ross", 0, source="human")
    ross = person([track(0, 0, 5)], [segment(0, 1, score=0.9), segment(1, 2, score=0.7), manual])
    (found,) = find_stretches(result(ross), Wanted())
    assert (found.emotion, found.share, found.score, found.manual) == ("sadness", 0.6, None, True)
    (found,) = find_stretches(result(person([track(0, 0, 2)], ross.segments[:2])), Wanted())
    assert found.score == pytest.approx(0.8) and not found.manual


def test_only_the_named_persons() -> None:
    ross = person([track(0, 0, 2)], [segment(0, 2)])
    monica = person([track(1, 0, 2, "Monica")], [segment(0, 2, track=1)], "Monica")
    assert {one.person for one in find_stretches(result(ross, monica), Wanted())} == {"Ross", "Monica"}
    assert {one.person for one in find_stretches(result(ross, monica), Wanted(("Monica",)))} == {"Monica"}


def speech(words: Sequence[Word]) -> Speech:
    return Speech("en", 1.0, (Interval(1, 6),), (), tuple(words))


def test_speaking_takes_the_turns_of_the_person_and_the_words_in_them() -> None:
    words = [
        Word(1.0, 2.0, "We", 0.9, 0, "Ross", True),
        Word(2.2, 3.0, "were", 0.9, 0, "Ross", True),
        Word(3.2, 6.0, "No.", 0.9, 1, "Monica", True),
    ]
    ross = person([track(0, 0, 8)], [segment(0, 8)])
    (found,) = find_stretches(result(ross, speech=speech(words)), Wanted(speaking=True))
    assert (times([found]), found.text, found.speech_s) == ([(1, 3)], "We were", 2.0)
    with fails(InputError, "speech-missing"):
        find_stretches(result(ross), Wanted(speaking=True))


def test_without_speakers_speaking_is_a_voice_while_the_mouth_moves() -> None:
    ross = person([track(0, 0, 8)], [segment(0, 8)])
    moving = np.array([[0.1], [0.9], [0.8], [0.1]], np.float32)
    starts = np.array([0.0, 2.0, 4.0, 7.0])
    signal = Signal("talking", 0, "Ross", starts, np.append(starts[1:], 8.0), (Column("talking", "share"),), moving)
    whole = replace(
        result(ross, speech=speech([Word(2.0, 3.0, "Hi", 0.9, 0)])),
        details=lambda: SimpleNamespace(signals=lambda: [signal]),  # type: ignore[arg-type, return-value]
    )
    (found,) = find_stretches(whole, Wanted(speaking=True))
    assert times([found]) == [(2, 6)]  # the voice ends at 6, the mouth begins to move at 2
