"""Reading meshes: whichever faces are asked for, wherever they lie in the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fercli import tables
from fercli.errors import CorruptTable
from fercli.results.meshes import Meshes
from fercli.workspace import Workspace
from tests.workspaces import face_row, faces_table, frames_table, make_workspace

FACES = 40


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Every face but each fourth has a mesh, all of whose coordinates are its number; seven faces a row group."""
    workspace = make_workspace(
        tmp_path / "w", frames=frames_table([0.0]), faces=faces_table([face_row(0)] * FACES), attributes=attributes()
    )
    parts = []
    for first in range(0, FACES, 7):
        own = [face for face in range(first, min(first + 7, FACES)) if face % 4]
        columns = [pa.array(own, pa.int64()), pa.array([np.full(1434, face) for face in own], tables.MESHES[1].type)]
        parts.append(pa.table(columns, schema=tables.MESHES))
    tables.write_table(workspace.table("meshes"), parts, tables.MESHES)
    return workspace


def attributes() -> pa.Table:
    rows = [{"face": face, "flag": 1.0} for face in range(FACES)]
    return pa.Table.from_pylist(rows, schema=tables.ATTRIBUTES)


@pytest.mark.parametrize("faces", [[1, 2, 3], [0], [39, 5, 5, 0, 20], [], list(range(FACES)), [4000]])
def test_points_of_any_faces(workspace: Workspace, faces: list[int]) -> None:
    meshes = Meshes.of(workspace)
    assert meshes
    found = meshes.points(np.array(faces, np.int64))
    assert found.shape == (len(faces), 478, 3) and found.dtype == np.float32
    for face, points in zip(faces, found, strict=True):
        assert (points == face).all() if face % 4 else np.isnan(points).all()


def test_only_what_is_needed_is_read(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    meshes, parts, read = Meshes.of(workspace), tables.read_parts, []

    def counted(*args: Any, **given: Any) -> Iterator[pa.Table]:
        read.append(given["rows"])
        return parts(*args, **given)

    monkeypatch.setattr(tables, "read_parts", counted)
    for face in (1, 2, 3, 5, 6):
        meshes.points(np.array([face]))
    assert len(read) == 1


def test_without_meshes_there_is_nothing(tmp_path: Path) -> None:
    bare = make_workspace(tmp_path / "w", frames=frames_table([0.0]), faces=faces_table([]))
    assert not Meshes.of(bare) and not Meshes.none()
    assert np.isnan(Meshes.of(bare).points(np.array([0, 1]))).all()


def test_a_damaged_table_is_said_to_be_one(workspace: Workspace) -> None:
    workspace.table("meshes").write_bytes(b"PAR1 nothing")
    with pytest.raises(CorruptTable):
        Meshes.of(workspace)
