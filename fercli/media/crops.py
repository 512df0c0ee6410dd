"""The stored crops of chosen faces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli import tables
from fercli.media import images


def read_crops(path: Path, wanted: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Number and (S, S, 3) RGB crop of each wanted face; holds one row group at a time.

    Face numbers are row numbers, so only the row groups that the wanted faces lie in are read.

    Args:
        path: the table `crops`.
        wanted: numbers of faces, in any order; each is given once, ascending.

    Raises:
        CorruptTable: the table cannot be read.
        InputError: a crop cannot be decoded.
    """
    if not len(wanted):
        return
    for part in tables.read_parts(path, tables.CROPS, first_row=int(wanted.min()), last_row=int(wanted.max())):
        ids = part["face"].to_numpy()
        for row in np.flatnonzero(np.isin(ids, wanted)):
            yield int(ids[row]), images.decode_jpeg(part["jpeg"][int(row)].as_py())
