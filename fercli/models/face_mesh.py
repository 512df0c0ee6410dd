"""MediaPipe's Face Mesh V2 and its blendshapes: 478 points of a face, head pose, and openings of eyes and mouth.

The networks are Google's (MediaPipe Face Landmarker, Apache-2.0), run by LiteRT. On dlib's nine example photographs the
mean error of the 51 inner points is .043 of the distance between the outer corners of the eyes
(`benchmarks/face_mesh.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.labels import BLENDSHAPES
from fercli.models.classifier import FaceView, View
from fercli.models.face_mesh_points import BLENDSHAPE_INPUT, CHIN, EYES, INNER_51, MOUTH, OUTLINE, POSE_POINTS
from fercli.models.tflite import ERRORS, TfLiteNetwork

INPUT_SIZE = 256
"""Side of the input of the mesh network, pixels."""
VIEW_SCALE = 1.3
"""Side of that picture as a multiple of the longer side of the detector's box: that with the least error on dlib's
example photographs (1.0: .055, 1.15: .043, 1.3: .043, 1.5: .045, 1.7: .059)."""
N_POINTS = 478

Points = NDArray[np.float32]
"""(..., 478, 3) x to the right, y downwards, z away from the camera; pixels of the view, z in the same unit."""


@dataclass(frozen=True)
class Meshes:
    """The meshes of N faces.

    Attributes:
        points: (N, 478, 3), see Points.
        flag: (N,) probability that there is a face, in [0, 1].
        blendshapes: (N, 51) in [0, 1], columns as BLENDSHAPES.
    """

    points: Points
    flag: NDArray[np.float32]
    blendshapes: NDArray[np.float32]


class FaceMesh:
    """Both networks, ready to use.

    Args:
        mesh, blendshapes: both run a face at a time; several at once take longer a face.
    """

    def __init__(self, mesh: TfLiteNetwork, blendshapes: TfLiteNetwork) -> None:
        self._mesh, self._blendshapes = mesh, blendshapes

    def measure(self, views: Sequence[NDArray[np.uint8]]) -> Meshes:
        """Find the meshes.

        Args:
            views: N times (256, 256, 3) RGB, upright, as `mesh_view` cuts them.
        """
        points = np.zeros((len(views), N_POINTS, 3), np.float32)
        flags = np.zeros(len(views), np.float32)
        shapes = np.zeros((len(views), len(BLENDSHAPES)), np.float32)
        for row, view in enumerate(views):
            found, flag = self._mesh.run(view.astype(np.float32) / np.float32(255), "Identity", "Identity_1")
            points[row] = found.reshape(N_POINTS, 3)
            flags[row] = 1 / (1 + np.exp(-flag.item()))
            (scores,) = self._blendshapes.run(points[row, list(BLENDSHAPE_INPUT), :2])
            shapes[row] = np.clip(scores.reshape(-1)[1:], 0, 1)
        return Meshes(points, flags, shapes)


def mesh_view(crop_scale: float) -> FaceView:
    """Cuts the input of the network out of a crop that is `crop_scale` times the longer side of the face's box."""
    return FaceView(View(INPUT_SIZE, VIEW_SCALE), crop_scale)


def head_pose(points: Points) -> tuple[float, float, float]:
    """Yaw, pitch and roll of one face, degrees.

    Yaw is positive if the face looks to the right of the picture, pitch if it looks up, roll if it is turned clockwise
    in the picture. The canonical face is aligned with the mesh by weighted orthogonal Procrustes analysis (Kabsch 1976,
    doi 10.1107/S0567739476001873) on the points MediaPipe uses; an orthographic camera is assumed.

    Args:
        points: (478, 3), see Points.
    """
    rotation = _rotation(points)
    ahead, above = rotation[:, 2], rotation[:, 1]  # directions of the nose and the forehead: right, up, to the camera
    yaw = np.arctan2(ahead[0], ahead[2])
    pitch = np.arcsin(np.clip(ahead[1], -1, 1))
    # Without roll, the forehead would point to `level`.
    level = np.array([-np.sin(yaw) * np.sin(pitch), np.cos(pitch), -np.cos(yaw) * np.sin(pitch)])
    roll = np.arctan2(np.dot(np.cross(above, level), ahead), np.dot(above, level))
    yaw, pitch, roll = np.degrees([yaw, pitch, roll]).tolist()
    return yaw, pitch, roll


def eye_openings(points: Points) -> tuple[float, float]:
    """Height of each eye as a share of its width, first the eye on the left of the picture; about .3 open, .1 closed.

    The eye aspect ratio of Soukupova and Cech 2016 (CVWW), in 3D, so that it depends little on the head pose.
    """
    left, right = (_eye(points[list(eye)]) for eye in EYES)
    return left, right


def mouth_opening(points: Points) -> float:
    """Distance of the inner edges of the lips as a share of the width of the mouth, in 3D; 0 is closed."""
    upper, lower, left, right = points[list(MOUTH)]
    return float(np.linalg.norm(upper - lower) / max(float(np.linalg.norm(left - right)), 1e-6))


def landmarks_68(points: Points) -> Points:
    """iBUG's 68 points of one face, which dlib and OpenFace have (Sagonas et al. 2013, doi 10.1109/ICCVW.2013.59).

    Points 17 to 67, brows, nose, eyes and mouth, are points of the mesh. Points 0 to 16 lie evenly along its edge, from
    temple to chin to temple. The edge of a turned face is not where its jaw is seen, so these are less exact.

    Args:
        points: (478, D), D >= 2: x and y first.

    Returns:
        (68, D) float32.
    """
    edge = points[list(OUTLINE)]
    way = np.concatenate([[0.0], np.linalg.norm(np.diff(edge[:, :2], axis=0), axis=1).cumsum()])
    at = np.concatenate([np.linspace(0, way[CHIN], 9), np.linspace(way[CHIN], way[-1], 9)[1:]])
    jaw = np.stack([np.interp(at, way, column) for column in edge.T], axis=1)
    return np.concatenate([jaw, points[list(INNER_51)]]).astype(np.float32)


def load(weights: Path | None, device: str) -> TfLiteNetwork:
    """Loader of the mesh for the registry. Runs on the CPU for any `device`.

    Raises:
        WeightsError: the file is missing, or is not this network.
    """
    return _read(weights, "face mesh")


def load_blendshapes(weights: Path | None, device: str) -> TfLiteNetwork:
    """Loader of the blendshapes for the registry; as `load`."""
    return _read(weights, "network for blendshapes")


def _rotation(points: Points) -> NDArray[np.float64]:
    """(3, 3) rotation from the canonical face to the mesh, axes: right in the picture, up, to the camera."""
    basis = np.array(POSE_POINTS)
    weights, canonical = basis[:, 1, None], basis[:, 2:]
    seen = points[basis[:, 0].astype(int)].astype(np.float64) * (1, -1, -1)
    canonical = canonical - (weights * canonical).sum(axis=0) / weights.sum()
    seen = seen - (weights * seen).sum(axis=0) / weights.sum()
    left, _, right = np.linalg.svd((weights * seen).T @ canonical)
    mirror = np.sign(np.linalg.det(left @ right))
    rotation: NDArray[np.float64] = left @ np.diag([1, 1, mirror]) @ right
    return rotation


def _eye(corners: Points) -> float:
    outer, upper_a, upper_b, inner, lower_b, lower_a = corners
    heights = np.linalg.norm(upper_a - lower_a) + np.linalg.norm(upper_b - lower_b)
    return float(heights / max(2 * float(np.linalg.norm(outer - inner)), 1e-6))


def _read(path: Path | None, what: str) -> TfLiteNetwork:
    if path is None:
        raise WeightsError(f"the {what} needs its weights file", hint="reinstall fercli", code="weights-missing")
    try:
        return TfLiteNetwork(path)
    except ERRORS as error:
        raise WeightsError(f"{path} is not the {what}: {error}", hint="reinstall fercli") from error
