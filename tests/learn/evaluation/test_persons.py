"""Figures of a clustering against values worked out by hand and against scikit-learn."""

from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import v_measure_score

from fercli.learn.evaluation import persons
from fercli.learn.evaluation.persons import score_clusters

ONE_EACH = np.ones(8, np.int64)


def weights(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def test_a_perfect_clustering_whatever_its_names() -> None:
    scores = score_clusters(["x", "y", "x", "z"], ["Ross", "Rachel", "Ross", "Joey"], weights(3, 1, 9, 2))
    assert astuple(scores) == pytest.approx((1, 1, 1, 1, 1, 0))


def test_values_worked_out_by_hand() -> None:
    # Cluster x: Ross, Ross, Rachel. Cluster y: Rachel, Rachel, Joey, Ross, Ross.
    clusters = list("xxxyyyyy")
    truth = ["Ross", "Ross", "Rachel", "Rachel", "Rachel", "Joey", "Ross", "Ross"]
    scores = score_clusters(clusters, truth, ONE_EACH)
    assert scores.wcp == pytest.approx((2 + 2) / 8)
    # Of its cluster, the first Ross shares 2/3, and so on: 2 x 2/3 + 1/3 + 2 x 2/5 + 1/5 + 2 x 2/5.
    assert scores.bcubed_precision == pytest.approx((5 / 3 + 9 / 5) / 8)
    # Of Ross, 2/4 are with each of the four; of Rachel 1/3 with the first, 2/3 with both others; Joey is whole.
    assert scores.bcubed_recall == pytest.approx((4 * 2 / 4 + 1 / 3 + 2 * 2 / 3 + 1) / 8)
    p, r = scores.bcubed_precision, scores.bcubed_recall
    assert scores.bcubed_f == pytest.approx(2 / (1 / p + 1 / r))


def test_all_in_one_cluster() -> None:
    scores = score_clusters(["x"] * 4, ["a", "a", "a", "b"], weights(1, 1, 1, 1))
    assert (scores.wcp, scores.bcubed_precision) == (0.75, (3 * 3 / 4 + 1 / 4) / 4)
    assert scores.bcubed_recall == 1 and scores.v_measure == 0


def test_each_in_its_own_cluster() -> None:
    scores = score_clusters(list("wxyz"), ["a", "a", "a", "b"], weights(1, 1, 1, 1))
    assert (scores.wcp, scores.bcubed_precision, scores.bcubed_recall) == (1, 1, (3 * 1 / 3 + 1) / 4)


def test_an_item_counts_as_often_as_it_has_faces() -> None:
    clusters, truth, faces = ["x", "x", "y", "y"], ["a", "b", "b", "b"], weights(5, 1, 2, 3)
    repeated = [[name for name, n in zip(names, faces, strict=True) for _ in range(n)] for names in (clusters, truth)]
    singly = score_clusters(repeated[0], repeated[1], np.ones(11, np.int64))
    assert score_clusters(clusters, truth, faces) == singly


def test_items_given_to_no_person_cost_recall_and_leave_precision_alone() -> None:
    scores = score_clusters(["x", None, None, "y"], ["a", "a", "a", "b"], weights(2, 1, 1, 4))
    assert scores.unassigned == 2 / 8
    assert scores.wcp == scores.bcubed_precision == 1
    # Of a's four faces two are together and two alone.
    assert scores.bcubed_recall == (2 * 2 / 4 + 2 * 1 / 4 + 4) / 8
    assert scores.v_measure == pytest.approx(v_measure_score(list("aaaabbbb"), list("xxmnyyyy")))


def test_wrong_answers_are_not_hidden_by_missing_ones() -> None:
    scores = score_clusters(["x", "x", None], ["a", "b", "a"], weights(1, 1, 98))
    assert scores.wcp == scores.bcubed_precision == 0.5 and scores.unassigned == 0.98


def test_no_person_assigned_at_all() -> None:
    scores = score_clusters([None, None], ["a", "a"], weights(3, 1))
    assert (scores.wcp, scores.bcubed_precision, scores.bcubed_f, scores.unassigned) == (0, 0, 0, 1)
    assert scores.bcubed_recall == (3 * 3 / 4 + 1 / 4) / 4


@pytest.mark.parametrize("seed", range(5))
def test_v_measure_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, clusters = rng.integers(0, 6, 300), rng.integers(0, 9, 300)
    clusters[:200] = truth[:200]
    matrix = persons.contingency(clusters.tolist(), truth.tolist(), np.ones(300, np.int64))
    assert persons.v_measure(matrix) == pytest.approx(v_measure_score(truth, clusters))


def test_v_measure_of_one_person_in_one_cluster_is_1_as_in_scikit_learn() -> None:
    assert persons.v_measure(np.array([[7.0]])) == v_measure_score([0] * 7, [0] * 7) == 1


def test_v_measure_worked_out_by_hand() -> None:
    # Persons a, b; clusters x = {a, a}, y = {a, b}: H(person | cluster) is half a bit, H(person) that of 3 : 1.
    person_bits = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25))
    homogeneity = 1 - 0.5 / person_bits
    # H(cluster | person): a lies 2 : 1 in x and y, b only in y; H(cluster) is one bit.
    completeness = 1 - 0.75 * -(2 / 3 * math.log2(2 / 3) + 1 / 3 * math.log2(1 / 3))
    expected = 2 * homogeneity * completeness / (homogeneity + completeness)
    assert persons.v_measure(np.array([[2.0, 0.0], [1.0, 1.0]])) == pytest.approx(expected)


def test_rows_are_clusters_and_columns_persons_by_first_appearance() -> None:
    matrix = persons.contingency(["y", "x", "y"], ["b", "b", "a"], weights(1, 2, 4))
    assert matrix.tolist() == [[1, 4], [2, 0]]
