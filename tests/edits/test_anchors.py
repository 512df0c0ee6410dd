from __future__ import annotations

from pathlib import Path

import pytest

from fercli.edits.anchors import anchors_of, tracks_at
from fercli.edits.edit import Anchor
from tests.workspaces import face_row, faces_table, frames_table, make_workspace, tracks_table

BOX = (100.0, 50.0, 180.0, 150.0)


@pytest.mark.parametrize(("time_s", "track"), [(0.3, 0), (5.0, 0), (9.0, 0), (10.1, 1), (12.0, None)])
def test_a_moment_in_a_picture_that_is_held_has_its_faces(tmp_path: Path, time_s: float, track: int | None) -> None:
    workspace = make_workspace(
        tmp_path,
        frames=frames_table([0.0, 0.1, 10.0, 10.1], held={1: 10.0}),
        faces=faces_table([face_row(k) for k in range(4)]),
        tracks=tracks_table({0: [0, 1], 1: [2, 3]}),
    )
    anchor = Anchor(time_s, BOX)
    assert tracks_at(workspace, [anchor]).get(anchor) == track


def test_of_faces_that_overlap_the_nearest_counts_and_a_face_of_no_track_is_none(tmp_path: Path) -> None:
    workspace = make_workspace(
        tmp_path,
        frames=frames_table([0.0, 0.1]),
        faces=faces_table([face_row(0), face_row(0, x1=120.0, x2=200.0), face_row(1)]),
        tracks=tracks_table({5: [0], 7: [1]}),
    )
    near, nearer, dropped = Anchor(0.0, BOX), Anchor(0.0, (119.0, 50.0, 199.0, 150.0)), Anchor(0.1, BOX)
    assert tracks_at(workspace, [near, nearer, dropped]) == {near: 5, nearer: 7}
    assert anchors_of(workspace, [1]) == {1: Anchor(0.0, (120.0, 50.0, 200.0, 150.0))}
    assert tracks_at(workspace, []) == {}
