from __future__ import annotations

import pytest

from fercli.learn.evaluation.alpha import alpha


def test_the_example_of_krippendorff_2011() -> None:
    """Section C of the paper: four observers, twelve units, labels missing; alpha is 0.743."""
    observers = [
        "1 2 3 3 2 1 4 1 2 * * *",
        "1 2 3 3 2 2 4 1 2 5 * 3",
        "* 3 3 3 2 3 4 2 2 5 1 *",
        "1 2 3 3 2 4 4 1 2 5 1 *",
    ]
    units = list(zip(*(line.split() for line in observers), strict=True))
    assert alpha([[label for label in unit if label != "*"] for unit in units]) == pytest.approx(0.743, abs=5e-4)


def test_two_observers_by_hand() -> None:
    """Of 4 units 3 agree: D_o = 2 / 8, D_e = 2 * 5 * 3 / 56."""
    assert alpha([["a", "a"], ["a", "a"], ["b", "b"], ["a", "b"]]) == pytest.approx(1 - (2 / 8) / (30 / 56))


def test_alpha_is_undefined_without_pairs_or_variation() -> None:
    assert alpha([]) is None and alpha([["a"], ["b"]]) is None and alpha([["a", "a"], ["a", "a"]]) is None
    assert alpha([["a", "a"], ["b", "b"]]) == 1.0
