"""OMG-Emotion: utterances of videos of one person, with one valence and arousal each.

    omg_TrainVideos.csv, omg_ValidationVideos.csv, omg_TestVideos_WithLabels.csv
        link,start,end,video,utterance,arousal,valence,EmotionMaxVote

Arousal is in [0, 1] and is scaled to [-1, 1], valence is in [-1, 1]. An utterance is a clip, `VIDEO/utterance_1.mp4`;
it has the same values from its start to its end. The person is the video. Barros et al. 2018, arXiv 1803.05434; layout
from the organisers' and others' public code. This reader was only tested on synthetic files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fercli.errors import DatasetError
from fercli.learn.datasets.csv_rows import csv_rows
from fercli.learn.datasets.folder import find_folder
from fercli.learn.datasets.over_time.recordings import Recording, Recordings, recordings
from fercli.learn.datasets.samples import Problem

TERMS = "OMG-Emotion (Barros et al. 2018; research)"
FILES = {
    "omg_TrainVideos.csv": "train",
    "omg_ValidationVideos.csv": "valid",
    "omg_TestVideos_WithLabels.csv": "test",
}
COLUMNS = ("start", "end", "video", "utterance", "arousal", "valence")
STEP_S = 0.5
EXPECTED = "expected ROOT/omg_TrainVideos.csv and ROOT/omg_ValidationVideos.csv"


def read(root: Path) -> Recordings:
    """Read all utterances; raises DatasetError if there are none under `root`, or a table has other columns."""
    base = find_folder(root, lambda folder: any((folder / name).is_file() for name in FILES))
    if base is None:
        raise DatasetError(f"no OMG-Emotion under {root}", hint=EXPECTED, code="dataset-not-found")
    return recordings("omg", TERMS, _items(base), EXPECTED)


def _items(base: Path) -> Iterator[Recording | Problem]:
    for name, split in FILES.items():
        path = base / name
        for line, row in csv_rows(path, COLUMNS) if path.is_file() else ():
            try:
                yield _recording(row, split)
            except ValueError as error:
                yield Problem(str(path), line, str(error))


def _recording(row: dict[str, str], split: str) -> Recording:
    duration = float(row["end"]) - float(row["start"])
    if not duration > 0:
        raise ValueError(f"it lasts from {row['start']} to {row['end']}")
    times = (np.arange(max(1, int(duration / STEP_S))) * STEP_S).astype(np.float64)
    scaled = {"valence": _in(row, "valence", -1, 1), "arousal": 2 * _in(row, "arousal", 0, 1) - 1}
    name = f"{row['video']}/{Path(row['utterance']).stem}"
    return Recording(
        name, row["video"], times, {key: np.full(len(times), one) for key, one in scaled.items()}, split=split
    )


def _in(row: dict[str, str], name: str, low: float, high: float) -> float:
    value = float(row[name])
    if not low <= value <= high:
        raise ValueError(f"{name} is {row[name]}, expected {low:g} to {high:g}")
    return value
