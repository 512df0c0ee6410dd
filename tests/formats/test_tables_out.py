from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fercli.formats import streams
from fercli.formats.tables_out import (
    write_csv_faces,
    write_csv_windows,
    write_parquet,
    write_parquet_faces,
    write_parquet_windows,
)
from fercli.labels import RECORD_NAMES
from fercli.results.details import MEASURED
from tests.formats.face_documents import (
    FACES,
    GAPS,
    ROSS,
    SEGMENTS,
    SHOWN,
    VIDEO,
    WINDOWS,
    empty_document,
    make_document,
)

pd = pytest.importorskip("pandas")

SHORT = ["angry", "happy", "contemptuous"]
WRITERS = [write_csv_faces, write_csv_windows, write_parquet, write_parquet_faces, write_parquet_windows]


def test_parquet_has_what_the_records_have_and_the_reason(tmp_path: Path) -> None:
    write_parquet(make_document(), tmp_path / "a.parquet")
    rows = pd.read_parquet(tmp_path / "a.parquet").astype(object).where(lambda f: f.notna(), None).to_dict("records")
    expected = sorted([*SEGMENTS, *GAPS], key=lambda s: (s.start_s, s.track))
    assert [row["reason"] for row in rows] == ["", "too small", "", "", ""]
    for row, segment in zip(rows, expected, strict=True):
        record = {"source": "machine", "identity_source": "machine", **segment.as_record()}
        box = record.pop("box")
        assert [round(row[edge], 1) for edge in ("x1", "y1", "x2", "y2")] == box
        assert (row["seconds"], row["end"], row["score"]) == (segment.start_s, segment.end_s, segment.score)
        for key in set(record) - {"seconds", "end", "score"}:
            assert row[key] == record[key], key
    assert rows[2]["identity_source"] == "human"


def test_parquet_keeps_the_numbers_of_the_tables(tmp_path: Path) -> None:
    write_parquet_faces(make_document(), tmp_path / "faces.parquet")
    write_parquet_windows(make_document(), tmp_path / "windows.parquet")
    faces, details = pq.read_table(tmp_path / "faces.parquet"), make_document().details()
    for name in details.faces.column_names:
        shown = RECORD_NAMES.get(name, name)
        assert faces[shown].to_pylist() == details.faces[name].to_pylist(), name
    assert faces["class"].to_pylist() == [RECORD_NAMES[emotion] for emotion in SHOWN]
    windows = pq.read_table(tmp_path / "windows.parquet")
    assert windows["class"].to_pylist() == ["happy", "not assessable", "angry", "contemptuous", "contemptuous"]
    for name in set(details.windows.column_names) - {"class"}:
        assert windows[RECORD_NAMES.get(name, name)].to_pylist() == details.windows[name].to_pylist(), name


def test_measured_columns_say_their_unit(tmp_path: Path) -> None:
    write_parquet_faces(make_document(), tmp_path / "faces.parquet")
    schema = pq.read_schema(tmp_path / "faces.parquet")
    units = {name: schema.field(name).metadata[b"unit"] for name in ("yaw", "mouth", "jawOpen")}
    assert units == {"yaw": b"degrees", "mouth": b"ratio", "jawOpen": b"share"}
    assert {str(schema.field(field.name).type) for field in MEASURED} == {"float"}


@pytest.mark.parametrize("write", [write_parquet, write_parquet_faces, write_parquet_windows])
def test_every_parquet_column_says_what_it_means(tmp_path: Path, write: object) -> None:
    write(make_document(), tmp_path / "a.parquet")  # type: ignore[operator]
    schema = pq.read_schema(tmp_path / "a.parquet")
    assert all(len(field.metadata[b"meaning"]) > 5 for field in schema)
    seconds = [field for field in schema if field.name in ("seconds", "end", "pts_s", "start_s", "end_s")]
    assert len(seconds) == 2 and all(b"seconds" in field.metadata[b"meaning"] for field in seconds)
    assert json.loads(schema.metadata[b"video"]) == VIDEO
    assert json.loads(schema.metadata[b"provenance"])["fercli"] == "1.2"


def test_csv_of_faces_is_wide_and_rounded(tmp_path: Path) -> None:
    write_csv_faces(make_document(), tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert list(table.columns) == [
        *("face", "frame", "pts_s", "end_s", "shot", "track", "person", "x1", "y1", "x2", "y2", "score", "class"),
        *SHORT,
        "talking",
        *(field.name for field in MEASURED),
        "video",
    ]
    assert table["yaw"].isna().tolist() == [row[0] == 1 for row in FACES] and set(table["pitch"].dropna()) == {-10}
    for number, row in table.iterrows():
        face, frame, pts_s, track, person, *box, score, probabilities = FACES[int(str(number))]
        assert (row["face"], row["frame"], row["track"], row["person"]) == (face, frame, track, person)
        assert row["pts_s"] == round(pts_s, 3) and row["score"] == pytest.approx(score, abs=1e-9)
        assert [row[edge] for edge in ("x1", "y1", "x2", "y2")] == pytest.approx(box, abs=0.005)
        if probabilities is None:
            assert row[SHORT].isna().all()
        else:
            assert row[SHORT].tolist() == [round(p, 4) for p in probabilities]
    assert table["class"].tolist() == [RECORD_NAMES[emotion] for emotion in SHOWN]


def test_csv_of_windows_has_a_row_a_window(tmp_path: Path) -> None:
    write_csv_windows(make_document(), tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv", keep_default_na=False)
    assert list(table.columns) == ["track", "person", "start_s", "end_s", "class", "reason", "talking", *SHORT, "video"]
    assert table["start_s"].tolist() == [round(window[2], 3) for window in WINDOWS]
    assert table["reason"].tolist() == [window[5] for window in WINDOWS]
    assert table.iloc[0][SHORT].tolist() == ["0.125", "0.75", "0.125"]
    assert table.iloc[1][["class", *SHORT]].tolist() == ["not assessable", "", "", ""]
    assert table.iloc[0]["person"] == ROSS


def test_parts_do_not_change_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_csv_faces(make_document(), tmp_path / "whole.csv")
    monkeypatch.setattr(streams, "ROWS", 3)
    write_csv_faces(make_document(), tmp_path / "parts.csv")
    write_parquet_faces(make_document(), tmp_path / "parts.parquet")
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    file = pq.ParquetFile(tmp_path / "parts.parquet")
    assert file.num_row_groups == 3
    assert file.read()["face"].to_pylist() == [row[0] for row in FACES]


@pytest.mark.parametrize("write", WRITERS)
def test_no_person_makes_a_table_without_rows(tmp_path: Path, write: object) -> None:
    path = tmp_path / "a"
    write(empty_document(), path)  # type: ignore[operator]
    empty = pd.read_csv(path) if "csv" in write.__name__ else pd.read_parquet(path)  # type: ignore[attr-defined]
    assert len(empty) == 0 and "track" in empty.columns
    assert write is write_parquet or set(SHORT) <= set(empty.columns)


@pytest.mark.parametrize("write", WRITERS)
def test_the_same_document_gives_the_same_bytes(tmp_path: Path, write: object) -> None:
    for copy in ("a", "b"):
        write(make_document(), tmp_path / copy)  # type: ignore[operator]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
