"""Ratings of your own: a CSV a video, or one for all, as `fercli dataset ewe`, ELAN and the service write them.

    ROOT/clip.csv or ROOT/train/clip.csv     time, and valence, arousal or class; optional: person, video

With the column `video` one file may hold several videos; without it the name of the file is that of the video. Values
are in [-1, 1], times in seconds and rising within a video. A row without a value, or without a class, is a gap. Folders
train, valid and test (also val, dev ...) are splits.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fercli.errors import DatasetError, reason_of
from fercli.files import require_regular_file
from fercli.learn.datasets.over_time.recordings import RATED, SPLIT_FOLDERS, Recording, Recordings, Unusable, recordings
from fercli.learn.datasets.samples import Problem

TERMS = "as the owner of the videos allows"
TIMES = ("time", "time_s", "seconds")
CLASS = "class"
EXPECTED = "expected ROOT/clip.csv with the columns time and valence, arousal or class"


def read(root: Path) -> Recordings:
    """Read all CSV files; raises DatasetError if none can be used."""
    files = [root] if root.is_file() else sorted(root.rglob("*.csv"))
    found = [item for path in files for item in _items(path, root)]
    used = {label for item in found if isinstance(item, Recording) and item.labels is not None for label in item.labels}
    return recordings("own", TERMS, found, EXPECTED, classes=tuple(sorted(used - {""})))


def _items(path: Path, root: Path) -> Iterator[Recording | Problem]:
    parts = path.relative_to(root).parts[:-1] if root.is_dir() else ()
    split = next((SPLIT_FOLDERS[part.lower()] for part in parts if part.lower() in SPLIT_FOLDERS), "")
    try:
        rows = _rows(path)
        for (video, person), own in rows.items():
            yield _recording(path, video, person, split, own)
    except Unusable as error:
        yield error.problem


_Row = tuple[int, float, dict[str, float], str]


def _rows(path: Path) -> dict[tuple[str, str], list[_Row]]:
    """Video and person -> line, time, values and class of each row."""
    found: dict[tuple[str, str], list[_Row]] = defaultdict(list)
    line = 0
    try:
        require_regular_file(path, DatasetError)
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = [name.strip() for name in reader.fieldnames or []]
            reader.fieldnames = names
            time = next((name for name in TIMES if name in names), "")
            if not time or not {*RATED, CLASS} & set(names):
                raise Unusable(path, 1, f"the columns are {', '.join(names)}; {EXPECTED}")
            for row in reader:
                line = reader.line_num
                values = {name: _value(row[name], name) for name in RATED if name in names}
                key = (row.get("video") or path.stem, row.get("person") or row.get("video") or path.stem)
                found[key].append((line, _finite(row[time], time), values, (row.get(CLASS) or "").strip()))
    except ValueError as error:
        raise Unusable(path, line, str(error)) from error
    except (OSError, csv.Error, DatasetError) as error:
        raise Unusable(path, line, reason_of(error)) from error
    if not found:
        raise Unusable(path, 0, "it has no rows")
    return found


def _finite(text: str | None, name: str) -> float:
    try:
        value = float(text or "")
    except ValueError:
        raise ValueError(f"{name} is {text!r}, expected a number") from None
    if not math.isfinite(value):
        raise ValueError(f"{name} is {text}")
    return value


def _value(text: str | None, name: str) -> float:
    if not (text or "").strip():
        return math.nan
    value = _finite(text, name)
    if not -1 <= value <= 1:
        raise ValueError(f"{name} is {text}, expected -1 to 1")
    return value


def _recording(path: Path, video: str, person: str, split: str, rows: list[_Row]) -> Recording:
    times = np.array([time for _, time, _, _ in rows])
    falls = np.flatnonzero(np.diff(times) <= 0)
    if len(falls):
        line, time, _, _ = rows[falls[0] + 1]
        raise Unusable(path, line, f"the time {time:g} is not after {times[falls[0]]:g}")
    values = {name: np.array([own[name] for _, _, own, _ in rows]) for name in rows[0][2]}
    labels = np.array([label for *_, label in rows])
    return Recording(video, person, times, values, labels if (labels != "").any() else None, split)
