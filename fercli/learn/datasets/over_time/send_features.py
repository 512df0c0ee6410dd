"""The features that come with SEND, so that its sequence models can be trained without the videos.

    features/{Train,Valid,Test}/acoustic-egemaps/ID112_vid1_acousticFeatures.csv    frameTime, then eGeMAPS
    features/{Train,Valid,Test}/emotient/ID112_vid1_*.txt                           Frametime, AU1 ... AU43
    features/{Train,Valid,Test}/linguistic*/ID112_vid1_aligned.tsv                  time-offset, glove0 ... glove299
    features/{Train,Valid,Test}/image*/ID112_vid1_*.csv                             Frametime, vector0 ... vector999

The name of a folder is the name of the modality. A row holds until the next one, words at most HELD_S.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ConfigError, DatasetError
from fercli.features.file import FeatureFacts, TrackFeatures
from fercli.learn.datasets.folder import find_folder, folders, visible
from fercli.learn.datasets.over_time.recordings import Table, Unusable, read_table
from fercli.learn.datasets.over_time.send import VIDEO_NAME
from fercli.models.sequence import Modality

TIMES = ("frametime", "time-offset", "time")
"""Names of the column of times, in small letters."""
PREFIXES = ("AU", "glove", "vector")
"""Columns of numbers begin with these; of a table without such columns, all behind the times are."""
HELD_S = 5.0
RATE = 0.0
"""They come at rates of their own."""


def read_official(root: Path, wanted: Sequence[str] = ()) -> tuple[FeatureFacts, list[TrackFeatures]]:
    """The features of all videos.

    Args:
        root: of SEND.
        wanted: names of modalities; by default all that every split has.

    Raises:
        DatasetError: there are no features, a file cannot be read, or has other columns than those before it.
        ConfigError: there is no such modality.
    """
    base = find_folder(root, lambda folder: (folder / "features").is_dir())
    splits = folders(base / "features") if base else []
    if not splits:
        raise DatasetError(
            f"no features of SEND under {root}",
            hint="give --features with a file that `fercli features` wrote",
            code="dataset-not-found",
        )
    common = sorted(set.intersection(*({folder.name for folder in folders(split)} for split in splits)))
    names = list(wanted) or common
    unknown = [name for name in names if name not in common]
    if unknown or not names:
        raise ConfigError(
            f"not every split has the features {', '.join(unknown)}",
            hint=f"known: {', '.join(common)}",
            code="name-unknown",
        )
    columns: dict[str, tuple[str, ...]] = {}
    tracks: list[TrackFeatures] = []
    for name in names:
        for split in splits:
            for path in visible(split / name):
                if VIDEO_NAME.match(path.name) and path.is_file():
                    tracks.append(_track(path, name, columns))
    facts = FeatureFacts(
        tuple(Modality(name, len(columns[name]), "SEND") for name in names if name in columns), columns, RATE
    )
    return facts, [_whole(track, facts) for track in tracks]


def _track(path: Path, name: str, columns: dict[str, tuple[str, ...]]) -> TrackFeatures:
    try:
        table = _table(path)
        time = next(column for column in table.columns if column.lower() in TIMES)
        starts = _rising(table.columns[time])
        own = tuple(column for column in table.columns if column != time)
        if columns.setdefault(name, own) != own:
            raise Unusable(path, 1, f"{len(own)} columns that are not those of the files before it")
    except (Unusable, StopIteration) as error:
        problem = str(error.problem) if isinstance(error, Unusable) else f"{path}: no column of times"
        raise DatasetError(
            problem, hint="download the features again, or leave this kind out with --modality"
        ) from error
    known = VIDEO_NAME.match(path.name)
    assert known is not None  # the caller looked
    values = np.stack([table.columns[column] for column in own], axis=1).astype(np.float32)
    ends = np.append(starts[1:], starts[-1] + (np.median(np.diff(starts)) if len(starts) > 1 else 1.0))
    video = f"ID{known[1]}_vid{known[2]}"
    return TrackFeatures(video, 0, known[1], starts, np.minimum(ends, starts + HELD_S), {name: values})


def _table(path: Path) -> Table:
    delimiter = "\t" if path.suffix == ".tsv" else ","
    with path.open(encoding="utf-8-sig") as file:
        header = [cell.strip() for cell in file.readline().rstrip("\n").split(delimiter)]
    numbers = [name for name in header if name.startswith(PREFIXES) and name.lstrip("AUglovectr").isdigit()]
    place = next((k for k, name in enumerate(header) if name.lower() in TIMES), len(header))
    return read_table(path, delimiter=delimiter, only=[*header[place : place + 1], *(numbers or header[place + 1 :])])


def _rising(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Times of rows that share one, such as words said together, are moved apart a little."""
    rising: NDArray[np.float64] = np.maximum.accumulate(times) + 1e-6 * np.arange(len(times))
    return rising


def _whole(track: TrackFeatures, facts: FeatureFacts) -> TrackFeatures:
    """The same with all modalities: those of other rows are missing."""
    count = len(track.start_s)
    nothing = {one.name: np.full((count, one.size), np.nan, np.float32) for one in facts.modalities}
    return TrackFeatures(
        track.video, track.track, track.person, track.start_s, track.end_s, {**nothing, **track.values}
    )
