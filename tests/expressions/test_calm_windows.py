"""Which windows the network looks at."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.expressions.calm_windows import CALM, classify_calm


class Network:
    """Gives the probabilities of a table; remembers the rows it has looked at."""

    def __init__(self, first_class: list[float]) -> None:
        self.table = np.array([[p, 1 - p] for p in first_class], np.float32).reshape(-1, 2)
        self.looked: list[int] = []

    def __call__(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        self.looked += rows.tolist()
        return self.table[rows]


def clips(windows: int, first: int = 0) -> list[list[int]]:
    """Four faces each, two of them shared with the next."""
    return [[first + 2 * k + n for n in range(4)] for k in range(windows)]


def run(
    network: Network, clip: list[list[int]], track: list[int] | None = None, unknown: tuple[int, ...] = ()
) -> NDArray[np.float32]:
    assessable = np.array([k not in unknown for k in range(len(clip))], np.bool_)
    numbers = np.array(track or [0] * len(clip), np.int32)
    found = classify_calm(
        numbers, np.array(clip, np.int64).reshape(len(clip), len(clip[0]) if clip else 4), assessable, network
    )
    assert np.isnan(found).all(axis=1).tolist() == [k in unknown for k in range(len(clip))]
    assert len(network.looked) == len(set(network.looked))
    return found[:, 0]


def test_calm_windows_are_interpolated() -> None:
    network = Network([0.9, 0.5, 0.94, 0.5, 0.96])
    assert run(network, clips(5)) == pytest.approx([0.9, 0.92, 0.94, 0.95, 0.96])
    assert network.looked == [0, 2, 4]


def test_where_something_changes_the_network_looks() -> None:
    step = CALM + 0.01
    network = Network([0.9, 0.8, 0.9 - step, 0.6, 0.9 - step])
    assert run(network, clips(5)) == pytest.approx([0.9, 0.8, 0.9 - step, 0.9 - step, 0.9 - step])
    assert sorted(network.looked) == [0, 1, 2, 4]


def test_near_the_border_of_two_classes_it_looks() -> None:
    network = Network([0.48, 0.3, 0.52])
    assert run(network, clips(3)) == pytest.approx([0.48, 0.3, 0.52])


def test_faces_that_no_neighbour_shows_are_looked_at() -> None:
    still = [[0, 1, 2, 3], [4, 4, 4, 4], [5, 6, 7, 8]]
    network = Network([0.9, 0.2, 0.9])
    assert run(network, still) == pytest.approx([0.9, 0.2, 0.9])
    single = Network([0.9, 0.2, 0.9])
    assert run(single, [[0], [2], [4]]) == pytest.approx([0.9, 0.2, 0.9])


def test_windows_beside_others_that_are_not_assessable_are_looked_at() -> None:
    network = Network([0.9, 0.2, 0.9, 0.3, 0.9])
    found = run(network, clips(5), unknown=(2,))
    assert found[[0, 1, 3, 4]] == pytest.approx([0.9, 0.2, 0.3, 0.9])


def test_tracks_in_turn_are_kept_apart() -> None:
    clip = [one for pair in zip(clips(3), clips(3, first=100), strict=True) for one in pair]
    network = Network([0.9, 0.1, 0.5, 0.5, 0.9, 0.16])
    assert run(network, clip, track=[3, 1] * 3) == pytest.approx([0.9, 0.1, 0.9, 0.13, 0.9, 0.16])
    assert sorted(network.looked) == [0, 1, 4, 5]


def test_no_windows_and_none_that_is_assessable() -> None:
    assert len(run(Network([]), [])) == 0
    assert np.isnan(run(Network([0.5]), clips(1), unknown=(0,))).all()
