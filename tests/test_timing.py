from __future__ import annotations

import numpy as np
import pytest

from fercli.timing import clock, frame_ends


def test_a_frame_ends_with_the_next_one_with_its_shot_or_after_the_usual_interval() -> None:
    pts, shot_ends = np.array([0.0, 0.08, 0.20, 5.0, 5.1]), np.array([4.0, 4.0, 4.0, 5.13, 5.13])
    np.testing.assert_allclose(frame_ends(pts, shot_ends, 0.1), [0.08, 0.18, 0.30, 5.1, 5.13])


def test_a_cut_may_lie_anywhere_between_two_frames() -> None:
    assert frame_ends(np.array([1.0, 1.5]), np.array([1.2, 9.0]), 0.5).tolist() == [1.2, 2.0]


def test_a_wrong_duration_never_gives_a_negative_time() -> None:
    assert frame_ends(np.array([0.5, 1.0]), np.array([0.2, 0.2]), 0.5).tolist() == [0.5, 1.0]


def test_no_frames() -> None:
    assert frame_ends(np.array([]), np.array([]), 0.1).tolist() == []


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
