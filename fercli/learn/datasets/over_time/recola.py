"""RECOLA: dyads that solve a task, valence and arousal 25 times a second.

    .../emotional_behaviour/{valence,arousal}/P16.csv            time;FM1 ;FM2 ;... a column for each of six raters
    .../ratings_gold_standard/{valence,arousal}/train_1.arff     name, time, value: the truth of AVEC 2015 and 2016

The first form is preferred; its truth is the evaluator weighted estimate (`raters`). The person is the recording.
Ringeval et al. 2013, doi 10.1109/FG.2013.6553805; layout from public loaders. The set needs an agreement: this reader
was only tested on synthetic files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fercli.errors import DatasetError
from fercli.learn.datasets.folder import find_folder, visible
from fercli.learn.datasets.over_time.raters import estimate
from fercli.learn.datasets.over_time.recordings import (
    RATED,
    SPLIT_FOLDERS,
    Floats,
    Recording,
    Recordings,
    Unusable,
    attempt,
    read_table,
    recordings,
)
from fercli.learn.datasets.samples import LeftOut, Problem

TERMS = "RECOLA (Ringeval et al. 2013; research under an agreement, not redistributable)"
EXPECTED = """expected the ratings as they are unpacked:
  ROOT/RECOLA-Annotation/emotional_behaviour/valence/P16.csv, and the same for arousal
or of AVEC: ROOT/ratings_gold_standard/valence/train_1.arff, and the same for arousal"""


def read(root: Path) -> Recordings:
    """Read all recordings; raises DatasetError if there are none under `root`."""
    base = find_folder(root, lambda folder: (folder / "valence").is_dir() and folder.name == "emotional_behaviour")
    base = base or find_folder(root, lambda folder: folder.name == "ratings_gold_standard")
    if base is None:
        raise DatasetError(f"no RECOLA under {root}", hint=EXPECTED, code="dataset-not-found")
    return recordings("recola", TERMS, _items(base), EXPECTED)


def _items(base: Path) -> Iterator[Recording | Problem | LeftOut]:
    for path in visible(base / RATED[0]):
        if path.suffix in (".csv", ".arff") and not path.stem.endswith("_all"):
            yield attempt(lambda path=path: _recording(path, base))  # type: ignore[misc]


def _recording(path: Path, base: Path) -> Recording:
    times, valence, raters = _series(path)
    other = base / RATED[1] / path.name
    values = {RATED[0]: valence}
    if other.is_file():
        there, arousal, _ = _series(other)
        if len(there) != len(times) or not np.allclose(there, times, atol=1e-3):
            raise Unusable(other, 0, f"its times are not those of {path}")
        values[RATED[1]] = arousal
    split = SPLIT_FOLDERS.get(path.stem.partition("_")[0].lower(), "")
    return Recording(path.stem, path.stem, times, values, split=split, raters=raters)


def _series(path: Path) -> tuple[Floats, Floats, dict[str, Floats]]:
    if path.suffix == ".csv":
        table = read_table(path, delimiter=";")
        raters = {name: table.in_range(name, -1, 1) for name in table.columns if name not in ("time", "")}
        if not raters:
            raise Unusable(path, 1, "it has no raters")
        return table.rising("time"), estimate(raters).values, raters
    table = read_table(path, names=("name", "time", "value"), only=("time", "value"), skip=_header_lines(path))
    return table.rising("time"), table.in_range("value", -1, 1), {}


def _header_lines(path: Path) -> int:
    """Lines up to `@data`."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip().lower() == "@data":
                    return number
    except (OSError, ValueError) as error:
        raise Unusable(path, 0, str(error)) from error
    raise Unusable(path, 0, "it has no line @data")
