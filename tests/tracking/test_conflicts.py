"""Conflicts hold both ways."""

from __future__ import annotations

from fercli.tracking.conflicts import enemies_of


def test_each_of_a_pair_is_in_conflict_with_the_other() -> None:
    assert enemies_of([(3, 1), (1, 2), (1, 3)]) == {1: {2, 3}, 2: {1}, 3: {1}}


def test_who_is_in_no_pair_has_no_enemy() -> None:
    assert enemies_of([(0, 1)])[7] == set()
