"""Valence and arousal from the classes: the means of published norms, smoothed without delay, with an interval."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.expressions.valence import LEAST_SD, NORMS, WIDTH, Pooled, moments, pool, ratings
from fercli.labels import EMOTIONS, EMOTIONS_8

SIGMA_S = 0.25


def windows(seconds: float, length: float, begin: float = 0.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    edges = np.array([begin + k * length for k in range(round(seconds / length) + 1)])
    return edges[:-1], edges[1:]


def classes(*names: str) -> NDArray[np.float64]:
    return np.array([[float(label == name) for label in EMOTIONS] for name in names])


def pooled(rows: NDArray[np.float64], length: float, at: NDArray[np.float64], begin: float = 0.0) -> Pooled:
    start, end = windows(len(rows) * length, length, begin)
    return pool(rows, np.full((len(rows), 1), np.nan), start, end, at, SIGMA_S)


def test_moments_are_tenths_of_a_second_that_all_tracks_share() -> None:
    assert moments(0.0, 0.35).tolist() == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert moments(12.34, 12.6).tolist() == pytest.approx([12.4, 12.5])
    assert moments(0.3, 0.6).tolist() == pytest.approx([0.3, 0.4, 0.5])  # 0.3 * 10 is below 3
    assert moments(1.01, 1.09).tolist() == []


def test_the_filter_has_no_delay() -> None:
    rows = classes(*["neutral"] * 10, *["happiness"] * 10)
    at = moments(0.0, 4.0)
    happy = pooled(rows, 0.2, at).probabilities[:, EMOTIONS.index("happiness")]
    assert happy[20] == pytest.approx(0.5) and happy[0] == 0 and happy[-1] == pytest.approx(1)
    assert happy[21] == pytest.approx(1 - happy[19])
    # Gaussian of .25 s: a tenth later it is at the normal distribution of .4 standard deviations.
    assert happy[21] == pytest.approx(0.6554, abs=0.003)


def test_windows_of_any_length_give_the_same() -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(7), 12)
    at = moments(0.0, 2.4)
    coarse, fine = pooled(rows, 0.2, at), pooled(np.repeat(rows, 5, axis=0), 0.04, at)
    assert np.allclose(coarse.probabilities, fine.probabilities, atol=1e-9)


def test_long_tracks_are_smoothed_in_pieces_with_the_same_result() -> None:
    rows = np.random.default_rng(1).dirichlet(np.ones(7), 600)
    at = moments(0.0, 120.0)
    whole = pooled(rows, 0.2, at).probabilities
    parts = [pooled(rows, 0.2, at[first : first + 7]).probabilities for first in range(0, len(at), 7)]
    assert np.array_equal(np.isnan(whole), np.isnan(np.concatenate(parts)))
    assert np.allclose(whole, np.concatenate(parts), atol=1e-12)


def test_gaps_stay_gaps_and_do_not_pull_at_their_neighbours() -> None:
    rows = classes(*["happiness"] * 15)
    rows[5:10] = np.nan
    found = pooled(rows, 0.2, moments(0.0, 3.0)).probabilities[:, EMOTIONS.index("happiness")]
    assert np.isnan(found[10:20]).all() and found[:10] == pytest.approx(1) and found[20:] == pytest.approx(1)


def test_where_the_track_has_no_window_nothing_is_known() -> None:
    start, end = np.array([0.0, 1.0]), np.array([0.5, 1.5])
    found = pool(classes("anger", "anger"), np.ones((2, 1)), start, end, moments(0.0, 1.5), SIGMA_S)
    assert np.isnan(found.probabilities[5:10]).all() and np.isfinite(found.probabilities[[0, 4, 10, 14]]).all()
    assert np.isnan(found.others[5:10]).all()


def test_other_values_that_are_unknown_in_some_windows_are_means_of_the_rest() -> None:
    start, end = windows(1.0, 0.2)
    others = np.array([[0.5], [np.nan], [0.5], [np.nan], [0.5]])
    found = pool(classes(*["anger"] * 5), others, start, end, moments(0.0, 1.0), SIGMA_S)
    assert found.others[:, 0] == pytest.approx(0.5)


@pytest.mark.parametrize("label", EMOTIONS)
def test_a_sure_class_has_the_norm_of_its_name(label: str) -> None:
    valence, arousal = ratings(classes(label), EMOTIONS, np.array([np.nan]))
    assert (valence.values[0], arousal.values[0]) == pytest.approx(NORMS[label])
    assert valence.high[0] - valence.values[0] == pytest.approx(min(WIDTH * LEAST_SD, 1 - NORMS[label][0]))
    assert valence.values[0] - valence.low[0] == pytest.approx(WIDTH * LEAST_SD)


def test_every_class_has_a_norm_in_range() -> None:
    assert NORMS.keys() == {*EMOTIONS_8}
    assert all(-1 <= value <= 1 for norm in NORMS.values() for value in norm)
    assert NORMS["happiness"][0] > 0 > NORMS["sadness"][0] > NORMS["fear"][0]


def test_the_interval_is_the_spread_of_the_classes() -> None:
    torn = 0.5 * (classes("happiness") + classes("sadness"))
    valence, _ = ratings(torn, EMOTIONS, np.array([np.nan]))
    assert valence.values[0] == pytest.approx((0.81 - 0.63) / 2)
    half = WIDTH * np.sqrt(0.72**2 + LEAST_SD**2)
    assert valence.low[0] == pytest.approx(valence.values[0] - half)
    assert valence.high[0] == pytest.approx(min(1, valence.values[0] + half))


def test_windows_that_contradict_each_other_widen_it_like_unsure_ones() -> None:
    at = np.array([1.5])
    sure = pooled(classes(*["happiness", "sadness"] * 8), 0.2, at).probabilities
    unsure = pooled(np.tile(0.5 * classes("happiness") + 0.5 * classes("sadness"), (16, 1)), 0.2, at).probabilities
    (one, _), (other, _) = (ratings(rows, EMOTIONS, np.array([np.nan])) for rows in (sure, unsure))
    assert one.high - one.low == pytest.approx(other.high - other.low, abs=0.02)


def test_mouth_and_brows_have_a_share_in_valence_and_none_in_arousal() -> None:
    rows = classes("neutral", "neutral", "neutral")
    valence, arousal = ratings(rows, EMOTIONS, np.array([1.0, -1.0, np.nan]))
    assert valence.values.tolist() == pytest.approx([0.15, -0.15, 0.0])
    assert arousal.values.tolist() == [0, 0, 0]
    assert (valence.low < valence.values).all() and (valence.values < valence.high).all()


def test_what_is_not_known_has_no_rating() -> None:
    valence, arousal = ratings(np.full((1, 7), np.nan), EMOTIONS, np.array([0.5]))
    for one in (valence, arousal):
        assert np.isnan([one.values[0], one.low[0], one.high[0]]).all()
