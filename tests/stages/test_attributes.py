"""measure-faces on a portrait, its mirror image, a turned one, and on noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from fercli import tables
from fercli.config import AttributesParams
from fercli.errors import ConfigError
from fercli.geometry import square_around
from fercli.labels import BLENDSHAPES
from fercli.media.images import square_crop
from fercli.models.pictures import default_detector, find_faces
from fercli.stages import attributes
from fercli.stages.attributes import SCHEMAS, check, run, weights
from fercli.workspace import Workspace
from tests.models.pictures import portrait
from tests.workspaces import crops_table, face_row, faces_table, frames_table, make_workspace, stage_context

SIDE = 192
Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def crop() -> Image:
    picture = portrait()
    return square_crop(picture, square_around(find_faces(picture, default_detector())[0], 1.7), SIDE)


def clockwise(crop: Image, degrees: float) -> Image:
    middle = (len(crop) - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), -degrees, 1.0)
    return np.asarray(cv2.warpAffine(crop, matrix, crop.shape[1::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8)


def film(path: Path, crops: list[Image], rolls: list[float | None]) -> Workspace:
    return make_workspace(
        path,
        frames=frames_table([k / 10 for k in range(len(crops))]),
        faces=faces_table([face_row(frame, roll=roll) for frame, roll in enumerate(rolls)]),
        crops=crops_table(crops),
    )


def measured(workspace: Workspace, params: AttributesParams | None = None) -> list[dict[str, Any]]:
    context = stage_context(workspace)
    run(context, params or AttributesParams())
    rows: list[dict[str, Any]] = tables.read_table(context.out / "attributes.parquet", tables.ATTRIBUTES).to_pylist()
    return rows


def test_a_portrait_its_mirror_image_and_no_face(tmp_path: Path, crop: Image) -> None:
    noise = np.random.default_rng(0).integers(0, 255, crop.shape, np.uint8)
    workspace = film(tmp_path / "w", [crop, crop[:, ::-1].copy(), noise], [0.0, 0.0, None])
    straight, mirrored, nothing = measured(workspace)
    assert [row["face"] for row in (straight, mirrored, nothing)] == [0, 1, 2]
    assert straight["flag"] > 0.99 and nothing["flag"] < 0.5
    assert straight["mouthSmileLeft"] > 0.5 and straight["jawOpen"] < 0.3
    assert mirrored["yaw"] == pytest.approx(-straight["yaw"], abs=3)
    assert mirrored["eye_left"] == pytest.approx(straight["eye_right"], abs=0.05)
    assert all(nothing[name] is None for name in ("yaw", "pitch", "roll", "mouth", *BLENDSHAPES))


def test_the_roll_is_that_in_the_picture_and_changes_nothing_else(tmp_path: Path, crop: Image) -> None:
    rolls: list[float | None] = [0.0, 30.0, 90.0, -150.0]
    rows = measured(film(tmp_path / "w", [clockwise(crop, roll or 0) for roll in rolls], rolls))
    for row, roll in zip(rows[1:], rolls[1:], strict=True):
        turned = (row["roll"] - rows[0]["roll"] - (roll or 0) + 180) % 360 - 180
        assert turned == pytest.approx(0, abs=4)
        assert (row["yaw"], row["pitch"]) == pytest.approx((rows[0]["yaw"], rows[0]["pitch"]), abs=5)
        assert row["mouthSmileLeft"] == pytest.approx(rows[0]["mouthSmileLeft"], abs=0.25)


def test_how_sure_the_mesh_has_to_be_is_a_parameter(tmp_path: Path, crop: Image) -> None:
    workspace = film(tmp_path / "w", [np.full_like(crop, 90)], [0.0])
    assert measured(workspace, AttributesParams(min_flag=0.0))[0]["yaw"] is not None
    with pytest.raises(ConfigError) as caught:
        check(AttributesParams(min_flag=1.5))
    assert caught.value.code == "option-out-of-range"


def test_finished_pieces_are_kept(tmp_path: Path, crop: Image) -> None:
    workspace = film(tmp_path / "w", [crop], [0.0])
    context = stage_context(workspace)
    row = {name: 0.5 for name in tables.ATTRIBUTES.names} | {"face": 0}
    kept = pa.Table.from_pylist([row], schema=tables.ATTRIBUTES)
    meshes = pa.Table.from_pylist([{"face": 0, "points": [1.5] * 478 * 3}], schema=tables.MESHES)
    context.chunks.commit(0, {"attributes": kept, "meshes": meshes}, SCHEMAS)
    run(context, AttributesParams())
    assert tables.read_table(context.out / "attributes.parquet").to_pylist() == [row]
    assert tables.read_table(context.out / "meshes.parquet", tables.MESHES) == meshes


def test_pieces_in_any_order_give_the_same_bytes(tmp_path: Path, crop: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    crops = [crop, crop[:, ::-1].copy(), np.full_like(crop, 90)]
    whole, split = (stage_context(film(tmp_path / name, crops, [0.0] * 3)) for name in ("whole", "split"))
    for context in (whole, split):
        path = context.workspace.table("crops")
        rows = tables.read_table(path)
        tables.write_table(path, [rows[:1], rows[1:2], rows[2:]], tables.CROPS)
    expected = run(whole, AttributesParams(keep_landmarks=True))
    for piece in (range(2, 3), range(2)):
        assert run(replace(split, piece=piece), AttributesParams(keep_landmarks=True)) == {}
        assert not list(split.out.iterdir())
    monkeypatch.setattr(attributes, "_measure", None)
    assert run(split, AttributesParams(keep_landmarks=True)) == expected
    for name in ("attributes.parquet", "meshes.parquet"):
        assert (split.out / name).read_bytes() == (whole.out / name).read_bytes()


def test_without_a_face_there_is_an_empty_table_and_a_reason(tmp_path: Path) -> None:
    context = stage_context(film(tmp_path / "w", [], []))
    assert run(context, AttributesParams()) == {"faces": 0, "without_mesh": 0, "meshes": 0}
    assert context.skipped
    assert not any(tables.read_table(context.out / f"{name}.parquet", SCHEMAS[name]).num_rows for name in SCHEMAS)


def test_the_receipt_names_both_networks() -> None:
    assert set(weights(AttributesParams())) == {"face-mesh", "face-blendshapes"}
