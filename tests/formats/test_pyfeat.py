from __future__ import annotations

from pathlib import Path

import pytest

from fercli.formats import pyfeat
from tests.formats.face_documents import (
    FACES,
    MESH,
    MESHED,
    VIDEO,
    document_with_meshes,
    empty_document,
    make_document,
)

pd = pytest.importorskip("pandas")

# As feat.utils of py-feat 0.6 and 0.7 names them.
FEAT_FACEBOX_COLUMNS = ["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore"]


def test_the_columns_are_those_of_py_feat(tmp_path: Path) -> None:
    pyfeat.write(make_document(), tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert list(table.columns) == [
        *FEAT_FACEBOX_COLUMNS,
        *("Pitch", "Roll", "Yaw"),
        *("anger", "happiness", "contempt"),
        *("frame", "input", "approx_time", "pts_s", "Identity", "track"),
    ]
    assert not [name for name in table.columns if "AU" in name]
    assert set(table["input"]) == {VIDEO["name"]}


def test_faces_are_those_of_the_tables(tmp_path: Path) -> None:
    pyfeat.write(make_document(), tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert table["frame"].tolist() == [row[1] for row in FACES]
    assert table["Identity"].tolist() == [row[4] for row in FACES]
    for row, (_, _, pts_s, track, _, x1, y1, x2, y2, score, probabilities) in zip(
        table.itertuples(), FACES, strict=True
    ):
        box = (row.FaceRectX, row.FaceRectY, row.FaceRectWidth, row.FaceRectHeight)
        assert box == pytest.approx((x1, y1, x2 - x1, y2 - y1), abs=0.005)
        assert (row.FaceScore, row.pts_s, row.track) == (pytest.approx(score, abs=5e-5), round(pts_s, 3), track)
        if probabilities:
            assert (row.anger, row.happiness, row.contempt) == tuple(round(p, 4) for p in probabilities)
        else:
            assert pd.isna(row.anger) and pd.isna(row.happiness)


def test_the_approximate_time_is_minutes_and_seconds(tmp_path: Path) -> None:
    late = [(0, 90, 3725.999, 0, "Ross", 0.0, 0.0, 9.0, 9.0, 0.9, None)]
    pyfeat.write(make_document(late), tmp_path / "a.csv")
    row = pd.read_csv(tmp_path / "a.csv").iloc[0]
    assert (row["approx_time"], row["pts_s"]) == ("62:05", 3725.999)


def test_the_pose_is_in_degrees_and_the_landmarks_are_those_of_the_meshes(tmp_path: Path) -> None:
    pyfeat.write(document_with_meshes(tmp_path), tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert list(table.columns)[5:144] == [
        *(f"{axis}_{number}" for axis in "xy" for number in range(68)),
        *("Pitch", "Roll", "Yaw"),
    ]
    assert table["Yaw"].isna().tolist() == [row[0] == 1 for row in FACES]
    assert table.loc[0, ["Pitch", "Roll", "Yaw"]].tolist() == pytest.approx([-11.5, 9.0, -19.1], abs=1)
    assert table["x_30"].isna().tolist() == [row[0] not in MESHED for row in FACES]
    assert (table["x_54"][2], table["y_30"][2]) == (MESH[291, 0], MESH[4, 1])


def test_no_person_makes_a_header(tmp_path: Path) -> None:
    pyfeat.write(empty_document(), tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert len(table) == 0 and set(FEAT_FACEBOX_COLUMNS) < set(table.columns)
