"""The face mesh on a portrait: where its points lie, where the head looks, what eyes and mouth do."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.geometry import square_around
from fercli.labels import BLENDSHAPES
from fercli.media.images import square_crop
from fercli.models.face_mesh import (
    INPUT_SIZE,
    N_POINTS,
    FaceMesh,
    eye_openings,
    head_pose,
    landmarks_68,
    load,
    mesh_view,
    mouth_opening,
)
from fercli.models.face_mesh_points import EYES, MOUTH, POSE_POINTS
from fercli.models.pictures import default_detector, find_faces
from fercli.models.registry import find_model, load_model
from tests.models.pictures import portrait

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def mesh() -> FaceMesh:
    return FaceMesh(
        load_model(find_model("face-mesh", "mesh")), load_model(find_model("face-blendshapes", "blendshapes"))
    )


@pytest.fixture(scope="module")
def view() -> Image:
    picture = portrait()
    return _view(picture)


def _view(picture: Image) -> Image:
    box = find_faces(picture, default_detector())[0]
    return mesh_view(1.7).cut(square_crop(picture, square_around(box, 1.7), 192))


def turned(yaw: float, pitch: float, roll: float) -> NDArray[np.float32]:
    """The canonical face, turned: first in the picture, then up, then to the right."""
    a, b, c = np.radians([yaw, pitch, roll])
    to_the_right = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    up = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    clockwise = np.array([[np.cos(c), np.sin(c), 0], [-np.sin(c), np.cos(c), 0], [0, 0, 1]])
    basis = np.array(POSE_POINTS)
    points = np.zeros((N_POINTS, 3), np.float32)
    points[basis[:, 0].astype(int)] = 10 * (basis[:, 2:] @ (to_the_right @ up @ clockwise).T) * (1, -1, -1) + 128
    return points


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 0, 0), (0, 20, 0), (0, 0, -15), (-45, -25, 30), (60, 10, 5)])
def test_the_pose_of_a_turned_face(angles: tuple[float, float, float]) -> None:
    assert head_pose(turned(*angles)) == pytest.approx(angles, abs=0.01)


def test_a_face_that_looks_to_the_right_of_the_picture_has_its_nose_there() -> None:
    nose, middle = 4, np.array(POSE_POINTS)[:, 0].astype(int)
    points = turned(30, 20, 0)
    assert points[nose, 0] > points[middle, 0].mean() and points[nose, 1] < turned(30, 0, 0)[nose, 1]


def test_the_portrait_has_a_face_that_smiles_and_looks_ahead(mesh: FaceMesh, view: Image) -> None:
    found = mesh.measure([view])
    assert found.points.shape == (1, N_POINTS, 3) and found.blendshapes.shape == (1, len(BLENDSHAPES))
    assert found.flag[0] > 0.99
    shapes = dict(zip(BLENDSHAPES, found.blendshapes[0].tolist(), strict=True))
    assert min(shapes["mouthSmileLeft"], shapes["mouthSmileRight"]) > 0.5
    assert max(shapes["eyeBlinkLeft"], shapes["jawOpen"]) < 0.3
    yaw, pitch, roll = head_pose(found.points[0])
    assert abs(yaw) < 20 and abs(pitch) < 20 and abs(roll) < 20
    assert all(0.15 < opening < 0.5 for opening in eye_openings(found.points[0]))
    eyes, lips = found.points[0, [EYES[0][0], EYES[1][3]], :2], found.points[0, list(MOUTH[:2]), :2]
    assert eyes[0, 0] < eyes[1, 0] and eyes[:, 1].max() < lips[0, 1] <= lips[1, 1] < INPUT_SIZE


def test_the_mirror_image_looks_the_other_way(mesh: FaceMesh, view: Image) -> None:
    found = mesh.measure([view, view[:, ::-1].copy()])
    one, other = (np.array(head_pose(points)) for points in found.points)
    assert one * (-1, 1, -1) == pytest.approx(other, abs=3)
    left, right = eye_openings(found.points[0])
    assert eye_openings(found.points[1]) == pytest.approx((right, left), abs=0.05)


def test_turning_the_picture_turns_the_roll(mesh: FaceMesh, view: Image) -> None:
    matrix = cv2.getRotationMatrix2D((127.5, 127.5), -10, 1.0)  # clockwise
    clockwise = cv2.warpAffine(view, matrix, (INPUT_SIZE, INPUT_SIZE), borderMode=cv2.BORDER_REPLICATE)
    found = mesh.measure([view, np.asarray(clockwise, np.uint8)])
    straight, turned_ = (head_pose(points) for points in found.points)
    assert turned_[2] - straight[2] == pytest.approx(10, abs=3)


def test_where_there_is_no_face_the_flag_says_so(mesh: FaceMesh) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (INPUT_SIZE, INPUT_SIZE, 3), np.uint8)
    assert (mesh.measure([noise, np.full_like(noise, 90)]).flag < 0.1).all()
    assert mesh.measure([]).points.shape == (0, N_POINTS, 3)


def test_a_batch_gives_what_single_faces_give(mesh: FaceMesh, view: Image) -> None:
    views = [view, view[:, ::-1].copy()] * 10
    together = mesh.measure(views)
    assert together.points[:2] == pytest.approx(mesh.measure(views[:2]).points, abs=1e-2)
    assert together.points[18:] == pytest.approx(together.points[:2], abs=1e-2)


def test_lips_apart_are_an_open_mouth() -> None:
    points = np.zeros((N_POINTS, 3), np.float32)
    upper, lower, left, right = MOUTH
    points[left], points[right] = (0, 0, 0), (40, 0, 0)
    assert mouth_opening(points) == 0
    points[upper], points[lower] = (20, -6, 0), (20, 4, 0)
    assert mouth_opening(points) == pytest.approx(0.25)


def test_another_file_is_no_mesh(tmp_path: Path) -> None:
    (tmp_path / "face-mesh.tflite").write_bytes(b"not a network" * 100)
    with pytest.raises(WeightsError):
        load(tmp_path / "face-mesh.tflite", "cpu")
    with pytest.raises(WeightsError):
        load(None, "cpu")


def test_the_68_points_are_in_the_order_of_ibug(mesh: FaceMesh, view: Image) -> None:
    points = mesh.measure([view]).points[0]
    found = landmarks_68(points)
    assert found.shape == (68, 3) and found.dtype == np.float32
    named = {8: 152, 30: 4, 36: 33, 39: 133, 42: 362, 45: 263, 48: 61, 54: 291, 0: 127, 16: 356}
    for place, point in named.items():
        assert found[place] == pytest.approx(points[point], abs=1e-3)
    steps = np.linalg.norm(np.diff(found[:17, :2], axis=0), axis=1)
    assert steps[:8].std() < 0.1 * steps[:8].mean() and steps[8:].std() < 0.1 * steps[8:].mean()
    assert (np.diff(found[:17, 0]) > -3).all()  # from the left of the picture to its right
