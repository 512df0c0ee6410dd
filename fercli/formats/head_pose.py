"""Head pose in the conventions of other programs.

Our yaw is positive if the face looks to the right of the picture, pitch if it looks up, and roll if it is turned
clockwise in the picture. Yaw and pitch are those of the face once it was turned upright by its landmarks. OpenFace and
py-feat have the angles of R = Rx Ry Rz in camera coordinates (x to the right, y downwards, z away from the camera), so
the whole rotation is put together and taken apart again: with two large angles, a change of sign would not do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Angles = NDArray[np.float64]


def xyz_angles(yaw: Angles, pitch: Angles, roll: Angles, turned: Angles) -> NDArray[np.float64]:
    """The angles of R = Rx(a) Ry(b) Rz(c), as OpenFace has them (`RotationMatrix2Euler` of its RotationHelpers.h).

    a is positive if the face looks down, b if it looks to the left of the picture, c if it is turned clockwise.

    Args:
        yaw, pitch, roll: (N,) degrees, as the table `attributes` has them.
        turned: (N,) degrees of `roll` by which the face was turned upright first.

    Returns:
        (N, 3) a, b, c in radians: a and c in [-pi, pi], b in [-pi/2, pi/2]; NaN where the pose is.
    """
    rotation = rotations(yaw, pitch, roll, turned)
    a = np.arctan2(-rotation[:, 1, 2], rotation[:, 2, 2])
    b = np.arcsin(np.clip(rotation[:, 0, 2], -1, 1))
    c = np.arctan2(-rotation[:, 0, 1], rotation[:, 0, 0])
    return np.stack([a, b, c], axis=1)


def rotations(yaw: Angles, pitch: Angles, roll: Angles, turned: Angles) -> NDArray[np.float64]:
    """(N, 3, 3) rotations of heads in camera coordinates, from a face that looks at the camera; as `xyz_angles`."""
    upright, yaw, pitch, left_over = np.radians([turned, yaw, pitch, roll - turned])
    whole: NDArray[np.float64] = _about(2, upright) @ _about(1, -yaw) @ _about(0, -pitch) @ _about(2, left_over)
    return whole


def _about(axis: int, angle: Angles) -> NDArray[np.float64]:
    """(N, 3, 3) right-handed rotations about a coordinate axis; angles in radians."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    rotation = np.zeros((len(angle), 3, 3))
    rotation[:, axis, axis] = 1
    rotation[:, first, first] = rotation[:, second, second] = np.cos(angle)
    rotation[:, second, first] = np.sin(angle)
    rotation[:, first, second] = -np.sin(angle)
    return rotation
