"""Boxes and landmarks, against values worked out by hand and against scikit-image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fercli.geometry import frontality, iou_matrix, keyframes, roll, square_around

whole_boxes = st.lists(st.tuples(*[st.integers(0, 12)] * 4), min_size=1, max_size=4).map(
    lambda rows: np.array(rows, dtype=np.float32)
)


def boxes(*rows: tuple[float, float, float, float]) -> NDArray[np.float32]:
    return np.array(rows, dtype=np.float32).reshape(-1, 4)


def pixels(box: NDArray[np.float32]) -> set[tuple[int, int]]:
    x1, y1, x2, y2 = box.astype(int)
    return {(x, y) for x in range(x1, x2) for y in range(y1, y2)}


def test_overlaps_worked_out_by_hand() -> None:
    a = boxes((0, 0, 4, 4), (10, 10, 12, 12))
    b = boxes((0, 0, 4, 4), (2, 0, 6, 4), (4, 0, 8, 4), (1, 1, 3, 3))
    np.testing.assert_allclose(iou_matrix(a, b), np.array([[1, 8 / 24, 0, 4 / 16], [0, 0, 0, 0]]), rtol=1e-6)


@given(whole_boxes, whole_boxes)
def test_half_open_boxes_are_sets_of_pixels(a: NDArray[np.float32], b: NDArray[np.float32]) -> None:
    expected = np.zeros((len(a), len(b)))
    for i, j in np.ndindex(expected.shape):
        union = pixels(a[i]) | pixels(b[j])
        expected[i, j] = len(pixels(a[i]) & pixels(b[j])) / len(union) if union else 0
    result = iou_matrix(a, b)
    np.testing.assert_allclose(result, expected, rtol=1e-6)
    assert result.dtype == np.float32


def test_no_boxes_give_an_empty_matrix() -> None:
    assert iou_matrix(boxes(), boxes((0, 0, 1, 1))).shape == (0, 1)
    assert iou_matrix(boxes((0, 0, 1, 1)), boxes()).shape == (1, 0)


def test_square_has_the_box_centre_and_scales_its_longer_side() -> None:
    square = square_around(np.array([10, 20, 30, 60], np.float32), 1.5)
    np.testing.assert_array_equal(square, [20 - 30, 40 - 30, 20 + 30, 40 + 30])
    assert square.dtype == np.float32


def face(nose: tuple[float, float], *, turn: float = 0.0, scale: float = 1.0) -> NDArray[np.float32]:
    """Eyes at (0, 0) and (10, 0), turned in the picture plane by `turn` radians."""
    points = np.array([(0, 0), (10, 0), nose, (2, 12), (8, 12)], dtype=np.float64) * scale
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray(points @ rotation + 100, dtype=np.float32)


@pytest.mark.parametrize(
    ("nose_x", "expected"), [(5, 1), (2.5, 0.5), (7.5, 0.5), (0, 0), (10, 0), (-4, 0), (14, 0), (4, 0.8)]
)
def test_frontality_is_the_place_of_the_nose_between_the_eyes(nose_x: float, expected: float) -> None:
    assert frontality(face((nose_x, 6))) == pytest.approx(expected, abs=1e-5)


@given(st.floats(-3.1, 3.1), st.floats(0.5, 20), st.floats(-20, 20))
def test_tilting_the_head_scaling_and_a_lower_nose_change_nothing(turn: float, scale: float, nose_y: float) -> None:
    assert frontality(face((3, nose_y), turn=turn, scale=scale)) == pytest.approx(0.6, abs=1e-3)


def test_eyes_in_one_place_say_nothing_and_count_as_profile() -> None:
    assert frontality(np.zeros((5, 2), np.float32)) == 0.0


@given(st.floats(-3.1, 3.1), st.floats(0.5, 20))
def test_roll_is_the_angle_clockwise_whatever_the_size_and_the_nose(turn: float, scale: float) -> None:
    assert roll(face((3, 6), turn=turn, scale=scale)) == pytest.approx(np.degrees(turn), abs=0.01)


def test_roll_of_a_profile_whose_eyes_fall_together_comes_from_eyes_and_mouth() -> None:
    lying = np.array([[50, 30], [50, 31], [40, 25], [20, 30], [20, 31]], np.float32)  # the mouth to the left
    assert roll(lying) == pytest.approx(90, abs=0.1)


def moving(left: list[float]) -> NDArray[np.float64]:
    """Boxes of one size that move along a line."""
    return np.array([[x, 0.0, x + 10, 10.0] for x in left])


def test_even_motion_needs_only_its_ends_whatever_the_frame_rate() -> None:
    times = np.array([0.0, 0.1, 0.7, 1.0])
    assert keyframes(times, moving([0.0, 1.0, 7.0, 10.0]), 0.01).tolist() == [0, 3]


def test_where_the_motion_turns_a_box_is_kept() -> None:
    frames = np.array([0, 10, 20, 30, 100])
    walk = moving([0.0, 10.0, 20.0, 10.0, 10.0])
    assert keyframes(frames, walk, 0.5).tolist() == [0, 2, 3, 4]
    assert keyframes(frames, walk, 1000).tolist() == [0, 4]


def test_boxes_left_out_lie_within_the_tolerance_of_interpolation() -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.02, 0.3, 400))
    track = np.cumsum(rng.normal(0, 3, (400, 4)), axis=0)
    kept = keyframes(times, track, 4.0)
    between = np.stack([np.interp(times, times[kept], track[kept, edge]) for edge in range(4)], axis=1)
    assert np.abs(between - track).max() <= 4.0
    assert len(kept) < 350


def test_one_box_is_kept_once_and_two_are_both_kept() -> None:
    assert keyframes(np.array([3.0]), moving([1.0]), 1.0).tolist() == [0]
    assert keyframes(np.array([3.0, 4.0]), moving([1.0, 1.0]), 1.0).tolist() == [0, 1]
