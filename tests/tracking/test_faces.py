"""Which faces tell whose they are, and how well."""

from __future__ import annotations

from typing import Any

import pytest

from fercli.tracking.faces import judge
from tests.workspaces import face_row, faces_table


def judged(**values: Any) -> tuple[bool, float]:
    """Of one face; unless told, 80 pixels, sharpness 200 at contrast 1000, and nearly frontal."""
    usable, quality = judge(faces_table([face_row(0, **values)]))
    return bool(usable[0]), float(quality[0])


def test_quality_is_size_times_sharpness_times_frontality() -> None:
    assert judged(size=75.0, sharpness=50.0, frontal=1.0)[1] == pytest.approx(0.5 * 0.5 * 1)
    assert judged(size=150.0, sharpness=150.0, frontal=0.5)[1] == pytest.approx(1 * 0.75 * 0.625)
    assert judged(size=600.0, sharpness=150.0, frontal=0.5)[1] == pytest.approx(1 * 0.75 * 0.625), "no better"


@pytest.mark.parametrize(
    ("limit", "below"),
    [
        ({"size": 20.0}, {"size": 19.9}),
        ({"sharpness": 20.0}, {"sharpness": 19.9}),
        ({"sharpness": 4.0, "contrast": 10.0}, {"sharpness": 3.9, "contrast": 10.0}),
        ({"frontal": 0.11}, {"frontal": 0.09}),
    ],
)
def test_small_blurred_dark_and_turned_faces_tell_nothing(limit: dict[str, float], below: dict[str, float]) -> None:
    assert judged(**limit)[0]
    assert not judged(**below)[0]


def test_a_face_without_landmarks_counts_as_frontal() -> None:
    assert judged(frontal=None) == judged(frontal=float("nan")) == judged(frontal=1.0)


def test_no_faces() -> None:
    usable, quality = judge(faces_table([]))
    assert usable.shape == quality.shape == (0,)
