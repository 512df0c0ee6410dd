"""Writing of tables of any length part by part, so that no format needs more memory than the tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from fercli.escapes import FORMULA

ROWS = 20_000
"""Rows that are converted to Python objects at a time."""


def parts(table: pa.Table) -> Iterator[pa.Table]:
    """The table in slices of ROWS rows; none if it is empty."""
    for first in range(0, table.num_rows, ROWS):
        yield table.slice(first, ROWS)


def write_csv(path: Path, tables: Iterable[pa.Table], schema: pa.Schema, *, raw_cells: bool = False) -> None:
    """Write consecutive tables with this schema in UTF-8, with a header even if there is no row.

    Text is quoted, quotes inside are doubled, and null is an empty field without quotes. Text that a spreadsheet would
    read as a formula is escaped by `fercli.escapes`, unless `raw_cells` is set.
    """
    with pacsv.CSVWriter(path.absolute(), schema) as writer:
        for table in tables:
            writer.write_table(table if raw_cells else safe_cells(table))


def safe_cells(table: pa.Table) -> pa.Table:
    """The table with text escaped that a spreadsheet would read as a formula."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            text = table[field.name]
            marked = pc.if_else(
                pc.match_substring_regex(text, FORMULA), pc.binary_join_element_wise("'", text, ""), text
            )
            table = table.set_column(place, field, marked)
    return table


def as_json(value: Any) -> str:
    """One line of JSON, letters not escaped."""
    return json.dumps(value, ensure_ascii=False)


def joined(items: Iterable[str]) -> Iterator[str]:
    """The items of a JSON array or object, one per line, separated by commas."""
    separator = ""
    for item in items:
        yield separator + item
        separator = ",\n"
