"""The face of a person or track nearest to the middle of an interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.results.details import read_faces
from fercli.tables import rows_by_value
from fercli.workspace import Workspace

_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class SeenFace:
    """A face: its track, its time in seconds, and x1, y1, x2, y2 in pixels."""

    track: int
    time_s: float
    box: tuple[float, float, float, float]


class SeenFaces:
    """The faces of the tracks that are not ignored.

    Args:
        workspace: a workspace with the tables frames, faces and tracks.
        names: track -> displayed name of its person; faces of other tracks are left out.

    Raises:
        CorruptTable: a table cannot be read.
    """

    def __init__(self, workspace: Workspace, names: Mapping[int, str]) -> None:
        faces = read_faces(workspace, names)
        self._track, self._start_s, self._end_s = (faces[name].to_numpy() for name in ("track", "pts_s", "end_s"))
        self._rows_of_track, self._rows_of_person = rows_by_value(faces["track"]), rows_by_value(faces["person"])
        self._boxes = np.stack([faces[edge].to_numpy() for edge in ("x1", "y1", "x2", "y2")], axis=1)

    def of_track(self, track: int, start_s: float, end_s: float) -> SeenFace | None:
        """The track's face nearest to the middle of [start_s, end_s); None if there is none."""
        return self._nearest(self._rows_of_track.get(track, _NONE), start_s, end_s)

    def of_person(self, name: str, start_s: float, end_s: float) -> SeenFace | None:
        """The person's face nearest to the middle of [start_s, end_s); None if there is none."""
        return self._nearest(self._rows_of_person.get(name, _NONE), start_s, end_s)

    def _nearest(self, own: NDArray[np.int64], start_s: float, end_s: float) -> SeenFace | None:
        # A face is visible for the whole time of its frame.
        rows = own[(self._start_s[own] < end_s) & (self._end_s[own] > start_s)]
        if not len(rows):
            return None
        row = rows[np.abs(self._start_s[rows] - (start_s + end_s) / 2).argmin()]
        x1, y1, x2, y2 = self._boxes[row].tolist()
        return SeenFace(int(self._track[row]), float(self._start_s[row]), (x1, y1, x2, y2))
