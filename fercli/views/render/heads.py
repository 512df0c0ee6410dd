"""The mesh of a face, and three axes that show where the head looks: for `render --mesh` and `--pose`."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli.formats.head_pose import rotations
from fercli.geometry import square_factors
from fercli.models.face_mesh_points import FEATURES
from fercli.results.meshes import Meshes
from fercli.views.render.lettering import Colour, Image

NOSE = 4
"""Point of the mesh, and the landmark of the detector that is meant by it is the third."""
AXES: tuple[Colour, ...] = ((230, 80, 60), (60, 190, 90), (70, 150, 255))
"""To the right of a face that looks at the camera, out of the top of its head, and where it looks."""
MESH: Colour = (235, 250, 255)
EDGE: Colour = (16, 16, 16)
_LENGTH = 0.45
"""Of an axis seen from the side, in longer sides of the box."""
_POINTS_FROM = 160
"""Pixels: of smaller faces the single points run together, and only lines are drawn."""
_SHIFT = 4
"""Binary digits of the fractions of pixels."""


@dataclass(frozen=True)
class Head:
    """What is drawn of one face.

    Attributes:
        mesh: (478, 2) float64, pixels; None if there is none, or it is not to be drawn.
        nose: (2,) where the axes begin, pixels.
        axes: (3, 2) their ends from there, pixels; None as `mesh`.
    """

    mesh: NDArray[np.float64] | None
    nose: NDArray[np.float64]
    axes: NDArray[np.float64] | None


class Heads:
    """Of many faces.

    Args:
        faces: a row a face, with columns as `Details.faces`.
        turned: as `Details.turned`, of these faces.
        meshes: None if they are not to be drawn.
        pose: whether axes are to be drawn.
        pixel_aspect: of the video.
    """

    def __init__(
        self, faces: pa.Table, turned: NDArray[np.float64], meshes: Meshes | None, *, pose: bool, pixel_aspect: float
    ) -> None:
        self._meshes, self._numbers = meshes, faces["face"].to_numpy()
        boxes = np.stack([faces[edge].to_numpy() for edge in ("x1", "y1", "x2", "y2")], axis=1).astype(np.float64)
        landmarks = faces["landmarks"].to_pylist()
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        seen = [middle if five is None else five[4:6] for middle, five in zip(middles, landmarks, strict=True)]
        self._noses = np.array(seen, np.float64).reshape(-1, 2)
        self._axes = _axes(faces, turned, boxes, pixel_aspect) if pose else None

    def at(self, row: int, following: int, share: float) -> Head:
        """Between two sightings of a face.

        Args:
            row, following: of the sightings; the same if there is one.
            share: how far the moment is from one to the other, in [0, 1].
        """
        pair, weights = [row, following], np.array([1 - share, share])
        mesh = None
        if self._meshes is not None:
            mesh = _mean(self._meshes.points(self._numbers[pair])[..., :2], weights)
        nose = _mean(self._noses[pair], weights) if mesh is None else mesh[NOSE]
        axes = None if self._axes is None else _mean(self._axes[pair], weights)
        assert nose is not None
        return Head(mesh, nose, axes)


def draw_mesh(image: Image, mesh: NDArray[np.float64]) -> None:
    """Draw the lines of a face, and its points if there is room; RGB uint8 HxWx3, in place."""
    lines = [_fixed(mesh[list(line)]) for line in FEATURES]
    width = float(np.ptp(mesh[:, 0]))
    thick = max(1, round(width / 250))
    for colour, thickness in ((EDGE, thick + 1), (MESH, thick)):
        cv2.polylines(image, lines, False, colour, thickness, cv2.LINE_AA, _SHIFT)
    if width >= _POINTS_FROM:
        for x, y in _fixed(mesh).tolist():
            cv2.circle(image, (x, y), 11 * thick, MESH, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def draw_axes(image: Image, head: Head) -> None:
    """Draw the axes, the one to the camera last; RGB uint8 HxWx3, in place."""
    if head.axes is None:
        return
    length = float(np.linalg.norm(head.axes, axis=1).max())
    thick = max(2, round(length / 40))
    for colour, axis in zip(AXES, head.axes, strict=True):
        ends = [tuple(point) for point in _fixed(np.array([head.nose, head.nose + axis], np.float32)).tolist()]
        for ink, thickness in ((EDGE, thick + 2), (colour, thick)):
            cv2.arrowedLine(image, ends[0], ends[1], ink, thickness, cv2.LINE_AA, _SHIFT, 0.14)


def _axes(
    faces: pa.Table, turned: NDArray[np.float64], boxes: NDArray[np.float64], pixel_aspect: float
) -> NDArray[np.float64]:
    """(N, 3, 2) pixels; NaN without a pose."""
    yaw, pitch, roll = (faces[name].to_numpy().astype(np.float64) for name in ("yaw", "pitch", "roll"))
    stretch = np.array(square_factors(pixel_aspect))
    lengths = _LENGTH * ((boxes[:, 2:] - boxes[:, :2]) * stretch).max(axis=1)
    right_up_ahead = rotations(yaw, pitch, roll, turned) * (1, -1, -1)
    ends: NDArray[np.float64] = lengths[:, None, None] * right_up_ahead[:, :2].transpose(0, 2, 1) / stretch
    return ends


def _mean(pair: NDArray[np.floating], weights: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The weighted mean of two; the one that is there if the other is not; None if neither is."""
    there = ~np.isnan(pair).reshape(2, -1).any(axis=1)
    if not there.any():
        return None
    weights = np.where(there, np.maximum(weights, 1e-9), 0)
    mean: NDArray[np.float64] = np.tensordot(weights / weights.sum(), np.nan_to_num(pair), axes=1)
    return mean


def _fixed(points: NDArray[np.floating]) -> NDArray[np.int32]:
    """Whole numbers of parts of a pixel; far outside the picture they stay numbers."""
    parts: NDArray[np.int32] = np.rint(np.clip(points, -1e5, 1e5) * (1 << _SHIFT)).astype(np.int32)
    return parts
