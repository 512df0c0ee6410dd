"""What an export says, gathered from hand-made tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

import fercli
from fercli import tables
from fercli.edits.anchors import anchors_of
from fercli.edits.editing import ignore, rename_unseen, split
from fercli.errors import CorruptTable
from fercli.persons.names import UNASSIGNED
from fercli.results.load import load
from fercli.results.model import Segment
from fercli.workspace import Workspace
from tests.edits.by_hand import add
from tests.workspaces import (
    VIDEO,
    add_receipt,
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    persons_table,
    segments_table,
    sums,
    tracks_table,
)

BOX = {"x1": 10.04, "y1": 20.06, "x2": 110.0, "y2": 140.5}


def film(path: Path) -> Workspace:
    """Two named persons, one of them in two tracks, and a track of nobody known. Track n has face n, at n seconds."""
    people = persons_table([(0, "Zoë", 0.0, 2.0), (1, "Ross", 1.0, 6.0), (2, "Zoë", 7.0, 8.5), (3, None, 0.0, 9.0)])
    place = tables.PERSONS.get_field_index("best_face")
    return make_workspace(
        path,
        frames=frames_table([0.0, 1.0, 2.0, 3.0]),
        faces=faces_table([face_row(0, **BOX), face_row(1, x1=5.0), face_row(2), face_row(3)]),
        tracks=tracks_table({track: [track] for track in range(4)}),
        persons=people.set_column(place, tables.PERSONS.field(place), pa.array(range(4))),
        segments=segments_table(
            [
                (0, 0.0, 1.25, "happiness", 0.91251, "", 0),
                (3, 0.5, 9.0, "not assessable", None, "too small", 3),
                (1, 1.0, 6.0, "sadness", 0.5, "", 1),
                (0, 1.25, 2.0, "neutral", 0.7, "", 0),
                (2, 7.0, 8.5, "happiness", 0.6, "", 2),
            ]
        ),
    )


def test_segments_carry_who_when_what_and_where(tmp_path: Path) -> None:
    result = load(film(tmp_path / "w"))
    assert [(s.person, s.emotion, s.start_s, s.end_s, s.track) for s in result.segments] == [
        ("Zoë", "happiness", 0.0, 1.25, 0),
        ("Ross", "sadness", 1.0, 6.0, 1),
        ("Zoë", "neutral", 1.25, 2.0, 0),
        ("Zoë", "happiness", 7.0, 8.5, 2),
    ]
    assert result.segments[0].box == pytest.approx((10.04, 20.06, 110.0, 140.5), abs=1e-4)
    box = result.segments[1].box
    assert box is not None and box[0] == 5.0
    assert [(s.person, s.reason, s.score) for s in result.gaps] == [(UNASSIGNED, "too small", None)]


def test_persons_are_summed_over_their_tracks_and_ranked_by_screen_time(tmp_path: Path) -> None:
    result = load(film(tmp_path / "w"))
    persons = result.persons
    assert [(p.name, len(p.tracks), p.screen_time_s) for p in persons] == [
        ("Ross", 1, 5.0),
        ("Zoë", 2, 3.5),
    ]
    assert list(persons[1].seconds_by_emotion.items()) == [("happiness", 2.75), ("neutral", 0.75)]
    assert result.unassigned and sums(result.unassigned) == (UNASSIGNED, 1, 9.0, {"not assessable": 8.5})


def test_the_video_is_named_without_its_path(tmp_path: Path) -> None:
    video = load(film(tmp_path / "w")).video
    assert video["name"] == "épisode 1.mp4"
    assert (video["sha256"], video["fps"], video["duration_s"]) == (VIDEO.sha256, 25.0, 60.0)
    assert "path" not in video and "/films" not in str(video)


@pytest.mark.parametrize(
    ("start_s", "end_s", "analysed"),
    [(0.0, 0.0, [5.0, 65.0]), (0.0, 8.5, [5.0, 8.5]), (7.0, 0.0, [7.0, 65.0]), (2.0, 99.0, [5.0, 65.0])],
)
def test_the_video_says_which_stretch_of_it_was_analysed(
    tmp_path: Path, start_s: float, end_s: float, analysed: list[float]
) -> None:
    workspace = film(tmp_path / "w")
    workspace.video = replace(workspace.video, start_s=5.0)
    add_receipt(workspace, "frames", start_s=start_s, end_s=end_s)
    assert load(workspace).video["analysed"] == analysed


def test_provenance_names_version_weights_and_parameters(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    add_receipt(workspace, "emotions", warnings=["two windows were odd"], stride=3)
    result = load(workspace)
    assert result.provenance["fercli"] == fercli.__version__
    assert result.provenance["models"] == {"tsm-resnet18": "cd" * 32}
    stages = result.provenance["stages"]
    assert list(stages) == ["extract-frames", "detect-faces", "track", "persons", "measure-faces", "classify-emotions"]
    assert stages["classify-emotions"]["parameters"]["stride"] == 3
    assert result.warnings == ["classify-emotions: two windows were odd"]


def test_a_video_without_faces_is_a_valid_empty_document(tmp_path: Path) -> None:
    workspace = make_workspace(
        tmp_path / "w",
        frames=frames_table([0.0, 1.0, 2.0, 3.0]),
        faces=faces_table([]),
        persons=persons_table([]),
        segments=segments_table([]),
    )
    result = load(workspace)
    assert (result.persons, result.unassigned, result.segments, result.gaps) == ([], None, [], [])


def test_records_say_how_surely_it_is_that_person(tmp_path: Path) -> None:
    result = load(film(tmp_path / "w"))
    assert [s.as_record().get("identity") for s in result.segments] == [0.9] * 4
    assert not any("identity_source" in s.as_record() for s in result.segments)
    assert "identity" not in result.gaps[0].as_record()


def test_corrected_names_show_and_say_that_a_person_gave_them(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    face = anchors_of(workspace, [1])[1]
    add(workspace, "rename", face, person="Ross", to="Zoë")
    split(workspace, "Zoë", [2], "Phoebe")
    result = load(workspace)
    assert [(p.name, len(p.tracks), p.screen_time_s) for p in result.persons] == [("Zoë", 2, 7.0), ("Phoebe", 1, 1.5)]
    records = {s.track: s.as_record() for s in result.segments}
    assert {track: record["object"] for track, record in records.items()} == {0: "Zoë", 1: "Zoë", 2: "Phoebe"}
    assert {track: record["identity"] for track, record in records.items()} == {0: 0.9, 1: 0.9, 2: 1.0}
    assert [track for track, record in records.items() if record.get("identity_source") == "human"] == [1, 2]


def test_who_is_ignored_is_nowhere(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    ignore(workspace, "Zoë")
    ignore(workspace, "Unassigned")
    result = load(workspace)
    assert [p.name for p in result.persons] == [s.person for s in result.segments] == ["Ross"]
    assert (result.unassigned, result.gaps) == (None, [])
    box = result.segments[0].box
    assert box is not None and box[0] == 5.0


def test_corrections_that_cannot_be_applied_are_warnings(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    rename_unseen(workspace, "Emily", "Ross")
    problem = "edits.jsonl:1: not applied: there is no 'Emily'"
    assert load(workspace).warnings == [problem]


def test_a_damaged_table_is_named(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    workspace.table("segments").write_bytes(b"rubbish")
    with pytest.raises(CorruptTable, match=r"segments\.parquet"):
        load(workspace)


SEGMENT = Segment(15.0, 17.12345, "happiness", "Ross", 4, 0.87654, (1.26, 2.0, 3.04, 4.0), "")


def test_the_record_has_the_four_keys_first_and_then_the_optional_ones() -> None:
    assert list(SEGMENT.as_record().items()) == [
        ("type", "emotion"),
        ("class", "happy"),
        ("seconds", 15.0),
        ("object", "Ross"),
        ("end", 17.123),
        ("score", 0.877),
        ("track", 4),
        ("box", [1.3, 2.0, 3.0, 4.0]),
    ]


def test_identity_comes_last_and_only_where_it_is_known() -> None:
    record = replace(SEGMENT, identity=0.98765, by_hand=True).as_record()
    assert list(record.items())[-2:] == [("identity", 0.988), ("identity_source", "human")]


def test_a_record_without_a_score_leaves_the_key_out() -> None:
    record = replace(SEGMENT, emotion="not assessable", score=None, reason="turned away").as_record()
    assert list(record) == ["type", "class", "seconds", "object", "end", "track", "box"]


def test_paths_of_whoever_ran_it_are_not_told(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    add_receipt(workspace, "persons", gallery="/home/alice/private/people", cast="/home/alice/show.cast")
    parameters = load(workspace).provenance["stages"]["persons"]["parameters"]
    assert (parameters["gallery"], parameters["cast"]) == ("people", "show.cast")
    assert parameters["embedder"] == "dlib-resnet"


def test_times_and_rate_are_said_as_exactly_as_any_person_can_use(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    workspace.video = replace(workspace.video, fps=24.999999999999996, duration_s=12.000000000000002)
    video = load(workspace).video
    assert (video["fps"], video["duration_s"]) == (25.0, 12.0)
