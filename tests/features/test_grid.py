"""Averages over intervals, against sums worked out by hand and by counting in tiny steps."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fercli.features.grid import average_onto, step_edges, steps_between


def _averaged(
    starts: list[float], ends: list[float], values: list[float], onto: list[tuple[float, float]]
) -> list[float]:
    edges = np.array(onto, float)
    column = np.array(values, float)[:, None]
    found = average_onto(np.array(starts), np.array(ends), column, (edges[:, 0], edges[:, 1]))
    return [float(value) for value in found[:, 0]]


def test_means_are_weighted_by_time() -> None:
    found = _averaged([0.0, 0.3, 1.0], [0.3, 1.0, 2.0], [1.0, 2.0, 5.0], [(0.0, 1.0), (0.5, 1.5), (1.0, 2.0)])
    np.testing.assert_allclose(found, [0.3 * 1 + 0.7 * 2, 3.5, 5.0], rtol=1e-6)


def test_less_than_half_is_missing() -> None:
    found = _averaged([0.0], [0.5], [4.0], [(0.0, 1.0), (0.0, 1.01), (1.0, 2.0), (-1.0, 0.0)])
    assert found[0] == 4.0
    assert np.isnan(found[1:]).all()


def test_what_was_not_measured_does_not_count() -> None:
    found = _averaged([0.0, 0.4], [0.4, 1.0], [np.nan, 3.0], [(0.0, 1.0)])
    assert found == [3.0]


def test_overlapping_measurements_end_where_the_next_begins() -> None:
    assert _averaged([0.0, 0.5], [1.0, 1.0], [0.0, 1.0], [(0.0, 1.0)]) == [0.5]


def test_nothing_gives_nothing() -> None:
    assert np.isnan(_averaged([], [], [], [(0.0, 1.0)])).all()
    assert average_onto(np.zeros(1), np.ones(1), np.zeros((1, 3)), (np.zeros(0), np.zeros(0))).shape == (0, 3)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20), st.integers(-5, 5)), max_size=12), st.integers(1, 30))
def test_it_is_what_counting_gives(pieces: list[tuple[int, int, int]], width: int) -> None:
    """Gap, length and value of each piece, in hundredths of a second."""
    line, starts, ends, values, now = np.full(1000, np.nan), [], [], [], 0
    for gap, length, value in pieces:
        now += gap
        line[now : now + length] = value
        starts.append(now / 100)
        ends.append((now + length) / 100)
        values.append(float(value))
        now += length
    onto = [(start / 100, (start + width) / 100) for start in range(0, 1000 - width, width)]
    found = _averaged(starts, ends, values, onto)
    for number, mean in enumerate(found):
        part = line[number * width : (number + 1) * width]
        measured = np.isfinite(part).sum()
        if 2 * measured >= width and measured:
            np.testing.assert_allclose(mean, np.nanmean(part), atol=1e-5)
        else:
            assert np.isnan(mean)


def test_steps_are_counted_from_the_start_of_the_video() -> None:
    assert steps_between(0.9, 2.1, 2.0).tolist() == [1, 2, 3, 4]
    assert steps_between(1.0, 2.0, 2.0).tolist() == [2, 3]
    assert steps_between(-1.0, 0.2, 2.0).tolist() == [0]
    starts, ends = step_edges(np.array([3, 4]), 2.0)
    assert (starts.tolist(), ends.tolist()) == ([1.5, 2.0], [2.0, 2.5])
