"""Finished pieces of a stage: joined in order, and only whole ones count."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pyarrow as pa

from fercli.tables import CROPS
from fercli.workspace.chunks import Chunks


def crops(first: int, count: int) -> dict[str, pa.Table]:
    rows = [{"face": first + i, "jpeg": bytes([first + i]) * 9} for i in range(count)]
    return {"crops": pa.Table.from_pylist(rows, CROPS)}


def test_pieces_are_joined_in_order(tmp_path: Path) -> None:
    chunks = Chunks(tmp_path / "chunks")
    assert chunks.done == 0
    for first in (0, 3, 6):
        chunks.commit(crops(first, 3), {"crops": CROPS})
    assert chunks.done == 3
    assert chunks.merge(tmp_path, {"crops": CROPS}) == {"crops": 9}
    joined = pa.concat_tables(Chunks(tmp_path / "chunks").parts("crops", CROPS))
    assert joined["face"].to_pylist() == list(range(9))


def test_an_unfinished_piece_does_not_count(tmp_path: Path) -> None:
    chunks = Chunks(tmp_path / "chunks")
    chunks.commit(crops(0, 2), {"crops": CROPS})
    shutil.copytree(tmp_path / "chunks" / "000000", tmp_path / "chunks" / "000001.tmp")
    assert chunks.done == 1
    chunks.commit(crops(2, 2), {"crops": CROPS})
    assert chunks.merge(tmp_path, {"crops": CROPS}) == {"crops": 4}


def test_no_pieces_give_an_empty_table(tmp_path: Path) -> None:
    assert Chunks(tmp_path / "chunks").merge(tmp_path, {"crops": CROPS}) == {"crops": 0}
    assert (tmp_path / "crops.parquet").exists()


def test_only_the_owner_may_read_the_pieces_and_the_table_made_of_them(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        chunks = Chunks(tmp_path / "partial" / "chunks")
        chunks.commit(crops(0, 2), {"crops": CROPS})
        chunks.merge(tmp_path, {"crops": CROPS})
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "partial" / "chunks").rglob("*")}
    assert modes == {"000000": 0o700, "crops.parquet": 0o600}
    assert (tmp_path / "partial" / "chunks").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "crops.parquet").stat().st_mode & 0o777 == 0o600
