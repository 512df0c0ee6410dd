"""classify-emotions on hand-made tables, with a small real network where there is something to classify."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from fercli import tables
from fercli.config import EmotionsParams
from fercli.errors import ConfigError, UnknownModel, WeightsError
from fercli.hashing import sha256_file
from fercli.labels import EMOTIONS
from fercli.media import images
from fercli.models.classifier import EmotionClassifier, FaceView
from fercli.models.covered import LIMITS, CoveredFaces
from fercli.models.registry import MODELS
from fercli.models.weights import Head, read_header
from fercli.stages import emotions
from fercli.stages import emotions as emotions_stage
from fercli.stages.emotions import Windows, face_reasons, make_segments, make_windows
from fercli.tables import windows_schema
from fercli.workspace import Workspace
from tests.failing import fails
from tests.models.tiny import write_tiny_classifier
from tests.workspaces import (
    VIDEO,
    add_receipt,
    attributes_table,
    crops_table,
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    noise_crops,
    stage_context,
    tracks_table,
)

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
    return make_windows(stage_context(workspace), EmotionsParams(stride=stride), n_frames)


def one_track(path: Path, count: int, *, stride: int, n_frames: int = 4) -> Windows:
    rows = [face_row(frame) for frame in range(count)]
    return windows_of(path, PTS, rows, {0: list(range(count))}, stride=stride, n_frames=n_frames)


def test_faces_in_a_dissolve_are_not_assessable(tmp_path: Path) -> None:
    mixed = [4 <= frame < 8 for frame in range(12)]
    workspace = make_workspace(
        tmp_path,
        frames=frames_table(PTS[:12], mixed=mixed),
        faces=faces_table([face_row(frame) for frame in range(12)]),
        tracks=tracks_table({0: list(range(12))}),
    )
    windows = make_windows(stage_context(workspace), EmotionsParams(stride=1), 1)
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


def windows_table(rows: Sequence[tuple[int, int, float, float, str, float | None]]) -> pa.Table:
    """(track, face, start_s, end_s, reason, probability of joy or None) a row; the rest is calm."""
    content = [
        {
            "track": track,
            "face": face,
            "start_s": start,
            "end_s": end,
            "reason": reason,
            "joy": joy,
            "calm": None if joy is None else 1 - joy,
        }
        for track, face, start, end, reason, joy in rows
    ]
    return pa.Table.from_pylist(content, schema=windows_schema(("joy", "calm")))


PARAMS = EmotionsParams(mean_segment_s=1.0, min_segment_s=0.0)


def test_segments_of_two_tracks_ordered_by_start_and_track() -> None:
    rows = [(7, 10 + i, 0.5 * i, 0.5 * (i + 1), "", 0.95 if i < 4 else 0.05) for i in range(8)]
    rows += [(2, 30 + i, 0.5 * i, 0.5 * (i + 1), "", 0.25) for i in range(4)]
    random.Random(0).shuffle(rows)
    found = make_segments(windows_table(rows), PARAMS)
    assert found.schema.equals(tables.SEGMENTS)
    assert found.drop_columns(["score"]).to_pylist() == [
        {"track": 2, "start_s": 0.0, "end_s": 2.0, "class": "calm", "reason": "", "face": 32},
        {"track": 7, "start_s": 0.0, "end_s": 2.0, "class": "joy", "reason": "", "face": 12},
        {"track": 7, "start_s": 2.0, "end_s": 4.0, "class": "calm", "reason": "", "face": 16},
    ]
    np.testing.assert_allclose(found["score"].to_numpy(), [0.75, 0.95, 0.95], rtol=1e-6)


def test_stretches_that_are_not_assessable_say_why_and_have_no_score() -> None:
    rows: list[tuple[int, int, float, float, str, float | None]]
    rows = [(0, i, float(i), float(i + 1), "", 0.9) for i in range(3)]
    rows += [(0, 3 + i, 3.0 + i, 4.0 + i, reason, None) for i, reason in enumerate(("too small", "too blurred"))]
    rows += [(0, 5, 5.0, 6.0, "too blurred", None)]
    found = make_segments(windows_table(rows), PARAMS).to_pylist()
    assert [(row["class"], row["start_s"], row["end_s"], row["score"] is None) for row in found] == [
        ("joy", 0.0, 3.0, False),
        ("not assessable", 3.0, 6.0, True),
    ]
    assert [row["reason"] for row in found] == ["", "too blurred"]


def test_a_bridged_window_lends_no_score() -> None:
    rows = [(0, 0, 0.0, 0.2, "", 0.9), (0, 1, 0.2, 0.4, "too small", None), (0, 2, 0.4, 0.6, "", 0.7)]
    (found,) = make_segments(windows_table(rows), replace(PARAMS, min_segment_s=0.3)).to_pylist()
    assert (found["class"], found["reason"], found["end_s"]) == ("joy", "", 0.6)
    assert found["score"] == pytest.approx(0.8, abs=1e-6)


def test_the_face_of_a_segment_is_the_nearest_to_its_middle_in_time() -> None:
    starts = [0.0, 0.1, 0.2, 0.3, 2.1, 3.9]
    ends = [*starts[1:], 4.0]
    rows = [(0, i, start, end, "", 0.9) for i, (start, end) in enumerate(zip(starts, ends, strict=True))]
    (found,) = make_segments(windows_table(rows), PARAMS).to_pylist()
    assert found["face"] == 4


def test_a_segment_ends_where_the_face_goes_unseen() -> None:
    spans = [(0.0, 0.2), (0.2, 0.4), (0.6, 0.8), (1.2, 1.4)]
    rows = [(0, i, start, end, "", 0.9) for i, (start, end) in enumerate(spans)]
    found = make_segments(windows_table(rows), replace(PARAMS, min_segment_s=0.3)).to_pylist()
    assert [(row["class"], row["start_s"], row["end_s"]) for row in found] == [("joy", 0.0, 0.8), ("joy", 1.2, 1.4)]


def test_no_windows_make_no_segments() -> None:
    assert make_segments(windows_table([]), PARAMS).equals(tables.SEGMENTS.empty_table())


@pytest.fixture(autouse=True)
def nothing_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise for crops is not to look covered."""
    monkeypatch.setattr(CoveredFaces, "probabilities", lambda self, faces: np.zeros((len(faces), 2), np.float32))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    write_tiny_classifier(path)
    return str(path)


def film(path: Path, faces: list[dict[str, Any]], members: dict[int, list[int]], row_group: int = 4) -> Workspace:
    """A workspace with noise for crops, in row groups of a few."""
    workspace = make_workspace(path, frames=frames_table(PTS), faces=faces_table(faces), tracks=tracks_table(members))
    crops = crops_table(noise_crops(len(faces)))
    parts = [crops.slice(start, row_group) for start in range(0, len(faces), row_group)]
    tables.write_table(workspace.table("crops"), parts, tables.CROPS)
    add_receipt(workspace, "faces", crop_scale=1.5)
    return workspace


def long_film(path: Path) -> Workspace:
    """Two tracks over ten frames, faces 8 and 10 of the first too small."""
    rows = [face_row(frame, **(SMALL if face in (8, 10) else {})) for face, frame in enumerate(np.repeat(range(10), 2))]
    rows = [{**row, "frame": int(row["frame"])} for row in rows]
    return film(path, rows, {0: list(range(0, 20, 2)), 1: list(range(1, 20, 2))})


def by_hand(workspace: Workspace, model: str, clips: list[list[int]]) -> NDArray[np.float32]:
    """Probabilities of clips from the stored crops, without the stage."""
    view = FaceView(read_header(Path(model)), 1.5)
    crops = tables.read_table(workspace.table("crops"), tables.CROPS)["jpeg"].to_pylist()
    pixels = np.stack([[view(images.decode_jpeg(crops[face])) for face in clip] for clip in clips])
    return EmotionClassifier(Path(model), "cpu").classify(pixels)


def test_windows_get_the_networks_probabilities_and_unassessable_ones_get_none(tmp_path: Path, model: str) -> None:
    workspace = long_film(tmp_path / "w")
    context = stage_context(workspace, batch=3)
    params = EmotionsParams(model=model, stride=2)
    counts = emotions_stage.run(context, params)
    table = tables.read_table(context.out / "emotions.parquet", windows_schema(EMOTIONS))
    windows = make_windows(context, params, 4)
    assert table["track"].to_pylist() == windows.track.tolist()
    assert table["face"].to_pylist() == windows.first.tolist()
    assert table["reason"].to_pylist() == windows.reason
    assert windows.reason.count("too small") == 1  # faces 8 and 10 are half of what one window shows
    found = np.array([[row[label] for label in EMOTIONS] for row in table.to_pylist()], dtype=float)
    known = np.array([not reason for reason in windows.reason])
    assert np.isnan(found[~known]).all()
    np.testing.assert_allclose(found[known], by_hand(workspace, model, windows.clip[known].tolist()), atol=1e-5)
    assert np.ptp(found[known], axis=0).max() > 0.01  # the network does tell them apart
    segments = tables.read_table(context.out / "segments.parquet", tables.SEGMENTS)
    assert segments.equals(make_segments(table, params))
    assert counts == {"windows": 10, "not_assessable": 1, "segments": segments.num_rows}


def test_the_prior_is_divided_out_as_the_parameter_says(tmp_path: Path) -> None:
    path = tmp_path / "prior.safetensors"
    shares = (0.05, 0.05, 0.1, 0.2, 0.2, 0.1, 0.3)
    write_tiny_classifier(path, heads=(Head("fer2013", EMOTIONS, 1.0, shares, 0.5),))
    tables_of = {}
    for prior in (0.0, None, 1.0):
        context = stage_context(
            film(tmp_path / f"w{prior}", [face_row(frame) for frame in range(4)], {0: [0, 1, 2, 3]})
        )
        emotions_stage.run(context, EmotionsParams(model=str(path), stride=4, prior=prior))
        (row,) = tables.read_table(context.out / "emotions.parquet", windows_schema(EMOTIONS)).to_pylist()
        tables_of[prior] = np.array([row[label] for label in EMOTIONS])
    for prior, power in ((None, 0.5), (1.0, 1.0)):
        divided = tables_of[0.0] / np.array(shares) ** power
        np.testing.assert_allclose(tables_of[prior], divided / divided.sum(), rtol=1e-4)


def test_a_prior_that_the_file_does_not_know_is_refused_before_any_work(model: str) -> None:
    emotions_stage.check(EmotionsParams(model=model, prior=0.0))
    with fails(WeightsError, "weights-do-not-fit", "--prior 0.5"):
        emotions_stage.check(EmotionsParams(model=model, prior=0.5))


def test_a_lying_face_is_turned_upright_before_it_is_classified(tmp_path: Path, model: str) -> None:
    workspace = film(tmp_path / "w", [face_row(frame, roll=90.0) for frame in range(4)], {0: [0, 1, 2, 3]})
    context = stage_context(workspace)
    emotions_stage.run(context, EmotionsParams(model=model, stride=4))
    table = tables.read_table(context.out / "emotions.parquet", windows_schema(EMOTIONS))
    found = np.array([[row[label] for label in EMOTIONS] for row in table.to_pylist()], dtype=float)
    view = FaceView(read_header(Path(model)), 1.5)
    crops = [
        images.decode_jpeg(jpeg)
        for jpeg in tables.read_table(workspace.table("crops"), tables.CROPS)["jpeg"].to_pylist()
    ]
    clip = np.stack([[view(np.ascontiguousarray(np.rot90(crop))) for crop in crops]])
    np.testing.assert_allclose(found, EmotionClassifier(Path(model), "cpu").classify(clip), atol=1e-3)
    assert np.abs(found - by_hand(workspace, model, [[0, 1, 2, 3]])).max() > 1e-3


@pytest.mark.parametrize(
    ("mouth", "eyes", "expected"),
    [
        ([1.0] * 4, [0.0] * 4, "mouth covered"),
        ([0.0] * 4, [1.0] * 4, "eyes covered"),
        ([1.0] * 4, [1.0] * 4, "mouth covered"),
        ([1.0, 1.0, 0.0, 0.0], [0.0] * 4, "mouth covered"),
        ([1.0, 0.0, 0.0, 0.0], [0.0] * 4, ""),
        ([LIMITS["mouth"] - 0.01] * 4, [LIMITS["eyes"] - 0.01] * 4, ""),
    ],
)
def test_a_window_whose_faces_are_covered_gets_that_reason_and_no_probabilities(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch, mouth: list[float], eyes: list[float], expected: str
) -> None:
    looks = np.stack([mouth, eyes], axis=1).astype(np.float32)
    monkeypatch.setattr(CoveredFaces, "probabilities", lambda self, faces: looks[: len(faces)])
    workspace = film(tmp_path / "w", [face_row(frame) for frame in range(4)], {0: [0, 1, 2, 3]})
    context = stage_context(workspace)
    counts = emotions_stage.run(context, EmotionsParams(model=model, stride=4))
    (row,) = tables.read_table(context.out / "emotions.parquet", windows_schema(EMOTIONS)).to_pylist()
    assert row["reason"] == expected
    assert (row["neutral"] is None) == bool(expected)
    assert counts["not_assessable"] == bool(expected)
    (segment,) = tables.read_table(context.out / "segments.parquet", tables.SEGMENTS).to_pylist()
    assert segment["reason"] == expected


def test_faces_too_small_and_covered_ones_count_together(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    covered = np.array([[0, 0], [1, 0], [0, 0], [0, 0]], np.float32)
    monkeypatch.setattr(CoveredFaces, "probabilities", lambda self, faces: covered)
    workspace = film(
        tmp_path / "w", [face_row(0, **SMALL), *[face_row(frame) for frame in (1, 2, 3)]], {0: [0, 1, 2, 3]}
    )
    context = stage_context(workspace)
    emotions_stage.run(context, EmotionsParams(model=model, stride=4))
    (row,) = tables.read_table(context.out / "emotions.parquet", windows_schema(EMOTIONS)).to_pylist()
    assert row["reason"] == "mouth covered"  # half of its faces are not assessable, each for another reason


def outputs(context: Any) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(context.out.iterdir())}


class Killed(Exception):
    """In place of a SIGKILL."""


def test_a_run_killed_between_chunks_goes_on_and_gives_the_same_bytes(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emotions, "WINDOWS_PER_CHUNK", 3)
    params = EmotionsParams(model=model)
    whole = stage_context(long_film(tmp_path / "whole"))
    emotions_stage.run(whole, params)

    parts = stage_context(long_film(tmp_path / "parts"))
    classify, calls = emotions._classify, []

    def killed_in_the_third(*args: Any) -> NDArray[np.float32]:
        calls.append(args[1].tolist())
        if len(calls) == 3:
            raise Killed
        return classify(*args)

    monkeypatch.setattr(emotions, "_classify", killed_in_the_third)
    with pytest.raises(Killed):
        emotions_stage.run(parts, params)
    assert parts.chunks.done == 2
    emotions_stage.run(parts, params)
    assert outputs(parts) == outputs(whole)
    clips = make_windows(whole, params, 4).clip.tolist()
    assert calls == [clips[n : n + 3] for n in (0, 3, 6, 6, 9)]  # what was finished is not done again


def test_only_the_crops_that_are_needed_are_decoded(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [face_row(frame, **(SMALL if frame >= 8 else {})) for frame in range(16)]
    workspace = film(tmp_path / "w", rows, {0: list(range(8)), 1: list(range(8, 16))})
    names = {data: face for face, data in enumerate(tables.read_table(workspace.table("crops"))["jpeg"].to_pylist())}
    decoded, ranges = [], []
    decode, read_parts = images.decode_jpeg, tables.read_parts

    def noted(data: bytes) -> NDArray[np.uint8]:
        decoded.append(names[data])
        return decode(data)

    def noted_range(*args: Any, **kwargs: Any) -> Any:
        ranges.append(kwargs.get("rows"))
        return read_parts(*args, **kwargs)

    monkeypatch.setattr(images, "decode_jpeg", noted)
    monkeypatch.setattr(tables, "read_parts", noted_range)
    emotions_stage.run(stage_context(workspace), EmotionsParams(model=model))
    assert decoded == list(range(8))
    assert ranges == [list(range(8))]


def test_a_video_no_person_of_which_is_assessable_reads_no_crop_at_all(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = film(tmp_path / "w", [face_row(frame, **SMALL) for frame in range(5)], {0: list(range(5))})
    workspace.table("crops").unlink()
    context, params = stage_context(workspace), EmotionsParams(model=model)
    assert emotions_stage.run(context, params) == {
        "windows": 3,
        "not_assessable": 3,
        "segments": 1,
    }
    (segment,) = tables.read_table(context.out / "segments.parquet", tables.SEGMENTS).to_pylist()
    assert (segment["class"], segment["reason"]) == ("not assessable", "too small")


@pytest.mark.parametrize("frames", [0, 5])
def test_no_faces_give_valid_empty_tables(tmp_path: Path, model: str, frames: int) -> None:
    workspace = make_workspace(
        tmp_path / "w",
        frames=frames_table(PTS[:frames]),
        faces=faces_table([]),
        crops=crops_table([]),
        tracks=tracks_table({}),
    )
    context, params = stage_context(workspace), EmotionsParams(model=model)
    assert emotions_stage.run(context, params) == {
        "windows": 0,
        "not_assessable": 0,
        "segments": 0,
    }
    for name, schema in (("emotions", windows_schema(EMOTIONS)), ("segments", tables.SEGMENTS)):
        assert tables.read_table(context.out / f"{name}.parquet", schema).num_rows == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stride", 0),
        ("stride", -2),
        ("mean_segment_s", 0.0),
        ("mean_segment_s", math.nan),
        ("mean_segment_s", math.inf),
        ("min_segment_s", -0.1),
        ("prior", -0.1),
        ("prior", 1.1),
    ],
)
def test_parameters_that_cannot_be_used(tmp_path: Path, model: str, name: str, value: float) -> None:
    context = stage_context(film(tmp_path / "w", [face_row(0)], {0: [0]}))
    with pytest.raises(ConfigError, match=name) as caught:
        emotions_stage.run(context, replace(EmotionsParams(model=model), **{name: value}))  # type: ignore[arg-type]
    assert caught.value.hint
    assert context.chunks.done == 0


def test_the_receipt_names_a_file_given_by_path_by_its_content(tmp_path: Path, model: str) -> None:
    other = tmp_path / "other.safetensors"
    write_tiny_classifier(other, seed=1)
    first, second = (emotions_stage.weights(EmotionsParams(model=path)) for path in (model, str(other)))
    assert first == {"classifier": sha256_file(Path(model)), "covered-faces": MODELS["covered-faces"].sha256}
    assert set(second) == set(first) and second != first


def test_models_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="resnet-9000"):
        emotions_stage.weights(EmotionsParams(model="resnet-9000"))
    with fails(WeightsError, "weights-missing", "no-such.safetensors"):
        emotions_stage.weights(EmotionsParams(model=str(tmp_path / "no-such.safetensors")))


def test_a_picture_that_is_held_is_a_window_of_its_own_as_long_as_it_stands(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.2, 0.3, 10.0, 10.1, 10.2, 10.3]
    workspace = make_workspace(
        tmp_path,
        frames=frames_table(times, held={3: 10.0}),
        faces=faces_table([face_row(k) for k in range(8)]),
        tracks=tracks_table({0: list(range(8))}),
    )
    windows = make_windows(stage_context(workspace), EmotionsParams(stride=2), 4)
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
    windows = make_windows(stage_context(workspace), EmotionsParams(stride=2), 4)
    assert windows.end_s.tolist()[0] == pytest.approx(0.2)


def test_a_label_does_not_change_while_a_picture_stands(tmp_path: Path) -> None:
    labels = ("anger", "happiness")
    rows = [
        {"track": 0, "face": 0, "start_s": 0.0, "end_s": 10.0, "reason": "", "anger": 0.6, "happiness": 0.4},
        {"track": 0, "face": 1, "start_s": 10.0, "end_s": 10.2, "reason": "", "anger": 0.02, "happiness": 0.98},
        {"track": 0, "face": 3, "start_s": 10.2, "end_s": 14.0, "reason": "", "anger": 0.02, "happiness": 0.98},
    ]
    segments = make_segments(pa.Table.from_pylist(rows, schema=windows_schema(labels)), EmotionsParams()).to_pylist()
    assert [row["class"] for row in segments] == ["anger", "happiness"]
    assert segments[0]["end_s"] == segments[1]["start_s"] == 10.0
