"""The stored crops of chosen faces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli import tables
from fercli.media import images

_THUMBNAIL_SIDE = 8
"""Side of a thumbnail, pixels."""


def read_crops(path: Path, wanted: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Number and (S, S, 3) RGB crop of each requested face; holds one row group at a time.

    Face numbers are row numbers, so only the row groups of the requested faces are read.

    Args:
        path: the table `crops`.
        wanted: numbers of faces, in any order; each is yielded once, ascending.

    Raises:
        CorruptTable: the table cannot be read.
        InputError: a crop cannot be decoded.
    """
    if not len(wanted):
        return
    for part in tables.read_parts(path, tables.CROPS, rows=wanted.tolist()):
        ids = part["face"].to_numpy()
        for row in np.flatnonzero(np.isin(ids, wanted)):
            yield int(ids[row]), images.decode_jpeg(part["jpeg"][int(row)].as_py())


def thumbnails(path: Path, wanted: NDArray[np.int64]) -> NDArray[np.float32]:
    """Simple descriptors that distinguish faces within one shot: hair, skin, light and background.

    Args:
        path: the table `crops`.
        wanted: (n,) numbers of faces.

    Returns:
        (n, 192) the middle of each crop at 8 x 8 RGB pixels, divided by 255 and by the root of their number, so that
        distances lie in [0, 1].

    Raises:
        CorruptTable, InputError: as `read_crops`.
    """
    looks = {}
    for face, crop in read_crops(path, wanted):
        middle = slice(len(crop) // 8, len(crop) - len(crop) // 8)
        small = cv2.resize(crop[middle, middle], (_THUMBNAIL_SIDE, _THUMBNAIL_SIDE), interpolation=cv2.INTER_AREA)
        looks[face] = small.astype(np.float32).ravel() / 255 / np.sqrt(small.size)
    return np.stack([looks[int(face)] for face in wanted])
