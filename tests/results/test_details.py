from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from fercli import tables
from fercli.results.details import read_details
from fercli.workspace import Workspace
from tests.workspaces import face_row, faces_table, frames_table, make_workspace, tracks_table

LABELS = ("anger", "happiness")
WINDOWS = [
    # track, face, start_s, end_s, reason, talking, anger, happiness
    (1, 1, 5.0, 5.2, "too small", None, None, None),
    (0, 0, 5.0, 5.2, "", 0.0, 0.25, 0.75),
    (0, 4, 5.2, 5.4, "", 0.5, 0.625, 0.375),
    (2, 3, 5.1, 5.3, "", 1.0, 0.5, 0.5),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Three frames and a later one; track 0 is on all of them, 1 and 2 on fewer, face 6 is a false alarm."""
    rows = [face_row(0), face_row(0), face_row(1), face_row(1), face_row(2), face_row(5, x1=7.0), face_row(5)]
    schema = tables.windows_schema(LABELS)
    names = [name for name in schema.names if name not in ("yaw", "pitch")]
    windows = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in WINDOWS], schema=schema)
    return make_workspace(
        tmp_path / "w",
        frames=frames_table([5.0, 5.1, 5.2, 5.7], [0, 1, 2, 5]),
        faces=faces_table(rows),
        tracks=tracks_table({0: [0, 2, 4, 5], 1: [1], 2: [3]}),
        emotions=windows,
    )


def test_faces_are_joined_with_time_person_and_the_probabilities_of_their_window(workspace: Workspace) -> None:
    details = read_details(workspace, {0: "Ross", 1: "Zoë", 2: "Ross"})
    assert details.labels == LABELS
    rows = details.faces.to_pylist()
    assert [(row["face"], row["track"], row["person"]) for row in rows] == [
        (0, 0, "Ross"),
        (1, 1, "Zoë"),
        (2, 0, "Ross"),
        (3, 2, "Ross"),
        (4, 0, "Ross"),
        (5, 0, "Ross"),
    ]
    assert [row["pts_s"] for row in rows] == [5.0, 5.0, 5.1, 5.1, 5.2, 5.7]
    assert [row["end_s"] for row in rows] == pytest.approx([5.1, 5.1, 5.2, 5.2, 5.3, 5.8])
    assert [row["happiness"] for row in rows] == [0.75, None, 0.75, 0.5, 0.375, 0.375]
    assert [row["talking"] for row in rows] == [0.0, None, 0.0, 1.0, 0.5, 0.5]
    assert rows[5]["x1"] == 7.0 and rows[5]["frame"] == 5


def test_windows_come_by_time_with_the_most_probable_class(workspace: Workspace) -> None:
    rows = read_details(workspace, {0: "Ross", 1: "Zoë", 2: "Ross"}).windows.to_pylist()
    assert [(row["start_s"], row["track"], row["class"], row["reason"]) for row in rows] == [
        (5.0, 0, "happiness", ""),
        (5.0, 1, None, "too small"),
        (5.1, 2, "anger", ""),
        (5.2, 0, "anger", ""),
    ]


def test_measurements_are_those_of_the_face(tmp_path: Path, workspace: Workspace) -> None:
    names = tables.ATTRIBUTES.names
    rows = [{**dict.fromkeys(names, 0.0), "face": face, "yaw": 10.0 * face, "jawOpen": 0.1 * face} for face in range(7)]
    rows[3] |= dict.fromkeys(names[2:])
    tables.write_table(
        workspace.table("attributes"), [pa.Table.from_pylist(rows, schema=tables.ATTRIBUTES)], tables.ATTRIBUTES
    )
    details = read_details(workspace, {0: "Ross", 2: "Zoë"})
    assert details.faces["face"].to_pylist() == [0, 2, 3, 4, 5]
    assert details.faces["yaw"].to_pylist() == [0, 20, None, 40, 50]
    signals = {(one.name, one.track): one for one in details.signals()}
    assert [name for name, track in signals if track == 0] == ["emotions", "talking", "pose", "openings", "blendshapes"]
    assert signals["talking", 0].values[:, 0].tolist() == [0, 0.5] and signals["talking", 0].columns[0].unit == "share"
    assert signals["pose", 0].values[:, 0].tolist() == [0, 20, 40, 50]
    assert np.isnan(signals["blendshapes", 2].values).all() and signals["pose", 2].person == "Zoë"
    assert details.turned.tolist() == [0.0] * 5 and not details.meshes


def test_tracks_that_are_not_shown_are_left_out(workspace: Workspace) -> None:
    details = read_details(workspace, {2: "Ross"})
    assert details.faces["face"].to_pylist() == [3]
    assert details.windows["track"].to_pylist() == [2]


def test_no_person_is_shown(workspace: Workspace) -> None:
    details = read_details(workspace, {})
    assert details.faces.num_rows == details.windows.num_rows == 0
    assert set(LABELS) < set(details.faces.column_names)
