"""Times of annotations that are made frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fercli.errors import VideoError
from fercli.learn.datasets.over_time.recordings import Floats, Unusable
from fercli.media.index import read_index

VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".mpg", ".mpeg", ".webm")


def frame_times(count: int, video: Path | None, fps: float) -> Floats:
    """(count,) times of the frames of a video, seconds; at a constant rate without the video, and behind its end.

    Raises:
        Unusable: the video cannot be read.
    """
    times: Floats = np.arange(count) / fps
    if video is None:
        return times
    try:
        found = read_index(video).pts_s[:count]
    except VideoError as error:
        raise Unusable(video, 0, error.message) from error
    step = float(np.median(np.diff(found))) if len(found) > 1 else 1 / fps
    return np.concatenate([found, found[-1] + step * np.arange(1, count - len(found) + 1)])


def videos_below(folders: Sequence[Path]) -> dict[str, Path]:
    """Name without suffix -> video, of all videos below some folders."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
            if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file():
                found.setdefault(path.stem, path)
    return found
