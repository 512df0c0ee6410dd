"""The pictures in picture files and in videos, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.batch.jobs import VIDEO_SUFFIXES
from fercli.errors import InputError

PICTURE_SUFFIXES = frozenset([".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"])
EVERY_S = 1.0
"""Time between two frames of a video, seconds: closer ones are nearly the same picture."""


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        file: the picture file, or the video.
        time_s: time of the frame; None for a picture file.
        image: (H, W, 3) RGB uint8, upright, square pixels.
    """

    file: Path
    time_s: float | None
    image: NDArray[np.uint8]


def list_sources(given: Iterable[Path]) -> list[Path]:
    """Picture files and videos: those named, and those in folders that are named, also in folders in them.

    Raises:
        InputError: there is nothing at a path, or no picture or video in a folder.
    """
    found: dict[Path, None] = {}
    for path in given:
        if not path.is_dir():
            found[path] = None
            continue
        usable = PICTURE_SUFFIXES | VIDEO_SUFFIXES
        inside = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in usable and file.is_file()]
        inside = [file for file in inside if not any(part.startswith(".") for part in file.relative_to(path).parts)]
        if not inside:
            raise InputError(
                f"there is no picture and no video in {path}", hint="name other files or folders", code="no-pictures"
            )
        found.update(dict.fromkeys(inside))
    return list(found)


def pictures_of(file: Path) -> Iterator[Picture]:
    """The picture in a file, or a frame a second of a video. Holds one picture.

    Raises:
        InputError, VideoError: it cannot be read.
    """
    if file.suffix.lower() in PICTURE_SUFFIXES:
        from fercli.media.images import read_image

        yield Picture(file, None, read_image(file))
        return
    yield from _frames(file)


def _frames(video: Path) -> Iterator[Picture]:
    from fercli.media.decode import decode, read_view
    from fercli.media.index import read_index
    from fercli.media.upright import Stretch

    index = read_index(video)
    slots = np.floor((index.pts_s - index.pts_s[0]) / EVERY_S + 1e-6)
    wanted = np.unique(slots, return_index=True)[1].tolist()
    stretch = Stretch.of(float(read_view(video).screen.pixel_aspect))
    for picture in decode(video, index, wanted):
        yield Picture(video, float(index.pts_s[picture.frame]), stretch.square(picture.rgb()))
