"""Windows of tracks made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fercli.config import EmotionsParams
from fercli.expressions.windows import Windows, make_windows
from tests.workspaces import face_row, faces_table, frames_table, make_workspace, tracks_table

PTS = [0.1 * i for i in range(20)]


def windows_of(
    path: Path,
    pts_s: list[float],
    faces: list[dict[str, Any]],
    members: dict[int, list[int]],
    *,
    stride: int = 1,
    n_frames: int = 4,
    numbers: list[int] | None = None,
) -> Windows:
    workspace = make_workspace(
        path, frames=frames_table(pts_s, numbers), faces=faces_table(faces), tracks=tracks_table(members)
    )
    return make_windows(workspace, EmotionsParams(stride=stride), n_frames)


def one_track(path: Path, count: int, *, stride: int, n_frames: int = 4) -> Windows:
    rows = [face_row(frame) for frame in range(count)]
    return windows_of(path, PTS, rows, {0: list(range(count))}, stride=stride, n_frames=n_frames)
