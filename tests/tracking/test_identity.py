from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from fercli.tracking.identity import (
    NO_PERSON,
    identity_scores,
    match,
    rms_distance,
    rms_distances,
    same_person,
    scatter,
)


def line(*places: float) -> NDArray[np.float32]:
    """Embeddings on a line."""
    return np.array([[place, 0.0] for place in places], dtype=np.float32)


def odds(distance: float) -> float:
    """Of one person against two, from the public probability."""
    probability = same_person(distance)
    return probability / (1 - probability)


def test_distance_of_groups_is_root_mean_square_over_all_pairs() -> None:
    random = np.random.default_rng(3)
    a, b = (random.normal(size=(n, 128)).astype(np.float32) for n in (4, 7))
    assert rms_distance(a, b) == pytest.approx(np.sqrt((cdist(a, b) ** 2).mean()), rel=1e-6)
    assert rms_distance(line(0), line(3, 4)) == pytest.approx(np.sqrt((9 + 16) / 2))


def test_identical_embeddings_are_at_no_distance_and_no_person_is_infinitely_far() -> None:
    same = np.full((3, 128), 0.1, dtype=np.float32)
    assert rms_distance(same, same) == 0
    assert rms_distance(same[:0], same) == rms_distance(same, same[:0]) == float("inf")


def test_all_distances_at_once_are_those_of_single_pairs() -> None:
    random = np.random.default_rng(5)
    groups, others = ([random.normal(size=(n, 128)).astype(np.float32) for n in sizes] for sizes in ((1, 4, 0), (3, 7)))
    distances = rms_distances(groups, others)
    for row, group in enumerate(groups[:2]):
        for column, other in enumerate(others):
            assert distances[row, column] == pytest.approx(np.sqrt((cdist(group, other) ** 2).mean()), rel=1e-6)
            assert distances[row, column] == pytest.approx(rms_distance(group, other), rel=1e-12)
    assert np.isinf(distances[2]).all()
    assert rms_distances([], others).shape == (0, 2) and rms_distances(groups, []).shape == (3, 0)


def test_scatter_is_the_distance_of_each_row_from_all() -> None:
    rows = np.random.default_rng(7).normal(size=(5, 128)).astype(np.float32)
    np.testing.assert_allclose(scatter(rows), np.sqrt((cdist(rows, rows) ** 2).mean(axis=1)), rtol=1e-6)
    assert scatter(rows[:1]).tolist() == [0]


@given(st.integers(0, 2**32 - 1))
def test_pairs_are_settled_in_the_order_of_their_distances(seed: int) -> None:
    random = np.random.default_rng(seed)
    groups, known = (
        [random.normal(size=(random.integers(1, 4), 3)).astype(np.float32) for _ in range(8)] for _ in "ab"
    )
    conflicts = [(0, 1), (1, 2), (4, 5)]
    expected = [NO_PERSON] * 8
    pairs = sorted((rms_distance(a, b), i, k) for i, a in enumerate(groups) for k, b in enumerate(known))
    for distance, group, person in pairs:
        conflicting = [a + b - group for a, b in conflicts if group in (a, b)]
        if distance <= 1.5 and expected[group] == NO_PERSON and all(expected[other] != person for other in conflicting):
            expected[group] = person
    assert match(groups, known, conflicts, 1.5).tolist() == expected


def test_groups_are_the_nearest_known_person_within_the_limit() -> None:
    groups = [line(1.1), line(0.2, 0.3), line(5)]
    assert match(groups, [line(0), line(1)], [], 0.5).tolist() == [1, 0, NO_PERSON]


def test_the_limit_is_inclusive_and_holds_for_the_root_mean_square() -> None:
    assert match([line(0.5)], [line(0)], [], 0.5).tolist() == [0]
    assert match([line(0.1, 0.75)], [line(0)], [], 0.5).tolist() == [NO_PERSON]


def test_several_groups_may_be_one_person() -> None:
    assert match([line(0.1), line(0.2)], [line(0)], [], 0.5).tolist() == [0, 0]


def test_of_two_groups_in_conflict_the_nearer_one_is_the_person() -> None:
    assert match([line(0.2), line(0.1)], [line(0)], [(0, 1)], 0.5).tolist() == [NO_PERSON, 0]


def test_the_other_one_is_the_next_person_that_is_near_enough() -> None:
    groups = [line(0.2), line(0.1)]
    assert match(groups, [line(0), line(0.6)], [(1, 0)], 0.5).tolist() == [1, 0]
    assert match(groups, [line(0), line(0.8)], [(1, 0)], 0.5).tolist() == [NO_PERSON, 0]


def test_a_conflict_only_separates_the_two_it_names() -> None:
    groups = [line(0.0), line(0.1), line(0.2)]
    assert match(groups, [line(0)], [(0, 1)], 0.5).tolist() == [0, NO_PERSON, 0]


def test_of_equals_the_first_group_and_the_first_person_are_settled_first() -> None:
    assert match([line(1), line(1)], [line(0), line(2)], [(0, 1)], 1.0).tolist() == [0, 1]


def test_no_person_to_match() -> None:
    assert match([], [line(0)], [], 0.5).tolist() == []
    assert match([line(0)], [], [], 0.5).tolist() == [NO_PERSON]
    assert match([line(0)], [line(0)[:0]], [], 0.5).tolist() == [NO_PERSON]


@given(
    st.lists(st.integers(0, 12), max_size=12),
    st.lists(st.integers(0, 12), max_size=4),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20),
)
def test_no_conflict_is_broken_and_no_person_is_named_from_afar(
    places: list[int], known: list[int], pairs: list[tuple[int, int]]
) -> None:
    conflicts = [(a, b) for a, b in pairs if a != b and max(a, b) < len(places)]
    who = match([line(0.1 * place) for place in places], [line(0.1 * place) for place in known], conflicts, 0.35)
    assert all(who[a] != who[b] or who[a] == NO_PERSON for a, b in conflicts)
    assert all(abs(places[group] - known[one]) <= 3 for group, one in enumerate(who) if one != NO_PERSON)


def test_probability_falls_from_one_to_zero_and_is_even_beyond_the_usual_limit() -> None:
    probabilities = same_person(np.linspace(0, 2, 50))
    assert probabilities.shape == (50,)
    assert (np.diff(probabilities) < 0).all()
    assert same_person(0.4) > 0.999
    assert same_person(0.55) == pytest.approx(0.9, abs=0.02)
    assert same_person(0.606) == pytest.approx(0.5, abs=0.01)
    assert same_person(0.9) < 1e-4
    assert same_person(1e6) == same_person(float("inf")) == 0
    assert isinstance(same_person(0.5), float)


def test_a_track_is_as_sure_as_it_is_near_to_the_persons_other_tracks() -> None:
    # The nearest rivals, the tracks of the other person, are too far away to matter.
    scores = identity_scores(line(0, 0.5, 0.6, 50, 50), np.array([7, 7, 7, 2, 2]), [])
    distances = np.sqrt([(0.25 + 0.36) / 2, (0.25 + 0.01) / 2, (0.36 + 0.01) / 2])
    np.testing.assert_allclose(scores[:3], same_person(distances), rtol=1e-4)
    assert scores.dtype == np.float32
    assert scores[3:].min() > 0.999


def test_a_rival_as_near_as_the_own_person_halves_the_score() -> None:
    scores = identity_scores(line(0, 0.3, -0.3, 9), np.array([0, 0, 1, 2]), [])
    assert scores[0] == pytest.approx(odds(0.3) / (2 * odds(0.3) + 1), rel=1e-4)


def test_an_only_track_is_sure_when_it_resembles_no_person_else() -> None:
    scores = identity_scores(line(0, 0.62, 0.62), np.array([0, 1, 1]), [])
    assert scores[0] == pytest.approx(1 - same_person(0.62), rel=1e-3)
    assert identity_scores(line(0), np.array([5]), []).tolist() == [1]


def test_persons_seen_beside_a_track_are_no_rivals() -> None:
    tracks, person = line(0, 0.01, 50), np.array([0, 1, 1])
    assert identity_scores(line(0, 0.01), np.array([0, 1]), [])[0] < 0.01
    assert identity_scores(line(0, 0.01), np.array([0, 1]), [(1, 0)]).tolist() == [1, 1]
    # One track of the rival in the same frame is enough.
    assert identity_scores(tracks, person, [(0, 2)])[0] == 1


def test_no_tracks_have_no_scores() -> None:
    assert identity_scores(np.zeros((0, 128), np.float32), np.zeros(0, np.int64), []).shape == (0,)
