"""Which faces and windows are assessable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.config import EmotionsParams
from fercli.expressions.gates import face_reasons
from fercli.expressions.windows import make_windows
from tests.expressions.tracks import PTS, windows_of
from tests.workspaces import (
    VIDEO,
    attributes_table,
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    tracks_table,
)


def test_reasons_and_their_order() -> None:
    params = EmotionsParams(min_size=24, min_sharpness=10, max_yaw=30, max_pitch=20)
    faces = faces_table(
        [
            face_row(0),
            face_row(0, size=23.9),
            face_row(0, size=24.0, sharpness=10.0),
            face_row(0, sharpness=9.9),
            face_row(0),
            face_row(0, frontal=None),
            face_row(0, size=1.0, sharpness=0.0, frontal=0.0),
            face_row(0, sharpness=0.0, frontal=0.0),
            face_row(0, sharpness=0.0, contrast=39.9),
            face_row(0, contrast=40.0),
            face_row(0, roll=90.0),
            face_row(0, frontal=None, roll=None),
            face_row(0, frontal=0.0, roll=None),
            face_row(0),
            face_row(0),
            face_row(0),
            face_row(0),
        ]
    )
    yaw = [0.0] * 4 + [30.1, -30.0, 90.0] + [0.0] * 6 + [-30.1, 0.0, 0.0, None]
    pitch = [0.0] * 14 + [20.1, -20.1, None]
    attributes = attributes_table(len(faces), yaw=yaw, pitch=pitch)
    expected = ["", "too small", "", "too blurred", "turned away", "", "too small", "too blurred", "too dark", ""]
    turned = ["turned away"] * 3
    found = face_reasons(faces, attributes, params, VIDEO)
    assert found == [*expected, "", "", "lying", *turned, "no clear face"]


@pytest.mark.parametrize(
    ("eyes", "mouth", "reason"),
    [
        ((300, 100), (300, 140), ""),
        ((300, 309), (300, 349), ""),
        ((300, 311), (300, 351), "cut off"),  # the mouth less than a quarter of 40 pixels from the lower edge
        ((300, 335), (300, 375), "cut off"),
        ((300, 9), (300, 49), "cut off"),
        ((5, 100), (5, 140), "cut off"),
        ((634, 100), (634, 140), "cut off"),
        ((60, 100), (8, 100), "cut off"),  # lying, mouth to the left
    ],
)
def test_a_face_whose_eyes_or_mouth_the_edge_of_the_picture_cuts_off(
    eyes: tuple[float, float], mouth: tuple[float, float], reason: str
) -> None:
    points = [
        (eyes[0] - 10, eyes[1]),
        (eyes[0] + 10, eyes[1]),
        eyes,
        (mouth[0] - 8, mouth[1]),
        (mouth[0] + 8, mouth[1]),
    ]
    faces = faces_table([face_row(0), face_row(0, landmarks=[value for point in points for value in point])])
    assert face_reasons(faces, attributes_table(len(faces)), EmotionsParams(), VIDEO) == ["", reason]


def test_a_profile_on_which_the_mesh_sees_a_face_that_looks_ahead() -> None:
    faces = faces_table([face_row(0, frontal=0.0), face_row(0, frontal=0.01)])
    assert face_reasons(faces, attributes_table(len(faces)), EmotionsParams(), VIDEO) == ["turned away", ""]


def test_the_contrast_from_which_a_face_is_too_dark_is_a_parameter() -> None:
    faces = faces_table([face_row(0, contrast=50.0), face_row(0, contrast=70.0)])
    params = EmotionsParams(min_contrast=60.0)
    assert face_reasons(faces, attributes_table(len(faces)), params, VIDEO) == ["too dark", ""]


def test_the_pose_of_a_window_is_the_median_of_its_measured_faces(tmp_path: Path) -> None:
    workspace = make_workspace(
        tmp_path,
        frames=frames_table(PTS),
        faces=faces_table([face_row(frame) for frame in range(6)]),
        attributes=attributes_table(6, yaw=[10.0, 20.0, 60.0, None, None, None], pitch=[-5.0, -7.0, -6.0, *[None] * 3]),
        tracks=tracks_table({0: [0, 1, 2], 1: [3, 4, 5]}),
    )
    windows = make_windows(workspace, EmotionsParams(stride=3), 3)
    assert windows.yaw[0] == 20.0
    assert windows.pitch[0] == -6.0
    assert np.isnan([windows.yaw[1], windows.pitch[1]]).all()


SMALL, BLURRED = {"size": 5.0}, {"sharpness": 1.0}


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ([{}, {}, {}, {}], ""),
        ([SMALL, {}, {}, {}], ""),
        ([SMALL, SMALL, {}, {}], "too small"),
        ([BLURRED, SMALL, {}, BLURRED], "too blurred"),
        ([BLURRED, SMALL, BLURRED, SMALL], "too blurred"),
    ],
)
def test_a_window_counts_if_most_of_its_faces_do(tmp_path: Path, own: list[dict[str, float]], expected: str) -> None:
    rows = [face_row(frame, **values) for frame, values in enumerate(own)]
    assert windows_of(tmp_path / "w", PTS, rows, {0: [0, 1, 2, 3]}, stride=4).reason == [expected]


def test_a_window_is_judged_by_all_faces_that_the_network_sees(tmp_path: Path) -> None:
    """Faces 4 and 5 are bad: half of what is seen of 2 and 3, and of 6 and 7."""
    rows = [face_row(frame, **(SMALL if frame in (4, 5) else {})) for frame in range(10)]
    windows = windows_of(tmp_path / "w", PTS, rows, {0: list(range(10))}, stride=2)
    assert windows.clip.tolist() == [[0, 1, 2, 3], [1, 2, 3, 4], [3, 4, 5, 6], [5, 6, 7, 8], [6, 7, 8, 9]]
    assert windows.reason == ["", "", "too small", "", ""]
