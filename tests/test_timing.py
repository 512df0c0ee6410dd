from __future__ import annotations

import numpy as np

from fercli.timing import frame_ends


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
