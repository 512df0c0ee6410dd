"""Results of the readers of annotations over time, and the tables that they read.

A reader reads annotations, not videos: `fercli features` measures these, and both are joined by the name of the video.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError, reason_of
from fercli.files import require_regular_file
from fercli.learn.datasets.samples import LeftOut, Problem

RATED = ("valence", "arousal")
SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "train_set": "train",
    "valid": "valid",
    "validation": "valid",
    "validation_set": "valid",
    "dev": "valid",
    "devel": "valid",
    "development": "valid",
    "test": "test",
    "testing": "test",
    "test_set": "test",
}
"""Name of a folder or the beginning of a file, in small letters -> split."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Course:
    """The course of one expression, seconds; `apex_s` is None if it is not annotated."""

    onset_s: float
    apex_s: float | None
    offset_s: float


@dataclass(frozen=True)
class Recording:
    """One person in one video, annotated over time.

    Attributes:
        video: name of the video without its suffix.
        person: person, unique within the set; that of the video if persons are not known.
        times_s: (T,) rising, seconds from the start of the video.
        values: `valence` or `arousal` -> (T,) in [-1, 1], NaN where it is not annotated.
        labels: (T,) class of each moment, empty where it is not annotated; None if the set has no classes.
        split: `train`, `valid` or `test`; empty if the set has no splits.
        raters: name of each single rater of the first value -> (T,) in [-1, 1].
        course: of the one expression of a clip; None if it has none, or others.
        path: the video; None if it is not there.
    """

    video: str
    person: str
    times_s: Floats
    values: Mapping[str, Floats] = field(default_factory=dict)
    labels: NDArray[np.str_] | None = None
    split: str = ""
    raters: Mapping[str, Floats] = field(default_factory=dict)
    course: Course | None = None
    path: Path | None = None


@dataclass(frozen=True)
class Recordings:
    """A set of annotations over time.

    Attributes:
        name, terms: its name and terms of use.
        recordings, problems: what can be used, and the problems of the rest.
        notes: parts left out by design, with counts, and other information.
        classes: classes of `labels`, in order; empty without them.
    """

    name: str
    terms: str
    recordings: tuple[Recording, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


def summary(found: Recordings) -> dict[str, dict[str, float]]:
    """Split, or an empty name -> numbers of videos and persons, and minutes from first to last annotation."""
    splits: dict[str, dict[str, float]] = {}
    for split in sorted({one.split for one in found.recordings}):
        own = [one for one in found.recordings if one.split == split]
        seconds = sum(float(one.times_s[-1] - one.times_s[0]) for one in own)
        splits[split] = {"videos": len(own), "persons": len({one.person for one in own}), "minutes": seconds / 60}
    return splits


class Unusable(Exception):
    """A file cannot be used: the file, the line from 1 or 0, and the reason."""

    def __init__(self, file: Path, line: int, reason: str) -> None:
        super().__init__(reason)
        self.problem = Problem(str(file), line, reason)


def recordings(
    name: str,
    terms: str,
    found: Iterable[Recording | Problem | LeftOut],
    expected: str,
    *,
    notes: tuple[str, ...] = (),
    classes: tuple[str, ...] = (),
) -> Recordings:
    """A set from mixed recordings and problems; left-out parts are counted in the notes.

    Raises:
        DatasetError: there is no recording; names the first problem.
    """
    items = tuple(found)
    problems = tuple(item for item in items if isinstance(item, Problem))
    left = [item.what for item in items if isinstance(item, LeftOut)]
    counted = tuple(f"left out: {left.count(what)} {what}" for what in dict.fromkeys(left))
    used = tuple(item for item in items if isinstance(item, Recording))
    if not used:
        first = f"; the first problem: {problems[0]}" if problems else ""
        raise DatasetError(
            f"{name} has no annotations that can be used{first}", hint=expected, code="dataset-not-found"
        )
    return Recordings(name, terms, used, problems, notes + counted, classes)


def attempt(read: Callable[[], Recording | LeftOut]) -> Recording | Problem | LeftOut:
    """What a function reads, or the problem of its file."""
    try:
        return read()
    except Unusable as error:
        return error.problem
    except DatasetError as error:
        return Problem("", 0, error.message)


@dataclass(frozen=True)
class Table:
    """A table of numbers, by column.

    Attributes:
        path: its file.
        lines: (N,) line of each row, from 1.
        columns: name, without spaces around it -> (N,) values; NaN for an empty cell.
    """

    path: Path
    lines: NDArray[np.int64]
    columns: dict[str, Floats]

    def in_range(self, name: str, low: float, high: float, *, missing: float | None = None) -> Floats:
        """(N,) values of a column, scaled from [low, high] to [-1, 1].

        Args:
            missing: a value that says that there is none.

        Raises:
            Unusable: there is no such column, or a value is out of range.
        """
        if name not in self.columns:
            raise Unusable(self.path, 1, f"no column {name} among {', '.join(self.columns)}")
        values = self.columns[name]
        if missing is not None:
            values = np.where(values == missing, np.nan, values)
        outside = np.flatnonzero((values < low - 1e-9) | (values > high + 1e-9))
        if len(outside):
            row = outside[0]
            raise Unusable(self.path, int(self.lines[row]), f"{name} is {values[row]:g}, expected {low:g} to {high:g}")
        scaled: Floats = (values - low) * 2 / (high - low) - 1
        return scaled

    def rising(self, name: str) -> Floats:
        """(N,) times of a column.

        Raises:
            Unusable: there is no such column, a time is missing or not finite, or they do not rise.
        """
        if name not in self.columns:
            raise Unusable(self.path, 1, f"no column {name} among {', '.join(self.columns)}")
        times = self.columns[name]
        wrong = np.flatnonzero(~np.isfinite(times) | (np.diff(times, prepend=-np.inf) <= 0))
        if len(wrong):
            row = wrong[0]
            raise Unusable(
                self.path, int(self.lines[row]), f"{name} is {times[row]:g}, after {times[max(row - 1, 0)]:g}"
            )
        return times


def read_table(
    path: Path, *, delimiter: str = ",", names: tuple[str, ...] = (), only: Iterable[str] = (), skip: int = 0
) -> Table:
    """Read a table of numbers.

    Args:
        path: text in UTF-8.
        delimiter: between the cells.
        names: of the columns, for a file without a header.
        only: columns to read; others may hold anything. By default all.
        skip: lines at the start that are no part of it.

    Raises:
        Unusable: it cannot be read, is empty, or has a cell that is no number.
    """
    line, lines, rows = 0, [], []
    wanted = set(only)
    try:
        require_regular_file(path, DatasetError)
        with path.open(newline="", encoding="utf-8-sig") as file:
            header = list(names)
            reader = csv.reader(file, delimiter=delimiter)
            for cells in reader:
                line = reader.line_num
                if line <= skip or not any(cell.strip() for cell in cells):
                    continue
                if not header:
                    header = [cell.strip() for cell in cells]
                    continue
                if len(cells) != len(header):
                    raise Unusable(path, line, f"{len(cells)} cells, expected {len(header)}")
                pairs = zip(header, cells, strict=True)
                rows.append([_number(cell) for name, cell in pairs if not wanted or name in wanted])
                lines.append(line)
    except ValueError as error:
        raise Unusable(path, line, str(error)) from error
    except (OSError, csv.Error, DatasetError) as error:
        raise Unusable(path, line, reason_of(error)) from error
    if not rows:
        raise Unusable(path, 0, "it has no rows")
    kept = [name for name in header if not wanted or name in wanted]
    return Table(path, np.array(lines), dict(zip(kept, np.array(rows, np.float64).T, strict=True)))


def _number(cell: str) -> float:
    text = cell.strip()
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None
    if math.isinf(value):
        raise ValueError(f"{text!r} is not finite")
    return value
