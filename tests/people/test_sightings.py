from __future__ import annotations

from pathlib import Path

import pytest

from fercli.people.corrections import Seen
from fercli.people.sightings import tracks_at
from tests.workspaces import face_row, faces_table, frames_table, make_workspace, tracks_table


@pytest.mark.parametrize(("time_s", "track"), [(0.3, 0), (5.0, 0), (9.0, 0), (10.1, 1), (12.0, None)])
def test_a_moment_in_a_picture_that_is_held_has_its_faces(tmp_path: Path, time_s: float, track: int | None) -> None:
    workspace = make_workspace(
        tmp_path,
        frames=frames_table([0.0, 0.1, 10.0, 10.1], held={1: 10.0}),
        faces=faces_table([face_row(k) for k in range(4)]),
        tracks=tracks_table({0: [0, 1], 1: [2, 3]}),
    )
    seen = Seen(time_s, 140, 100)
    assert tracks_at(workspace, [seen]).get(seen) == track
