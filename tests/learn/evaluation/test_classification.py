"""All figures of a classifier, against scikit-learn and on cases small enough to see through."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as sklearn

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS
from fercli.learn.evaluation import metrics
from fercli.learn.evaluation.classification import ClassScore, Scores, SubjectScore, score
from tests.failing import fails

NAMES = ("anger", "disgust", "fear")


def answers(seed: int, n: int = 300, classes: int = 7) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Probabilities that lean towards the truth, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    logits = rng.normal(size=(n, classes)) + 1.5 * np.eye(classes)[truth]
    odds = np.exp(logits)
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32), truth


def sure(*predicted: int) -> NDArray[np.float32]:
    """One sample each, of three classes, the given one with 0.8."""
    return (0.1 + 0.7 * np.eye(3)[list(predicted)]).astype(np.float32)


def test_figures_agree_with_scikit_learn() -> None:
    probabilities, truth = answers(0)
    scores = score(probabilities, truth, EMOTIONS)
    predicted = probabilities.argmax(axis=1)
    assert scores.n == 300
    assert scores.accuracy == pytest.approx(sklearn.accuracy_score(truth, predicted))
    assert scores.uar == pytest.approx(sklearn.balanced_accuracy_score(truth, predicted))
    assert scores.macro_f1 == pytest.approx(sklearn.f1_score(truth, predicted, average="macro"))
    assert scores.weighted_f1 == pytest.approx(sklearn.f1_score(truth, predicted, average="weighted"))
    assert scores.kappa == pytest.approx(sklearn.cohen_kappa_score(truth, predicted))
    np.testing.assert_array_equal(scores.confusion, sklearn.confusion_matrix(truth, predicted))
    report = sklearn.classification_report(truth, predicted, target_names=EMOTIONS, output_dict=True)
    for name in EMOTIONS:
        own = scores.per_class[name]
        assert own.support == report[name]["support"]
        assert own.precision == pytest.approx(report[name]["precision"])
        assert own.recall == pytest.approx(report[name]["recall"])
        assert own.f1 == pytest.approx(report[name]["f1-score"])


def test_calibration_and_intervals_are_those_of_the_metrics() -> None:
    probabilities, truth = answers(1)
    scores = score(probabilities, truth, EMOTIONS)
    predicted = probabilities.argmax(axis=1)
    assert scores.ece == metrics.expected_calibration_error(probabilities, truth)
    assert scores.reliability == metrics.reliability_bins(probabilities, truth)
    assert scores.intervals.keys() == {"accuracy", "uar", "macro_f1"}
    assert scores.intervals["uar"] == metrics.bootstrap(metrics.uar, truth, predicted, 7)
    for name, (lower, upper) in scores.intervals.items():
        assert 0 < lower < getattr(scores, name) < upper < 1


def test_samples_without_a_label_are_not_counted() -> None:
    probabilities, truth = answers(2, n=50)
    some = np.concatenate([probabilities, probabilities[:20]])
    unlabelled = np.concatenate([truth, np.full(20, -1)])
    people = ["a", "b"] * 25
    # as_json, because arrays do not compare to one truth value
    without = score(probabilities, truth, EMOTIONS, people).as_json()
    assert score(some, unlabelled, EMOTIONS, [*people, *["c"] * 20]).as_json() == without


def test_a_set_without_any_label_is_refused() -> None:
    with fails(DatasetError, "labels-missing", "2") as caught:
        score(sure(0, 1), np.array([-1, -1]), NAMES)
    assert "anger, disgust, fear" in caught.value.hint


def test_a_class_the_set_lacks_does_not_lower_the_means() -> None:
    scores = score(sure(0, 0, 1, 1), np.array([0, 0, 1, 1]), NAMES)
    assert (scores.uar, scores.macro_f1, scores.weighted_f1) == (1, 1, 1)
    assert scores.per_class["fear"] == ClassScore(precision=None, recall=None, f1=0, support=0)


def test_predicting_a_class_the_set_lacks_costs_recall_of_the_true_one() -> None:
    scores = score(sure(0, 2, 1, 1), np.array([0, 0, 1, 1]), NAMES)
    assert scores.uar == 0.75
    assert scores.macro_f1 == pytest.approx((2 / 3 + 1) / 2)
    assert scores.per_class["fear"] == ClassScore(precision=0, recall=None, f1=0, support=0)


def test_kappa_of_a_single_class_is_left_out() -> None:
    assert score(sure(1, 1), np.array([1, 1]), NAMES).kappa is None


def test_each_person_has_a_score_and_no_person_none() -> None:
    scores = score(sure(0, 1, 2, 0, 0), np.array([0, 1, 0, 1, 0]), NAMES, ["s2", "s1", "s1", "", "s2"])
    assert scores.per_subject == {"s1": SubjectScore(0.5, 2), "s2": SubjectScore(1, 2)}
    assert score(sure(0, 1), np.array([0, 1]), NAMES).per_subject == {}


def halves(subjects: list[str] | None) -> Scores:
    """Twenty samples, the first ten wrong."""
    return score(sure(*[1] * 10, *[0] * 10), np.zeros(20, np.int64), NAMES, subjects)


def test_whole_persons_are_drawn_where_all_are_known() -> None:
    assert halves(["a"] * 10 + ["b"] * 10).intervals["accuracy"] == (0, 1)


@pytest.mark.parametrize("subjects", [["a"] * 20, [""] * 20, ["a"] * 10 + ["b"] * 9 + [""]])
def test_samples_are_drawn_where_persons_cannot_be(subjects: list[str]) -> None:
    assert halves(subjects).intervals == halves(None).intervals
    assert halves(None).intervals["accuracy"][0] > 0


def test_the_json_has_the_promised_keys_and_plain_values() -> None:
    probabilities, truth = answers(3, n=40)
    scores = score(probabilities, truth, EMOTIONS, ["a", "b"] * 20)
    content = json.loads(json.dumps(scores.as_json(), allow_nan=False))
    promised = {"accuracy", "uar", "macro_f1", "weighted_f1", "ece", "n", "confusion"}
    more = {"classes", "per_class", "kappa", "intervals", "per_subject", "reliability", "ratings"}
    assert content.keys() == promised | more
    assert content["confusion"] == scores.confusion.tolist()
    assert content["classes"] == list(EMOTIONS)
    assert content["per_class"]["anger"].keys() == {"precision", "recall", "f1", "support"}
    assert content["intervals"]["uar"] == list(scores.intervals["uar"])
    assert content["per_subject"]["a"].keys() == {"accuracy", "n"}
    assert content["reliability"][0].keys() == {"lower", "upper", "count", "confidence", "accuracy"}
    assert math.isclose(sum(b["count"] for b in content["reliability"]), 40)
