"""Heat maps of faces and of changed faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from fercli.learn.datasets.faces import FaceSet, Labelling
from fercli.learn.evaluation.consistency import TRANSFORMS, alike, attention_consistency, moved
from fercli.models.classifier import EmotionClassifier, FaceView
from fercli.progress import Silent
from tests.models.tiny import HEADER, write_tiny_classifier


def bump(x: int, y: int) -> NDArray[np.float32]:
    heat = np.zeros((48, 48), np.float32)
    heat[y, x] = 1
    heat = gaussian_filter(heat, 4)
    return np.asarray(heat / heat.max(), np.float32)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_map_that_moves_with_the_face_is_consistent(name: str) -> None:
    import cv2

    heat = bump(20, 27)
    matrix = TRANSFORMS[name](48)
    follows = np.asarray(cv2.warpAffine(heat, matrix, (48, 48)), np.float32)
    assert alike(heat, follows, matrix) == pytest.approx((1, 1))
    correlation, iou = alike(heat, bump(5, 5), matrix)
    assert correlation < 0.3 and iou < 0.1


def test_a_mirrored_map_and_one_that_stays() -> None:
    flip = TRANSFORMS["flip"](48)
    assert alike(bump(10, 20), bump(37, 20), flip) == pytest.approx((1, 1), abs=1e-3)
    assert alike(bump(10, 20), bump(10, 20), flip)[1] == 0
    assert np.isnan(alike(np.zeros((48, 48), np.float32), bump(3, 3), flip)).all()


def test_views_are_moved_as_their_name_says() -> None:
    view = np.zeros((40, 40), np.uint8)
    view[18:22, 28:32] = 255
    at = {
        name: np.argwhere(moved(view, of(40)) > 128).mean(axis=0).round(1).tolist() for name, of in TRANSFORMS.items()
    }
    assert at["flip"] == [19.5, 9.5]
    assert at["scale"] == pytest.approx([19.5, 27.5], abs=0.6)
    assert at["crop"] == pytest.approx([17.1, 28.9], abs=0.6)
    assert at["rotation"][0] < 19  # counter-clockwise: what is right of the middle rises


def test_figures_of_a_network(tmp_path: Path) -> None:
    path = tmp_path / "tiny.safetensors"
    write_tiny_classifier(path)
    images = np.random.default_rng(0).integers(0, 255, (9, 1, 64, 64), np.uint8)
    labelling = Labelling.of_indices(HEADER.heads[0].labels, np.zeros(9, np.int64))
    faces = FaceSet(images, {"fer2013": labelling}, ("",) * 9, ("",) * 9)
    classifier = EmotionClassifier(path, "cpu")
    found = attention_consistency(classifier, faces, 1.3, Silent())
    view = FaceView(classifier.header, 1.3)
    alone, mirrored = classifier.logits(np.array([[view(image[0])] * 4 for image in images])).argmax(axis=2)
    assert found["flip"].same_class == (alone == mirrored).mean()
    assert list(found) == ["flip", "rotation", "crop", "scale"]
    for one in found.values():
        assert one.faces == 9 and -1 <= one.correlation <= 1 and 0 <= one.iou <= 1 and 0 <= one.same_class <= 1
