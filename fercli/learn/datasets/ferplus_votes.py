"""The votes of FER+, joined to the rows of FER2013 by the names of the images.

`fer2013new.csv` (https://github.com/microsoft/FERPlus) has the 35,887 rows of `fer2013.csv` in the same order: `Usage`,
`Image name` and ten votes. The names `fer0000000.png` to `fer0035801.png` number the images; a row without a name is
not a face, and FER+ drops it. Some of these rows still use up a number (row 17 is skipped between `fer0000016.png` and
`fer0000018.png`) and others do not (row 59 is between `fer0000058.png` and `fer0000059.png`), so in the original file
the number of an image is less than its row, at the end by 85.

Rows are therefore found by counting, and the numbers show where rows are missing: between two names, the number of rows
is the larger of the rows present and the difference of the numbers. An inconsistent total is refused, because one
missing row would give each face the votes of its neighbour.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS_8
from fercli.learn.datasets.csv_rows import csv_rows
from fercli.learn.datasets.samples import Problem

VOTE_COLUMNS = (*EMOTIONS_8, "unknown", "NF")
"""The choices of the annotators of FER+; NF is `not a face`."""
IMAGE_NAME = re.compile(r"fer(\d+)\.png", re.IGNORECASE)
HINT = "take fer2013new.csv from github.com/microsoft/FERPlus and fer2013.csv from Kaggle, both with all their rows"


@dataclass(frozen=True)
class Joined:
    """The votes for the rows of FER2013.

    Attributes:
        votes: (N, 10) float32, for VOTE_COLUMNS; zeros for a row that FER+ drops or lacks.
        dropped: rows without the name of an image.
        problems: where rows are missing.
    """

    votes: NDArray[np.float32]
    dropped: int
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class _Row:
    """A row of fer2013new.csv: its line, usage, the number of its image (None without a name) and (10,) votes."""

    line: int
    usage: str
    number: int | None
    votes: NDArray[np.float32]


def join_votes(path: Path, usages: Sequence[str], faces: Path) -> Joined:
    """Find the votes for each row of FER2013.

    Args:
        path: fer2013new.csv.
        usages: the usage of each row of FER2013, also of unreadable rows; an empty one is not compared.
        faces: the file these rows come from, for errors.

    Raises:
        DatasetError: a row that cannot be read, two rows of one name, a usage that is not that of the row of FER2013,
            or another number of rows.
    """
    rows = _read(path)
    places, total, problems = _places(path, rows)
    votes = np.zeros((len(usages), len(VOTE_COLUMNS)), np.float32)
    for row, place in zip(rows, places, strict=True):
        if place is None or place >= len(usages):
            continue
        if usages[place] and usages[place] != row.usage:
            raise DatasetError(
                f"{path}:{row.line}: Usage is {row.usage}, but row {place + 1} of {faces.name} is for {usages[place]}: "
                "the rows do not belong together",
                hint=HINT,
            )
        votes[place] = row.votes
    if total != len(usages):
        line = rows[-1].line if rows else 1
        raise DatasetError(
            f"{path}:{line}: ends at row {total} of FER2013, but {faces.name} has {len(usages)}: which votes belong "
            "to which face cannot be told",
            hint=HINT,
        )
    return Joined(votes, places.count(None), problems)


def _read(path: Path) -> list[_Row]:
    rows = []
    for line, row in csv_rows(path, ("Usage", "Image name", *VOTE_COLUMNS)):
        name = row["Image name"]
        match = IMAGE_NAME.fullmatch(name)
        if name and match is None:
            raise DatasetError(f"{path}:{line}: Image name is {name!r}, expected one like fer0000000.png", hint=HINT)
        try:
            votes = np.array([float(row[column]) for column in VOTE_COLUMNS], np.float32)
        except ValueError as error:
            raise DatasetError(f"{path}:{line}: {error}", hint=HINT) from error
        if not (np.isfinite(votes).all() and votes.min() >= 0):
            raise DatasetError(f"{path}:{line}: votes from {votes.min():g} to {votes.max():g}", hint=HINT)
        rows.append(_Row(line, row["Usage"], int(match[1]) if match else None, votes))
    return rows


def _places(path: Path, rows: list[_Row]) -> tuple[list[int | None], int, tuple[Problem, ...]]:
    """The row of FER2013, from 0, of each row (None without a name); the total number of rows; and the missing ones."""
    named = [(row.number, row.line) for row in rows if row.number is not None]
    lines: dict[int, int] = {}
    for number, line in named:
        if number in lines:
            raise DatasetError(f"{path}:{line}: the image of line {lines[number]} again", hint=HINT)
        lines[number] = line
    if any(before > after for (before, _), (after, _) in pairwise(named)):
        return _places_by_number(path, rows)
    return _places_in_order(path, rows)


def _places_in_order(path: Path, rows: list[_Row]) -> tuple[list[int | None], int, tuple[Problem, ...]]:
    places: list[int | None] = []
    problems = []
    number, place, unnamed = -1, -1, 0
    for row in rows:
        if row.number is None:
            unnamed += 1
            places.append(None)
            continue
        between = row.number - number - 1
        if between > unnamed:
            problems.append(_missing(path, row.line, between - unnamed))
        place += max(between, unnamed) + 1
        number, unnamed = row.number, 0
        places.append(place)
    return places, place + 1 + unnamed, tuple(problems)


def _places_by_number(path: Path, rows: list[_Row]) -> tuple[list[int | None], int, tuple[Problem, ...]]:
    """For rows in another order: the positions of rows without a name are unknown, so every number must be that of a
    row."""
    places = [row.number for row in rows]
    total = max((place for place in places if place is not None), default=-1) + 1
    total += next((count for count, row in enumerate(reversed(rows)) if row.number is not None), 0)
    problems = (_missing(path, rows[-1].line, total - len(rows)),) if total > len(rows) else ()
    return places, total, problems


def _missing(path: Path, line: int, count: int) -> Problem:
    rows = "a row is" if count == 1 else f"{count} rows are"
    return Problem(str(path), line, f"{rows} missing up to here: no votes for their faces")
