"""The face meshes of a workspace, read where they are asked for: one takes 6 kB, so all of them are never held."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fercli import tables
from fercli.table_rules import values_of
from fercli.workspace import Workspace

N_POINTS = 478
_KEPT = 4
"""Row groups held at the same time, some megabytes each: the faces of neighbouring frames are mostly in one or two."""


class Meshes:
    """Face -> points.

    Args:
        faces: (N,) numbers of the faces that have a mesh, ascending.
        path: of the table; None if there are none.
    """

    def __init__(self, faces: NDArray[np.int64], path: Path | None) -> None:
        self._faces, self._path = faces, path
        self._begins = _begins(path)
        self._group = lru_cache(_KEPT)(self._read)

    @classmethod
    def of(cls, workspace: Workspace) -> Meshes:
        """Those of a workspace; none if its landmarks were not kept.

        Raises:
            CorruptTable: the table cannot be read.
        """
        path = workspace.table("meshes")
        if not path.is_file():
            return cls.none()
        parts = [part["face"].to_numpy() for part in tables.read_parts(path, tables.MESHES, columns=["face"])]
        return cls(np.concatenate([np.zeros(0, np.int64), *parts]), path) if parts else cls.none()

    @classmethod
    def none(cls) -> Meshes:
        """No meshes."""
        return cls(np.zeros(0, np.int64), None)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(len(self._faces))

    def points(self, faces: NDArray[np.int64]) -> NDArray[np.float32]:
        """(N, 478, 3) points of some faces, pixels of the frame; NaN where there is no mesh. Errors as `of`."""
        found = np.full((len(faces), N_POINTS, 3), np.nan, np.float32)
        rows = np.searchsorted(self._faces, faces)
        has = np.append(self._faces, -1)[rows] == faces
        groups = np.searchsorted(self._begins, rows, side="right") - 1
        for group in np.unique(groups[has]).tolist():
            own = np.flatnonzero(has & (groups == group))
            found[own] = self._group(group)[rows[own] - self._begins[group]]
        return found

    def _read(self, group: int) -> NDArray[np.float32]:
        assert self._path is not None
        (part,) = tables.read_parts(self._path, tables.MESHES, rows=[int(self._begins[group])])
        flat = values_of(part["points"]).astype(np.float32)
        return flat.reshape(part.num_rows, N_POINTS, 3)


def _begins(path: Path | None) -> NDArray[np.int64]:
    """First row of each row group."""
    if path is None:
        return np.zeros(1, np.int64)
    facts = pq.read_metadata(path.absolute())
    sizes = [facts.row_group(number).num_rows for number in range(facts.num_row_groups)]
    return np.cumsum([0, *sizes[:-1]])
