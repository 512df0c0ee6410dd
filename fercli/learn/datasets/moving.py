"""Frames of videos as the pictures of a data set: `S035-004.avi/17` is frame 17, from 0, of that video."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.errors import InputError
from fercli.learn.datasets.pictures import read_picture
from fercli.media.decode import read_frames, read_view
from fercli.media.upright import Stretch

KEPT = 32
"""Number of videos whose frames are cached: the number of threads that read samples."""


def frame_path(video: Path, number: int) -> Path:
    """The name of a frame, counted from 0."""
    return video / str(number)


class Frames:
    """Reads frames by their names, each video once, and also single pictures."""

    def __init__(self, frames: Iterable[Path]) -> None:
        """`frames` are all frames that will be read; if the folder is a file, it is a frame of that video."""
        self._wanted: dict[Path, list[int]] = defaultdict(list)
        for frame in frames:
            if frame.parent.is_file():
                self._wanted[frame.parent].append(int(frame.name))
        self._read = lru_cache(KEPT)(self._decode)

    def __call__(self, path: Path) -> NDArray[np.uint8]:
        """The (H, W, 3) RGB picture of a name.

        Raises:
            InputError: the video or picture cannot be read, or the frame cannot be decoded.
        """
        if path.parent not in self._wanted:
            return read_picture(path)
        picture = self._read(path.parent).get(int(path.name))
        if picture is None:
            raise InputError(
                f"frame {path.name} of {path.parent} cannot be decoded",
                hint="copy the video again",
                code="image-unreadable",
            )
        return picture

    def _decode(self, video: Path) -> dict[int, NDArray[np.uint8]]:
        """In square pixels: cameras of that time stored other numbers of columns than are shown."""
        stretch = Stretch.of(float(read_view(video).screen.pixel_aspect))
        wanted = sorted(set(self._wanted[video]))
        return {number: stretch.square(picture) for number, picture in read_frames(video, wanted)}
