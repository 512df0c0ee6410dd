"""Metrics against scikit-learn, and against values worked out by hand where it has none."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sklearn

from fercli.evaluation import metrics


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
    macro = sklearn.f1_score(truth, predicted, labels=names, average="macro", zero_division=0)
    assert metrics.macro_f1(matrix) == pytest.approx(macro)


def test_rows_are_the_truth_and_columns_the_prediction() -> None:
    matrix = metrics.confusion(np.array([0, 0, 1]), np.array([1, 1, 1]), 2)
    assert matrix.tolist() == [[0, 2], [0, 1]]
    assert metrics.recall(matrix).tolist() == [0, 1]


def test_a_class_neither_present_nor_predicted_has_f1_zero_and_no_recall() -> None:
    matrix = np.array([[3, 0], [0, 0]])
    assert metrics.f1(matrix).tolist() == [1, 0]
    assert metrics.recall(matrix)[0] == 1 and np.isnan(metrics.recall(matrix)[1])
    assert metrics.uar(matrix) == 1


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
