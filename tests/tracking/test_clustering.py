from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from fercli.tracking.clustering import cluster, conflicts_of


def line(*places: float) -> np.ndarray:
    """Embeddings on a line."""
    return np.array([[place, 0.0] for place in places], dtype=np.float32)


def test_no_person() -> None:
    assert cluster(np.zeros((0, 0), dtype=np.float32), [], 0.5).tolist() == []


def test_persons_are_numbered_by_their_first_track() -> None:
    assert cluster(line(5, 0, 5.1, 9, 0.1), [], 0.5).tolist() == [0, 1, 0, 2, 1]


def test_the_limit_is_a_distance_and_not_its_square() -> None:
    assert cluster(line(0, 0.45), [], 0.5).tolist() == [0, 0]
    assert cluster(line(0, 0.55), [], 0.5).tolist() == [0, 1]


def test_identical_tracks_in_conflict_are_two_persons() -> None:
    assert cluster(line(1, 1), [(0, 1)], 0.5).tolist() == [0, 1]


def test_a_conflict_holds_for_all_persons_in_the_group() -> None:
    # 1 lies nearer to 0; 2 would join them if it were not visible together with 0.
    assert cluster(line(0, 0.1, 0.25), [], 0.5).tolist() == [0, 0, 0]
    assert cluster(line(0, 0.1, 0.25), [(2, 0)], 0.5).tolist() == [0, 0, 1]


def test_conflicts_survive_when_the_enemy_joins_others() -> None:
    # 0 and 1 are in conflict; 2 and 3 join them first, and so do not bring the two together.
    labels = cluster(line(0, 0.4, 0.01, 0.39), [(0, 1)], 2.0)
    assert labels.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("limit", [0.3, 0.5, 0.7, 1.0, 2.0])
def test_same_groups_as_scipy_without_conflicts(limit: float) -> None:
    random = np.random.default_rng(7)
    embeddings = (random.normal(size=(12, 8))[random.integers(0, 12, 150)] * 0.5).astype(np.float32)
    embeddings += random.normal(size=embeddings.shape).astype(np.float32) * 0.12
    expected = fcluster(linkage(pdist(embeddings, "sqeuclidean"), "average"), limit**2, "distance")
    found = cluster(embeddings, [], limit)
    assert len(set(zip(expected, found, strict=True))) == len(set(expected)) == len(set(found))


@given(
    st.lists(st.integers(0, 20), min_size=2, max_size=20),
    st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30),
)
def test_no_conflict_is_ever_broken(places: list[int], pairs: list[tuple[int, int]]) -> None:
    n = len(places)
    conflicts = [(a % n, b % n) for a, b in pairs if a % n != b % n]
    labels = cluster(line(*(0.1 * place for place in places)), conflicts, 0.5)
    assert all(labels[a] != labels[b] for a, b in conflicts)
    assert sorted(set(labels.tolist())) == list(range(labels.max() + 1))


def test_each_of_a_pair_is_in_conflict_with_the_other() -> None:
    assert conflicts_of([(3, 1), (1, 2), (1, 3)]) == {1: {2, 3}, 2: {1}, 3: {1}}


def test_who_is_in_no_pair_has_no_enemy() -> None:
    assert conflicts_of([(0, 1)])[7] == set()
