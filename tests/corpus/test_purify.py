from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fercli.corpus.purify import DOUBLE, STRANGER, SURPLUS, purify
from fercli.errors import InputError
from tests.failing import fails


def rows(*values: float) -> NDArray[np.float32]:
    """Embeddings on a line."""
    return np.array([[value] for value in values], np.float32)


def test_the_most_frequent_person_is_kept_the_best_face_first() -> None:
    found = purify(rows(0.0, 0.2, 5.0, 0.4), [0.1, 0.9, 1.0, 0.5], [], 0.55, 10)
    assert found.kept == (1, 3, 0)
    assert [(one.row, one.reason) for one in found.removed] == [(2, STRANGER)]
    assert found.removed[0].distance is not None and 4.5 < found.removed[0].distance < 5.0
    assert (found.group, found.second) == (3, 1)


def test_of_two_doubles_the_better_one_is_kept() -> None:
    found = purify(rows(0.0, 0.1, 0.4), [0.2, 0.8, 0.5], [], 0.55, 10)
    assert found.kept == (1, 2)
    (double,) = found.removed
    assert (double.row, double.reason, double.of) == (0, DOUBLE, 1)


def test_what_is_more_than_wanted_is_listed() -> None:
    found = purify(rows(0.0, 0.2, 0.4), [0.3, 0.2, 0.1], [], 0.55, 2)
    assert found.kept == (0, 1)
    assert [(one.row, one.reason) for one in found.removed] == [(2, SURPLUS)]


def test_two_faces_of_one_picture_are_two_persons() -> None:
    found = purify(rows(0.0, 0.2, 0.4), [1, 1, 1], [(1, 2)], 0.55, 10)
    assert found.kept == (0, 1)
    assert [(one.row, one.reason) for one in found.removed] == [(2, STRANGER)]


def test_without_a_most_frequent_person_there_is_no_choice() -> None:
    with fails(InputError, "gallery-ambiguous"):
        purify(rows(0.0, 0.2, 5.0, 5.2), [1, 1, 1, 1], [], 0.55, 10)
    assert purify(rows(3.0), [1], [], 0.55, 10).kept == (0,)
