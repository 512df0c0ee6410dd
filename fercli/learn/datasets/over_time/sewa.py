"""SEWA as in AVEC 2017 and 2018: video chats, arousal, valence and liking ten times a second (Ringeval et al. 2017).

    labels/Train_01.csv, Devel_01.csv, Test_...; or Train_DE_01.csv     name;time;arousal;valence;liking, header or not

Values are in [-1, 1]. A recording counts as a person. Layout from public loaders. The set needs an agreement: this
reader was only tested on synthetic files.
"""

from __future__ import annotations

import re
from pathlib import Path

from fercli.errors import DatasetError
from fercli.learn.datasets.folder import find_folder, visible
from fercli.learn.datasets.over_time.recordings import (
    RATED,
    SPLIT_FOLDERS,
    Recording,
    Recordings,
    Unusable,
    attempt,
    read_table,
    recordings,
)

TERMS = "SEWA (Kossaifi et al. 2019; research under an agreement, not redistributable)"
NAME = re.compile(r"(Train|Devel|Test)(_[A-Z]{2})?_\d+\.csv")
COLUMNS = ("name", "time", "arousal", "valence", "liking")
EXPECTED = "expected ROOT/labels/Train_01.csv, or Train_DE_01.csv, and the same for Devel"


def read(root: Path) -> Recordings:
    """Read all recordings; raises DatasetError if there are none under `root`."""
    base = find_folder(root, lambda folder: any(NAME.fullmatch(path.name) for path in visible(folder)))
    if base is None:
        raise DatasetError(f"no labels of SEWA under {root}", hint=EXPECTED, code="dataset-not-found")
    files = [path for path in visible(base) if NAME.fullmatch(path.name)]
    found = [attempt(lambda path=path: _recording(path)) for path in files]  # type: ignore[misc]
    return recordings("sewa", TERMS, found, EXPECTED)


def _recording(path: Path) -> Recording:
    table = read_table(path, delimiter=";", names=COLUMNS, only=("time", *RATED), skip=1 if _has_header(path) else 0)
    values = {name: table.in_range(name, -1, 1) for name in RATED}
    split = SPLIT_FOLDERS[path.stem.partition("_")[0].lower()]
    return Recording(path.stem, path.stem, table.rising("time"), values, split=split)


def _has_header(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig") as file:
            return "arousal" in file.readline().lower()
    except (OSError, ValueError) as error:
        raise Unusable(path, 0, str(error)) from error
