"""Ratings over time in tables: valence, arousal and intensity at ten moments a second, and files of them by others.

Writers: CSV and Parquet with a row for each moment of a track; and a file for ELAN, which shows curves from a text file
that is linked under Edit > Linked Files > Linked Secondary Files. In it a row is a moment and a column a rating of a
person; the header begins with #, so that ELAN skips it, and what is not known is NaN, because ELAN would read an empty
cell at the end of a line as 0 (CSVReader of ELAN).

Reader: a table with times in seconds (`seconds`, `time`, `time_s`, `timestamp`), ratings (`valence`, `arousal`,
`intensity`, or `Ross valence`), and for several persons `object` or `person`; or an ELAN file with tiers that hold
numbers and are called `valence`, `Ross valence` or `valence@Ross`.
"""

from __future__ import annotations

import csv
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.errors import DatasetError
from fercli.escapes import plain_cell
from fercli.expressions.valence import RATE_HZ, moments
from fercli.files import require_regular_file
from fercli.formats.eaf_times import Times
from fercli.formats.streams import write_csv
from fercli.results.model import Result, Signal

NAMES = ("valence", "arousal", "intensity")
LOWEST = {"valence": -1.0, "arousal": -1.0, "intensity": 0.0}
"""Rating -> the lowest value; the highest is 1."""
_RATED = [field for field in tables.VALENCE if field.name not in ("track", "seconds")]
TABLE = pa.schema(
    [
        tables.column("object", pa.string(), "shown name of the person"),
        tables.TRACKS.field("track"),
        tables.column("seconds", pa.float64(), "moment, seconds from the start in a player"),
        *_RATED,
        tables.column("source", pa.string(), "`derived` from the emotions, or `trained` on ratings"),
        tables.column("video", pa.string(), "file name of the video"),
    ]
)
_TIMES = ("seconds", "time", "time_s", "timestamp")
_PERSONS = ("object", "person")
_HINT = "give a table with the columns seconds and valence, and object for several persons; fercli export makes one"
_TIER = re.compile(rf"(?:(?P<of>.+?)[ _])?(?P<name>{'|'.join(NAMES)})(?:@(?P<at>.+))?", re.IGNORECASE)
"""Name of a column or of a tier with ratings, and of its person."""


@dataclass(frozen=True)
class Rated:
    """The ratings of one person in a file.

    Attributes:
        name: one of NAMES.
        person: name of the person; empty if the file names none.
        seconds: (N,) times, rising.
        values: (N,) values; NaN where there is none.
    """

    name: str
    person: str
    seconds: NDArray[np.float64]
    values: NDArray[np.float64]


def parts(result: Result) -> Iterator[pa.Table]:
    """The rows of TABLE, track by track; none without ratings."""
    own: dict[str, Signal] = {}
    for signal in result.ratings() if result.ratings else ():
        own[signal.name] = signal
        if len(own) < len(NAMES):
            continue
        columns = np.concatenate([own[name].values for name in NAMES], axis=1).T
        count = len(signal.start_s)
        rows: dict[str, Any] = {
            "object": pa.repeat(signal.person, count),
            "track": pa.repeat(pa.scalar(signal.track, pa.int32()), count),
            "seconds": signal.start_s,
            **{
                field.name: pa.array(column, field.type, from_pandas=True)
                for field, column in zip(_RATED, columns, strict=True)
            },
            "source": pa.repeat(signal.source, count),
            "video": pa.repeat(result.video["name"], count),
        }
        yield pa.table(rows, schema=TABLE)
        own = {}


def write_csv_ratings(result: Result, path: Path, *, raw_cells: bool = False) -> None:
    """A row for each moment of a track; times to the millisecond, ratings to four digits."""
    from fercli.formats.tables_out import rounded

    write_csv(path, map(rounded, parts(result)), TABLE, raw_cells=raw_cells)


def write_parquet_ratings(result: Result, path: Path) -> None:
    """The same rows, typed; the metadata of the file have the video and the provenance."""
    from fercli.formats.tables_out import with_provenance

    tables.write_table(path, parts(result), with_provenance(TABLE, result))


def write_elan_series(result: Result, path: Path) -> None:
    """A row for each moment from the first to the last, a column for each rating of a person."""
    steps: dict[str, tuple[NDArray[np.int64], NDArray[np.float32]]] = {}
    for signal in result.ratings() if result.ratings else ():
        name = " ".join(f"{signal.person} {signal.name}".split())
        step = np.rint(signal.start_s * RATE_HZ).astype(np.int64)
        before = steps.get(name, (np.zeros(0, np.int64), np.zeros(0, np.float32)))
        steps[name] = (np.concatenate([before[0], step]), np.concatenate([before[1], signal.values[:, 0]]))
    first = min((int(step[0]) for step, _ in steps.values()), default=0)
    last = max((int(step.max()) for step, _ in steps.values()), default=-1)
    columns = np.full((last - first + 1, len(steps)), np.nan, np.float32)
    for number, (step, values) in enumerate(steps.values()):
        known = np.isfinite(values)
        columns[step[known] - first, number] = values[known]
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(["# seconds", *steps]) + "\n")
        for number, row in enumerate(columns):
            cells = ("NaN" if math.isnan(value) else f"{value:.4f}" for value in row)
            file.write("\t".join([f"{(first + number) / RATE_HZ:.3f}", *cells]) + "\n")


def has_ratings(path: Path) -> bool:
    """Whether a file has ratings over time and no labels, as far as its header or its tiers say."""
    if path.suffix.lower() == ".eaf":
        try:
            root = ElementTree.parse(path).getroot()
        except (OSError, ElementTree.ParseError, LookupError):
            return False
        return any(_TIER.fullmatch((tier.get("TIER_ID") or "").strip()) for tier in root.iter("TIER"))
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        return False
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            names = [name.lower() for name in _header(file.readline())[0]]
    except (OSError, UnicodeDecodeError):
        return False
    return any(_TIER.fullmatch(name) for name in names) and not {"class", "label", "emotion"} & {*names}


def read_ratings(path: Path) -> list[Rated]:
    """Read a table, or the tiers of an ELAN file, with ratings.

    Raises:
        DatasetError: it is missing, unreadable, has no ratings, or one of them is invalid; names file and line.
    """
    require_regular_file(path, DatasetError, "check the name of the file with the ratings")
    try:
        found = _read_tiers(path) if path.suffix.lower() == ".eaf" else _read_table(path)
    except (OSError, UnicodeDecodeError, csv.Error, ElementTree.ParseError, LookupError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(f"cannot read {path}: {reason}", hint=_HINT, code="file-unreadable") from error
    rated = []
    for (name, person), points in found.items():
        seconds, values = np.array(sorted(points, key=lambda point: point[0]), np.float64).T
        if (np.diff(seconds) <= 0).any():
            twice = seconds[1:][np.diff(seconds) <= 0][0]
            who = f" of {person}" if person else ""
            raise _unusable(f"{path}: {name}{who} has two values at {twice:g} s")
        rated.append(Rated(name, person, seconds, values))
    if not rated:
        raise _unusable(f"{path} has no ratings")
    return rated


_Points = dict[tuple[str, str], list[tuple[float, float]]]
"""Rating and person -> times and values."""


def _read_table(path: Path) -> _Points:
    found: _Points = defaultdict(list)
    with path.open(encoding="utf-8-sig", newline="") as file:
        names, delimiter = _header(file.readline())
        lower = [name.lower() for name in names]
        time = next((lower.index(name) for name in _TIMES if name in lower), None)
        whose = next((lower.index(name) for name in _PERSONS if name in lower), None)
        rated = {place: match for place, name in enumerate(names) if (match := _TIER.fullmatch(name))}
        if time is None or not rated:
            missing = f"no column {_TIMES[0]}" if time is None else f"no column {' or '.join(NAMES)}"
            raise _unusable(f"{path}:1: {missing}")
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        for cells in reader:
            if not any(cells) or cells[0].startswith("#"):
                continue
            place = f"{path}:{reader.line_num + 1}"
            if len(cells) != len(names):
                raise _unusable(f"{place}: {len(cells)} cells, expected {len(names)}")
            at = _number(cells[time], place, delimiter)
            if math.isnan(at):
                raise _unusable(f"{place}: there is no time")
            person = plain_cell(cells[whose].strip()) if whose is not None else ""
            for column, match in rated.items():
                name = match["name"].lower()
                value = _value(cells[column], name, place, delimiter)
                found[name, person or match["of"] or match["at"] or ""].append((at, value))
    return found


def _read_tiers(path: Path) -> _Points:
    """The number of an annotation holds for all of its time."""
    root = ElementTree.parse(path).getroot()
    times = Times(root, str(path))
    found: _Points = defaultdict(list)
    for tier in root.iter("TIER"):
        match = _TIER.fullmatch((tier.get("TIER_ID") or "").strip())
        if match is None:
            continue
        name = match["name"].lower()
        person = match["of"] or match["at"] or tier.get("PARTICIPANT") or ""
        for annotation in tier.iter():
            if annotation.tag not in ("ALIGNABLE_ANNOTATION", "REF_ANNOTATION"):
                continue
            place = f"{path}: tier {tier.get('TIER_ID')}, annotation {annotation.get('ANNOTATION_ID')}"
            start, end = times.of(annotation, place)
            value = _value((annotation.findtext("ANNOTATION_VALUE") or "").strip(), name, place, ",")
            found[name, person] += [(at, value) for at in moments(start / 1000, end / 1000).tolist()]
    return found


def _header(line: str) -> tuple[list[str], str]:
    """Names of the columns, and what separates them."""
    line = line.strip("\r\n").removeprefix("#")
    delimiter = max(",;\t", key=line.count)
    return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])], delimiter


def _value(cell: str, name: str, place: str, delimiter: str) -> float:
    value = _number(cell, place, delimiter)
    if value < LOWEST[name] - 1e-9 or value > 1 + 1e-9:
        raise _unusable(f"{place}: {name} is {value:g}, expected {LOWEST[name]:g} to 1")
    return value


def _number(cell: str, place: str, delimiter: str) -> float:
    """A number, NaN for an empty cell."""
    text = cell.strip().replace(",", ".") if delimiter != "," else cell.strip()
    try:
        value = float(text) if text else math.nan
    except ValueError:
        raise _unusable(f"{place}: {cell!r} is not a number") from None
    if math.isinf(value):
        raise _unusable(f"{place}: {cell!r} is not finite")
    return value


def _unusable(reason: str) -> DatasetError:
    return DatasetError(reason, hint=_HINT, code="ratings-unusable")
