from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.formats import openface
from tests.formats.face_documents import FACES, MESH, MESHED, document_with_meshes, empty_document, make_document

pd = pytest.importorskip("pandas")


def test_it_begins_with_the_columns_of_openface(tmp_path: Path) -> None:
    openface.write(make_document(), tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert list(table.columns) == [
        *("frame", "face_id", "timestamp", "confidence", "success", "pose_Rx", "pose_Ry", "pose_Rz"),
        *("person", "x1", "y1", "x2", "y2"),
        *("angry", "happy", "contemptuous"),
    ]
    assert set(table["success"]) == {1}


def test_faces_are_those_of_the_tables(tmp_path: Path) -> None:
    openface.write(make_document(), tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert table["frame"].tolist() == [row[1] + 1 for row in FACES]
    assert table["face_id"].tolist() == [0, 1, 0, 1, 2, 0, 3, 3]
    assert table["timestamp"].tolist() == [round(row[2], 3) for row in FACES]
    assert table["person"].tolist() == [row[4] for row in FACES]
    assert table["confidence"].tolist() == pytest.approx([row[9] for row in FACES], abs=5e-5)
    assert table[["x1", "y1", "x2", "y2"]].to_numpy() == pytest.approx(
        pd.DataFrame([row[5:9] for row in FACES]).to_numpy(), abs=0.005
    )
    assert table["angry"].isna().tolist() == [row[10] is None for row in FACES]
    assert table["contemptuous"][5] == 0.1265


def test_the_pose_is_in_the_camera_s_coordinates(tmp_path: Path) -> None:
    """The head looks to the right of the picture, down, and is turned clockwise."""
    openface.write(make_document(), tmp_path / "a.csv")
    pose = pd.read_csv(tmp_path / "a.csv")[["pose_Rx", "pose_Ry", "pose_Rz"]]
    assert pose.isna().all(axis=1).tolist() == [row[0] == 1 for row in FACES]
    assert pose.loc[0].tolist() == pytest.approx(np.radians([11.5, -19.1, 9.0]), abs=np.radians(1))


def test_landmarks_are_those_of_the_meshes(tmp_path: Path) -> None:
    openface.write(document_with_meshes(tmp_path), tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    columns = [f"{axis}_{number}" for axis in "xy" for number in range(68)]
    assert list(table.columns)[8:144] == columns
    assert table[columns].isna().all(axis=1).tolist() == [row[0] not in MESHED for row in FACES]
    row = table.iloc[2]
    assert (row["x_30"], row["y_30"]) == (MESH[4, 0], MESH[4, 1])  # the tip of the nose
    assert (row["x_45"], row["y_8"]) == (MESH[263, 0], MESH[152, 1])


def test_no_person_makes_a_header(tmp_path: Path) -> None:
    openface.write(empty_document(), tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert len(table) == 0 and list(table.columns)[:3] == ["frame", "face_id", "timestamp"]
