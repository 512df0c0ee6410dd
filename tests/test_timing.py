from __future__ import annotations

import numpy as np
import pytest

from fercli.timing import clock, frame_ends, seen_until, usual_interval


def test_a_frame_ends_with_the_next_one_with_its_shot_or_when_the_next_one_is_due() -> None:
    pts, shot_ends = np.array([0.0, 0.08, 0.20, 5.0, 5.1]), np.array([4.0, 4.0, 4.0, 5.13, 5.13])
    np.testing.assert_allclose(frame_ends(pts, pts + 0.1, shot_ends), [0.08, 0.18, 0.30, 5.1, 5.13])


def test_a_frame_that_is_held_stands_until_the_next_one() -> None:
    pts = np.array([0.0, 0.1, 8.0])
    np.testing.assert_allclose(frame_ends(pts, np.array([0.1, 8.0, 8.1]), np.full(3, 9.0)), [0.1, 8.0, 8.1])


def test_a_cut_may_lie_anywhere_between_two_frames() -> None:
    pts = np.array([1.0, 1.5])
    assert frame_ends(pts, pts + 0.5, np.array([1.2, 9.0])).tolist() == [1.2, 2.0]


def test_a_wrong_duration_never_gives_a_negative_time() -> None:
    pts = np.array([0.5, 1.0])
    assert frame_ends(pts, pts + 0.5, np.array([0.2, 0.2])).tolist() == [0.5, 1.0]


def test_no_frames() -> None:
    assert frame_ends(np.array([]), np.array([]), np.array([])).tolist() == []
    assert usual_interval(np.array([])) == usual_interval(np.array([3.0])) == 0


def test_a_frame_that_is_held_is_looked_at_on_until_one_interval_before_its_end() -> None:
    pts, ends = np.array([0.0, 0.1, 8.0, 8.1]), np.array([0.1, 8.0, 8.1, 8.12])
    np.testing.assert_allclose(seen_until(pts, ends, usual_interval(pts)), [0.0, 7.9, 8.0, 8.1])


@pytest.mark.parametrize(
    ("time_s", "text"), [(0.0, "0:00"), (59.99, "0:59"), (61.0, "1:01"), (3600.0, "1:00:00"), (-1.5, "-0:01")]
)
def test_a_second_is_counted_when_it_is_over(time_s: float, text: str) -> None:
    assert clock(time_s) == text


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0, "0:00.0"), (12.34, "0:12.3"), (59.96, "1:00.0"), (3723.46, "1:02:03.5"), (-1.5, "-0:01.5")],
)
def test_tenths_are_rounded(time_s: float, text: str) -> None:
    assert clock(time_s, tenths=True) == text
