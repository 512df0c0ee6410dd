"""Aff-Wild2: videos from the web with valence and arousal, or a class, in every frame (Kollias and Zafeiriou 2019).

    VA_Estimation_Challenge/{Train_Set,Validation_Set}/NAME.txt     valence,arousal in [-1, 1]; -5 is not annotated
    EXPR_*_Challenge/{Train_Set,Validation_Set}/NAME.txt            the classes; a number a line, -1 is not annotated
    videos/, batch1/, batch2/                                       NAME.mp4 or .avi, where a user has them

A line is a frame of NAME; of videos with two persons, the second is NAME_right or NAME_left. Frames are timed by the
video, or, without it, at FPS. Persons are not known: each NAME counts as one.

Layout from public loaders of entrants of the ABAW competitions. The set needs an agreement: this reader was only tested
on synthetic files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fercli.errors import DatasetError
from fercli.learn.datasets.folder import find_folder, folders, visible
from fercli.learn.datasets.over_time.frame_times import frame_times, videos_below
from fercli.learn.datasets.over_time.recordings import (
    SPLIT_FOLDERS,
    Recording,
    Recordings,
    Unusable,
    attempt,
    read_table,
    recordings,
)
from fercli.learn.datasets.samples import LeftOut, Problem

TERMS = "Aff-Wild2 (Kollias and Zafeiriou 2019; research under an agreement, not redistributable)"
CLASSES = ("neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise", "other")
"""In the order of their numbers."""
FPS = 30.0
VIDEO_FOLDERS = ("videos", "batch1", "batch2", "new_vids")
PERSON = re.compile(r"_(left|right)$")
EXPECTED = """expected the folders of annotations as they are unpacked:
  ROOT/VA_Estimation_Challenge/Train_Set/NAME.txt or ROOT/EXPR_Recognition_Challenge/Train_Set/NAME.txt"""


def read_va(root: Path) -> Recordings:
    """Valence and arousal; raises DatasetError if there are none under `root`."""
    return _read(root, "VA_", "aff-wild2-va", ())


def read_expr(root: Path) -> Recordings:
    """Classes; raises DatasetError if there are none under `root`."""
    return _read(root, "EXPR_", "aff-wild2-expr", CLASSES)


def _read(root: Path, beginning: str, name: str, classes: tuple[str, ...]) -> Recordings:
    track = find_folder(root, lambda folder: folder.name.startswith(beginning) and folder.name.endswith("_Challenge"))
    if track is None:
        raise DatasetError(f"no {beginning}..._Challenge under {root}", hint=EXPECTED, code="dataset-not-found")
    videos = videos_below([base / inner for base in {root, track.parent} for inner in VIDEO_FOLDERS])
    found = list(_items(track, videos, classes))
    timed = sum(isinstance(item, Recording) and item.path is not None for item in found)
    notes = (f"{timed} of {len(found)} are timed by their video, the others at {FPS:g} frames a second",)
    return recordings(name, TERMS, found, EXPECTED, notes=notes, classes=classes)


def _items(track: Path, videos: dict[str, Path], classes: tuple[str, ...]) -> Iterator[Recording | Problem | LeftOut]:
    for folder in folders(track):
        split = SPLIT_FOLDERS.get(folder.name.lower(), "")
        for path in visible(folder):
            if path.suffix == ".txt":
                yield attempt(lambda path=path, split=split: _recording(path, split, videos, classes))  # type: ignore[misc]


def _recording(path: Path, split: str, videos: dict[str, Path], classes: tuple[str, ...]) -> Recording | LeftOut:
    name = path.stem
    video = videos.get(name) or videos.get(PERSON.sub("", name))
    if not classes:
        table = read_table(path)
        values = {key: table.in_range(key, -1, 1, missing=-5) for key in ("valence", "arousal")}
        times = frame_times(len(table.lines), video, FPS)
        return Recording(name, name, times, values, split=split, path=video)
    table = read_table(_header_checked(path), names=("class",), skip=1)
    numbers = table.columns["class"]
    wrong = np.flatnonzero(~np.isin(numbers, range(-1, len(classes))))
    if len(wrong):
        raise Unusable(
            path, int(table.lines[wrong[0]]), f"class {numbers[wrong[0]]:g}, expected -1 to {len(classes) - 1}"
        )
    labels = np.array([*classes, ""])[numbers.astype(int)]  # -1 is the last, no class
    return Recording(name, name, frame_times(len(labels), video, FPS), {}, labels, split, path=video)


def _header_checked(path: Path) -> Path:
    try:
        with path.open(encoding="utf-8-sig") as file:
            names = [name.strip().lower() for name in file.readline().split(",")]
    except (OSError, ValueError) as error:
        raise Unusable(path, 1, str(error)) from error
    known = ["neutral", "anger", "disgust", "fear", "happiness", "sadness", "surprise", "other"]
    if names != known:
        raise Unusable(path, 1, f"the classes are {', '.join(names)}, expected {', '.join(known)}")
    return path
