"""Subtitles aligned with the voice."""

from __future__ import annotations

import itertools

import pytest

from fercli.formats.aligned import aligned


def test_words_lie_in_speech_and_divide_it_by_their_letters() -> None:
    found = aligned([(1.0, 5.0, "ab abcd ab")], [(1.5, 2.5), (3.5, 4.5)])
    assert found.lost == 0 and found.shift_s == 0
    (words,) = found.sentences
    assert [word for word, _, _ in words] == ["ab", "abcd", "ab"]
    assert [round(time, 3) for _, *times in words for time in times] == [1.5, 2.0, 2.0, 4.0, 4.0, 4.5]


def test_where_nobody_speaks_nothing_is_said() -> None:
    found = aligned([(0.0, 1.0, "[door slams]"), (2.0, 3.0, "Yes.")], [(2.1, 2.9)])
    assert [[word for word, _, _ in words] for words in found.sentences] == [["Yes."]] and found.lost == 1
    assert aligned([(0.0, 1.0, "Yes.")], []).sentences == [] and aligned([], [(0.0, 1.0)]).sentences == []


@pytest.mark.parametrize("late", [-2.0, 3.5])
def test_a_constant_delay_is_found(late: float) -> None:
    voice = [(10.0, 11.5), (14.0, 15.0), (20.0, 22.0), (23.0, 23.5), (31.0, 34.0)]
    cues = [(a + late, b + late, "some words here") for a, b in voice]
    found = aligned(cues, voice)
    assert found.shift_s == pytest.approx(-late, abs=0.11) and found.lost == 0
    starts = [words[0][1] for words in found.sentences]
    assert starts == pytest.approx([a for a, _ in voice], abs=0.15)


def test_times_never_go_back() -> None:
    found = aligned([(0.0, 2.0, "a b c"), (1.0, 2.5, "d e f")], [(0.0, 2.5)])
    times = [time for words in found.sentences for _, *own in words for time in own]
    assert all(before <= after for before, after in itertools.pairwise(times))
