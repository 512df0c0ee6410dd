"""Lying faces, with the default detector and with one that only knows upright faces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.config import FacesParams
from fercli.geometry import roll
from fercli.models.detections import Detections
from fercli.models.lying import REDETECT_FROM, redetect_rotated
from fercli.models.pictures import default_detector
from fercli.stages.faces import find_faces
from tests.models.pictures import LANDMARKS, portrait

PARAMS = FacesParams()


def turned(degrees: float) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The portrait, clockwise about the middle of its face, and its landmarks."""
    x, y = LANDMARKS.mean(axis=0).tolist()
    matrix = cv2.getRotationMatrix2D((x, y), -degrees, 1.0)
    picture = cv2.warpAffine(portrait(), matrix, (512, 512), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(picture, np.uint8), np.asarray(LANDMARKS @ matrix[:, :2].T + matrix[:, 2], np.float32)


@pytest.mark.parametrize("degrees", [-90, -60, -30, 0, 30, 60, 90, 180])
def test_the_landmarks_of_a_turned_face_are_those_of_the_upright_one(degrees: float) -> None:
    picture, points = turned(degrees)
    found = find_faces(default_detector(), picture, PARAMS)
    assert found.landmarks is not None
    nearest = int(np.linalg.norm(found.landmarks.mean(axis=1) - points.mean(axis=0), axis=1).argmin())
    np.testing.assert_allclose(found.landmarks[nearest], points, atol=9)
    assert abs((roll(found.landmarks[nearest]) - roll(points) + 180) % 360 - 180) < 12


class Sees:
    """A detector with one answer to each look: landmarks turned by so many degrees, or nothing."""

    def __init__(self, *rolls: float | None) -> None:
        self.answers = list(rolls)

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        answer = self.answers.pop(0)
        if answer is None:
            return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))
        middle, half = len(image) / 2, len(image) / 4
        box = np.array([[middle - half, middle - half, middle + half, middle + half]], np.float32)
        return Detections(box, np.ones(1, np.float32), face(answer, middle, half)[None])


def face(degrees: float, middle: float, half: float) -> NDArray[np.float32]:
    points = np.array([[-0.4, -0.3], [0.4, -0.3], [0, 0], [-0.3, 0.5], [0.3, 0.5]]) * half
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(points @ turn.T + middle, np.float32)


def found(degrees: float) -> Detections:
    box = np.array([[30, 30, 70, 70]], np.float32)
    return Detections(box, np.ones(1, np.float32), face(degrees, 50, 20)[None])


GREY = np.full((100, 100, 3), 128, np.uint8)


def test_an_upright_face_is_looked_at_once() -> None:
    seemed = found(REDETECT_FROM - 1)
    again = redetect_rotated(Sees(), GREY, seemed)
    assert again.landmarks is not None
    np.testing.assert_array_equal(again.landmarks, seemed.landmarks)


def test_what_is_seen_upright_in_the_turned_picture_is_put_back_into_the_picture() -> None:
    again = redetect_rotated(Sees(30.0, 5.0), GREY, found(60.0))  # it was 60 + 30 + 5
    assert again.landmarks is not None
    assert roll(again.landmarks[0]) == pytest.approx(95, abs=0.5)
    np.testing.assert_allclose(again.landmarks[0], face(95, 50, 20), atol=1)
    np.testing.assert_array_equal(again.boxes, found(60.0).boxes)


@pytest.mark.parametrize("answers", [(None,), (60.0, 60.0, 60.0, 60.0), (100.0, None)])
def test_a_face_that_is_never_seen_upright_has_no_landmarks_to_trust(answers: tuple[float | None, ...]) -> None:
    again = redetect_rotated(Sees(*answers), GREY, found(60.0))
    assert again.landmarks is not None
    assert np.isnan(again.landmarks).all()


def test_a_detector_without_landmarks_is_left_alone() -> None:
    assert redetect_rotated(Sees(), GREY, Detections(found(0).boxes, found(0).scores)).landmarks is None
