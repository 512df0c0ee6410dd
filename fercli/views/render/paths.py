"""Positions of faces between sampled frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

MAX_GAP_S = 0.5
"""Between two detections at least this far apart, the position of the face is unknown."""


@dataclass(frozen=True)
class Path:
    """The path of one face through a shot.

    Attributes:
        pts_s: times of its detections, seconds, ascending; float64 (n,), n > 0.
        boxes: boxes of its detections; float32 (n, 4).
        from_s, until_s: it counts as present in [from_s, until_s), which contains all of `pts_s`.
    """

    pts_s: NDArray[np.float64]
    boxes: NDArray[np.float32]
    from_s: float
    until_s: float

    def last_seen(self, time_s: float) -> int:
        """Row of the last detection at or before this time; of the first one if there is none."""
        return max(0, int(np.searchsorted(self.pts_s, time_s, side="right")) - 1)

    def gap_s(self, time_s: float) -> float:
        """Time between the detections before and after this time; 0 before the first, at the last and after it."""
        row = self.last_seen(time_s)
        inside = self.pts_s[0] <= time_s < self.pts_s[-1]
        return float(self.pts_s[row + 1] - self.pts_s[row]) if inside else 0.0

    def box(self, time_s: float) -> NDArray[np.float32]:
        """(4,) box, interpolated linearly between detections; constant before the first and after the last."""
        row = self.last_seen(time_s)
        pair = slice(row, row + 2)
        return np.array([np.interp(time_s, self.pts_s[pair], edge) for edge in self.boxes[pair].T], np.float32)

    def hull(self, time_s: float) -> NDArray[np.float32]:
        """(4,) smallest box around the detections before and after this time."""
        row = self.last_seen(time_s)
        pair = self.boxes[row : row + 2]
        return np.concatenate([pair[:, :2].min(axis=0), pair[:, 2:].max(axis=0)])


class Presence:
    """Which of many paths are present at a time."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._from_s = np.array([path.from_s for path in paths], np.float64)
        self._until_s = np.array([path.until_s for path in paths], np.float64)

    def at(self, time_s: float) -> list[int]:
        """Their numbers, ascending."""
        found: list[int] = np.flatnonzero((self._from_s <= time_s) & (time_s < self._until_s)).tolist()
        return found


def rows_by(owner: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The rows of each owner, in their order; owners ascending."""
    if not len(owner):
        return []
    order = np.argsort(owner, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(owner[order])) + 1)


def boxes_of(faces: pa.Table) -> NDArray[np.float32]:
    """(N, 4) boxes of a table with columns x1, y1, x2, y2."""
    return np.stack([faces[edge].to_numpy() for edge in ("x1", "y1", "x2", "y2")], axis=1)
