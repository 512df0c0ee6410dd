"""Where somebody's face is nearest to the middle of a stretch of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fercli import tables
from fercli.timing import frame_ends
from fercli.workspace import Workspace

_NONE = np.zeros(0, np.intp)


@dataclass(frozen=True)
class SeenFace:
    """A face: its track, and x1, y1, x2, y2 in pixels."""

    track: int
    box: tuple[float, float, float, float]


class SeenFaces:
    """The faces of the shown tracks.

    Args:
        workspace: with the tables frames, faces and tracks.
        names: track -> shown name of its person; faces of other tracks are left out.

    Raises:
        CorruptTable: a table cannot be read.
    """

    def __init__(self, workspace: Workspace, names: Mapping[int, str]) -> None:
        tracks = tables.read_table(workspace.table("tracks"), tables.TRACKS)
        tracks = tracks.filter(pc.is_in(tracks["track"], pa.array(sorted(names), pa.int32()))).sort_by("face")
        faces = tables.read_table(workspace.table("faces"), tables.FACES).take(tracks["face"])
        frames = tables.read_table(workspace.table("frames"), tables.FRAMES)
        pts = frames["pts_s"].to_numpy()
        place = np.searchsorted(frames["frame"].to_numpy(), faces["frame"].to_numpy())
        self._track = tracks["track"].to_numpy()
        persons = np.array([names[number] for number in self._track.tolist()], dtype=object)
        self._rows_of_track = {track: np.flatnonzero(self._track == track) for track in names}
        self._rows_of_person = {name: np.flatnonzero(persons == name) for name in set(names.values())}
        self._start_s, self._end_s = pts[place], frame_ends(pts, workspace.video.end_s)[place]
        self._boxes = np.stack([faces[edge].to_numpy() for edge in ("x1", "y1", "x2", "y2")], axis=1)

    def of_track(self, track: int, start_s: float, end_s: float) -> SeenFace | None:
        """The track's face nearest to the middle of [start_s, end_s); None if none is seen there."""
        return self._nearest(self._rows_of_track.get(track, _NONE), start_s, end_s)

    def of_person(self, name: str, start_s: float, end_s: float) -> SeenFace | None:
        """The person's face nearest to the middle of [start_s, end_s); None if none is seen there."""
        return self._nearest(self._rows_of_person.get(name, _NONE), start_s, end_s)

    def _nearest(self, own: NDArray[np.intp], start_s: float, end_s: float) -> SeenFace | None:
        # A face is there as long as its frame stands.
        rows = own[(self._start_s[own] < end_s) & (self._end_s[own] > start_s)]
        if not len(rows):
            return None
        row = rows[np.abs(self._start_s[rows] - (start_s + end_s) / 2).argmin()]
        x1, y1, x2, y2 = self._boxes[row].tolist()
        return SeenFace(int(self._track[row]), (x1, y1, x2, y2))
