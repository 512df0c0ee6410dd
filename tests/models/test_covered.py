"""The shipped network for covered faces, on a portrait and what is drawn over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from fercli.errors import WeightsError
from fercli.geometry import square_around
from fercli.media.images import square_crop
from fercli.models.covered import INPUT_SIZE, CoveredFaces, covered_part, face_view, load
from fercli.models.covered_net import network_input, probabilities, read_network
from fercli.models.pictures import default_detector, find_faces
from fercli.models.registry import find_model, find_weights, load_model
from tests.models.pictures import LANDMARKS, portrait

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def network() -> CoveredFaces:
    loaded: CoveredFaces = load_model(find_model("covered-faces", "occlusion"))
    return loaded


@pytest.fixture(scope="module")
def box() -> NDArray[np.float32]:
    found: NDArray[np.float32] = find_faces(portrait(), default_detector())[0]
    return found


def seen(picture: Image, box: NDArray[np.float32]) -> Image:
    return face_view(1.7)(square_crop(picture, square_around(box, 1.7), 192))


def card(picture: Image) -> None:
    cv2.rectangle(picture, (185, 128), (262, 172), (150, 190, 220), -1)


def mask(picture: Image) -> None:
    corners = np.array([[180, 122], [224, 112], [268, 124], [258, 165], [224, 178], [190, 163]])
    cv2.fillPoly(picture, [corners], (235, 235, 240))


def pixels(picture: Image) -> None:
    part = picture[126:170, 186:262]
    part[:] = cv2.resize(
        cv2.resize(part, (3, 2), interpolation=cv2.INTER_AREA), (76, 44), interpolation=cv2.INTER_NEAREST
    )


def bar(picture: Image) -> None:
    cv2.rectangle(picture, (175, 88), (275, 116), (10, 10, 10), -1)


def nothing(picture: Image) -> None:
    pass


def forehead(picture: Image) -> None:
    cv2.rectangle(picture, (190, 40), (260, 75), (150, 190, 220), -1)


@pytest.mark.parametrize(
    ("draw", "expected"),
    [(nothing, ""), (forehead, ""), (card, "mouth"), (mask, "mouth"), (pixels, "mouth"), (bar, "eyes")],
)
def test_mouth_and_eyes_that_something_is_drawn_over_are_covered(
    network: CoveredFaces, box: NDArray[np.float32], draw: Callable[[Image], None], expected: str
) -> None:
    assert (box[:2] < LANDMARKS.min(axis=0)).all() and (box[2:] > LANDMARKS.max(axis=0)).all()
    picture = portrait().copy()
    draw(picture)
    (found,) = network.probabilities([seen(picture, box)]).tolist()
    assert covered_part(found) == expected


def test_the_light_makes_no_difference(network: CoveredFaces, box: NDArray[np.float32]) -> None:
    face = seen(portrait(), box)
    darker = np.asarray(face * 0.5 + 20, np.uint8)
    bright, dark = network.probabilities([face, darker])
    np.testing.assert_allclose(bright, dark, atol=0.1)
    values = network_input(torch.from_numpy(face)[None])
    assert values.shape == (1, 1, INPUT_SIZE, INPUT_SIZE)
    assert abs(float(values.mean())) < 0.1


def test_many_faces_and_none(network: CoveredFaces, box: NDArray[np.float32]) -> None:
    face = seen(portrait(), box)
    assert network.probabilities([]).shape == (0, 2)
    many = network.probabilities([face] * 130)
    assert many.shape == (130, 2)
    np.testing.assert_allclose(many, many[:1].repeat(130, axis=0), atol=1e-5)


@pytest.mark.parametrize("faces", [1, 40])
def test_the_cpu_gets_the_numbers_of_torch(network: CoveredFaces, box: NDArray[np.float32], faces: int) -> None:
    views = np.random.default_rng(0).integers(0, 256, (faces, INPUT_SIZE, INPUT_SIZE), np.uint8)
    views[0] = seen(portrait(), box)
    if faces > 1:
        views[1], views[2:20] = 7, views[2:20] // 64 + 100  # the spread of their pixels is limited
    in_torch = read_network(Path(str(find_weights(find_model("covered-faces", "occlusion")))))
    np.testing.assert_allclose(network.probabilities(list(views)), probabilities(in_torch, views), atol=1e-5)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_weights_of_another_network_are_refused(tmp_path: Path, device: str) -> None:
    save_file({"other": torch.zeros(1)}, tmp_path / "w.safetensors")
    for path in (tmp_path / "w.safetensors", None):
        with pytest.raises(WeightsError) as error:
            load(path, device)
        assert error.value.exit_code == 5
        assert error.value.hint
