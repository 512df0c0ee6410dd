from __future__ import annotations

import numpy as np
import pytest

from fercli.views.report.thinning import Stream, bin_stream, shares, spread_evenly


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
    assert result.values[:, 0].tolist() == pytest.approx([1.0, 0.5])
    assert result.values.sum(axis=1).tolist() == pytest.approx([1.0, 1.0])


def test_bins_no_person_is_seen_in_and_windows_that_were_not_assessable_are_left_out() -> None:
    result = stream([(0.0, 1.0, 1.0), (1.0, 2.0, np.nan), (5.0, 6.0, 0.25)])
    assert result.bins.tolist() == [0, 5]
    assert result.values[1].tolist() == pytest.approx([0.25, 0.75])


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
    assert len(result.bins) == 0 and result.values.shape == (0, 2)


def test_many_persons_share_what_there_is_and_no_person_is_left_without() -> None:
    assert shares(np.array([500, 30, 1]), most_each=100, most=1000).tolist() == [100, 30, 1]
    scaled = shares(np.array([500, 30, 1]), most_each=100, most=50)
    assert scaled.tolist() == [38, 11, 1]


def test_faces_are_spread_over_all() -> None:
    assert spread_evenly(10, 2).tolist() == [2, 7]
    assert spread_evenly(3, 5).tolist() == [0, 1, 2]
    assert spread_evenly(0, 5).tolist() == []
