"""Hand-made workspaces to correct, and exports of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from fercli import formats, tables
from fercli.formats.annotations import Label
from fercli.labels import EMOTIONS, RECORD_NAMES
from fercli.results.load import load
from fercli.workspace import Workspace
from tests.workspaces import (
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    persons_table,
    segments_table,
    tracks_table,
)

FILES = {
    "json": "a.json",
    "records": "a.json",
    "jsonl": "a.jsonl",
    "csv": "a.csv",
    "eaf": "a.eaf",
    "textgrid": "a.TextGrid",
    "label-studio": "a.json",
}
"""Formats that can be read back, and the name of a file."""
WITH_GAPS = ("json", "eaf", "label-studio")

Rows = list[tuple[str, str, int, int]]

_SEGMENTS = [
    (0, 0.0, 4.0, "happiness", 0.9, "", 0),
    (1, 0.0, 3.0, "neutral", 0.8, "", 1),
    (1, 3.0, 4.0, "not assessable", None, "too small", 13),
    (0, 4.0, 6.0, "sadness", 0.7, "", 16),
    (2, 8.0, 10.0, "anger", 0.6, "", 20),
]


def film(path: Path) -> Workspace:
    """Person 1 happy for 4 s, then sad for 2 s in track 0, angry from 8 to 10 s in track 2; Person 2 neutral for 3 s
    and then too small for one. A face in every half second."""
    times = [number / 2 for number in range(20)]
    rows: list[dict[str, Any]] = []
    members: dict[int, list[int]] = {0: [], 1: [], 2: []}
    for frame, time_s in enumerate(times):
        for track, (start, end) in {0: (0, 6), 1: (0, 4), 2: (8, 10)}.items():
            if start <= time_s < end:
                members[track].append(len(rows))
                rows.append(face_row(frame, x1=float(200 * track + frame), x2=200.0 * track + 80))
    windows = [
        {"track": track, "face": face, "start_s": start, "end_s": end, "reason": reason}
        | {label: None if score is None else score if label == emotion else 0.1 for label in EMOTIONS}
        for track, start, end, emotion, score, reason, face in _SEGMENTS
    ]
    people = persons_table([(0, "Person 1", 0.0, 6.0), (1, "Person 2", 0.0, 4.0), (2, "Person 1", 8.0, 10.0)])
    place = tables.PERSONS.get_field_index("best_face")
    return make_workspace(
        path,
        frames=frames_table(times),
        faces=faces_table(rows),
        tracks=tracks_table(members),
        persons=people.set_column(place, tables.PERSONS.field(place), pa.array([0, 1, 20])),
        segments=segments_table(_SEGMENTS),
        emotions=pa.Table.from_pylist(windows, schema=tables.windows_schema(EMOTIONS)),
    )


def export(workspace: Workspace, name: str, folder: Path) -> Path:
    """The workspace in a format, as `fercli export` writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILES[name]
    formats.FORMATS[name].write(load(workspace), path)
    return path


def shown(workspace: Workspace, *, gaps: bool = True) -> Rows:
    """(person, class, start, end) of all that is shown, in milliseconds, sorted."""
    result = load(workspace)
    segments = [*result.segments, *(result.gaps if gaps else [])]
    return sorted((s.person, RECORD_NAMES[s.emotion], round(s.start_s * 1000), round(s.end_s * 1000)) for s in segments)


def by_hand(workspace: Workspace) -> Rows:
    """What is shown as a person's word."""
    result = load(workspace)
    return sorted(
        (s.person, RECORD_NAMES[s.emotion], round(s.start_s * 1000), round(s.end_s * 1000))
        for s in [*result.segments, *result.gaps]
        if s.source == "human"
    )


def plain(marks: list[Label]) -> Rows:
    """Marks in the form of `shown`."""
    return sorted((m.person, RECORD_NAMES[m.emotion], m.start_ms, m.end_ms) for m in marks)


def write_csv(path: Path, rows: Rows) -> Path:
    """A CSV as a person would write it."""
    lines = [f'"{person}",{name},{start / 1000},{end / 1000}\n' for person, name, start, end in rows]
    path.write_text("object,class,start,end\n" + "".join(lines), encoding="utf-8")
    return path
