from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.report.thinning import Stream, bin_stream, keyframes, lanes, shares, spread_evenly


def stream(
    windows: list[tuple[float, float, float]], *, origin_s: float = 0.0, shortest_s: float = 1.0, most: int = 100
) -> Stream:
    """Of (start, end, probability of the first of two classes)."""
    start, end, first = np.array(windows, np.float64).reshape(-1, 3).T
    probabilities = np.stack([first, 1 - first], axis=1)
    return bin_stream(start, end, probabilities, origin_s=origin_s, shortest_s=shortest_s, most=most)


def test_a_bin_is_the_mean_of_its_windows_weighed_by_overlap() -> None:
    result = stream([(0.0, 1.5, 1.0), (1.5, 2.0, 0.0)])
    assert result.bins.tolist() == [0, 1]
    assert result.probabilities[:, 0].tolist() == pytest.approx([1.0, 0.5])
    assert result.probabilities.sum(axis=1).tolist() == pytest.approx([1.0, 1.0])


def test_bins_nobody_is_seen_in_and_windows_that_were_not_assessable_are_left_out() -> None:
    result = stream([(0.0, 1.0, 1.0), (1.0, 2.0, np.nan), (5.0, 6.0, 0.25)])
    assert result.bins.tolist() == [0, 5]
    assert result.probabilities[1].tolist() == pytest.approx([0.25, 0.75])


def test_bins_are_counted_from_the_origin_and_may_lie_before_it() -> None:
    assert stream([(4.0, 6.0, 1.0)], origin_s=5.0).bins.tolist() == [-1, 0]


def test_a_window_that_reaches_into_a_bin_by_rounding_does_not_fill_it() -> None:
    assert stream([(0.0, 1.001, 1.0)]).bins.tolist() == [0]


def test_bins_grow_with_the_time_a_person_is_seen_not_with_the_video() -> None:
    short = stream([(k, k + 1.0, 0.5) for k in (0, 5000)], most=100)
    long = stream([(k, k + 1.0, 0.5) for k in range(6000)], most=100)
    assert short.step_s == 1.0
    assert long.step_s == 60.0 and len(long.bins) == 100


def test_nothing_assessed_gives_no_bins() -> None:
    result = stream([(0.0, 1.0, np.nan)])
    assert len(result.bins) == 0 and result.probabilities.shape == (0, 2)


def boxes(left: list[float]) -> NDArray[np.float64]:
    return np.array([[x, 0.0, x + 10, 10.0] for x in left])


def test_even_motion_needs_only_its_ends_whatever_the_frame_rate() -> None:
    times = np.array([0.0, 0.1, 0.7, 1.0])
    assert keyframes(times, boxes([0.0, 1.0, 7.0, 10.0]), 0.01).tolist() == [0, 3]


def test_where_the_motion_turns_a_box_is_kept() -> None:
    assert keyframes(np.arange(5.0), boxes([0, 10, 20, 10, 0]), 1.0).tolist() == [0, 2, 4]


def test_boxes_left_out_lie_within_the_tolerance_of_interpolation() -> None:
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.02, 0.3, 200))
    track = boxes(np.cumsum(rng.normal(0, 3, 200)).tolist())
    kept = keyframes(times, track, 4.0)
    between = np.stack([np.interp(times, times[kept], track[kept, edge]) for edge in range(4)], axis=1)
    assert np.abs(between - track).max() <= 4.0
    assert len(kept) < 150


def test_one_box_is_kept_once() -> None:
    assert keyframes(np.array([3.0]), boxes([1.0]), 1.0).tolist() == [0]


def test_many_persons_share_what_there_is_and_nobody_is_left_without() -> None:
    assert shares(np.array([500, 30, 1]), most_each=100, most=1000).tolist() == [100, 30, 1]
    scaled = shares(np.array([500, 30, 1]), most_each=100, most=50)
    assert scaled.tolist() == [38, 11, 1]


def test_faces_are_spread_over_all() -> None:
    assert spread_evenly(10, 2).tolist() == [2, 7]
    assert spread_evenly(3, 5).tolist() == [0, 1, 2]
    assert spread_evenly(0, 5).tolist() == []


def test_spans_that_overlap_lie_in_different_lanes() -> None:
    start, end = np.array([0.0, 1.0, 2.0, 0.5]), np.array([2.0, 3.0, 4.0, 0.6])
    assert lanes(start, end, 8).tolist() == [0, 1, 0, 1]


def test_there_are_never_more_lanes_than_allowed() -> None:
    assert lanes(np.zeros(5), np.arange(1.0, 6.0), 2).max() == 1
