"""Small pictures of faces: one larger portrait per person, and the others side by side on one sheet per person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.media.crops import read_crops
from fercli.media.images import encode_jpeg

PORTRAIT_SIDE = 144
"""Pixels."""
SIDE, COLUMNS = 80, 12
"""Side of a face on a sheet, pixels; and number of faces in a row."""
_QUALITY = 72


def make_pictures(
    crops: Path, portraits: Sequence[int], sheets: Sequence[NDArray[np.int64]]
) -> tuple[Mapping[int, bytes], list[bytes]]:
    """Read every displayed face once.

    Args:
        crops: the table `crops`.
        portraits: a face for each portrait.
        sheets: for each sheet its faces, in their order on it: rows of COLUMNS, from the left.

    Returns:
        face -> JPEG of a portrait; JPEG of each sheet, empty if a sheet has no faces.

    Raises:
        CorruptTable, InputError: the crops cannot be read.
    """
    places: dict[int, list[tuple[int, int]]] = {}
    for number, faces in enumerate(sheets):
        for place, face in enumerate(faces.tolist()):
            places.setdefault(face, []).append((number, place))
    canvases = [_blank(len(faces)) for faces in sheets]
    jpegs = {}
    wanted = np.array(sorted({*portraits, *places}), np.int64)
    for face, crop in read_crops(crops, wanted):
        if face in portraits:
            jpegs[face] = encode_jpeg(_scaled(crop, PORTRAIT_SIDE), quality=85)
        for number, place in places.get(face, []):
            top, left = place // COLUMNS * SIDE, place % COLUMNS * SIDE
            canvases[number][top : top + SIDE, left : left + SIDE] = _scaled(crop, SIDE)
    return jpegs, [encode_jpeg(canvas, quality=_QUALITY) if canvas.size else b"" for canvas in canvases]


def _blank(faces: int) -> NDArray[np.uint8]:
    return np.full((-(-faces // COLUMNS) * SIDE, COLUMNS * SIDE, 3), 255, np.uint8)


def _scaled(crop: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    how = cv2.INTER_AREA if crop.shape[0] > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(crop, (side, side), interpolation=how), np.uint8)
