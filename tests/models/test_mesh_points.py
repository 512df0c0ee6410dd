"""Where the points of the mesh lie in the frame: measured through detect-faces and measure-faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fercli import tables
from fercli.config import AttributesParams, FacesParams
from fercli.media.images import read_image
from fercli.models.face_mesh import landmarks_68
from fercli.models.face_search import Moments
from fercli.models.mesh_points import scaled, turned_back
from fercli.models.pictures import default_detector
from fercli.stages import attributes, faces
from fercli.workspace import Workspace
from tests.models.pictures import portrait
from tests.workspaces import VIDEO, frames_table, make_workspace, stage_context

Image = NDArray[np.uint8]
KEPT = ("attributes", "meshes")
FIVE = (468, 473, 4, 61, 291)
"""Points of the mesh that the detector finds, too: middles of the irises, tip of the nose, corners of the mouth, as
seen in the picture, the left one first."""
AGREE = np.array([0.06, 0.06, 0.06, 0.14, 0.14])
"""Distances in those between the eyes. The detector sets the corners of this smiling mouth lower than they are."""


def measured(path: Path, pictures: Sequence[Image], *, pixel_aspect: float = 1.0, keep: bool = True) -> Workspace:
    """Frames with their faces and, if they are kept, the meshes of these."""
    numbers = list(range(len(pictures)))
    video = replace(VIDEO, pixel_aspect=pixel_aspect)
    frames = frames_table([number / 10 for number in numbers])
    context = stage_context(make_workspace(path / "frames", video, frames=frames))
    faces.detect_faces(
        context,
        FacesParams(),
        default_detector,
        numbers,
        Moments.of(frames),
        lambda wanted: zip(numbers, pictures, strict=True),
    )
    found = {name: tables.read_table(context.out / f"{name}.parquet") for name in ("faces", "crops")}
    workspace = make_workspace(path / "faces", video, frames=frames, **found)
    context = stage_context(workspace)
    counts = attributes.run(context, AttributesParams(keep_landmarks=keep))
    kept = {name: tables.read_table(context.out / f"{name}.parquet", tables.SCHEMAS[name]) for name in KEPT}
    assert counts["meshes"] == kept["meshes"].num_rows
    return make_workspace(path / "all", video, frames=frames, **found, **kept)


def meshes(workspace: Workspace) -> dict[int, NDArray[np.float64]]:
    """Face -> (478, 3)."""
    table = tables.read_table(workspace.table("meshes"), tables.MESHES)
    rows = zip(table["face"].to_pylist(), table["points"].to_pylist(), strict=True)
    return {face: np.reshape(points, (478, 3)) for face, points in rows}


def turn(points: NDArray[np.float64]) -> NDArray[np.float64]:
    moved: NDArray[np.float64] = points @ TURN[:, :2].T + TURN[:, 2]
    return moved


TURN: NDArray[np.float64] = np.asarray(cv2.getRotationMatrix2D((256, 256), -35, 1.0))
CHANGES: dict[str, tuple[Callable[[Image], Any], Callable[[NDArray[np.float64]], NDArray[np.float64]], float]] = {
    "turned": (lambda picture: cv2.warpAffine(picture, TURN, (512, 512), borderMode=cv2.BORDER_REPLICATE), turn, 1.0),
    # Here the crop is scaled down before it is stored.
    "large": (lambda picture: cv2.resize(picture, None, fx=4, fy=4), lambda points: scaled(points, 4.0), 1.0),
    "moved": (lambda picture: picture[7:, 31:], lambda points: points - (31, 7), 1.0),
    "wide pixels": (
        lambda picture: cv2.resize(picture, (256, 512)),
        lambda points: scaled(points, np.array([0.5, 1])),
        2.0,
    ),
    "high pixels": (
        lambda picture: cv2.resize(picture, (512, 320)),
        lambda points: scaled(points, np.array([1, 0.625])),
        0.625,
    ),
}
"""What is done to the picture, to points in it, and the width of its pixels by their height."""


def between_the_eyes(points: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(points[468] - points[473]))


def test_the_mesh_lies_where_the_detector_sees_eyes_nose_and_mouth(tmp_path: Path) -> None:
    workspace = measured(tmp_path, [portrait()])
    expected = np.reshape(tables.read_table(workspace.table("faces"))["landmarks"][0].as_py(), (5, 2))
    points = meshes(workspace)[0][:, :2]
    away = np.linalg.norm(points[list(FIVE)] - expected, axis=1) / np.linalg.norm(expected[0] - expected[1])
    assert (away < AGREE).all(), away


@pytest.mark.parametrize("change", CHANGES)
def test_the_mesh_follows_what_is_done_to_the_picture(tmp_path: Path, change: str) -> None:
    picture, points_of, pixel_aspect = CHANGES[change]
    as_it_is = meshes(measured(tmp_path / "a", [portrait()]))[0][:, :2]
    changed = np.ascontiguousarray(picture(portrait()), np.uint8)
    found = meshes(measured(tmp_path / "b", [changed], pixel_aspect=pixel_aspect))[0][:, :2]
    square = np.array([pixel_aspect, 1.0]) / min(pixel_aspect, 1.0)
    away = (found - points_of(as_it_is)) * square
    unit = between_the_eyes(found * square)
    assert np.median(np.linalg.norm(away, axis=1)) < 0.045 * unit
    assert np.linalg.norm(away.mean(axis=0)) < 0.03 * unit


def test_the_depth_is_in_square_pixels_away_from_the_camera(tmp_path: Path) -> None:
    one = meshes(measured(tmp_path / "a", [portrait()]))[0]
    two = meshes(measured(tmp_path / "b", [np.asarray(cv2.resize(portrait(), None, fx=2, fy=2), np.uint8)]))[0]
    assert one[4, 2] < one[152, 2] < one[234, 2]  # the tip of the nose, the chin, before an ear
    depth = one[234, 2] - one[4, 2]
    assert two[234, 2] - two[4, 2] == pytest.approx(2 * depth, rel=0.15)
    assert 0.3 < depth / (one[:, 0].max() - one[:, 0].min()) < 1.2


def test_nothing_is_kept_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert meshes(measured(tmp_path, [portrait()], keep=False)) == {}


def test_turning_and_scaling_are_undone() -> None:
    crop = np.zeros((101, 101, 3), np.uint8)
    crop[20, 70] = 255
    matrix = cv2.getRotationMatrix2D((50, 50), 40, 1.0)
    row, column = np.unravel_index(cv2.warpAffine(crop, matrix, (101, 101))[..., 0].argmax(), (101, 101))
    assert turned_back(np.array([[column, row]], np.float64), 40, 50)[0] == pytest.approx((70, 20), abs=0.8)
    assert scaled(np.array([0.0, 9.0]), 2.0).tolist() == [0.5, 18.5]  # middles of two pixels each


@pytest.mark.slow
def test_the_error_on_photographs_with_marked_points(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "faces" / "dlib_examples"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    inner, jaw = [], []
    for file in sorted(folder.glob("*_with_face_landmarks.xml")):
        for image in ElementTree.parse(file).getroot().iter("image"):
            picture = read_image(folder / image.get("file", ""))
            workspace = measured(tmp_path / image.get("file", ""), [picture])
            found = list(meshes(workspace).values())
            for box in image.iter("box"):
                parts = box.findall("part")
                if len(parts) == 68:
                    truth = np.array([[float(part.get("x", 0)), float(part.get("y", 0))] for part in parts])
                    places = [landmarks_68(points[:, :2].astype(np.float32)) for points in found]
                    errors = min((np.linalg.norm(place - truth, axis=1) for place in places), key=lambda e: e.mean())
                    errors /= np.linalg.norm(truth[36] - truth[45])
                    jaw.append(errors[:17].mean())
                    inner.append(errors[17:].mean())
    print(f"{len(inner)} faces, inner {np.mean(inner):.4f}, jaw {np.mean(jaw):.4f}")
    assert len(inner) >= 40
    assert np.mean(inner) < 0.05
    assert np.mean(jaw) < 0.085
