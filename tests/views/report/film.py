"""A workspace of a film of nine seconds, with the film beside it or without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from fercli import tables
from fercli.tables import ATTRIBUTES
from fercli.workspace import VideoFacts, Workspace
from tests.workspaces import (
    VIDEO,
    attributes_table,
    crops_table,
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    noise_crops,
    tracks_table,
)

START_S, STEP_S = 5.0, 0.2
LABELS = ("anger", "happiness", "neutral")
EVIL = "</script><script>alert(1)</script> & Söhne"
PEOPLE = {0: (EVIL, 0.9), 1: ("Person 2", 0.8), 2: (EVIL, 0.7), 3: (None, None)}
"""Track -> whose, and how surely."""
SEEN = {0: range(0, 20), 1: range(0, 10), 2: range(20, 45), 3: range(30, 40)}
"""Track -> in which of 45 frames."""
FACES = sorted((frame, track) for track, frames in SEEN.items() for frame in frames)
SEGMENTS = [
    # track, first frame, end frame, class, score
    (0, 0, 10, "happiness", 0.8),
    (0, 10, 20, "neutral", 0.6),
    (1, 0, 10, "anger", 0.7),
    (2, 20, 30, "neutral", 0.5),
    (2, 30, 35, "not assessable", None),
    (2, 35, 45, "happiness", 0.9),
    (3, 30, 40, "not assessable", None),
]
DOUBTFUL = "turned by 20 to 30 degrees"
"""The one segment of track 1."""
PROBABILITIES = {"happiness": (0.1, 0.8, 0.1), "neutral": (0.2, 0.2, 0.6), "anger": (0.7, 0.1, 0.2)}


def pts(frame: int) -> float:
    """When a frame is seen; the second shot begins with frame 20."""
    return START_S + STEP_S * frame


def make_film(path: Path, video: VideoFacts | None = None) -> Workspace:
    """The workspace; without a video of its own it belongs to one that is not there."""
    windows_schema = tables.windows_schema(LABELS)
    first_face = {(frame, track): face for face, (frame, track) in enumerate(FACES)}
    windows, segments = [], []
    for track, first, end, emotion, score in SEGMENTS:
        reason = "" if score else "too small"
        times = {"track": track, "start_s": pts(first), "end_s": pts(end)}
        face = first_face[first, track]
        doubtful = DOUBTFUL if (track, first) == (1, 0) else ""
        said = {"class": emotion, "score": score, "reason": reason, "doubtful": doubtful}
        segments.append({**times, **said, "face": face})
        values = PROBABILITIES.get(emotion, (None, None, None))
        windows.append({**times, "face": face, "reason": reason, **dict(zip(LABELS, values, strict=True))})
    return make_workspace(
        path,
        video or replace(VIDEO, path="/films/moved.mp4", start_s=START_S, duration_s=9.0, width=128, height=64),
        frames=frames_table(list(map(pts, range(45))), shots=[0] * 20 + [1] * 25),
        faces=faces_table([_face(frame, track) for frame, track in FACES]),
        attributes=attributes_table(len(FACES), **_measured()),
        crops=crops_table(noise_crops(len(FACES))),
        tracks=tracks_table({track: [first_face[frame, track] for frame in frames] for track, frames in SEEN.items()}),
        persons=pa.Table.from_pylist([_person(track, first_face) for track in SEEN], schema=tables.PERSONS),
        emotions=pa.Table.from_pylist(windows, schema=windows_schema),
        segments=pa.Table.from_pylist(segments, schema=tables.SEGMENTS),
    )


def make_film_of_nobody(path: Path) -> Workspace:
    """The workspace of a film without a face."""
    return make_workspace(
        path,
        frames=frames_table(list(map(pts, range(45)))),
        emotions=tables.windows_schema(LABELS).empty_table(),
        **{name: tables.SCHEMAS[name].empty_table() for name in ("faces", "crops", "tracks", "persons", "segments")},
    )


def _face(frame: int, track: int) -> dict[str, object]:
    """They move evenly to the right, each in its own place."""
    left = 5.0 + 30 * track + 0.2 * frame
    return face_row(frame, x1=left, x2=left + 16, y1=42.0, y2=62.0)


def _measured() -> dict[str, list[float | None]]:
    """They smile at .6, turn from 30 degrees left to 14 degrees right, and of track 3 there is no mesh."""
    seen = [track != 3 for _, track in FACES]
    values: dict[str, list[float | None]] = {name: [None] * len(FACES) for name in ATTRIBUTES.names[2:]}
    for name, value in {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.7, "jawOpen": 0.25}.items():
        values[name] = [value if one else None for one in seen]
    values["yaw"] = [frame - 30.0 if one else None for (frame, _), one in zip(FACES, seen, strict=True)]
    return {name: column for name, column in values.items() if name != "flag"}


def _person(track: int, first_face: dict[tuple[int, int], int]) -> dict[str, object]:
    name, identity = PEOPLE[track]
    frames = SEEN[track]
    return {
        "track": track,
        "person": name,
        "shot": int(frames[0] >= 20),
        "start_s": pts(frames[0]),
        "end_s": pts(frames[-1] + 1),
        "faces": len(frames),
        "best_face": first_face[frames[3], track],
        "identity": identity,
    }
