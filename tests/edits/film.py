"""A film of six seconds with five tracks, and how `track` might number and name them the next time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from fercli import tables
from fercli.workspace import Workspace
from tests.workspaces import (
    add_receipt,
    crops_table,
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    noise_crops,
    segments_table,
    tracks_table,
)

SEEN = {
    0: (range(0, 10), 100),
    1: (range(0, 10), 400),
    2: (range(30, 50), 100),
    3: (range(30, 40), 400),
    4: (range(50, 54), 250),
}
"""Track -> the frames it is seen in, 0.1 s each, and the left edge of its faces, 80 pixels wide and 100 high."""
PERSONS: dict[int, tuple[str | None, float | None]] = {
    0: ("Person 1", 0.9),
    1: ("Person 2", 0.8),
    2: ("Person 1", 0.4),
    3: ("Person 3", 0.7),
    4: (None, None),
}
FACES = sorted((frame, left, track) for track, (frames, left) in SEEN.items() for frame in frames)
"""Face n is seen in (frame, left edge, track)."""


def make_film(path: Path) -> Workspace:
    """The workspace: shot 0 until 3 s, shot 1 after it; every track has one happy segment."""
    frames = frames_table([k / 10 for k in range(60)])
    frames = frames.set_column(3, tables.FRAMES.field("shot"), pa.array([int(k >= 30) for k in range(60)], pa.int32()))
    faces = [face_row(frame, x1=float(left), x2=left + 80.0) for frame, left, _ in FACES]
    spans = [(track, frames[0] / 10, (frames[-1] + 1) / 10) for track, (frames, _) in SEEN.items()]
    workspace = make_workspace(
        path,
        frames=frames,
        faces=faces_table(faces),
        crops=crops_table(noise_crops(len(faces))),
        segments=segments_table(
            [(track, start, end, "happiness", 0.8, "", _faces_of(track)[0]) for track, start, end in spans]
        ),
    )
    track_again(workspace)
    return workspace


def track_again(
    workspace: Workspace,
    persons: Mapping[int, tuple[str | None, float | None]] = PERSONS,
    numbers: Mapping[int, int] | None = None,
) -> None:
    """Write the tables of `track`: who the film's tracks are, and their numbers; tracks that are left out are gone."""
    numbers = numbers or {track: track for track in persons}
    workspace.table("tracks").parent.mkdir(exist_ok=True)
    members = tracks_table({numbers[track]: _faces_of(track) for track in persons})
    rows = [
        {
            "track": number,
            "person": persons[track][0],
            "shot": int(SEEN[track][0][0] >= 30),
            "start_s": SEEN[track][0][0] / 10,
            "end_s": (SEEN[track][0][-1] + 1) / 10,
            "faces": len(_faces_of(track)),
            "best_face": best_face(track),
            "identity": persons[track][1],
        }
        for number, track in sorted((numbers[track], track) for track in persons)
    ]
    people = pa.Table.from_pylist(rows, schema=tables.PERSONS)
    tables.write_table(workspace.table("tracks"), [members], tables.TRACKS)
    workspace.table("persons").parent.mkdir(exist_ok=True)
    tables.write_table(workspace.table("persons"), [people], tables.PERSONS)
    add_receipt(workspace, "tracks")
    add_receipt(workspace, "persons")


def best_face(track: int) -> int:
    """The third face of a track."""
    return _faces_of(track)[2]


def _faces_of(track: int) -> list[int]:
    return [face for face, (_, _, owner) in enumerate(FACES) if owner == track]
