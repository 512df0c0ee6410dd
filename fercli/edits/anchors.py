"""Anchors and faces: the track of the face at an anchor, and the anchors of faces; reads only the required rows and
columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from fercli import tables
from fercli.edits.edit import Anchor
from fercli.workspace import Workspace

NEAREST_S = 0.5
"""A moment belongs to the nearest sampled frame, if that is at most this far away, seconds."""
_BOX = ("x1", "y1", "x2", "y2")


def anchors_of(workspace: Workspace, faces: Collection[int]) -> dict[int, Anchor]:
    """Face -> its anchor: time rounded to milliseconds, box to tenths of a pixel.

    Raises:
        CorruptTable: a table cannot be read.
    """
    rows = _rows(workspace, "faces", ["face", "frame", *_BOX], "face", faces).to_pylist()
    times = _times(workspace, {row["frame"] for row in rows})
    return {
        row["face"]: Anchor(
            round(times[row["frame"]], 3),
            (round(row["x1"], 1), round(row["y1"], 1), round(row["x2"], 1), round(row["y2"], 1)),
        )
        for row in rows
    }


def tracks_at(workspace: Workspace, anchors: Iterable[Anchor]) -> dict[Anchor, int]:
    """Anchor -> the track of the face at the anchor; no entry if there is no face with a track.

    A face is at the anchor if, in the nearest sampled frame, it contains the middle of the anchor's box. Of several
    faces, the one with the nearest middle is used.

    Raises:
        CorruptTable: a table cannot be read.
    """
    wanted = set(anchors)
    if not wanted:
        return {}
    frames = tables.read_table(workspace.table("frames"), tables.FRAMES)
    begin, end, numbers = (frames[name].to_numpy() for name in ("pts_s", "end_s", "frame"))
    place = {anchor: _nearest(begin, end, anchor.time_s) for anchor in wanted}
    frame_at = {anchor: int(numbers[row]) for anchor, row in place.items() if row is not None}
    in_frame: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in _rows(workspace, "faces", ["face", "frame", *_BOX], "frame", set(frame_at.values())).to_pylist():
        in_frame[row["frame"]].append(row)
    found = {}
    for anchor, frame in frame_at.items():
        hits = [row for row in in_frame[frame] if _inside(anchor, row)]
        if hits:
            found[anchor] = min(hits, key=lambda row: _distance(anchor, row))["face"]
    owners = _rows(workspace, "tracks", ["face", "track"], "face", set(found.values())).to_pylist()
    track_of = {row["face"]: row["track"] for row in owners}
    return {anchor: track_of[face] for anchor, face in found.items() if face in track_of}


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


def _nearest(begin: Any, end: Any, time_s: float) -> int | None:
    """Row of the sampled frame nearest to this time, or else of the still picture at this time; None if there is
    none."""
    away = np.abs(begin - time_s)
    if len(away) and away.min() > NEAREST_S:
        away = np.maximum(begin - time_s, time_s - end)
    if not len(away) or away.min() > NEAREST_S:
        return None
    return int(away.argmin())


def _inside(anchor: Anchor, row: dict[str, Any]) -> bool:
    x, y = anchor.middle
    return bool(row["x1"] <= x < row["x2"] and row["y1"] <= y < row["y2"])


def _distance(anchor: Anchor, row: dict[str, Any]) -> float:
    x, y = anchor.middle
    return float(np.hypot((row["x1"] + row["x2"]) / 2 - x, (row["y1"] + row["y2"]) / 2 - y))


def _rows(workspace: Workspace, table: str, columns: list[str], key: str, wanted: Collection[int]) -> pa.Table:
    return tables.read_rows(workspace.table(table), tables.SCHEMAS[table], columns, key, wanted)
