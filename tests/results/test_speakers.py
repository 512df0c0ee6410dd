"""Who says a word, and the emotions of face and voice of an utterance."""

from __future__ import annotations

import numpy as np
import pytest

from fercli.results.fusion import BOTH, FaceEmotions, with_both, with_faces, with_voices
from fercli.results.model import Utterance, Word
from fercli.results.speakers import Talking, with_speakers


def words(*moments: tuple[float, int]) -> list[Word]:
    """Words of 0.3 s: start and utterance."""
    return [Word(start, start + 0.3, "w", 0.9, number) for start, number in moments]


def utterances(*spans: tuple[float, float]) -> list[Utterance]:
    return [Utterance(start, end, number, "w", 0.9) for number, (start, end) in enumerate(spans)]


def talking(rows: list[tuple[float, int, float]], persons: dict[int, str | None]) -> Talking:
    """Time, track and probability of each face."""
    rows = sorted(rows)
    times, tracks, talks = (np.array([row[column] for row in rows]) for column in range(3))
    return Talking(times, tracks.astype(np.int64), talks, persons)


def steady(track: int, start: float, end: float, talks: float) -> list[tuple[float, int, float]]:
    return [(float(at), track, talks) for at in np.arange(start, end, 0.1)]


def named(said: list[Word]) -> list[tuple[str | None, bool | None]]:
    return [(word.person, word.on_screen) for word in said]


def test_a_word_is_said_by_the_face_that_is_heard_talking() -> None:
    faces = steady(0, 0, 2, 0.9) + steady(1, 0, 2, 0.2) + steady(0, 2, 4, 0.1) + steady(1, 2, 4, 0.8)
    one, said = with_speakers(
        utterances((0.0, 1.5), (2.2, 3.5)),
        words((0.0, 0), (0.5, 0), (1.2, 0), (2.2, 1), (3.0, 1)),
        talking(faces, {0: "Ross", 1: "Zoë"}),
    )
    assert named(said) == [("Ross", True)] * 3 + [("Zoë", True)] * 2
    assert [(found.person, found.on_screen) for found in one] == [("Ross", True), ("Zoë", True)]


def test_nobody_is_named_when_nobody_visible_talks_or_nobody_is_visible() -> None:
    faces = steady(0, 0, 2, 0.05)
    _, said = with_speakers(utterances((0, 4)), words((0.0, 0), (1.0, 0), (3.6, 0)), talking(faces, {0: "Ross"}))
    assert named(said) == [(None, False)] * 3


def test_a_word_during_which_the_face_hesitates_is_of_the_same_person_also_over_a_cut() -> None:
    faces = steady(0, 0, 1, 0.9) + steady(0, 1, 1.5, 0.4) + steady(1, 0, 1.5, 0.45) + steady(2, 1.5, 3, 0.9)
    persons: dict[int, str | None] = {0: "Ross", 1: "Zoë", 2: "Ross"}
    _, said = with_speakers(utterances((0, 3)), words((0.2, 0), (0.6, 0), (1.1, 0), (1.7, 0)), talking(faces, persons))
    assert named(said) == [("Ross", True)] * 4


def test_an_ignored_person_is_on_screen_without_a_name() -> None:
    _, said = with_speakers(utterances((0, 1)), words((0.2, 0)), talking(steady(0, 0, 1, 0.9), {0: None}))
    assert named(said) == [(None, True)]


def test_faces_of_which_nothing_is_known_say_nothing() -> None:
    _, said = with_speakers(utterances((0, 1)), words((0.2, 0)), talking(steady(0, 0, 1, np.nan), {0: "Ross"}))
    assert named(said) == [(None, False)]
    _, said = with_speakers(utterances((0, 1)), words((0.2, 0)), talking([], {}))
    assert named(said) == [(None, False)]
    assert with_speakers([], [], talking([], {})) == ([], [])


FACES = FaceEmotions(
    np.array([0.0, 0.5, 0.0]),
    np.array([0.5, 1.0, 1.0]),
    np.array(["Ross", "Ross", "Zoë"], object),
    ("happiness", "neutral"),
    np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]),
    "network",
)


def test_the_face_of_an_utterance_is_the_mean_over_its_time() -> None:
    said = [
        Utterance(0.25, 1.0, 0, "w", 0.9, "Ross", True),
        Utterance(0.0, 1.0, 1, "w", 0.9, None, False),
        Utterance(5.0, 6.0, 2, "w", 0.9, "Ross", True),
    ]
    first, off, later = with_faces(said, FACES)
    assert first.face == pytest.approx({"happiness": 1 / 3, "neutral": 2 / 3}) and first.sources == {"face": "network"}
    assert off.face is None and later.face is None and later.sources == {}


def test_both_is_the_mean_where_both_are_there_and_changes_neither() -> None:
    said = with_faces([Utterance(0.0, 0.5, 0, "w", 0.9, "Ross", True), Utterance(0.0, 1.0, 1, "w", 0.9)], FACES)
    first, second = with_both(with_voices(said, {0: {"anger": 0.6, "neutral": 0.4}, 1: {"anger": 1.0}}, "head"))
    assert first.face == {"happiness": 1.0, "neutral": 0.0} and first.voice == {"anger": 0.6, "neutral": 0.4}
    assert first.both == pytest.approx({"anger": 0.3, "happiness": 0.5, "neutral": 0.2})
    assert first.sources == {"face": "network", "voice": "head", "both": BOTH}
    assert second.voice == {"anger": 1.0} and second.both is None
