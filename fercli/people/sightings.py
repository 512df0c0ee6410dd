"""Where and when faces are seen, and which track they belong to: only the rows and columns that are asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from fercli import tables
from fercli.people.corrections import Seen
from fercli.workspace import Workspace

NEAREST_S = 0.5
"""A moment belongs to the sampled frame nearest to it, if that is not further away than this, seconds."""
_BOX = ("x1", "y1", "x2", "y2")


def places(workspace: Workspace, faces: Collection[int]) -> dict[int, Seen]:
    """Face -> its moment (to the millisecond) and the middle of its box (to the pixel).

    Raises:
        CorruptTable: a table cannot be read.
    """
    rows = _rows(workspace, "faces", ["face", "frame", *_BOX], "face", faces).to_pylist()
    times = _times(workspace, {row["frame"] for row in rows})
    return {
        row["face"]: Seen(
            round(times[row["frame"]], 3), round((row["x1"] + row["x2"]) / 2), round((row["y1"] + row["y2"]) / 2)
        )
        for row in rows
    }


def tracks_at(workspace: Workspace, seen: Iterable[Seen]) -> dict[Seen, int]:
    """Moment and place -> the track of the face that is there; without an entry where no face of a track is.

    Of faces that overlap there, the one whose middle is nearest counts.

    Raises:
        CorruptTable: a table cannot be read.
    """
    frames = tables.read_table(workspace.table("frames"), tables.FRAMES)
    frame_at = {moment: _nearest(frames, moment.time_s) for moment in seen}
    near = {frame for frame in frame_at.values() if frame is not None}
    faces = _rows(workspace, "faces", ["face", "frame", *_BOX], "frame", near).to_pylist()
    found = {}
    for moment, frame in frame_at.items():
        hits = [row for row in faces if row["frame"] == frame and _inside(moment, row)]
        if hits:
            found[moment] = min(hits, key=lambda row: _distance(moment, row))["face"]
    owners = _rows(workspace, "tracks", ["face", "track"], "face", found.values()).to_pylist()
    track_of = {row["face"]: row["track"] for row in owners}
    return {moment: track_of[face] for moment, face in found.items() if face in track_of}


def seen_together(workspace: Workspace, groups: Sequence[Sequence[int]]) -> tuple[int, int, float] | None:
    """Two tracks of different groups that share a frame, and its time in seconds: the earliest; None if there are none.

    Raises:
        CorruptTable: a table cannot be read.
    """
    group_of = {track: number for number, group in enumerate(groups) for track in group}
    members = _rows(workspace, "tracks", ["face", "track"], "track", group_of)
    faces = _rows(workspace, "faces", ["face", "frame"], "face", members["face"].to_pylist())
    first_in: dict[int, int] = {}
    # Faces are numbered by frame, and both tables are in the order of the faces.
    for frame, track in zip(faces["frame"].to_pylist(), members["track"].to_pylist(), strict=True):
        other = first_in.setdefault(frame, track)
        if group_of[other] != group_of[track]:
            return other, track, _times(workspace, [frame])[frame]
    return None


def _times(workspace: Workspace, frames: Collection[int]) -> dict[int, float]:
    rows = _rows(workspace, "frames", ["frame", "pts_s"], "frame", frames).to_pylist()
    return {row["frame"]: row["pts_s"] for row in rows}


def _nearest(frames: pa.Table, time_s: float) -> int | None:
    """The sampled frame next to this time, or else the one that is held over it; None if there is none."""
    begin, end = frames["pts_s"].to_numpy(), frames["end_s"].to_numpy()
    away = np.abs(begin - time_s)
    if len(away) and away.min() > NEAREST_S:
        away = np.maximum(begin - time_s, time_s - end)
    if not len(away) or away.min() > NEAREST_S:
        return None
    return int(frames["frame"][int(away.argmin())].as_py())


def _inside(seen: Seen, row: dict[str, Any]) -> bool:
    return bool(row["x1"] <= seen.x < row["x2"] and row["y1"] <= seen.y < row["y2"])


def _distance(seen: Seen, row: dict[str, Any]) -> float:
    return float(np.hypot((row["x1"] + row["x2"]) / 2 - seen.x, (row["y1"] + row["y2"]) / 2 - seen.y))


def _rows(workspace: Workspace, table: str, columns: list[str], key: str, wanted: Collection[int]) -> pa.Table:
    return tables.read_rows(workspace.table(table), tables.SCHEMAS[table], columns, key, wanted)
