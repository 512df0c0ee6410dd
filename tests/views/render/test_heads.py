"""The mesh and the axes of a head: where they are drawn, and between two sightings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from fercli import tables
from fercli.errors import ConfigError, MissingStage
from fercli.progress import Silent
from fercli.results.details import read_details
from fercli.results.load import load
from fercli.views.render.faces import Faces
from fercli.views.render.heads import AXES, MESH, Head, draw_axes, draw_mesh
from fercli.views.render.sampled import Sampled
from fercli.views.render.video import render
from fercli.workspace import Workspace
from tests.views.render.scenes import Box, grey_video, make_scene
from tests.workspaces import add_receipt, attributes_table

BOX: Box = (100, 50, 180, 150)
GREY = 96


def scene(path: Path, **measured: Any) -> Workspace:
    """Two sightings, 0.4 s apart, of a face whose mesh moves by 40 pixels; `measured` replaces columns."""
    workspace = make_scene(path / "w", grey_video(path / "v.mp4"), {"Zoë": {0: BOX, 4: BOX}}, step=4)
    write(workspace, "attributes", attributes_table(2, **measured))
    meshes = [np.full((478, 3), 100.0), np.full((478, 3), 140.0)]
    columns = [pa.array([0, 1]), pa.array([mesh.ravel() for mesh in meshes], tables.MESHES[1].type)]
    write(workspace, "meshes", pa.table(columns, schema=tables.MESHES))
    add_receipt(workspace, "attributes")
    return workspace


def write(workspace: Workspace, name: str, table: pa.Table) -> None:
    tables.write_table(workspace.table(name), [table], table.schema)


def head_at(workspace: Workspace, time_s: float, **shown: Any) -> Head | None:
    result, frames = load(workspace), Sampled.of(tables.read_table(workspace.table("frames")))
    (face,) = Faces(frames, read_details(workspace, {0: "Zoë"}), result.segments, **shown).at(time_s)
    return face.head


def test_the_mesh_moves_evenly_between_two_sightings(tmp_path: Path) -> None:
    workspace = scene(tmp_path)
    for time_s, place in ((0.0, 100), (0.1, 110), (0.4, 140), (0.5, 140)):
        head = head_at(workspace, time_s, mesh=True)
        assert head is not None and head.mesh is not None and head.axes is None
        assert head.mesh == pytest.approx(np.full((478, 2), place), abs=0.01)
    assert head_at(workspace, 0.1) is None


@pytest.mark.parametrize(
    ("measured", "pixel_aspect", "axes"),
    [
        ({}, 1.0, [(45, 0), (0, -45), (0, 0)]),
        ({"yaw": 90.0}, 1.0, [(0, 0), (0, -45), (45, 0)]),
        ({"pitch": 90.0}, 1.0, [(45, 0), (0, 0), (0, -45)]),
        ({"roll": 90.0}, 1.0, [(0, 45), (45, 0), (0, 0)]),
        ({"roll": 90.0}, 2.0, [(0, 72), (36, 0), (0, 0)]),  # the box is 160 square pixels wide
        ({"yaw": [0.0, 90.0]}, 1.0, [(22.5, 0), (0, -45), (22.5, 0)]),
    ],
)
def test_axes_point_where_the_head_looks(
    tmp_path: Path, measured: dict[str, Any], pixel_aspect: float, axes: list[tuple[float, float]]
) -> None:
    head = head_at(scene(tmp_path, **measured), 0.2, pose=True, pixel_aspect=pixel_aspect)
    assert head is not None and head.mesh is None and head.axes is not None
    assert head.nose == pytest.approx((140, 100))  # without landmarks, the middle of the box
    assert head.axes == pytest.approx(np.array(axes), abs=0.01)


def test_where_nothing_was_measured_nothing_is_drawn(tmp_path: Path) -> None:
    head = head_at(scene(tmp_path, yaw=None, pitch=None, roll=None), 0.2, pose=True)
    assert head is not None and head.axes is None


def blank() -> NDArray[np.uint8]:
    return np.full((240, 320, 3), GREY, np.uint8)


def test_what_is_drawn_of_a_head() -> None:
    image = blank()
    axes = np.array([(60.0, 0), (0, -60), (-30, 30)])
    draw_axes(image, Head(None, np.array([160.0, 120.0]), axes))
    for colour, (x, y) in zip(AXES, axes / 2, strict=True):
        assert image[int(120 + y), int(160 + x)].tolist() == list(colour)
    image, mesh = blank(), np.random.default_rng(0).uniform(40, 200, (478, 2))
    draw_mesh(image, mesh)
    assert (image == MESH).all(axis=2).sum() > 300
    outside = blank()
    draw_mesh(outside, mesh + 1e9)
    assert (outside == GREY).all()


def test_a_video_is_rendered_with_both(tmp_path: Path) -> None:
    workspace = scene(tmp_path)
    render(workspace, tmp_path / "a.mp4", mesh=True, pose=True, reporter=Silent())
    assert (tmp_path / "a.mp4").stat().st_size


def test_meshes_have_to_be_there_and_must_not_give_blurred_faces_away(tmp_path: Path) -> None:
    workspace = scene(tmp_path)
    with pytest.raises(ConfigError) as conflict:
        render(workspace, tmp_path / "a.mp4", mesh=True, blur_faces=True, reporter=Silent())
    assert conflict.value.code == "option-conflict"
    write(workspace, "meshes", tables.MESHES.empty_table())
    add_receipt(workspace, "attributes")
    with pytest.raises(MissingStage) as missing:
        render(workspace, tmp_path / "a.mp4", mesh=True, reporter=Silent())
    assert missing.value.code == "stage-missing"
    assert missing.value.hint.startswith("run: fercli measure-faces ") and missing.value.hint.endswith("--landmarks")
    assert not (tmp_path / "a.mp4").exists()
    render(workspace, tmp_path / "a.mp4", pose=True, reporter=Silent())
