"""From classified windows to segments."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from fercli import tables
from fercli.config import EmotionsParams
from fercli.expressions.segments import make_segments
from fercli.tables import windows_schema


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
    assert found.drop_columns(["score", "doubtful"]).to_pylist() == [
        {"track": 2, "start_s": 0.0, "end_s": 2.0, "class": "calm", "reason": "", "face": 32},
        {"track": 7, "start_s": 0.0, "end_s": 2.0, "class": "joy", "reason": "", "face": 12},
        {"track": 7, "start_s": 2.0, "end_s": 4.0, "class": "calm", "reason": "", "face": 16},
    ]
    np.testing.assert_allclose(found["score"].to_numpy(), [0.75, 0.95, 0.95], rtol=1e-6)


def test_a_segment_of_faces_that_are_mostly_turned_is_doubtful() -> None:
    rows: list[tuple[int, int, float, float, str, float | None]]
    rows = [(0, i, float(i), float(i + 1), "", 0.9 if i < 3 else 0.1) for i in range(6)]
    turned = windows_table([*rows, (0, 6, 6.0, 7.0, "turned away", None)])
    for name, angles in (
        ("yaw", [-21.0, 5.0, 29.0, 19.9, 25.0, None, 40.0]),
        ("pitch", [0.0, 0.0, 0.0, -19.9, -25.0, -19.0, 0.0]),
    ):
        place = turned.schema.get_field_index(name)
        turned = turned.set_column(place, turned.schema.field(name), pa.array(angles, pa.float32()))
    found = make_segments(turned, PARAMS).to_pylist()
    assert [(row["class"], row["doubtful"]) for row in found] == [
        ("joy", "turned by 20 to 30 degrees"),
        ("calm", "turned by 20 to 30 degrees"),
        ("not assessable", ""),
    ]
    found = make_segments(turned, replace(PARAMS, doubtful_from=22.0, max_yaw=35.0)).to_pylist()
    assert [row["doubtful"] for row in found] == ["", "turned by 22 to 35 degrees", ""]


def test_a_segment_with_a_score_below_the_limit_gets_no_label() -> None:
    rows: list[tuple[int, int, float, float, str, float | None]]
    rows = [(0, i, float(i), float(i + 1), "", 0.9 if i < 3 else 0.375) for i in range(6)]
    found = make_segments(windows_table(rows), replace(PARAMS, abstain=0.7)).to_pylist()
    assert [(row["class"], row["reason"], row["score"] is None) for row in found] == [
        ("joy", "", False),
        ("not assessable", "uncertain", True),
    ]
    kept = make_segments(windows_table(rows), replace(PARAMS, abstain=0.625)).to_pylist()
    assert [(row["class"], row["score"]) for row in kept[1:]] == [("calm", 0.625)]


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
