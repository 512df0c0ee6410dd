"""Tables on disk: the same rows give the same bytes, other schemas and damage are refused."""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fercli import tables
from fercli.chain import STAGE_OF
from fercli.errors import CorruptTable, OutputError
from fercli.hashing import digest
from fercli.labels import EMOTIONS
from fercli.tables import FRAMES, SCHEMAS, read_parts, read_table, rows_by_value, windows_schema, write_table


def part(first: int, count: int) -> pa.Table:
    numbers = np.arange(first, first + count)
    return pa.table([numbers, numbers / 25, (numbers + 1) / 25, numbers // 100, numbers < 0], schema=FRAMES)


def row_groups(path: Path) -> list[int]:
    metadata = pq.read_metadata(path)
    return [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]


def test_every_table_with_a_home_has_a_schema_and_the_other_way_round() -> None:
    assert set(STAGE_OF) == {*SCHEMAS, "emotions"}


@pytest.mark.parametrize("schema", [*SCHEMAS.values(), windows_schema(EMOTIONS)])
def test_every_column_says_what_it_means(schema: pa.Schema) -> None:
    assert all(len(column.metadata[b"meaning"]) > 10 for column in schema)


def test_windows_have_a_nullable_probability_column_a_label() -> None:
    schema = windows_schema(("joy", "calm"))
    assert schema.names == ["track", "face", "start_s", "end_s", "reason", "talking", "yaw", "pitch", "joy", "calm"]
    assert schema.field("joy").type == pa.float32()
    assert schema.field("joy").nullable and not schema.field("start_s").nullable


def test_what_is_written_is_read_back_with_its_schema(tmp_path: Path) -> None:
    path = tmp_path / "frames.parquet"
    assert write_table(path, [part(0, 3), part(3, 4)], FRAMES) == 7
    table = read_table(path, FRAMES)
    assert table.equals(part(0, 7))
    assert table.schema.field("pts_s").metadata == {b"meaning": FRAMES.field("pts_s").metadata[b"meaning"]}


def test_each_part_with_rows_is_one_row_group(tmp_path: Path) -> None:
    path = tmp_path / "frames.parquet"
    write_table(path, [part(0, 5), part(5, 0), part(5, 200_000)], FRAMES)
    assert row_groups(path) == [5, 200_000]


@pytest.mark.parametrize("parts", [[], [part(0, 0)]])
def test_no_rows_make_a_valid_empty_table(tmp_path: Path, parts: list[pa.Table]) -> None:
    path = tmp_path / "frames.parquet"
    assert write_table(path, parts, FRAMES) == 0
    assert read_table(path, FRAMES).num_rows == 0
    assert list(read_parts(path, FRAMES)) == []


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_an_empty_table_of_every_kind_survives(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.parquet"
    write_table(path, [], SCHEMAS[name])
    assert read_table(path, SCHEMAS[name]).schema.equals(SCHEMAS[name])


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_table(tmp_path / name, [part(0, 50), part(50, 7)], FRAMES)
    write_table(tmp_path / "c", [part(0, 50), part(51, 7)], FRAMES)
    assert digest(tmp_path / "a") == digest(tmp_path / "b") != digest(tmp_path / "c")


def test_looser_types_are_cast_to_the_schema(tmp_path: Path) -> None:
    loose = pa.table({"frame": [0, 1], "pts_s": [0.0, 0.5], "end_s": [0.5, 1.0], "shot": [0, 0], "mixed": [False] * 2})
    write_table(tmp_path / "f", [loose], FRAMES)
    assert read_table(tmp_path / "f", FRAMES).schema.field("frame").type == pa.int32()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (None, [0, 3, 6]),
        ([0], [0]),
        ([3, 2], [0, 3]),
        ({3, 5}, [3]),
        ([0, 8], [0, 6]),
        ([9, 100], []),
        ([], []),
    ],
)
def test_only_the_row_groups_that_hold_wanted_rows_are_read(
    tmp_path: Path, rows: Collection[int] | None, expected: list[int]
) -> None:
    path = tmp_path / "frames.parquet"
    write_table(path, [part(0, 3), part(3, 3), part(6, 3)], FRAMES)
    parts = read_parts(path, FRAMES, rows=rows)
    assert [table["frame"][0].as_py() for table in parts] == expected


def test_a_workspace_path_that_looks_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    path = tmp_path / "season=1" / "frames.parquet"
    path.parent.mkdir()
    write_table(path, [part(0, 2)], FRAMES)
    assert read_table(path, FRAMES).schema.names == FRAMES.names


def damaged(path: Path, kind: str) -> Path:
    content = path.read_bytes()
    if kind == "cut short":
        path.write_bytes(content[: len(content) // 2])
    elif kind == "no bytes":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("frame,pts_s\n0,0.0\n")
    elif kind == "data overwritten":
        path.write_bytes(content[:4] + b"\xff" * 200 + content[204:])
    elif kind == "missing":
        path.unlink()
    elif kind == "directory":
        path.unlink()
        path.mkdir()
    return path


@pytest.mark.parametrize("kind", ["cut short", "no bytes", "text", "data overwritten", "missing", "directory"])
def test_damage_is_named_with_the_file_and_the_next_command(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "film.fercli" / "frames" / "frames.parquet"
    path.parent.mkdir(parents=True)
    write_table(path, [part(0, 500)], FRAMES)
    damaged(path, kind)
    for read in (lambda: read_table(path, FRAMES), lambda: list(read_parts(path, FRAMES))):
        with pytest.raises(CorruptTable) as caught:
            read()
        assert str(path) in caught.value.message
        assert caught.value.hint == f"to see what to re-run: fercli status {tmp_path / 'film.fercli'}"


def test_other_columns_or_types_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "frames.parquet"
    for schema in (FRAMES.remove(2), FRAMES.set(0, pa.field("frame", pa.int64(), nullable=False)), tables.TRACKS):
        write_table(path, [schema.empty_table(), pa.Table.from_pylist([dict.fromkeys(schema.names, 1)])], schema)
        with pytest.raises(CorruptTable, match="columns"):
            read_table(path, FRAMES)
        with pytest.raises(CorruptTable, match="columns"):
            list(read_parts(path, FRAMES))
        assert read_table(path).num_rows == 1


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no-such-folder"):
        write_table(tmp_path / "no-such-folder" / "f.parquet", [part(0, 1)], FRAMES)


def test_a_disk_that_fills_up_is_an_output_error() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(OutputError, match="/dev/full") as caught:
        write_table(full, [part(0, 10)], FRAMES)
    assert "space" in caught.value.hint


def test_an_error_in_the_source_of_the_parts_keeps_its_own_kind(tmp_path: Path) -> None:
    def parts() -> Iterator[pa.Table]:
        yield part(0, 1)
        raise CorruptTable("the source is damaged")

    with pytest.raises(CorruptTable, match="source"):
        write_table(tmp_path / "f.parquet", parts(), FRAMES)


def test_a_source_that_cannot_be_read_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(CorruptTable, match="missing"):
        write_table(tmp_path / "f.parquet", read_parts(tmp_path / "missing", FRAMES), FRAMES)


def test_out_of_space_while_a_part_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", fails)
    with pytest.raises(OutputError, match="No space left"):
        write_table(tmp_path / "f.parquet", [part(0, 1)], FRAMES)


def test_rows_are_found_by_value_both_ascending() -> None:
    numbers = pa.chunked_array([[7, -1, 7], [300, -1, 7]], pa.int32())
    found = rows_by_value(numbers)
    assert [(value, rows.tolist()) for value, rows in found.items()] == [(-1, [1, 4]), (7, [0, 2, 5]), (300, [3])]
    names = rows_by_value(pa.chunked_array([["Zoë", "李", "Zoë"]]))
    assert [(value, rows.tolist()) for value, rows in names.items()] == [("Zoë", [0, 2]), ("李", [1])]


def test_a_column_without_rows_has_no_values() -> None:
    assert rows_by_value(pa.chunked_array([], pa.string())) == rows_by_value(pa.chunked_array([[]], pa.int32())) == {}


def test_of_many_rows_none_is_lost_and_none_is_given_twice() -> None:
    values = np.random.default_rng(0).integers(0, 500, 20_000).astype(np.int32)
    found = rows_by_value(pa.chunked_array([values]))
    assert list(found) == np.unique(values).tolist()
    for value, rows in found.items():
        assert rows.tolist() == np.flatnonzero(values == value).tolist()
