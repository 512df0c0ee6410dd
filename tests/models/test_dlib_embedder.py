from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.media.images import read_image
from fercli.models.dlib_embedder import DlibEmbedder, load
from fercli.models.dlib_resnet import embedding, read_network
from fercli.models.registry import find_model, find_weights, load_model
from fercli.tracking.clustering import cluster
from tests.failing import fails

WOMAN = np.array([172, 73, 272, 203], dtype=np.float32)
"""Her face in scikit-image's `astronaut` picture, as CenterFace boxes it."""


@pytest.fixture(scope="module")
def weights() -> Path:
    path = find_weights(find_model("dlib-resnet", "embedder"))
    assert path is not None
    return path


@pytest.fixture(scope="module")
def embedder(weights: Path) -> DlibEmbedder:
    return load(weights, "cpu")


@pytest.fixture(scope="module")
def portrait() -> NDArray[np.uint8]:
    package = find_spec("skimage")
    assert package is not None and package.origin is not None
    return read_image(Path(package.origin).parent / "data" / "astronaut.png")


@pytest.mark.slow
def test_same_numbers_as_face_recognition(embedder: DlibEmbedder, portrait: NDArray[np.uint8]) -> None:
    reference = load_model(find_model("face-recognition", "embedder"))
    mirrored = np.array([512 - WOMAN[2], WOMAN[1], 512 - WOMAN[0], WOMAN[3]], dtype=np.float32)
    pictures = [portrait, np.ascontiguousarray(portrait[:, ::-1]) // 2]
    boxes = np.stack([WOMAN, mirrored])
    expected = reference.embed(pictures, boxes)
    assert expected.shape == (2, 128) and expected.dtype == np.float32
    np.testing.assert_allclose(embedder.embed(pictures, boxes), expected, atol=2e-6)


def test_a_batch_gives_what_single_faces_give(embedder: DlibEmbedder, portrait: NDArray[np.uint8]) -> None:
    crops = [np.roll(portrait, 3 * k, axis=1) for k in range(18)]
    boxes = np.stack([WOMAN + np.array([3, 0, 3, 0], dtype=np.float32) * k for k in range(18)])
    together = embedder.embed(crops, boxes)
    assert together.shape == (18, 128) and together.dtype == np.float32
    for k in (0, 16, 17):
        np.testing.assert_allclose(embedder.embed(crops[k : k + 1], boxes[k : k + 1])[0], together[k], atol=1e-5)


@pytest.mark.parametrize("faces", [1, 16])
def test_the_cpu_gets_the_numbers_of_torch(embedder: DlibEmbedder, weights: Path, faces: int) -> None:
    chips = list(np.random.default_rng(0).integers(0, 256, (faces, 150, 150, 3), np.uint8))
    found = embedder.run(chips)
    assert found.shape == (faces, 128) and found.dtype == np.float32
    np.testing.assert_allclose(found, embedding(read_network(weights), np.stack(chips)), atol=1e-5)


def test_no_faces(embedder: DlibEmbedder) -> None:
    assert embedder.embed([], np.zeros((0, 4), dtype=np.float32)).shape == (0, 128)


@pytest.mark.parametrize("there", [True, False])
def test_an_altered_or_missing_landmark_predictor_is_refused(weights: Path, tmp_path: Path, there: bool) -> None:
    file = Path(shutil.copy(weights, tmp_path))
    if there:
        (tmp_path / "shape_predictor_5_face_landmarks.dat").write_bytes(b"\x01")
    with fails(WeightsError, "weights-altered", "shape_predictor_5_face_landmarks.dat"):
        load(file, "cpu")


@pytest.mark.slow
def test_photographs_of_five_men_are_told_apart(shared_data: Path, embedder: DlibEmbedder) -> None:
    detector = load_model(find_model("centerface", "detector"))
    crops, boxes, who = [], [], []
    for photograph in sorted((shared_data / "johns").glob("*/*.jpg")):
        image = read_image(photograph)
        found = detector.detect(image).boxes
        from_middle = np.linalg.norm((found[:, :2] + found[:, 2:]) / 2 - np.array(image.shape[1::-1]) / 2, axis=1)
        crops.append(image)
        boxes.append(found[np.argmin(from_middle)])
        who.append(photograph.parent.name)
    assert len(set(who)) == 5
    persons = cluster(embedder.embed(crops, np.stack(boxes)), [], 0.55)
    assert len(set(zip(who, persons, strict=True))) == len(set(persons)) == 5


def test_the_package_face_recognition_leaves_pictures_that_are_cut_short_an_error() -> None:
    code = (
        "from PIL import ImageFile; import fercli.models.face_recognition_encoder;"
        "assert not ImageFile.LOAD_TRUNCATED_IMAGES"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
