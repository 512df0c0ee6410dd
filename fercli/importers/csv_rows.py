"""CSV with a row a segment: fercli's own, its segments.csv, and what people write by hand.

A header with `start` (or `seconds`), `end`, `class` (or `label`, `emotion`) and, where persons are told apart, `object`
(or `person`); in any order, others are ignored. Times in seconds, or on the clock as in `1:02:03.25`. A row with an
empty class says that nothing is shown there, and is passed over. Spreadsheets in countries where 1.5 is written 1,5 put
semicolons between the cells; where semicolons or tabs are in the header, either is understood.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from fercli.errors import DatasetError
from fercli.importers import label_studio
from fercli.importers.marks import Annotations, Mark, mark

COLUMNS = {
    "start": ("start", "seconds"),
    "end": ("end",),
    "class": ("class", "label", "emotion"),
    "object": ("object", "person"),
    "score": ("score",),
    "track": ("track",),
}
"""Key of a record -> the names its column may have."""
NUMBERS = ("start", "end", "score")
LAYOUT_HINT = "the columns are start,end,class and, for several persons, object"


def read(path: Path) -> Annotations:
    """Read the file; places are its lines.

    Raises:
        DatasetError: a column is missing, or a row is not usable.
        OSError, ValueError, csv.Error: it cannot be read.
    """
    return Annotations(list(_marks(path)))


def _marks(path: Path) -> Iterator[Mark]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        header = file.readline()
        file.seek(0)
        delimiter = max(",;\t", key=header.count)
        reader = csv.DictReader(file, delimiter=delimiter, strict=True)
        found = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
        columns = {key: next((found[n] for n in names if n in found), None) for key, names in COLUMNS.items()}
        label_studio.refuse_short(path, found)
        missing = [key for key in ("start", "end", "class") if columns[key] is None]
        if missing:
            raise DatasetError(f"{path}:1: no column {', '.join(missing)}", hint=LAYOUT_HINT)
        for row in reader:
            cells = {key: row.get(name) if name is not None else None for key, name in columns.items()}
            if delimiter != ",":
                cells |= {key: (cells[key] or "").replace(",", ".") for key in NUMBERS}
            if cells["class"] is None or cells["class"].strip():
                yield mark(cells, f"{path}:{reader.line_num}")
