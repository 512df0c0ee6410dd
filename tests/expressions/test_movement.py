"""How far a face has moved from neutral, by its blendshapes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.expressions.movement import (
    HALF_MOVED,
    NEUTRAL,
    PRIOR_S,
    SHAPES,
    SIDES,
    from_neutral,
    movement,
    pleasantness,
)
from fercli.labels import BLENDSHAPES


def face(**shapes: float) -> NDArray[np.float64]:
    return np.array([shapes.get(name, NEUTRAL[name]) for name in SHAPES])


def test_each_shape_is_measured_on_its_sides() -> None:
    assert SIDES["mouthSmile"] == ("mouthSmileLeft", "mouthSmileRight") and SIDES["jawOpen"] == ("jawOpen",)
    assert all(SIDES.values()) and {one for sides in SIDES.values() for one in sides} <= {*BLENDSHAPES}


def test_a_neutral_face_has_not_moved_and_a_smile_has() -> None:
    shapes = np.stack([face(), face(mouthSmile=0.5), face(mouthSmile=0.9)])
    moved = movement(from_neutral(shapes, np.array([1.0, 0.0, 0.0]), np.ones(3)))
    assert moved[0] == pytest.approx(0) and moved[0] < moved[1] < moved[2] < 1
    assert movement(np.array([[HALF_MOVED, *[0.0] * (len(SHAPES) - 1)]])) == pytest.approx(0.5)


def test_a_person_is_compared_with_the_own_neutral_face() -> None:
    # Low brows in every frame are this person's neutral face; only the smile is movement.
    shapes = np.stack([*[face(browDown=0.6)] * 99, face(browDown=0.6, mouthSmile=0.8)])
    neutral = np.array([1.0] * 99 + [0.0])
    moved = movement(from_neutral(shapes, neutral, np.full(100, 0.5)))
    assert moved[:99] == pytest.approx(0, abs=0.001) and moved[99] > 0.5


def test_a_smile_that_lasts_the_whole_track_is_no_neutral_face() -> None:
    smiles = np.stack([face(mouthSmile=0.9)] * 50)
    moved = movement(from_neutral(smiles, np.full(50, 0.01), np.full(50, 0.2)))
    own = 50 * 0.2 * 0.01
    assert moved.min() > 0.5 and own < PRIOR_S


def test_without_a_mesh_nothing_is_known_and_the_rest_is_not_changed() -> None:
    shapes = np.stack([face(), np.full(len(SHAPES), np.nan), face(mouthSmile=0.9)])
    found = from_neutral(shapes, np.array([1.0, 1.0, 0.0]), np.ones(3))
    assert np.isnan(movement(found)[1]) and np.isnan(pleasantness(found)[1])
    assert movement(found)[2] == pytest.approx(movement(from_neutral(shapes[[0, 2]], np.array([1, 0]), np.ones(2)))[1])


def test_smiles_are_pleasant_and_frowns_and_low_brows_are_not() -> None:
    shapes = np.stack([face(), face(mouthSmile=0.9), face(mouthFrown=0.3), face(browDown=0.6)])
    found = pleasantness(from_neutral(shapes, np.array([1.0, 0, 0, 0]), np.ones(4)))
    assert found[0] == pytest.approx(0) and found[1] == pytest.approx(0.88)
    assert found[2] < -0.3 and found[3] < -0.2 and (np.abs(found) <= 1).all()
