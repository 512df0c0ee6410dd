"""Files of ratings, and the truth that is made of them.

A file is a CSV with the column `time` (seconds; also `Time`, `seconds`, `time_s`) and at least one column of ratings.
With several columns of ratings it is one video, each column a rater. With one column it is one rater; all files of one
column that are given together are raters of one video, named after their files. A semicolon or a tab may stand for the
comma.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ConfigError, DatasetError
from fercli.learn.datasets.over_time.delays import CRITERIA, earlier, find_delays
from fercli.learn.datasets.over_time.raters import Estimate, estimate
from fercli.learn.datasets.over_time.recordings import Floats, Table, Unusable, read_table

TIMES = ("time", "Time", "seconds", "time_s")
HINT = "give CSV files with the columns time and one a rater"
_ROUNDING_S = 1e-4
"""Tolerance of times, which are rounded in files."""
TOGETHER = "all"
"""Name of the video that files of one rater each are of."""


@dataclass(frozen=True)
class Rated:
    """The ratings of one video: (T,) times in seconds at equal distances, and rater -> (T,) values, NaN without one."""

    video: str
    times_s: Floats
    ratings: dict[str, Floats]


@dataclass(frozen=True)
class Truth:
    """What the raters of a video say together: ratings without delays, delay of each in seconds, and estimate."""

    rated: Rated
    delays_s: dict[str, float]
    estimate: Estimate


def read_ratings(paths: Sequence[Path], rate: float = 0.0) -> list[Rated]:
    """Read files of ratings, interpolated linearly to equal distances.

    Args:
        paths: the files.
        rate: values per second; 0 takes the usual distance in the file.

    Raises:
        DatasetError: a file cannot be read, or has no column of times or of ratings; names file and line.
    """
    tables = {path: _read(path) for path in paths}
    single = {path: table for path, table in tables.items() if len(table.columns) == 2}
    videos = [_rated(path.stem, {path: table}, rate) for path, table in tables.items() if path not in single]
    if single:
        name = next(iter(single)).stem if len(single) == 1 else TOGETHER
        videos.append(_rated(name, single, rate))
    return videos


def make_truth(rated: Rated, criterion: str, most_s: float, reference: Floats | None = None) -> Truth:
    """Take out delays and estimate the truth.

    Args:
        rated: the ratings.
        criterion: a key of `delays.CRITERIA`, or `none`.
        most_s: longest delay, seconds.
        reference: (T,) signal of the video; None for the mean of the others.

    Raises:
        ConfigError: there is no such criterion.
    """
    if criterion not in (*CRITERIA, "none"):
        known = ", ".join((*CRITERIA, "none"))
        raise ConfigError(f"there is no criterion {criterion!r}", hint=f"known: {known}", code="name-unknown")
    step = float(rated.times_s[1] - rated.times_s[0]) if len(rated.times_s) > 1 else 1.0
    delays = dict.fromkeys(rated.ratings, 0)
    if criterion != "none":
        delays = find_delays(rated.ratings, round(most_s / step), criterion, reference)
    moved = {name: earlier(values, delays[name]) for name, values in rated.ratings.items()}
    in_time = Rated(rated.video, rated.times_s, moved)
    return Truth(in_time, {name: steps * step for name, steps in delays.items()}, estimate(moved))


def reference_of(path: Path, rated: Rated) -> Floats:
    """(T,) the first column of a file of one signal, at the times of some ratings; errors as `read_ratings`."""
    table = _read(path)
    times = table.columns[_time_column(table)]
    values = next(values for name, values in table.columns.items() if name != _time_column(table))
    return np.interp(rated.times_s, times, values, left=np.nan, right=np.nan)


def truth_csv(truths: Sequence[Truth], name: str) -> bytes:
    """`time,NAME,sd,raters`, with the column `video` in front if there are several; unrated moments are left out."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    several = len(truths) > 1
    writer.writerow([*(["video"] if several else []), "time", name, "sd", "raters"])
    for truth in truths:
        for row in _rows(truth):
            writer.writerow([*([truth.rated.video] if several else []), *row])
    return text.getvalue().encode()


def _rows(truth: Truth) -> Iterator[tuple[str, str, str, int]]:
    counts = np.isfinite(np.stack(list(truth.rated.ratings.values()))).sum(axis=0)
    found = truth.estimate
    for time, value, spread, count in zip(truth.rated.times_s, found.values, found.spread, counts, strict=True):
        if count:
            yield f"{time:.3f}", f"{value:.6g}", f"{spread:.6g}" if count > 1 else "", int(count)


def _read(path: Path) -> Table:
    try:
        table = read_table(path, delimiter=_delimiter(path))
        if len(table.columns) < 2:
            raise Unusable(path, 1, "it has one column, expected time and at least one of ratings")
        table.rising(_time_column(table))
    except Unusable as error:
        raise DatasetError(str(error.problem), hint=HINT, code="ratings-unusable") from error
    return table


def _delimiter(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = file.readline()
    except (OSError, ValueError):
        return ","  # reading it says why it cannot be read
    return max(",;\t", key=first.count)


def _time_column(table: Table) -> str:
    for name in TIMES:
        if name in table.columns:
            return name
    raise Unusable(table.path, 1, f"no column {TIMES[0]} among {', '.join(table.columns)}")


def _rated(video: str, tables: dict[Path, Table], rate: float) -> Rated:
    starts, ends, steps = [], [], []
    for table in tables.values():
        times = table.columns[_time_column(table)]
        starts.append(times[0])
        ends.append(times[-1])
        steps.append(float(np.median(np.diff(times))) if len(times) > 1 else 1.0)
    step = 1 / rate if rate else min(steps)
    grid = min(starts) + step * np.arange(int((max(ends) - min(starts)) / step + 1e-6) + 1)
    ratings = {}
    for path, table in tables.items():
        times = table.columns[_time_column(table)]
        for name, values in table.columns.items():
            if name == _time_column(table):
                continue
            known = np.isfinite(values)
            found = np.full(len(grid), np.nan)
            if known.any():
                found = np.interp(grid, times[known], values[known])
                found[_in_a_hole(grid, times, known)] = np.nan
                found[(grid < times[0] - _ROUNDING_S) | (grid > times[-1] + _ROUNDING_S)] = np.nan
            ratings[path.stem if len(tables) > 1 or len(table.columns) == 2 else name] = found
    return Rated(video, grid, ratings)


def _in_a_hole(grid: Floats, times: Floats, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(G,) whether the row before or after a moment is empty, so that there is nothing to interpolate between."""
    after = np.clip(np.searchsorted(times, grid - _ROUNDING_S), 0, len(times) - 1)
    before = np.clip(np.searchsorted(times, grid + _ROUNDING_S, side="right") - 1, 0, len(times) - 1)
    return ~(known[before] & known[after])
