"""Manual annotations over predictions: who is cut, what is shown, and where its face is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fercli import tables
from fercli.edits.editing import ignore, rename
from fercli.formats import FORMATS
from fercli.formats.face_rows import shown_emotions
from fercli.persons.names import UNASSIGNED
from fercli.results.load import load
from fercli.results.model import NO_TRACK, Speech
from fercli.results.overlay import BY_HAND
from fercli.workspace import Workspace
from tests.edits.by_hand import annotate
from tests.importers.films import by_hand, film, shown
from tests.workspaces import add_receipt, sums


def test_predictions_segments_are_cut_away_where_a_person_says_otherwise(tmp_path: Path) -> None:
    workspace = annotate(film(tmp_path / "w"), "Person 1,3.5,4.5,surprised")
    assert [row for row in shown(workspace) if row[0] == "Person 1"] == [
        ("Person 1", "angry", 8000, 10000),
        ("Person 1", "happy", 0, 3500),
        ("Person 1", "sad", 4500, 6000),
        ("Person 1", "surprised", 3500, 4500),
    ]
    assert by_hand(workspace) == [("Person 1", "surprised", 3500, 4500)]


def test_a_span_inside_a_segment_leaves_both_sides_with_their_score_and_boxes_of_their_own(tmp_path: Path) -> None:
    workspace = annotate(film(tmp_path / "w"), "Person 1,1,2,afraid")
    pieces = [s for s in load(workspace).segments if s.emotion == "happiness"]
    assert [(s.start_s, s.end_s) for s in pieces] == [(0, 1), (2, 4)]
    assert [s.score for s in pieces] == pytest.approx([0.9, 0.9])
    assert [s.source for s in pieces] == ["machine", "machine"]
    # x1 is the number of the frame: frame 1 is at 0.5 s, frame 6 at 3 s
    assert [s.box[0] if s.box else None for s in pieces] == [1, 6]


def test_a_human_segment_has_the_face_nearest_to_its_middle_and_no_score(tmp_path: Path) -> None:
    workspace = annotate(film(tmp_path / "w"), "Person 1,3,9.25,happy")
    (segment,) = [s for s in load(workspace).segments if s.source == "human"]
    assert (segment.track, segment.score, segment.identity, segment.reason) == (0, None, None, "")
    assert segment.box is not None and segment.box[0] == 11  # 5.5 s is the last frame before the middle at 6.125 s
    assert list(segment.as_record()) == ["type", "class", "seconds", "object", "end", "track", "box", "source"]
    assert segment.as_record()["source"] == "human"


def test_a_face_is_there_as_long_as_its_frame_stands(tmp_path: Path) -> None:
    workspace = annotate(film(tmp_path / "w"), "Person 1,5.6,5.9,happy")
    (segment,) = [s for s in load(workspace).segments if s.source == "human"]
    assert segment.box is not None and segment.box[0] == 11


def test_who_was_not_tracked_there_has_no_box(tmp_path: Path) -> None:
    workspace = annotate(film(tmp_path / "w"), "Person 2,6,7,happy")
    (segment,) = [s for s in load(workspace).segments if s.source == "human"]
    assert (segment.track, segment.box) == (NO_TRACK, None)
    record = segment.as_record()
    assert (record["track"], record["box"]) == (None, None)


def test_a_deletion_takes_segments_and_gaps_away(tmp_path: Path) -> None:
    workspace = annotate(film(tmp_path / "w"), "Person 2,2,60,")
    assert [row for row in shown(workspace) if row[0] == "Person 2"] == [("Person 2", "neutral", 0, 2000)]


def test_what_a_person_cannot_assess_says_so(tmp_path: Path) -> None:
    workspace = annotate(film(tmp_path / "w"), "Person 1,0,4,not assessable")
    (gap,) = [s for s in load(workspace).gaps if s.source == "human"]
    assert (gap.reason, gap.score) == (BY_HAND, None)


def test_persons_are_summed_over_what_is_shown(tmp_path: Path) -> None:
    workspace = annotate(film(tmp_path / "w"), "Person 1,0,4,sad", "Gunther,1,2.5,happy", "Gunther,3,4,sad")
    assert [sums(one) for one in load(workspace).persons] == [
        ("Person 1", 2, 8.0, {"sadness": 6.0, "anger": 2.0}),
        ("Person 2", 1, 4.0, {"neutral": 3.0, "not assessable": 1.0}),
        ("Gunther", 0, 2.5, {"happiness": 1.5, "sadness": 1.0}),
    ]


def test_half_a_millisecond_is_not_a_segment(tmp_path: Path) -> None:
    workspace = annotate(film(tmp_path / "w"), "Person 1,0.001,3.998,sad")
    assert [row for row in shown(workspace) if row[1] == "happy"] == []


def test_rows_follow_a_person_who_got_a_name_since(tmp_path: Path) -> None:
    workspace = annotate(film(tmp_path / "w"), "Person 2,0,3,happy")
    rename(workspace, "Person 2", "Ross")
    assert by_hand(workspace) == [("Ross", "happy", 0, 3000)]
    assert ("Ross", "neutral", 0, 3000) not in shown(workspace)


def test_who_is_left_out_stays_out(tmp_path: Path) -> None:
    workspace = annotate(film(tmp_path / "w"), "Person 2,0,3,happy")
    ignore(workspace, "Person 2")
    assert {row[0] for row in shown(workspace)} == {"Person 1"}


def test_tracks_of_no_person_known_can_be_labelled(tmp_path: Path) -> None:
    workspace = annotate(film(tmp_path / "w"), "Unassigned,0,3,happy")
    result = load(workspace)
    assert result.unassigned and sums(result.unassigned) == (UNASSIGNED, 0, 3.0, {"happiness": 3.0})
    assert "Unassigned" not in [person.name for person in result.persons]


def test_a_line_that_cannot_be_used_is_a_warning_and_the_others_count(tmp_path: Path) -> None:
    workspace = annotate(film(tmp_path / "w"), "Person 1,0,4,sad")
    workspace.edits.write_text(workspace.edits.read_text() + '{"edit": "clear", "class": "bored"}\n')
    result = load(workspace)
    assert [warning[:15] for warning in result.warnings] == ["edits.jsonl:2: "]
    assert by_hand(workspace) == [("Person 1", "sad", 0, 4000)]


def test_no_person_known_can_be_left_out_with_the_annotations(tmp_path: Path) -> None:
    workspace = annotate(film(tmp_path / "w"), "Unassigned,0,3,happy")
    assert load(workspace).unassigned is not None
    tables.write_table(workspace.table("persons"), [unassigned(workspace)], tables.PERSONS)
    add_receipt(workspace, "persons")
    ignore(workspace, "Unassigned")
    result = load(workspace)
    assert result.unassigned is None and {one.person for one in result.segments} == {"Person 1"}


def unassigned(workspace: Workspace) -> pa.Table:
    """The persons of the film without Person 2."""
    rows = tables.read_table(workspace.table("persons")).to_pylist()
    lost = {"person": None, "identity": None}
    return pa.Table.from_pylist(
        [{**row, **(lost if row["person"] == "Person 2" else {})} for row in rows], schema=tables.PERSONS
    )


def test_what_a_person_says_goes_for_all_faces_in_all_tracks(tmp_path: Path) -> None:
    result = load(annotate(film(tmp_path / "w"), "Person 1,4,9,surprised"))
    faces = result.details().faces
    moments = zip(faces["track"].to_pylist(), faces["pts_s"].to_pylist(), strict=True)
    emotions = dict(zip(moments, shown_emotions(result, faces), strict=True))
    assert emotions[0, 3.5] == "happiness"
    assert emotions[0, 4.0] == emotions[0, 5.5] == emotions[2, 8.5] == "surprise"
    assert emotions[2, 9.0] == "anger"
    assert emotions[1, 3.0] == "not assessable"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_written_with_a_persons_own_segments(tmp_path: Path, name: str) -> None:
    rows = ("Person 1,3.5,9,surprised", "Person 2,0,1,", "Ben,1,2,happy", "Unassigned,3,4,sad", "Person 2,6,7,afraid")
    result = replace(load(annotate(film(tmp_path / "w"), *rows)), speech=Speech("en", None, (), (), ()))
    path = tmp_path / f"out{FORMATS[name].suffix}"
    FORMATS[name].write(result, path)
    assert FORMATS[name].said or FORMATS[name].rated or path.stat().st_size > 100


def test_tables_say_whose_word_a_segment_is(tmp_path: Path) -> None:
    result = load(annotate(film(tmp_path / "w"), "Ben,1,2,happy", "Person 1,0,4,sad"))
    FORMATS["parquet"].write(result, tmp_path / "out.parquet")
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    human = {row["object"]: row for row in rows if row["source"] == "human"}
    assert set(human) == {"Ben", "Person 1"}
    assert {human["Ben"][key] for key in ("track", "x1", "score", "identity")} == {None}
    assert human["Person 1"]["track"] == 0 and human["Person 1"]["x1"] is not None
    FORMATS["csv"].write(result, tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0].endswith(",source,doubtful,video")
    assert "Ben,happy,1.0,2.0,,,,,,,human,,épisode 1.mp4" in lines
    assert sorted(line.split(",")[-3] for line in lines[1:]) == ["human"] * 2 + ["machine"] * 3
