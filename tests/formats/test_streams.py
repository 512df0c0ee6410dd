from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pytest

from fercli.formats import streams
from fercli.formats.streams import as_json, joined, parts, write_csv


def test_a_table_comes_in_parts_that_together_are_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "ROWS", 4)
    table = pa.table({"n": list(range(9))})
    assert [part.num_rows for part in parts(table)] == [4, 4, 1]
    assert pa.concat_tables(parts(table)).equals(table)
    assert list(parts(table.slice(0, 0))) == []


def test_csv_is_quoted_where_it_must_be_and_empty_for_null(tmp_path: Path) -> None:
    names = ['Zoë "Z", jr.', "李\n明", "=1+1", ""]
    schema = pa.schema([("name", pa.string()), ("p", pa.float32())])
    table = pa.table([names, pa.array([0.1, None, 1.0, 0.25], pa.float32())], schema=schema)
    write_csv(tmp_path / "a.csv", parts(table), schema)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [["name", "p"], [names[0], "0.1"], [names[1], ""], [f"'{names[2]}", "1"], ["", "0.25"]]


def test_csv_leaves_formulas_as_they_are_where_that_is_wanted(tmp_path: Path) -> None:
    table = pa.table({"name": ["=1+1", "-x", "'@x", "x"], "p": [-1.5, -2.0, 0.0, 1.0]})
    for raw, names in ((True, ["=1+1", "-x", "'@x", "x"]), (False, ["'=1+1", "'-x", "''@x", "x"])):
        write_csv(tmp_path / "a.csv", [table], table.schema, raw_cells=raw)
        with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))[1:]
        assert [name for name, _ in rows] == names
        assert [float(number) for _, number in rows] == [-1.5, -2.0, 0.0, 1.0]


def test_csv_without_rows_has_its_header(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [], pa.schema([("name", pa.string())]))
    assert (tmp_path / "a.csv").read_text().strip() == '"name"'


@pytest.mark.parametrize("items", [[], [1], [{"a": "é"}, "b", None]])
def test_joined_items_are_a_json_array(items: list[object]) -> None:
    text = "".join(joined(map(as_json, items)))
    assert json.loads(f"[{text}]") == items
    assert "\\u" not in text
