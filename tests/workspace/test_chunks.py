"""Finished pieces of a stage: joined in order, and only whole ones count."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pyarrow as pa

from fercli.errors import OutputError
from fercli.tables import CROPS, read_table
from fercli.workspace.chunks import Chunks
from tests.failing import fails


def crops(first: int, count: int) -> dict[str, pa.Table]:
    rows = [{"face": first + i, "jpeg": bytes([first + i]) * 9} for i in range(count)]
    return {"crops": pa.Table.from_pylist(rows, CROPS)}


def test_pieces_are_joined_in_order(tmp_path: Path) -> None:
    chunks = Chunks(tmp_path / "chunks")
    assert not chunks.done
    for number in (2, 0, 1):
        chunks.commit(number, crops(3 * number, 3), {"crops": CROPS})
    assert chunks.done == {0, 1, 2}
    assert chunks.merge(tmp_path, {"crops": CROPS}) == {"crops": 9}
    joined = pa.concat_tables(Chunks(tmp_path / "chunks").parts("crops", CROPS))
    assert joined["face"].to_pylist() == list(range(9))


def test_an_unfinished_piece_does_not_count(tmp_path: Path) -> None:
    chunks = Chunks(tmp_path / "chunks")
    chunks.commit(0, crops(0, 2), {"crops": CROPS})
    shutil.copytree(tmp_path / "chunks" / "000000", tmp_path / "chunks" / "000001.tmp")
    assert chunks.done == {0}
    chunks.commit(1, crops(2, 2), {"crops": CROPS})
    assert chunks.merge(tmp_path, {"crops": CROPS}) == {"crops": 4}


def test_numbers_that_begin_at_0_in_each_piece_are_made_consecutive(tmp_path: Path) -> None:
    chunks = Chunks(tmp_path / "chunks")
    for number, count in ((1, 2), (0, 3), (3, 1), (2, 0)):
        chunks.commit(number, crops(0, count), {"crops": CROPS})
    assert chunks.merge(tmp_path, {"crops": CROPS}, numbered="face") == {"crops": 6}
    rows = read_table(tmp_path / "crops.parquet", CROPS)
    assert rows["face"].to_pylist() == list(range(6))
    assert [jpeg[0] for jpeg in rows["jpeg"].to_pylist()] == [0, 1, 2, 0, 1, 0]


def test_a_piece_that_two_processes_do_is_kept_once(tmp_path: Path) -> None:
    (one, other) = (Chunks(tmp_path / "chunks") for _ in range(2))
    one.commit(0, crops(0, 2), {"crops": CROPS})
    other.commit(0, crops(0, 2), {"crops": CROPS})
    assert [place.name for place in (tmp_path / "chunks").iterdir()] == ["000000"]
    assert one.merge(tmp_path, {"crops": CROPS}) == {"crops": 2}


def test_a_process_that_goes_on_after_the_stage_has_ended_leaves_nothing(tmp_path: Path) -> None:
    with fails(OutputError, "output-unwritable"):
        Chunks(tmp_path / "gone" / "chunks").commit(0, crops(0, 2), {"crops": CROPS})
    assert not (tmp_path / "gone").exists()


def test_no_pieces_give_an_empty_table(tmp_path: Path) -> None:
    assert Chunks(tmp_path / "chunks").merge(tmp_path, {"crops": CROPS}) == {"crops": 0}
    assert (tmp_path / "crops.parquet").exists()


def test_only_the_owner_may_read_the_pieces_and_the_table_made_of_them(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        (tmp_path / "partial").mkdir()
        chunks = Chunks(tmp_path / "partial" / "chunks")
        chunks.commit(0, crops(0, 2), {"crops": CROPS})
        chunks.merge(tmp_path, {"crops": CROPS})
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "partial" / "chunks").rglob("*")}
    assert modes == {"000000": 0o700, "crops.parquet": 0o600}
    assert (tmp_path / "partial" / "chunks").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "crops.parquet").stat().st_mode & 0o777 == 0o600
