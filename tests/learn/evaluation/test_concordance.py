"""Figures of two series, against formulas written another way and values worked out by hand."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fercli.learn.evaluation.concordance import ccc, concordance, over_videos, pearson, rmse, sign_agreement


def _exact_ccc(ours: list[int], theirs: list[int]) -> float:
    """From sums alone, in fractions: 2 (n Σpt - Σp Σt) / (n Σp² - (Σp)² + n Σt² - (Σt)² + (Σp - Σt)²)."""
    n, p, t = len(ours), sum(ours), sum(theirs)
    both = n * sum(a * b for a, b in zip(ours, theirs, strict=True)) - p * t
    spread = n * sum(a * a for a in ours) - p * p + n * sum(b * b for b in theirs) - t * t + (p - t) ** 2
    return float(Fraction(2 * both, spread)) if spread else 1.0


@given(st.lists(st.tuples(st.integers(-1000, 1000), st.integers(-1000, 1000)), min_size=1, max_size=60))
def test_ccc_is_that_of_an_exact_implementation(pairs: list[tuple[int, int]]) -> None:
    ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    found = ccc(np.array(ours, float), np.array(theirs, float))
    assert found == pytest.approx(_exact_ccc(ours, theirs), abs=1e-9)
    assert found == pytest.approx(ccc(np.array(theirs, float), np.array(ours, float)), abs=1e-12)


def test_ccc_is_that_of_correlation_and_standard_deviations() -> None:
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(0.3, 1, 500), rng.normal(0, 2, 500)
    theirs += ours
    spread = ours.std() ** 2 + theirs.std() ** 2 + (ours.mean() - theirs.mean()) ** 2
    expected = 2 * np.corrcoef(ours, theirs)[0, 1] * ours.std() * theirs.std() / spread
    assert ccc(ours, theirs) == pytest.approx(expected, abs=1e-9)


def test_figures_worked_out_by_hand() -> None:
    ours, theirs = np.array([0.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    found = concordance(ours, theirs)
    assert found.ccc == pytest.approx(2 * (2 / 3) / (2 / 3 + 2 / 3 + 1))
    assert found.pearson == pytest.approx(1)
    assert found.rmse == pytest.approx(1)
    assert found.sign_agreement == pytest.approx(2 / 3)
    assert found.n == 3


def test_moments_without_a_value_do_not_count() -> None:
    ours = np.array([0.1, np.nan, 0.5, 0.9, -1.0])
    theirs = np.array([0.2, 0.3, np.nan, 0.8, -0.7])
    assert concordance(ours, theirs) == concordance(ours[[0, 3, 4]], theirs[[0, 3, 4]])


@pytest.mark.parametrize(
    ("ours", "expected"), [([0.5, 0.5], 1.0), ([0.2, 0.2], 0.0)], ids=["the same constant", "another constant"]
)
def test_ccc_of_constants(ours: list[float], expected: float) -> None:
    assert ccc(np.array(ours), np.array([0.5, 0.5])) == expected
    assert math.isnan(pearson(np.array(ours), np.array([0.5, 0.5])))


def test_nothing_in_common_is_not_a_number() -> None:
    nothing: NDArray[np.float64] = np.array([np.nan])
    assert all(math.isnan(figure(nothing, np.array([1.0]))) for figure in (ccc, pearson, rmse, sign_agreement))


def test_mean_over_videos_and_pooled_are_different_figures() -> None:
    """Within each video the prediction is useless, and yet it tells the videos apart."""
    rng = np.random.default_rng(1)
    pairs = {f"{level}": (level + rng.normal(0, 0.1, 50), level + rng.normal(0, 0.1, 50)) for level in (-3, 0, 3)}
    found = over_videos(pairs)
    assert abs(found.mean.ccc) < 0.3
    assert found.pooled.ccc > 0.99
    assert found.mean.ccc == pytest.approx(np.mean([one.ccc for one in found.per_video.values()]))
    assert found.std == pytest.approx(np.std([one.ccc for one in found.per_video.values()]))
    assert found.mean.n == found.pooled.n == 150


def test_videos_without_two_moments_are_left_out() -> None:
    one = np.array([1.0, np.nan])
    found = over_videos({"a": (np.array([0.0, 1.0]), np.array([0.0, 1.0])), "b": (one, one)})
    assert list(found.per_video) == ["a"]
    with pytest.raises(ValueError, match="no video"):
        over_videos({"b": (one, one)})
