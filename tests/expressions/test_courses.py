"""When an expression begins, is strongest, and ends."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from fercli.expressions.courses import Course, find_course, intensity
from fercli.expressions.valence import moments

AT = moments(0.0, 4.0)


def test_a_triangle_has_its_half_width() -> None:
    strength = np.clip(1 - np.abs(AT - 2.0), 0, 1) * 0.8
    found = find_course(AT, strength, 1.0, 3.0, (0.0, 4.0))
    assert found is not None
    assert (found.onset_s, found.apex_s, found.offset_s, found.peak) == pytest.approx((1.5, 2.0, 2.5, 0.8))


def test_onset_and_offset_lie_between_moments() -> None:
    strength = np.array([0.0, 0.3, 1.0, 0.3, 0.0])
    found = find_course(AT[:5], strength, 0.0, 0.5, (0.0, 0.5))
    assert found is not None and found.onset_s == pytest.approx(0.1 + 0.1 * 2 / 7)


def test_an_expression_that_never_falls_ends_where_it_is_bounded() -> None:
    found = find_course(AT, np.full(40, 0.6), 1.0, 2.0, (0.5, 2.5))
    assert found == Course(0.5, 1.0, 2.5, 0.6)


def test_the_course_ends_at_a_gap() -> None:
    strength = np.clip(1 - np.abs(AT - 2.0) / 4, 0, 1)
    strength[10:15], strength[27:30] = np.nan, np.nan
    found = find_course(AT, strength, 1.0, 3.0, (0.0, 4.0))
    assert found is not None and (found.onset_s, found.offset_s) == pytest.approx((1.5, 2.6))


@pytest.mark.parametrize("strength", [np.full(40, np.nan), np.zeros(40)])
def test_without_intensity_there_is_no_course(strength: np.ndarray) -> None:
    assert find_course(AT, strength, 1.0, 2.0, (0.0, 4.0)) is None
    assert find_course(AT, np.ones(40), 1.01, 1.09, (0.0, 4.0)) is None  # no moment in between


def test_intensity_rises_where_the_probability_has_long_been_one() -> None:
    neutral = np.clip(1 - 5 * AT / 4.0, 0.001, 1)
    moved = np.linspace(0, 0.8, 40)
    found = intensity(neutral, moved)
    assert spearmanr(found, AT).statistic == pytest.approx(1) and found[0] == 0 and 0.85 < found[-1] < 0.95


def test_movement_alone_is_no_expression_and_the_probability_counts_alone_without_a_mesh() -> None:
    assert intensity(np.array([1.0]), np.array([0.9])).tolist() == [0]  # a neutral face that talks
    assert intensity(np.array([0.2]), np.array([np.nan])) == pytest.approx(0.8)
    assert np.isnan(intensity(np.array([np.nan]), np.array([0.5]))).all()
