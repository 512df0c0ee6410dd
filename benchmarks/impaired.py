"""Faces made worse, each in one way and by a stated amount: smaller, darker, blurred, compressed, tilted, turned."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

Picture = NDArray[np.uint8]
"""(S, S) grey face."""
N_MESH = 468
"""Points of the mesh without the irises."""


def smaller(face: Picture, side: int) -> Picture:
    """With the detail of a face of that side, at its own size."""
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, face.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def darker(face: Picture, light: float) -> Picture:
    """With a share of its light, in whole steps of grey and with the noise of a sensor (standard deviation 1 step)."""
    noise = np.random.default_rng(int(face.sum())).normal(0, 1, face.shape)
    return np.clip(np.rint(face * light + noise), 0, 255).astype(np.uint8)


def blurred(face: Picture, sigma: float) -> Picture:
    """Blurred by a Gaussian whose standard deviation is a share of the side."""
    return np.asarray(cv2.GaussianBlur(face, (0, 0), sigma * len(face)), np.uint8) if sigma else face


def compressed(face: Picture, quality: int) -> Picture:
    """As JPEG of that quality."""
    _, data = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def tilted(face: Picture, degrees: float) -> Picture:
    """Turned in the plane of the picture, clockwise."""
    middle = (len(face) - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), -degrees, 1.0)
    return np.asarray(cv2.warpAffine(face, matrix, face.shape, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def turned(face: Picture, points: NDArray[np.float32], yaw: float, pitch: float, side: int = 96) -> Picture:
    """As if the head was turned: each triangle of the mesh is moved to where the turned mesh has it.

    The mesh is turned about its middle and seen from far away; nearer triangles hide farther ones. Round it lies a ring
    of points in the depth of its edge, which turns with it, for hair and neck. What was hidden is not made up: the far
    side shows what there is, the near side is stretched.

    Args:
        face: (S, S).
        points: (478, 3) of the mesh, pixels of the face.
        yaw, pitch: degrees to the right of the picture, and upwards.
        side: of the result, pixels.

    Returns:
        (side, side).
    """
    large = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
    scale = side / len(face)
    flat = points[:N_MESH] * scale
    middle = (flat.min(axis=0) + flat.max(axis=0)) / 2
    reach = float(np.ptp(flat[:, :2], axis=0).max()) / 2
    edge_z = float(np.quantile(flat[:, 2], 0.95))
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rings = [
        np.column_stack(
            [middle[0] + far * reach * np.cos(angles), middle[1] + far * reach * np.sin(angles), np.full(24, edge_z)]
        )
        for far in (1.35, 3.0)
    ]
    before = np.concatenate([flat, *rings]).astype(np.float32)
    after = (before - middle) @ _turn(yaw, pitch).T + middle
    # The background does not turn: it only makes room.
    after[-24:] = before[-24:]
    triangles = Delaunay(before[:, :2]).simplices
    order = np.argsort(-after[triangles, 2].mean(axis=1))
    owner = np.full((side, side), -1, np.int32)
    corners = np.rint(after[:, :2][triangles] * 16).astype(np.int32)
    for number in order:
        cv2.fillConvexPoly(owner, corners[number], int(number), shift=4)
    ones = np.ones((len(triangles), 3, 1), np.float32)
    target = np.concatenate([after[:, :2][triangles], ones], axis=2).astype(np.float64)
    target += np.eye(3) * 1e-6  # a triangle seen from its edge has no inverse
    matrices = np.linalg.pinv(target) @ before[:, :2][triangles]
    y, x = np.mgrid[:side, :side].astype(np.float64)
    places = np.stack([x, y, np.ones_like(x)], axis=-1)
    source = np.einsum("hwk,hwkc->hwc", places, matrices[owner])
    source = np.where((owner >= 0)[..., None], source, places[..., :2]).astype(np.float32)
    return np.asarray(cv2.remap(large, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


@cache
def _turn(yaw: float, pitch: float) -> NDArray[np.float64]:
    """(3, 3) in the axes of the mesh: right, down, away from the camera. The nose, at -z, goes right and up."""
    a, b = np.radians([yaw, pitch])
    about_y = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    return np.asarray(about_y @ about_x)
