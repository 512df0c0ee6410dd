from __future__ import annotations

import numpy as np
import pytest

from fercli.timing import clock, frame_ends


def test_a_frame_ends_with_the_next_one() -> None:
    assert frame_ends(np.array([0.0, 0.08, 0.20]), 0.24).tolist() == [0.08, 0.18, 0.24]


def test_a_gap_does_not_stretch_a_frame() -> None:
    ends = frame_ends(np.array([0.0, 0.1, 0.2, 5.0]), 9.0)
    np.testing.assert_allclose(ends, [0.1, 0.2, 0.3, 5.1])


def test_a_single_frame_lasts_as_long_as_the_video() -> None:
    assert frame_ends(np.array([0.5]), 0.9).tolist() == [0.9]


def test_a_wrong_duration_never_gives_a_negative_time() -> None:
    assert frame_ends(np.array([0.5, 1.0]), 0.2).tolist() == [1.0, 1.0]


def test_no_frames() -> None:
    assert frame_ends(np.array([]), 3.0).tolist() == []


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
