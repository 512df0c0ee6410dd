"""Windows of a track's faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.config import EmotionsParams
from fercli.expressions.windows import make_windows
from tests.expressions.tracks import PTS, one_track, windows_of
from tests.workspaces import (
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    tracks_table,
)


def test_faces_in_a_dissolve_are_not_assessable(tmp_path: Path) -> None:
    mixed = [4 <= frame < 8 for frame in range(12)]
    workspace = make_workspace(
        tmp_path,
        frames=frames_table(PTS[:12], mixed=mixed),
        faces=faces_table([face_row(frame) for frame in range(12)]),
        tracks=tracks_table({0: list(range(12))}),
    )
    windows = make_windows(workspace, EmotionsParams(stride=1), 1)
    assert windows.reason == ["in a transition" if both else "" for both in mixed]


@pytest.mark.parametrize(
    ("stride", "first", "clips"),
    [
        (
            1,
            [0, 1, 2, 3, 4, 5],
            [[0, 1, 2, 3], [0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5], [2, 3, 4, 5], [2, 3, 4, 5]],
        ),
        (2, [0, 2, 4], [[0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5]]),
        (4, [0, 4], [[0, 1, 2, 3], [2, 3, 4, 5]]),
    ],
)
def test_windows_of_a_track_of_six_faces(tmp_path: Path, stride: int, first: list[int], clips: list[list[int]]) -> None:
    windows = one_track(tmp_path / "w", 6, stride=stride)
    assert sorted(windows.first.tolist()) == first
    by_first = dict(zip(windows.first.tolist(), windows.clip.tolist(), strict=True))
    assert [by_first[face] for face in first] == clips
    assert windows.reason == [""] * len(first)
    assert [column.dtype.name for column in (windows.track, windows.clip, windows.start_s)] == [
        "int32",
        "int64",
        "float64",
    ]


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("n_frames", [1, 4])
@pytest.mark.parametrize("count", [1, 3, 4, 5, 9])
def test_every_face_is_in_one_window_and_every_clip_shows_faces_of_its_window(
    tmp_path: Path, stride: int, n_frames: int, count: int
) -> None:
    windows = one_track(tmp_path / "w", count, stride=stride, n_frames=n_frames)
    assert windows.first.tolist() == list(range(0, count, stride))
    assert windows.clip.shape == (len(windows), n_frames)
    for first, clip in zip(windows.first, windows.clip, strict=True):
        own = set(range(first, min(first + stride, count)))
        assert own & set(clip.tolist())
        assert (np.diff(clip) >= 0).all() and (np.diff(clip) <= 1).all()


@pytest.mark.parametrize(
    ("fps", "clip"),
    [(5, [10, 10, 11, 11]), (10, [9, 10, 11, 12]), (20, [8, 10, 12, 14]), (25, [7, 9, 12, 14]), (50, [3, 8, 13, 18])],
)
def test_the_network_sees_a_tenth_of_a_second_between_faces_at_any_rate(
    tmp_path: Path, fps: int, clip: list[int]
) -> None:
    pts = [i / fps for i in range(30)]
    windows = windows_of(tmp_path / "w", pts, [face_row(f) for f in range(30)], {0: list(range(30))}, stride=2)
    row = windows.first.tolist().index(10)
    assert windows.clip[row].tolist() == clip


@pytest.mark.parametrize(("fps", "unseen"), [(5, 1), (10, 2), (25, 5)])
def test_a_face_is_bridged_over_the_same_time_at_any_rate(tmp_path: Path, fps: int, unseen: int) -> None:
    def end_of_first_window(missing: int) -> float:
        pts = [i / fps for i in range(12)]
        seen = [0, 1, 2 + missing, 3 + missing]
        rows = [face_row(frame) for frame in seen]
        path = tmp_path / f"{missing}"
        return float(windows_of(path, pts, rows, {0: [0, 1, 2, 3]}, stride=2).end_s[0])

    assert end_of_first_window(unseen) == pytest.approx((2 + unseen) / fps)
    assert end_of_first_window(unseen + 1) == pytest.approx(2 / fps)


def test_short_tracks_repeat_their_last_face(tmp_path: Path) -> None:
    assert one_track(tmp_path / "two", 2, stride=2).clip.tolist() == [[0, 1, 1, 1]]
    assert one_track(tmp_path / "one", 1, stride=1).clip.tolist() == [[0, 0, 0, 0]]


def test_times_come_from_the_frames_however_irregular(tmp_path: Path) -> None:
    pts = [10.0, 10.1, 10.25, 10.3, 10.9, 11.0]
    # intervals 0.1 0.15 0.05 0.6 0.1: the median is 0.1
    windows = windows_of(tmp_path / "w", pts, [face_row(frame) for frame in range(6)], {0: list(range(6))}, stride=2)
    np.testing.assert_allclose(windows.start_s, [10.0, 10.25, 10.9])
    np.testing.assert_allclose(windows.end_s, [10.25, 10.9, 11.1])


def test_a_face_unseen_for_long_ends_its_window_with_its_frame(tmp_path: Path) -> None:
    pts = [0.1 * i for i in range(12)]
    seen_in = [0, 1, 4, 8, 9]  # back after 3 frames, then after 4
    windows = windows_of(tmp_path / "w", pts, [face_row(frame) for frame in seen_in], {0: [0, 1, 2, 3, 4]})
    np.testing.assert_allclose(windows.start_s, [0, 0.1, 0.4, 0.8, 0.9])
    np.testing.assert_allclose(windows.end_s, [0.1, 0.4, 0.5, 0.9, 1.0])


def test_frame_numbers_need_not_be_consecutive(tmp_path: Path) -> None:
    numbers = [100, 103, 106, 109]
    rows = [face_row(frame) for frame in (103, 106, 109)]
    windows = windows_of(tmp_path / "w", [4.0, 4.1, 4.2, 4.3], rows, {5: [0, 1, 2]}, numbers=numbers)
    np.testing.assert_allclose(windows.start_s, [4.1, 4.2, 4.3])
    np.testing.assert_allclose(windows.end_s, [4.2, 4.3, 4.4])
    assert windows.track.tolist() == [5, 5, 5]


def test_tracks_do_not_mix_and_windows_come_in_the_order_of_their_last_face(tmp_path: Path) -> None:
    rows = [face_row(frame) for frame in range(6) for _ in range(2)]  # faces 0 2 4 .. and 1 3 5 .., two a frame
    members = {0: [0, 2, 4, 6, 8, 10], 1: [1, 3, 5, 7, 9, 11]}
    windows = windows_of(tmp_path / "w", PTS, rows, members, stride=2)
    for track, clip in zip(windows.track.tolist(), windows.clip.tolist(), strict=True):
        assert set(clip) <= set(members[track])
    last = windows.clip.max(axis=1)
    assert (np.diff(last) >= 0).all()
    assert windows.track.tolist() == [0, 1, 0, 1, 0, 1]


def test_faces_in_no_track_are_left_out(tmp_path: Path) -> None:
    windows = windows_of(tmp_path / "w", PTS, [face_row(frame) for frame in range(5)], {3: [1, 3]})
    assert windows.first.tolist() == [1, 3]


def test_a_picture_that_is_held_is_a_window_of_its_own_as_long_as_it_stands(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.2, 0.3, 10.0, 10.1, 10.2, 10.3]
    workspace = make_workspace(
        tmp_path,
        frames=frames_table(times, held={3: 10.0}),
        faces=faces_table([face_row(k) for k in range(8)]),
        tracks=tracks_table({0: list(range(8))}),
    )
    windows = make_windows(workspace, EmotionsParams(stride=2), 4)
    assert windows.first.tolist() == [0, 2, 3, 4, 6]
    np.testing.assert_allclose(windows.start_s, [0.0, 0.2, 0.3, 10.0, 10.2])
    np.testing.assert_allclose(windows.end_s, [0.2, 0.3, 10.0, 10.2, 10.4])
    assert windows.clip[2].tolist() == [3, 3, 3, 3]


def test_a_face_that_is_not_in_the_picture_that_is_held_ends_before_it(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.2, 10.0, 10.1, 10.2]
    workspace = make_workspace(
        tmp_path,
        frames=frames_table(times, held={2: 10.0}),
        faces=faces_table([face_row(k) for k in (0, 1, 3, 4, 5)]),
        tracks=tracks_table({0: [0, 1, 2, 3, 4]}),
    )
    windows = make_windows(workspace, EmotionsParams(stride=2), 4)
    assert windows.end_s.tolist()[0] == pytest.approx(0.2)
