"""segments.csv: what a person says about who felt what, when; beside people.toml, and like it never over the machine's.

    person,start,end,class
    Ross,12.480,14.960,happy
    Ross,14.960,15.200,
    Rachel,3.000,9.125,not assessable

Times are presentation timestamps in seconds, [start, end). An empty class says that nothing is shown there. Rows speak
of times and not of segments, so they mean the same when a stage has run again. `fercli import` writes this file; it may
be edited by hand too.
"""

from __future__ import annotations

import csv
import io
import math
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from fercli.errors import ConfigError, InputError
from fercli.escapes import plain_cell, safe_cell
from fercli.files import require_regular_file
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES, canonical
from fercli.persons.names import UNASSIGNED, clean_name
from fercli.writing import write_atomically

COLUMNS = ["person", "start", "end", "class"]
_HINT = "correct that line, or move the file away; nothing was changed"


@dataclass(frozen=True)
class HumanSegment:
    """A person's word on what somebody shows for a while.

    Attributes:
        person: who, or `Unassigned`.
        start_ms, end_ms: [start, end) in presentation timestamps, whole milliseconds; the end is later.
        emotion: canonical name, or `not assessable`; None if nothing is to be shown.
        line: where it stands in the file, from 1; 0 if it is not in the file yet.
    """

    person: str
    start_ms: int
    end_ms: int
    emotion: str | None
    line: int = field(default=0, compare=False)


def read_segments(path: Path) -> list[HumanSegment]:
    """The rows of the file in its order; none if there is no such file.

    Raises:
        InputError: not UTF-8, not CSV, or a row that cannot be meant so; names file and line.
    """
    if path.exists():
        require_regular_file(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror}", hint="check that it is a file you may read"
        ) from error
    except UnicodeDecodeError as error:
        raise _wrong(path, error.object.count(b"\n", 0, error.start) + 1, "it is not UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if header != COLUMNS:
            raise _Unusable(f"the columns are {','.join(header) or 'missing'}, expected {','.join(COLUMNS)}")
        rows = [_row(cells, reader.line_num) for cells in reader if any(cell.strip() for cell in cells)]
    except (csv.Error, _Unusable) as error:
        raise _wrong(path, max(1, reader.line_num), str(error)) from error
    _refuse_contradictions(path, rows)
    return rows


def as_csv(rows: Iterable[HumanSegment]) -> bytes:
    """The file that holds these rows, by person and start."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: (row.person, row.start_ms, row.end_ms, row.emotion or "")):
        shown = "" if row.emotion is None else RECORD_NAMES[row.emotion]
        writer.writerow([safe_cell(row.person), f"{row.start_ms / 1000:.3f}", f"{row.end_ms / 1000:.3f}", shown])
    return text.getvalue().encode()


def rename_person(path: Path, names: Collection[str], new: str) -> None:
    """Give the rows of some persons to one; where one of them shows something, that another shows nothing is dropped.

    Raises:
        InputError: as `read_segments`.
        OutputError: the file cannot be written.
    """
    rows = read_segments(path)
    if not any(row.person in names for row in rows):
        return
    rows = [replace(row, person=new) if row.person in names else row for row in rows]
    stated = [(row.start_ms, row.end_ms) for row in rows if row.person == new and row.emotion is not None]
    kept = [
        replace(row, start_ms=round(start), end_ms=round(end))
        for row in rows
        for start, end in outside(row.start_ms, row.end_ms, stated if row.person == new and row.emotion is None else [])
    ]
    write_atomically(path, as_csv(kept))


def outside(start: float, end: float, holes: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """What is left of [start, end) outside the holes, in order."""
    left = []
    for hole_start, hole_end in sorted(holes):
        if hole_start < end and start < hole_end:
            if start < hole_start:
                left.append((start, hole_start))
            start = max(start, hole_end)
    return [*left, (start, end)] if start < end else left


class _Unusable(Exception):
    """What is wrong with a row."""


def _row(cells: list[str], line: int) -> HumanSegment:
    if len(cells) != len(COLUMNS):
        raise _Unusable(f"{len(cells)} columns, expected {','.join(COLUMNS)}")
    start_ms, end_ms = (_milliseconds(name, cell) for name, cell in zip(COLUMNS[1:3], cells[1:3], strict=True))
    if end_ms <= start_ms:
        raise _Unusable(f"ends at {end_ms / 1000:g} s but starts at {start_ms / 1000:g} s")
    return HumanSegment(_person(plain_cell(cells[0])), start_ms, end_ms, _emotion(cells[3]), line)


def _person(cell: str) -> str:
    if unicodedata.normalize("NFC", cell.strip()) == UNASSIGNED:
        return UNASSIGNED
    try:
        return clean_name(cell)
    except ConfigError as error:
        raise _Unusable(error.message) from error


def _milliseconds(name: str, cell: str) -> int:
    try:
        milliseconds = 1000 * float(cell)
    except ValueError:
        milliseconds = math.nan
    if not math.isfinite(milliseconds):
        raise _Unusable(f"{name} is {cell!r}, expected seconds")
    return round(milliseconds)


def _emotion(cell: str) -> str | None:
    text = cell.strip()
    if not text:
        return None
    emotion = NOT_ASSESSABLE if text.lower() == NOT_ASSESSABLE else canonical(text)
    if emotion is None:
        raise _Unusable(f"{text!r} is not an emotion; known: {', '.join(RECORD_NAMES.values())}")
    return emotion


def _refuse_contradictions(path: Path, rows: list[HumanSegment]) -> None:
    """A person may show two emotions at once in a split screen, but not one and none."""
    latest: dict[tuple[str, bool], HumanSegment] = {}
    for row in sorted(rows, key=lambda row: row.start_ms):
        other = latest.get((row.person, row.emotion is not None))
        if other is not None and other.end_ms > row.start_ms:
            first, second = sorted((row, other), key=lambda row: row.line)
            raise _wrong(path, second.line, f"{row.person} shows something and nothing here, see line {first.line}")
        key = (row.person, row.emotion is None)
        latest[key] = max(latest.get(key, row), row, key=lambda row: row.end_ms)


def _wrong(path: Path, line: int, reason: str) -> InputError:
    return InputError(f"{path}:{line}: {reason}", hint=_HINT)
