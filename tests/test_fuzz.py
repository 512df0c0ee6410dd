"""Inputs broken at random, the same ones each time: every command ends with a documented code, and none with a bug.

What is broken is valid but for a few bytes, a value of another type, or a value that cannot be. The counts are printed.
"""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fercli.chain import STAGE_OF
from fercli.cli.entry import main
from fercli.edits.editing import rename
from fercli.errors import EXIT_INTERNAL, FercliError
from fercli.formats import FORMATS
from fercli.persons.cast import Group, enrol
from fercli.results.load import load
from fercli.workspace import Workspace
from tests.edits.by_hand import annotate
from tests.edits.film import make_film
from tests.workspaces import add_receipt

SECONDS = 6.0
"""For each kind of input."""
ODD_NUMBERS = [-1, 0, 1, 2, 5, 999_999, 2**31 - 1, -(2**31)]
ODD_FLOATS = [float("nan"), float("inf"), -float("inf"), -1.0, 0.0, 1e30, 1e-30]
ODD_TEXT = ["", "x", "Person 999", "\x1b[2J", "\u202e", "=1+1", "a" * 3000, "\n"]
ODD_JSON: list[Any] = [None, True, 5, -1, 1e400, "x", "", [], {}, [5], {"a": 5}, [[]], "\ud800"]


def broken_bytes(content: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, left out or put in; or the end cut off."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5, 20])):
        place = rng.randrange(len(data) + 1)
        what = rng.randrange(4)
        if what == 0 and place < len(data):
            data[place] = rng.randrange(256)
        elif what == 1:
            del data[place : place + rng.choice([1, 4, 50])]
        elif what == 2:
            data[place:place] = rng.choice([b"\xff", b"\0", b"[" * 50, b"=", b"\r\n", b"999999999999"])
        elif rng.random() < 0.2:
            del data[place:]
    return bytes(data)


def broken_json(value: Any, rng: random.Random) -> Any:
    """One value of a result is another one, or gone."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {name: one for name, one in value.items() if name != key}
        return {**value, key: broken_json(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        return [*value[:place], broken_json(value[place], rng), *value[place + 1 :]]
    return rng.choice(ODD_JSON)


def broken_table(table: pa.Table, rng: random.Random) -> pa.Table:
    """A table of the same columns with impossible values, rows that are gone, or rows in another order."""
    what = rng.randrange(6)
    if what == 0:
        return table.slice(rng.randrange(table.num_rows + 1))
    if what == 1:
        return table.take(rng.sample(range(table.num_rows), table.num_rows))
    place = rng.randrange(table.num_columns)
    field, values = table.schema.field(place), table.column(place).to_pylist()
    for _ in range(rng.choice([1, 1, 3, 30])):
        values[rng.randrange(len(values))] = odd_value(field.type, rng)
    return table.set_column(place, field, pa.array(values, field.type))


def odd_value(kind: pa.DataType, rng: random.Random) -> Any:
    if pa.types.is_integer(kind):
        return rng.choice(ODD_NUMBERS)
    if pa.types.is_floating(kind):
        return rng.choice(ODD_FLOATS)
    if pa.types.is_string(kind):
        return rng.choice(ODD_TEXT)
    if pa.types.is_boolean(kind):
        return rng.random() < 0.5
    if pa.types.is_binary(kind):
        return rng.randbytes(20)
    return [rng.choice(ODD_FLOATS)] * (kind.list_size if pa.types.is_fixed_size_list(kind) else 3)


def read_somehow(workspace: Workspace, out: Path, rng: random.Random) -> int:
    """The exit code of a command that reads a workspace, or of an export as if all stages were up to date."""
    if rng.random() < 0.5:
        words = rng.choice(list(reading(out)))
        return main([words[0], str(workspace.path), *words[1:]])
    try:
        name = rng.choice(["json", "csv", "srt", "eaf", "textgrid", "via"])
        FORMATS[name].write(load(Workspace.open(workspace.path)), out / f"x.{name}")
    except FercliError as error:
        return error.exit_code
    return 0


def reading(out: Path) -> Iterator[list[str]]:
    """Commands that read a workspace."""
    yield from (["status"], ["show"], ["show", "--json"], ["people"], ["people", "--json"])
    yield ["report", "-o", str(out / "r.html"), "--overwrite"]
    yield ["plot", "-o", str(out / "p.png"), "--overwrite"]


def try_until(deadline: float, once: Callable[[random.Random], Iterator[int]]) -> Counter[int]:
    codes: Counter[int] = Counter()
    rng, begun = random.Random(0), time.monotonic()
    while time.monotonic() - begun < deadline:
        codes.update(once(rng))
    print({"codes": dict(sorted(codes.items())), "runs": codes.total()})
    assert EXIT_INTERNAL not in codes
    return codes


@pytest.fixture
def film(tmp_path: Path) -> Workspace:
    return make_film(tmp_path / "film.fercli")


@pytest.mark.slow
def test_tables_with_values_that_cannot_be(film: Workspace, tmp_path: Path) -> None:
    names = [name for name in STAGE_OF if film.table(name).exists()]
    tables = {name: pq.read_table(film.table(name)) for name in names}

    def once(rng: random.Random) -> Iterator[int]:
        name = rng.choice(names)
        pq.write_table(broken_table(tables[name], rng), film.table(name))
        add_receipt(film, STAGE_OF[name].name)
        yield read_somehow(film, tmp_path, rng)
        pq.write_table(tables[name], film.table(name))
        add_receipt(film, STAGE_OF[name].name)

    codes = try_until(SECONDS, once)
    assert codes[4]


@pytest.mark.slow
def test_files_of_a_workspace_with_bytes_and_types_that_cannot_be(film: Workspace, tmp_path: Path) -> None:
    rename(film, "Person 1", "Zoë")
    annotate(film, "Zoë,0.1,0.5,sad")
    files = [file for file in sorted(film.path.rglob("*")) if file.is_file() and file.name != ".lock"]
    contents = {file: file.read_bytes() for file in files}

    def once(rng: random.Random) -> Iterator[int]:
        file = rng.choice(files)
        if file.suffix == ".json" and rng.random() < 0.7:
            content = json.dumps(broken_json(json.loads(contents[file]), rng)).encode()
        else:
            content = broken_bytes(contents[file], rng)
        file.write_bytes(content)
        yield read_somehow(film, tmp_path, rng)
        file.write_bytes(contents[file])

    codes = try_until(SECONDS, once)
    assert codes[4] and codes[0]  # a damaged line of edits.jsonl is a warning


@pytest.mark.slow
def test_casts_with_bytes_and_rows_that_cannot_be(tmp_path: Path) -> None:
    good, path = tmp_path / "good.cast", tmp_path / "show.cast"
    groups = [Group(np.full((2, 4), place, np.float32), np.full(2, 0.8, np.float32)) for place in (0, 10)]
    enrol(good, "net", "one", groups, [], 0.5)
    odd = [None, -1, 2**62, 0.5, float("inf"), "x", "", b"", b"\xff" * 16, b"\xff" * 7, "Person 1"]

    def once(rng: random.Random) -> Iterator[int]:
        path.write_bytes(broken_bytes(good.read_bytes(), rng) if rng.random() < 0.5 else good.read_bytes())
        try:
            with sqlite3.connect(path) as connection:
                table, column = rng.choice(
                    [("cast", "embedder"), ("cast", "last_number"), ("person", "name"), ("person", "id")]
                    + [("track", name) for name in ("person", "video", "embedding", "confidence")]
                )
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = 1", (rng.choice(odd),))
        except (sqlite3.Error, OverflowError, UnicodeDecodeError):
            pass
        try:
            enrol(path, "net", "two", groups, [], 0.5)
            yield 0
        except FercliError as error:
            yield error.exit_code
        for file in tmp_path.glob("show.cast*"):
            file.unlink()

    codes = try_until(SECONDS / 2, once)
    assert codes[3]


@pytest.mark.slow
def test_annotation_files_with_bytes_and_types_that_cannot_be(film: Workspace, tmp_path: Path) -> None:
    suffixes = {"csv": ".csv", "records": ".json", "jsonl": ".jsonl", "eaf": ".eaf", "textgrid": ".TextGrid"}
    contents = {}
    for name, suffix in suffixes.items():
        out = tmp_path / f"{name}{suffix}"
        FORMATS[name].write(load(film), out)
        contents[out] = out.read_bytes()

    def once(rng: random.Random) -> Iterator[int]:
        file = rng.choice(sorted(contents))
        if file.suffix == ".json" and rng.random() < 0.6:
            content = json.dumps(broken_json(json.loads(contents[file]), rng)).encode()
        else:
            content = broken_bytes(contents[file], rng)
        broken = file.with_name(f"broken{file.suffix}")
        broken.write_bytes(content)
        words = rng.choice([["import", str(film.path), str(broken)], ["evaluate", str(broken), "--truth", str(file)]])
        yield main(words)
        film.edits.unlink(missing_ok=True)

    codes = try_until(SECONDS, once)
    assert codes[3]
