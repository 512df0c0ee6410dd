"""One CSV row per segment, for spreadsheets and R.

The reader also accepts files written by hand: a header with `start` (or `seconds`), `end`, `class` (or `label`,
`emotion`) and, for several persons, `object` (or `person`); in any order, other columns are ignored. Times are seconds,
or clock times such as `1:02:03.25`. A row with an empty class is skipped: no emotion there. Spreadsheets in countries
with decimal commas separate cells by semicolons; if the header has semicolons or tabs, both decimal points and commas
are read. A first line `sep=;`, as in Excel, names the separator. Names escaped by `fercli.escapes` are restored.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from fercli.errors import DatasetError
from fercli.escapes import plain_cell, safe_cell
from fercli.formats import label_studio
from fercli.formats.annotations import Annotations, Label, Line, layout_hint, mark, timed_line
from fercli.formats.spoken import OFF_SCREEN
from fercli.results.model import Result

COLUMNS = ("object", "class", "seconds", "end", "score", "track", "x1", "y1", "x2", "y2", "source", "doubtful", "video")


def write(result: Result, path: Path, *, raw_cells: bool = False) -> None:
    """Write the segments with a header line; columns have the meaning of the keys of a record, and `source` is always
    present."""
    video = result.video["name"] if raw_cells else safe_cell(result.video["name"])
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for segment in result.segments:
            record = segment.as_record()
            cells = [record.get(name) for name in COLUMNS[:6]]
            if not raw_cells:
                cells = [safe_cell(cell) if isinstance(cell, str) else cell for cell in cells]
            writer.writerow([*cells, *(record["box"] or [None] * 4), segment.source, segment.doubtful, video])


NAMES_OF = {
    "start": ("start", "seconds"),
    "end": ("end",),
    "class": ("class", "label", "emotion"),
    "object": ("object", "person"),
    "score": ("score",),
    "track": ("track",),
    "video": ("video",),
}
"""Key of a record -> possible names of its column."""
_SAID = {
    "start": ("start_s", "start", "seconds", "starttime"),
    "end": ("end_s", "end", "endtime"),
    "text": ("text", "utterance"),
    "object": ("person", "object", "speaker"),
}
"""Key of a line of what is said -> possible names of its column: those of csv-utterances, and of MELD."""
_NUMBERS = ("start", "end", "score")
_SEPARATOR = re.compile(r'"?sep=(.)"?[,;\t]*\r?\n?', re.IGNORECASE)
"""The first line with the separator of Excel; saved again as cells, it is followed by empty ones."""


def read(path: Path) -> Annotations:
    """Read the file; places are its lines.

    Raises:
        DatasetError: a column is missing, or a row is invalid.
        OSError, ValueError, csv.Error: it cannot be read.
    """
    said = _said(path)
    return Annotations(list(_marks(path)) if said is None else [], said=said)


def _said(path: Path) -> tuple[Line, ...] | None:
    """The lines of a file with the columns start, end and text, and without emotions; None if it is none."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader, delimiter, skipped = table(file)
        found = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
        columns = {key: next((found[name] for name in names if name in found), None) for key, names in _SAID.items()}
        if not all(columns[key] for key in ("start", "end", "text")) or any(
            name in found for name in NAMES_OF["class"]
        ):
            return None
        lines = []
        for row in reader:
            cells = {key: row.get(name) if name is not None else None for key, name in columns.items()}
            cells |= {key: _time(cells[key], delimiter) for key in ("start", "end")}
            cells |= {key: plain_cell(cells[key] or "") for key in ("text", "object")}
            if (row.get(found.get("on_screen", "")) or "").lower() == "false" and not cells["object"]:
                cells["object"] = OFF_SCREEN
            lines.append(timed_line(cells, f"{path}:{skipped + reader.line_num}"))
        return tuple(lines)


def _time(cell: str | None, delimiter: str) -> str:
    """A time with a point: clock times have commas before milliseconds, in other countries numbers too."""
    text = cell or ""
    return text.replace(",", ".") if ":" in text or delimiter != "," else text


def _marks(path: Path) -> Iterator[Label]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader, delimiter, skipped = table(file)
        found = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
        columns = {key: next((found[n] for n in names if n in found), None) for key, names in NAMES_OF.items()}
        label_studio.refuse_short(path, found)
        missing = [key for key in ("start", "end", "class") if columns[key] is None]
        if missing:
            reason = f"{path}:{skipped + 1}: no column {', '.join(missing)}"
            raise DatasetError(reason, hint=layout_hint(path))
        for row in reader:
            cells = {key: row.get(name) if name is not None else None for key, name in columns.items()}
            if delimiter != ",":
                cells |= {key: (cells[key] or "").replace(",", ".") for key in _NUMBERS}
            if cells["object"] is not None:
                cells["object"] = plain_cell(cells["object"])
            if cells["video"] is not None:
                cells["video"] = plain_cell(cells["video"])
            if cells["class"] is None or cells["class"].strip():
                yield mark(cells, f"{path}:{skipped + reader.line_num}")


def table(file: TextIO) -> tuple[csv.DictReader[str], str, int]:
    """The rows of a CSV opened with newline="", its separator, and the number of lines before the header."""
    first = file.readline()
    named = _SEPARATOR.fullmatch(first)
    start = file.tell() if named else 0
    header = file.readline() if named else first
    file.seek(start)
    delimiter = named[1] if named else max(",;\t", key=header.count)
    return csv.DictReader(file, delimiter=delimiter, strict=True), delimiter, 1 if named else 0
