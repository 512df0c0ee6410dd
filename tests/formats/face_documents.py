"""A small document with faces and windows, made by hand, for the formats with boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fercli import tables
from fercli.persons.names import UNASSIGNED
from fercli.results.details import MEASURED, Details
from fercli.results.meshes import Meshes
from fercli.results.model import Result, Segment
from tests.workspaces import face_row, frames_table, make_workspace, meshes_table, person
from tests.workspaces import faces_table as tables_of_faces

LABELS = ("anger", "happiness", "contempt")
ROSS, ZOE = "Ross, jr.", 'Zoë <"Z"> & 李'
VIDEO = {
    "name": "épisode & 1.mp4",
    "sha256": "ab" * 32,
    "width": 200,
    "height": 100,
    "fps": 10.0,
    "duration_s": 2.0,
    "start_s": 0.0,
}
FACES = [
    # face, frame, pts_s, track, person, x1, y1, x2, y2, score, (anger, happiness, contempt)
    (0, 2, 0.2004, 0, ROSS, 10.0, 20.0, 50.0, 60.0, 0.9, (0.125, 0.75, 0.125)),
    (1, 2, 0.2004, 1, ZOE, 100.0, 20.0, 140.0, 70.0, 0.8, None),
    (3, 4, 0.4, 0, ROSS, 12.13, 20.0, 52.13, 60.0, 0.95, (0.125, 0.75, 0.125)),
    (4, 4, 0.4, 1, ZOE, 100.0, 20.0, 140.0, 70.0, 0.8, (0.5, 0.25, 0.25)),
    (5, 4, 0.4, 2, ROSS, 150.0, 10.0, 190.0, 50.0, 0.7, (0.25, 0.25, 0.5)),
    (6, 6, 0.6, 0, ROSS, 14.0, 20.0, 54.0, 60.0, 0.9, (0.12345678, 0.75, 0.12654322)),
    (7, 6, 0.6, 3, UNASSIGNED, -4.0, 30.0, 36.0, 110.0, 0.6, (0.25, 0.25, 0.5)),
    (8, 19, 1.9, 3, UNASSIGNED, -4.0, 30.0, 36.0, 110.0, 0.6, (0.25, 0.25, 0.5)),
]
WINDOWS = [
    (0, ROSS, 0.2004, 0.7, "happiness", "", (0.125, 0.75, 0.125)),
    (1, ZOE, 0.2004, 0.4, None, "too small", None),
    (1, ZOE, 0.4, 0.6, "anger", "", (0.5, 0.25, 0.25)),
    (2, ROSS, 0.4, 0.6, "contempt", "", (0.25, 0.25, 0.5)),
    (3, UNASSIGNED, 0.6, 2.0, "contempt", "", (0.25, 0.25, 0.5)),
]
SEGMENTS = [
    Segment(0.2004, 0.5, "happiness", ROSS, 0, 0.75, (10.0, 20.0, 50.0, 60.0), "", 0.875),
    Segment(0.4, 0.6, "anger", ZOE, 1, 0.5, (100.0, 20.0, 140.0, 70.0), "", None, True),
    Segment(0.5, 0.7, "sadness", ROSS, 0, 0.4, (14.0, 20.0, 54.0, 60.0), ""),
    Segment(0.6, 2.0, "contempt", UNASSIGNED, 3, 0.5, (-4.0, 30.0, 36.0, 110.0), ""),
]
MESHED = (0, 3, 4, 8)
"""Faces of which a mesh was kept."""
MESH = np.round(np.random.default_rng(0).uniform(0, 99, (478, 3)) * 4) / 4
POSE = {"yaw": 20.0, "pitch": -10.0, "roll": 5.0}
GAPS = [Segment(0.2004, 0.4, "not assessable", ZOE, 1, None, (100.0, 20.0, 140.0, 70.0), "too small")]
SHOWN = ["happiness", "not assessable", "happiness", "anger", "not assessable", "sadness", "contempt", "contempt"]
"""What each face shows by its segment: track 2 has no segment."""


def faces_table(rows: Sequence[tuple[Any, ...]], labels: tuple[str, ...] = LABELS) -> pa.Table:
    """Faces as `Details` has them; all in shot 0, standing for 0.1 s, without landmarks."""
    faces, frames, times, tracks, persons, *box, scores, probabilities = zip(*rows, strict=True) if rows else [()] * 11
    columns = {
        "face": pa.array(faces, pa.int64()),
        "frame": pa.array(frames, pa.int32()),
        "pts_s": pa.array(times, pa.float64()),
        "end_s": pa.array([pts_s + 0.1 for pts_s in times], pa.float64()),
        "shot": pa.array([0] * len(rows), pa.int32()),
        "track": pa.array(tracks, pa.int32()),
        "person": pa.array(persons, pa.string()),
        **{name: pa.array(edge, pa.float32()) for name, edge in zip(("x1", "y1", "x2", "y2"), box, strict=True)},
        "score": pa.array(scores, pa.float32()),
        "landmarks": pa.array([None] * len(rows), tables.FACES.field("landmarks").type),
        **_probabilities(probabilities, labels),
        "talking": pa.array([0.5] * len(rows), pa.float32()),
        **{field.name: _measured(field.name, faces) for field in MEASURED},
    }
    return pa.table(columns)


def _measured(name: str, faces: Sequence[int]) -> pa.Array:
    """Of face 1 nothing is measured; of the others yaw is 20 and what else, see POSE; all else is .25."""
    return pa.array([None if face == 1 else POSE.get(name, 0.25) for face in faces], pa.float32())


def windows_table(rows: Sequence[tuple[Any, ...]], labels: tuple[str, ...] = LABELS) -> pa.Table:
    """Windows as `Details` has them."""
    tracks, persons, starts, ends, classes, reasons, probabilities = zip(*rows, strict=True) if rows else [()] * 7
    columns = {
        "track": pa.array(tracks, pa.int32()),
        "person": pa.array(persons, pa.string()),
        "start_s": pa.array(starts, pa.float64()),
        "end_s": pa.array(ends, pa.float64()),
        "class": pa.array(classes, pa.string()),
        "reason": pa.array(reasons, pa.string()),
        "talking": pa.array([0.5] * len(rows), pa.float32()),
        **_probabilities(probabilities, labels),
    }
    return pa.table(columns)


def make_document(faces: Sequence[tuple[Any, ...]] = FACES, **values: Any) -> Result:
    """The document above; `values` replace single attributes."""
    windows = windows_table(WINDOWS if faces else [])
    details = Details(LABELS, faces_table(faces), windows, np.full(len(faces), 4.0))
    content: dict[str, Any] = {
        "video": VIDEO,
        "persons": [person(ROSS, 2, 0.8, {"happiness": 0.3}), person(ZOE, 1, 0.4, {"anger": 0.2})],
        "unassigned": person(UNASSIGNED, 1, 1.4, {}),
        "segments": SEGMENTS,
        "gaps": GAPS,
        "provenance": {"fercli": "1.2", "models": {"tsm-resnet18": "cd" * 32}, "stages": {}},
        "warnings": [],
        "details": lambda: details,
    }
    return Result(**{**content, **values})


def document_with_meshes(folder: Path) -> Result:
    """The document, with meshes kept of the faces MESHED in a table below a folder."""
    frames, faces = frames_table([0.0]), tables_of_faces([face_row(0)] * (1 + max(MESHED)))
    workspace = make_workspace(folder / "w", frames=frames, faces=faces, meshes=meshes_table(MESHED, MESH))
    details = replace(make_document().details(), meshes=Meshes.of(workspace))
    return make_document(details=lambda: details)


def empty_document() -> Result:
    """Nobody was seen."""
    return make_document([], persons=[], unassigned=None, segments=[], gaps=[])


def _probabilities(rows: Sequence[Sequence[float] | None], labels: tuple[str, ...]) -> dict[str, pa.Array]:
    return {
        label: pa.array([None if row is None else row[place] for row in rows], pa.float32())
        for place, label in enumerate(labels)
    }
