"""Angles of other programs: their signs, and that they are the same rotation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from fercli.formats.head_pose import xyz_angles
from fercli.models.face_mesh import head_pose
from fercli.models.face_mesh_points import POSE_POINTS


def angles(yaw: float = 0, pitch: float = 0, roll: float = 0, turned: float = 0) -> NDArray[np.float64]:
    """Degrees."""
    one: NDArray[np.float64] = np.degrees(xyz_angles(*(np.array([v], float) for v in (yaw, pitch, roll, turned))))[0]
    return one


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"yaw": 30}, (0, -30, 0)),  # to the right of the picture
        ({"pitch": 20}, (-20, 0, 0)),  # up
        ({"roll": 40}, (0, 0, 40)),  # clockwise
        ({"roll": 40, "turned": 40}, (0, 0, 40)),
        ({"roll": -170, "turned": 175}, (0, 0, -170)),
    ],
)
def test_each_angle_alone(ours: dict[str, float], theirs: tuple[float, float, float]) -> None:
    assert angles(**ours) == pytest.approx(theirs, abs=1e-9)


def test_no_mesh_is_no_angle() -> None:
    assert np.isnan(angles(np.nan, np.nan, np.nan)).all()


@pytest.mark.parametrize("turned", [0.0, 25.0, -60.0])
def test_it_is_the_rotation_of_the_head_in_the_picture(turned: float) -> None:
    """A head in any pose is seen, turned upright, measured, and comes back as the rotation it had."""
    basis = np.array(POSE_POINTS)
    face = basis[:, 2:] * (1, -1, -1)  # x to the right, y downwards, z away from the camera
    for expected in Rotation.from_euler("XYZ", [(25, -30, 12), (-15, 40, -8), (30, 20, 35)], degrees=True):
        upright = Rotation.from_euler("z", -turned, degrees=True) * expected
        points = np.zeros((478, 3), np.float32)
        points[basis[:, 0].astype(int)] = upright.apply(face)
        yaw, pitch, left_over = head_pose(points)
        found = Rotation.from_euler("XYZ", angles(yaw, pitch, turned + left_over, turned), degrees=True)
        assert np.degrees((found.inv() * expected).magnitude()) < 1e-3
