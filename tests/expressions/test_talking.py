"""Who talks, and what a talking mouth is worth."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.expressions.talking import OPEN_MOUTH, SPEECH_S, find_speech, movement, without_speech
from tests.workspaces import attributes_table, tracks_table

LABELS = ("neutral", "happiness", "surprise", "fear")


def every(step_s: float, seconds: float) -> NDArray[np.float64]:
    return np.arange(0, seconds - 1e-9, step_s)


def speech(times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Four syllables a second, of the opening that GRID's speakers have."""
    return 0.12 + 0.12 * np.sin(2 * np.pi * 4 * times_s)


def test_a_mouth_that_opens_and_closes_again_and_again_moves() -> None:
    times = every(0.1, 3)
    assert movement(times, speech(times)).min() > 0.4
    assert movement(times, np.full(30, 0.3)).max() == 0


def test_a_smile_and_a_gasp_are_no_speech() -> None:
    times = every(0.1, 3)
    opens = np.clip((times - 1) * 2, 0, 0.8)
    noise = np.random.default_rng(0).normal(0, 0.003, 30)  # of a silent face, as in the clips
    assert movement(times, opens).max() == pytest.approx(0)
    assert movement(times, opens + noise).max() < 0.08


@pytest.mark.parametrize("step_s", [1 / 8, 1 / 10, 1 / 25, 1 / 60])
def test_the_movement_hardly_depends_on_the_sampling_rate(step_s: float) -> None:
    times = every(step_s, 3)
    slow = 0.2 + 0.2 * np.sin(2 * np.pi * 1.5 * times)
    middle = np.abs(times - 1.5) < 0.5
    assert movement(times, slow)[middle].mean() == pytest.approx(0.75, rel=0.25)  # six times .2 there, .4 once back


def test_more_frames_are_not_more_movement() -> None:
    rng = np.random.default_rng(1)
    noisy = [movement(times, 0.3 + rng.normal(0, 0.01, len(times))).mean() for times in (every(0.1, 5), every(0.02, 5))]
    assert noisy[1] < noisy[0]


def test_few_faces_say_nothing_of_speech() -> None:
    times = every(0.2, 5)
    assert np.isnan(movement(times, speech(times))).all()
    unknown = np.where(every(0.1, 3) < 2, np.nan, 0.2)
    moved = movement(every(0.1, 3), unknown)
    assert np.isnan(moved[:20]).all() and moved[-1] == 0
    assert np.isnan(movement(np.zeros(1), np.zeros(1))).all()


def test_each_track_has_its_own_speech() -> None:
    """Two persons side by side: one talks from 2 to 3 s, the other is silent."""
    times = np.repeat(every(0.1, 6), 2)
    talks = (times >= 2) & (times < 3)
    talks[1::2] = False
    mouth = np.where(talks, speech(times), 0.02).tolist()
    tracks = tracks_table({0: list(range(0, 120, 2)), 1: list(range(1, 119, 2))})
    found = find_speech(tracks, attributes_table(120, mouth=mouth), times)
    own = times[::2]
    assert (found.talks[::2][(own > 1.95) & (own < 2.95)] == 1).all()
    assert (found.talks[::2][(own < 1.45) | (own > 3.55)] == 0).all()
    assert (found.talks[1:119:2] == 0).all() and np.isnan(found.talks[119])  # the last face is in no track
    spoken = own[found.talks[::2] == 1]
    shaped = (own >= spoken[0] - SPEECH_S - 1e-6) & (own <= spoken[-1] + SPEECH_S + 1e-6)
    assert found.shapes_mouth[::2].tolist() == shaped.tolist()
    assert not found.shapes_mouth[1::2].any()


def test_a_pause_for_breath_is_part_of_the_speech() -> None:
    times = every(0.1, 6)
    mouth = np.where((times > 2.6) & (times < 3.4), 0.02, speech(times))
    found = find_speech(tracks_table({0: list(range(60))}), attributes_table(60, mouth=mouth.tolist()), times)
    assert (found.talks == 1).all()


def test_speech_lowers_the_odds_of_what_an_open_mouth_looks_like() -> None:
    before = np.array([[0.3, 0.0, 0.6, 0.1]] * 3 + [[np.nan] * 4], np.float32)
    after = without_speech(
        before, LABELS, np.array([False, True, True, True]), np.array([0.5, 0.0, 0.5, 0], np.float32)
    )
    assert after[0].tolist() == before[0].tolist()
    assert np.isnan(after[3]).all()
    np.testing.assert_allclose(after[:3].sum(axis=1), 1, rtol=1e-6)
    odds = np.log(after[:, 2:] / after[:, :1])
    for column, label in enumerate(("surprise", "fear")):
        always, by_opening = OPEN_MOUTH[label]
        assert odds[0, column] - odds[1, column] == pytest.approx(always, rel=1e-4)
        assert odds[1, column] - odds[2, column] == pytest.approx(0.5 * by_opening, abs=1e-4)


def test_clear_surprise_and_laughter_remain() -> None:
    faces = np.array([[0.01, 0.0, 0.98, 0.01], [0.01, 0.98, 0.01, 0.0]], np.float32)
    after = without_speech(faces, LABELS, np.ones(2, bool), np.array([0.8, 0.3], np.float32))
    assert after.argmax(axis=1).tolist() == [2, 1]


def test_an_unknown_mouth_counts_as_closed_and_other_classes_stay() -> None:
    faces = np.array([[0.4, 0.6]], np.float32)
    shaped = np.ones(1, bool)
    np.testing.assert_allclose(without_speech(faces, ("anger", "neutral"), shaped, np.zeros(1, np.float32)), faces)
    unknown = without_speech(faces, ("neutral", "surprise"), shaped, np.array([np.nan], np.float32))
    np.testing.assert_allclose(unknown, without_speech(faces, ("neutral", "surprise"), shaped, np.zeros(1, np.float32)))
