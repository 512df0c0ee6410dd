"""SEND, the Stanford Emotional Narratives Dataset: 193 clips of 49 persons who tell a story of their life.

    ratings/{Train,Valid,Test}/observer_EWE/results_112_1.csv     time, evaluatorWeightedEstimate (0 to 100), 2 a second
    ratings/{Train,Valid,Test}/observer/results_112_1.csv         time, and a column for each rater; optional
    features/{Train,Valid,Test}/MODALITY/ID112_vid1_*             the authors' features; see `send_features`
    videos/.../ID112_vid1*.mp4                                    the videos, where a user has them

112 is the person, 1 the number of the video. No person is in two splits, 114, 40 and 39 videos. 50 is neutral, so the
valence is estimate / 50 - 1.

Set: Ong et al. 2019, "Modeling emotion in complex stories", arXiv 1912.05008. Folders and columns from the authors' and
others' public loaders. The set needs an agreement: this reader was only tested on synthetic files.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fercli.errors import DatasetError
from fercli.learn.datasets.folder import find_folder, folders, visible
from fercli.learn.datasets.over_time.recordings import (
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

TERMS = "SEND (Ong et al. 2019; research under an agreement, not redistributable)"
ESTIMATE = "evaluatorWeightedEstimate"
RATING_FILE = re.compile(r"results_(\d+)_(\d+)\.csv")
VIDEO_NAME = re.compile(r"ID(\d+)_vid(\d+)(?!\d)")
EXPECTED = """expected the folders as they are unpacked:
  ROOT/ratings/Train/observer_EWE/results_112_1.csv, and the same for Valid and Test"""


def read(root: Path) -> Recordings:
    """Read all ratings.

    Raises:
        DatasetError: `root` holds no ratings of SEND.
    """
    base = find_folder(root, lambda folder: bool(_splits(folder / "ratings")))
    if base is None:
        raise DatasetError(f"no SEND under {root}: no folder ratings/Train", hint=EXPECTED, code="dataset-not-found")
    videos = _videos(base)
    found = list(_read(base / "ratings", videos))
    with_video = sum(isinstance(item, Recording) and item.path is not None for item in found)
    notes: tuple[str, ...] = (f"{with_video} of {len(found)} have a video",)
    persons: dict[str, set[str]] = defaultdict(set)
    for item in found:
        if isinstance(item, Recording):
            persons[item.person].add(item.split)
    shared = sorted(person for person, splits in persons.items() if len(splits) > 1)
    if shared:
        notes += (f"persons in more than one split: {', '.join(shared)}",)
    return recordings("send", TERMS, found, EXPECTED, notes=notes)


def _splits(ratings: Path) -> list[tuple[str, Path]]:
    """Split and folder, of the folders of the splits that are there."""
    if not ratings.is_dir():
        return []
    named = {folder.name.lower(): folder for folder in folders(ratings)}
    return [(SPLIT_FOLDERS[name], folder) for name, folder in named.items() if name in ("train", "valid", "test")]


def _videos(base: Path) -> dict[str, Path]:
    found = {}
    for path in sorted(base.glob("[vV]ideos/**/ID*_vid*")):
        name = VIDEO_NAME.match(path.name)
        if name and path.is_file():
            found[f"ID{name[1]}_vid{name[2]}"] = path
    return found


def _read(ratings: Path, videos: dict[str, Path]) -> Iterator[Recording | Problem | LeftOut]:
    for split, folder in _splits(ratings):
        estimates = folder / "observer_EWE"
        if not estimates.is_dir():
            yield Problem(str(folder), 0, "no folder observer_EWE")
            continue
        for path in visible(estimates):
            yield attempt(lambda path=path, folder=folder, split=split: _recording(path, folder, split, videos))  # type: ignore[misc]


def _recording(path: Path, folder: Path, split: str, videos: dict[str, Path]) -> Recording | LeftOut:
    name = RATING_FILE.fullmatch(path.name)
    if name is None:
        raise Unusable(path, 0, "the name is not like results_112_1.csv")
    table = read_table(path, only=("time", ESTIMATE))
    times = table.rising("time")
    raters: dict[str, Floats] = {}
    single = folder / "observer" / path.name
    if single.is_file():
        raters = _raters(single, times)
    video = f"ID{name[1]}_vid{name[2]}"
    values = {"valence": table.in_range(ESTIMATE, 0, 100)}
    return Recording(video, name[1], times, values, split=split, raters=raters, path=videos.get(video))


def _raters(path: Path, times: Floats) -> dict[str, Floats]:
    """The single ratings at some times; those of other times are left out."""
    table = read_table(path)
    own = table.rising("time")
    places = np.clip(np.searchsorted(own, times), 0, len(own) - 1)
    there = np.isclose(own[places], times, atol=1e-6)
    names = [name for name in table.columns if name != "time"]
    return {name: np.where(there, table.in_range(name, 0, 100)[places], np.nan) for name in names}
