"""Metrics against scikit-learn, and against values worked out by hand where it has none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom
from sklearn import metrics as sklearn
from sklearn.calibration import calibration_curve

from fercli.learn.evaluation import metrics


def samples(seed: int, classes: int, absent: tuple[int, ...] = ()) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """True and predicted classes, right about half the time; classes in `absent` are never true."""
    rng = np.random.default_rng(seed)
    present = [number for number in range(classes) if number not in absent]
    truth = rng.choice(present, 200)
    predicted = np.where(rng.random(200) < 0.5, truth, rng.integers(0, classes, 200))
    return truth.astype(np.int64), predicted.astype(np.int64)


CASES = [(0, 7, ()), (1, 7, (1,)), (2, 8, (0, 7)), (3, 2, ()), (4, 3, (0, 1))]


@pytest.mark.parametrize(("seed", "classes", "absent"), CASES)
def test_all_figures_agree_with_scikit_learn(seed: int, classes: int, absent: tuple[int, ...]) -> None:
    truth, predicted = samples(seed, classes, absent)
    names = range(classes)
    matrix = metrics.confusion(truth, predicted, classes)
    np.testing.assert_array_equal(matrix, sklearn.confusion_matrix(truth, predicted, labels=names))
    assert metrics.accuracy(matrix) == pytest.approx(sklearn.accuracy_score(truth, predicted))
    expected = sklearn.recall_score(truth, predicted, labels=names, average=None, zero_division=np.nan)
    np.testing.assert_allclose(metrics.recall(matrix), expected)
    assert np.isnan(metrics.recall(matrix)[list(absent)]).all()
    present = sorted(set(truth.tolist()))
    uar = sklearn.recall_score(truth, predicted, labels=present, average="macro")
    assert metrics.uar(matrix) == pytest.approx(uar)
    np.testing.assert_allclose(
        metrics.f1(matrix), sklearn.f1_score(truth, predicted, labels=names, average=None, zero_division=0)
    )
    macro = sklearn.f1_score(truth, predicted, labels=present, average="macro", zero_division=0)
    assert metrics.macro_f1(matrix) == pytest.approx(macro)
    weighted = sklearn.f1_score(truth, predicted, average="weighted", zero_division=0)
    assert metrics.weighted_f1(matrix) == pytest.approx(weighted)
    precision = sklearn.precision_score(truth, predicted, labels=names, average=None, zero_division=np.nan)
    np.testing.assert_allclose(metrics.precision(matrix), precision)
    assert metrics.cohen_kappa(matrix) == pytest.approx(sklearn.cohen_kappa_score(truth, predicted))


def test_rows_are_the_truth_and_columns_the_prediction() -> None:
    matrix = metrics.confusion(np.array([0, 0, 1]), np.array([1, 1, 1]), 2)
    assert matrix.tolist() == [[0, 2], [0, 1]]
    assert metrics.recall(matrix).tolist() == [0, 1]


def test_a_class_neither_present_nor_predicted_has_f1_zero_and_no_recall() -> None:
    matrix = np.array([[3, 0], [0, 0]])
    assert metrics.f1(matrix).tolist() == [1, 0]
    assert metrics.recall(matrix)[0] == 1 and np.isnan(metrics.recall(matrix)[1])
    assert metrics.uar(matrix) == 1
    assert metrics.macro_f1(matrix) == 1


def test_a_class_never_predicted_has_no_precision() -> None:
    assert metrics.precision(np.array([[2, 0], [1, 0]]))[0] == pytest.approx(2 / 3)
    assert np.isnan(metrics.precision(np.array([[2, 0], [1, 0]]))[1])


def test_kappa_of_chance_of_contradiction_and_of_one_class_only() -> None:
    assert metrics.cohen_kappa(np.array([[1, 1], [1, 1]])) == 0
    assert metrics.cohen_kappa(np.array([[0, 3], [3, 0]])) == -1
    # Cohen's kind of example: 35 of 50 agree, by chance 0.5 * 0.6 + 0.5 * 0.4
    assert metrics.cohen_kappa(np.array([[20, 5], [10, 15]])) == pytest.approx((0.7 - 0.5) / (1 - 0.5))
    one_class = metrics.cohen_kappa(np.array([[4, 0], [0, 0]]))
    assert np.isnan(one_class)
    assert metrics.none_if_undefined(one_class) is None
    assert metrics.none_if_undefined(0.25) == 0.25


def certain(*confidences: float) -> NDArray[np.float32]:
    """Two classes, class 0 predicted with the given confidences."""
    return np.array([[c, 1 - c] for c in confidences], dtype=np.float32)


def test_calibration_error_worked_out_by_hand() -> None:
    probabilities = certain(0.55, 0.58, 0.91, 0.95, 0.99)
    truth = np.array([0, 1, 0, 0, 1])
    # bin 0.5-0.6: two samples, half right, mean confidence 0.565; bin 0.9-1: three, two right, mean 0.95
    expected = 2 / 5 * abs(1 / 2 - 0.565) + 3 / 5 * abs(2 / 3 - 0.95)
    assert metrics.expected_calibration_error(probabilities, truth, n_bins=10) == pytest.approx(expected, abs=1e-6)


def test_calibration_of_the_perfect_and_of_the_confidently_wrong() -> None:
    sure = certain(1.0, 1.0, 1.0)
    assert metrics.expected_calibration_error(sure, np.array([0, 0, 0])) == 0
    assert metrics.expected_calibration_error(sure, np.array([1, 1, 1])) == 1


def test_bins_are_equally_wide_and_by_default_fifteen() -> None:
    probabilities = certain(0.61, 0.65)  # both in the tenth of fifteen bins, 0.6 to 0.667
    truth = np.array([0, 1])
    one_bin = abs(0.5 - 0.63)
    assert metrics.expected_calibration_error(probabilities, truth) == pytest.approx(one_bin, abs=1e-6)
    two_bins = 0.5 * (1 - 0.61) + 0.5 * 0.65
    assert metrics.expected_calibration_error(probabilities, truth, n_bins=100) == pytest.approx(two_bins, abs=1e-6)


def test_bins_hold_what_is_between_their_edges() -> None:
    probabilities = certain(0.55, 0.59, 0.6, 1.0)
    bins = metrics.reliability_bins(probabilities, np.array([0, 1, 0, 1]), n_bins=10)
    assert [(b.lower, b.upper, b.count) for b in bins] == [(0.5, 0.6, 2), (0.6, 0.7, 1), (0.9, 1.0, 1)]
    assert [b.accuracy for b in bins] == [0.5, 1, 0]
    np.testing.assert_allclose([b.confidence for b in bins], [0.57, 0.6, 1.0], atol=1e-6)


def test_bins_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 500).astype(np.float32)
    truth = (rng.random(500) > confidence).astype(np.int64)
    bins = metrics.reliability_bins(certain(*confidence.tolist()), truth, n_bins=20)
    share_right, mean = calibration_curve(truth == 0, confidence, n_bins=20)
    np.testing.assert_allclose([b.accuracy for b in bins], share_right)
    np.testing.assert_allclose([b.confidence for b in bins], mean, rtol=1e-6)
    assert sum(b.count for b in bins) == 500


def test_the_interval_of_a_share_is_the_binomial_one() -> None:
    truth, predicted = np.zeros(400, np.int64), (np.arange(400) < 100).astype(np.int64)
    interval = metrics.bootstrap(metrics.accuracy, truth, predicted, 2, n=20_000, level=0.9)
    np.testing.assert_allclose(interval, binom.ppf([0.05, 0.95], 400, 0.75) / 400, atol=0.0026)


def test_an_interval_narrows_with_its_level_and_repeats_with_its_seed() -> None:
    truth, predicted = samples(0, 7)
    lower, upper = metrics.bootstrap(metrics.uar, truth, predicted, 7)
    assert lower < metrics.uar(metrics.confusion(truth, predicted, 7)) < upper
    assert metrics.bootstrap(metrics.uar, truth, predicted, 7) == (lower, upper)
    assert metrics.bootstrap(metrics.uar, truth, predicted, 7, seed=1) != (lower, upper)
    narrow = metrics.bootstrap(metrics.uar, truth, predicted, 7, level=0.5)
    assert lower < narrow[0] < narrow[1] < upper


def test_whole_persons_are_drawn() -> None:
    # Ten persons of 20 samples, four of them always wrong: the accuracy of a draw is the share of the other six.
    groups = np.repeat(np.arange(10), 20)
    truth, predicted = np.zeros(200, np.int64), (groups < 4).astype(np.int64)
    interval = metrics.bootstrap(metrics.accuracy, truth, predicted, 2, groups, n=20_000)
    np.testing.assert_allclose(interval, binom.ppf([0.025, 0.975], 10, 0.6) / 10, atol=1e-9)
    alone = metrics.bootstrap(metrics.accuracy, truth, predicted, 2)
    assert interval[1] - interval[0] > 3 * (alone[1] - alone[0])


def test_a_person_with_more_samples_weighs_more() -> None:
    groups = np.array([0, 0, 0, 1])
    interval = metrics.bootstrap(metrics.accuracy, np.zeros(4, np.int64), np.array([0, 0, 0, 1]), 2, groups, level=0.4)
    # drawn twice the first: 1; one of each, as in half of the draws: 3/4; twice the second: 0
    assert interval == (0.75, 0.75)


def test_risk_and_coverage_of_predictions_above_a_limit() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.5, 0.5]], np.float32)
    truth = np.array([0, 0, 0, 1])
    coverage, risk = metrics.risk_and_coverage(probabilities, truth, np.array([0.0, 0.55, 0.85, 0.95]))
    np.testing.assert_allclose(coverage, [1, 0.75, 0.25, 0])
    np.testing.assert_allclose(risk, [0.5, 1 / 3, 0, np.nan])
