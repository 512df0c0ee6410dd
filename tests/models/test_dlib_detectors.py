from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.errors import WeightsError
from fercli.models.dlib_detectors import HOG_DOUBLINGS, load_cnn, load_hog
from fercli.models.registry import find_model, load_model
from tests.failing import fails
from tests.models.pictures import holds_the_face, portrait

FACE = np.s_[20:220, 120:340]


def _in_portrait(boxes: np.ndarray) -> np.ndarray:
    return np.asarray(boxes + np.array([120, 20, 120, 20], np.float32))


def test_hog_finds_a_face_with_a_score_and_no_landmarks() -> None:
    found = load_hog(None, "cpu").detect(portrait()[FACE])
    assert len(found) == 1
    assert holds_the_face(_in_portrait(found.boxes)[0])
    assert 0.5 < found.scores[0] < 1
    assert found.landmarks is None


@pytest.mark.slow
def test_hog_boxes_are_those_of_face_recognition() -> None:
    """It answers (top, right, bottom, left), the last pixel of each included."""
    face_recognition = pytest.importorskip("face_recognition")
    image = np.ascontiguousarray(portrait()[20:180, 120:340])  # not square: swapped axes must show
    expected = [
        [left, top, right + 1, bottom + 1]
        for top, right, bottom, left in face_recognition.face_locations(image, HOG_DOUBLINGS)
    ]
    assert len(expected) == 1
    assert load_hog(None, "cpu").detect(image).boxes.tolist() == expected


def test_hog_finds_nothing_in_nothing() -> None:
    found = load_hog(None, "cpu").detect(np.zeros((1, 40, 3), np.uint8))
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)


@pytest.mark.slow
def test_cnn_finds_a_face_with_a_score() -> None:
    found = load_model(find_model("dlib-cnn", "detector")).detect(portrait()[FACE])
    assert len(found) == 1
    assert holds_the_face(_in_portrait(found.boxes)[0])
    assert 0.6 < found.scores[0] < 1


def test_weights_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "mine.dat"
    path.write_bytes(b"not a network")
    with pytest.raises(WeightsError, match=r"mine\.dat is not a dlib face detection network"):
        load_cnn(path, "cpu")
    with fails(WeightsError, "weights-missing"):
        load_cnn(None, "cpu")
    with fails(WeightsError, "weights-not-wanted", "mine.dat"):
        load_hog(path, "cpu")
