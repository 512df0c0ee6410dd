"""AVEC 2013 and 2014: answers before a camera, valence and arousal in every frame (Valstar et al. 2014).

    .../Training/..., .../Development/..., .../Testing/...
        203_1_Freeform_video-Valence.csv, or Valence/203_1_Freeform_video.csv     one value a line, or time,value

No public code documents the names of these files: any CSV is read whose name, or folder, says Valence or Arousal, below
a folder whose name begins with that of a part. The name of the video is the file's without the dimension. 203 is the
person. Values are in [-1, 1], FPS a second where the file has no times. The sets need an agreement: this reader was
only tested on synthetic files.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from fercli.learn.datasets.over_time.frame_times import frame_times
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

TERMS = "AVEC 2013/2014 (Valstar et al.; research under an agreement, not redistributable)"
FPS = 30.0
DIMENSION = re.compile(r"[-_ ]?(valence|arousal)[-_ ]?", re.IGNORECASE)
PERSON = re.compile(r"\d{3}")
EXPECTED = "expected ROOT/Training/.../203_1_Freeform_video-Valence.csv, or with a folder Valence"


def read(root: Path) -> Recordings:
    """Read all videos; raises DatasetError if there are none under `root`."""
    files: dict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    for path in sorted(root.rglob("*.csv")):
        named = DIMENSION.search(path.stem) or DIMENSION.fullmatch(path.parent.name)
        if named and PERSON.match(path.stem):
            files[_split(path, root), DIMENSION.sub("", path.stem)][named[1].lower()] = path
    found = [
        attempt(lambda key=key, own=own: _recording(key, own))  # type: ignore[misc]
        for key, own in files.items()
    ]
    return recordings("avec", TERMS, found, EXPECTED)


def _split(path: Path, root: Path) -> str:
    for part in path.relative_to(root).parts[:-1]:
        words = re.split(r"[^a-z]+", part.lower())
        known = [SPLIT_FOLDERS[word] for word in words if word in SPLIT_FOLDERS]
        if known:
            return known[0]
    return ""


def _recording(key: tuple[str, str], files: dict[str, Path]) -> Recording:
    split, video = key
    times, values = None, {}
    for name in RATED:
        if name in files:
            own, values[name] = _series(files[name])
            if times is not None and len(own) != len(times):
                raise Unusable(files[name], 0, f"it has {len(own)} values, and {files[RATED[0]]} {len(times)}")
            times = own
    assert times is not None  # there is a file
    return Recording(video, video[:3], times, values, split=split)


def _series(path: Path) -> tuple[Floats, Floats]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            width = file.readline().count(",") + 1
    except (OSError, ValueError) as error:
        raise Unusable(path, 0, str(error)) from error
    if width > 2:
        raise Unusable(path, 1, f"{width} columns, expected one or two")
    table = read_table(path, names=("time", "value")[2 - width :])
    times = table.rising("time") if width == 2 else frame_times(len(table.lines), None, FPS)
    return times, table.in_range("value", -1, 1)
