from __future__ import annotations

from pathlib import Path

import pytest

from fercli.formats import openface
from tests.formats.face_documents import FACES, empty_document, make_document

pd = pytest.importorskip("pandas")


def test_it_begins_with_the_columns_of_openface(tmp_path: Path) -> None:
    openface.write(make_document(), tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert list(table.columns) == [
        *("frame", "face_id", "timestamp", "confidence", "success", "person", "x1", "y1", "x2", "y2"),
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


def test_nobody_makes_a_header(tmp_path: Path) -> None:
    openface.write(empty_document(), tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert len(table) == 0 and list(table.columns)[:3] == ["frame", "face_id", "timestamp"]
