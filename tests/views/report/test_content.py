from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from fercli import tables
from fercli.errors import MissingStage
from fercli.labels import NOT_ASSESSABLE
from fercli.views.report import content as report_content
from fercli.views.report import fragments
from fercli.views.report.columns import boxes, charts
from fercli.views.report.content import Content, read_content
from fercli.views.report.playback import Playback
from fercli.views.report.thumbnails import COLUMNS
from fercli.workspace import Workspace
from tests.edits.by_hand import annotate
from tests.views.report.film import EVIL, FACES, LABELS, START_S, make_film
from tests.workspaces import VIDEO


@pytest.fixture
def film(tmp_path: Path) -> Content:
    return read_content(make_film(tmp_path / "film.fercli"))


def test_persons_come_by_screen_time_and_no_person_known_last(film: Content) -> None:
    assert [one.person.name for one in film.persons] == [EVIL, "Person 2", "Unassigned"]
    assert [one.person.screen_time_s for one in film.persons] == pytest.approx([9.0, 2.0, 2.0])
    assert film.labels == LABELS
    assert film.shots_s.tolist() == pytest.approx([START_S + 4.0])


def test_segments_of_a_person_are_all_there_in_order(film: Content) -> None:
    emotions = [segment.emotion for segment in film.persons[0].person.segments]
    assert emotions == ["happiness", "neutral", "neutral", NOT_ASSESSABLE, "happiness"]


def test_only_changes_within_a_track_are_counted_and_none_across_a_gap(film: Content) -> None:
    assert dict(film.persons[0].transitions) == {("happiness", "neutral"): 1}
    assert not film.persons[1].transitions and not film.persons[2].transitions


def test_the_mean_balance_is_weighed_by_time(film: Content) -> None:
    # 2 s and 2 s of happiness at 0.8 - 0.1, 2 s and 2 s of neutral at 0.2 - 0.2.
    assert film.persons[0].balance == pytest.approx((4 * 0.7 + 4 * 0.0) / 8)
    assert film.persons[1].balance == pytest.approx(0.1 - 0.7)
    assert film.persons[2].balance is None


def test_there_are_no_more_pictures_than_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_content, "FACES_A_PERSON", 4)
    film = read_content(make_film(tmp_path / "film.fercli"))
    assert [len(one.face_pts_s) for one in film.persons] == [4, 4, 4]
    # 45 faces of 0.2 s: the middles of four equal parts.
    assert film.persons[0].face_pts_s.tolist() == pytest.approx([START_S + 0.2 * k for k in (5, 16, 28, 39)])


def test_columns_add_up_to_milliseconds_of_presentation_time(film: Content) -> None:
    data = charts(film, Playback("film.mp4", ""))
    assert [one["name"] for one in data["classes"]] == ["angry", "happy", "neutral", "not assessable"]
    assert [one["sign"] for one in data["classes"]] == [-1, 1, 0, 0]
    assert (data["video"]["start"], data["video"]["end"]) == (5000, 14000)
    assert data["shots"] == [9000]
    first = data["persons"][0]
    assert first["segments"]["start"] == [5000, 7000, 9000, 11000, 12000]
    assert first["segments"]["end"] == [7000, 9000, 11000, 12000, 14000]
    assert first["segments"]["class"] == [1, 2, 2, 3, 1]
    assert first["segments"]["score"] == [80, 60, 50, None, 90]
    assert first["faces"][:3] == [5000, 200, 200]
    assert first["stream"]["bin"][0] == 0 and sum(first["stream"]["bin"]) == 89
    assert len(first["stream"]["bin"]) == 80  # a second of 9 was not assessable
    assert [column[0] for column in first["stream"]["percent"]] == [10, 80, 10]
    assert data["sheet"]["columns"] == COLUMNS


def test_lines_are_means_of_measurements_in_bins(film: Content) -> None:
    measured = film.persons[0].measured
    assert measured.bins.tolist() == list(range(90)) and measured.step_s == pytest.approx(0.1)
    assert measured.values[:, 0] == pytest.approx(np.full(90, 0.6))  # smile: .5 and .7
    assert measured.values[:, 2] == pytest.approx(np.arange(45).repeat(2) - 30.0)
    data = charts(film, Playback("", "gone"))
    assert data["lines"] == ["smile", "jaw open", "yaw", "talking"]
    first = data["persons"][0]["measured"]
    assert [column[0] for column in first["percent"]] == [60, 25, -30, 0] and first["percent"][2][-1] == 14
    assert data["persons"][2]["measured"]["bin"] == []  # nothing was measured of nobody known
    sections = fragments.persons(film, data["classes"]).split("<section")[1:]
    assert ['data-part="line"' in section for section in sections] == [True, True, False]
    assert [f">{name}</option>" in fragments.lines(film) for name in data["lines"]] == [True] * 4


def test_lines_are_thinned_with_the_probabilities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_content, "STREAM_BINS", 9)
    film = read_content(make_film(tmp_path / "film.fercli"))
    assert len(film.persons[0].measured.bins) == 9
    assert film.persons[0].measured.values[0, 2] == pytest.approx(np.mean([-30, -29, -28, -27, -26]))


def test_where_nothing_was_measured_there_is_no_choice(tmp_path: Path) -> None:
    workspace = make_film(tmp_path / "film.fercli")
    rows = [{"face": face, "flag": 0.0} for face in range(len(FACES))]
    nothing = pa.Table.from_pylist(rows, schema=tables.ATTRIBUTES)
    tables.write_table(workspace.table("attributes"), [nothing], tables.ATTRIBUTES)
    film = read_content(workspace)
    assert fragments.lines(film) == ""
    assert 'data-part="line"' not in fragments.persons(film, charts(film, Playback("", "gone"))["classes"])


def test_boxes_that_move_evenly_are_two_keyframes_a_track(film: Content) -> None:
    columns = boxes(film)
    assert columns["track"] == [0, 1, 2, 3]
    assert columns["person"] == [0, 1, 0, 2]
    assert columns["pts"] == [[5000, 3800], [5000, 1800], [9000, 4800], [11000, 1800]]
    assert columns["end"] == [9000, 7000, 14000, 13000]
    assert columns["x1"][1] == [35, 2] and columns["y2"][1] == [62, 0]


def test_tracks_of_one_person_seen_at_once_lie_in_lanes(tmp_path: Path) -> None:
    workspace = make_film(tmp_path / "film.fercli")
    people = tables.read_table(workspace.table("persons")).to_pylist()
    nobody = pa.Table.from_pylist([{**row, "person": None, "identity": None} for row in people], schema=tables.PERSONS)
    tables.write_table(workspace.table("persons"), [nobody], tables.PERSONS)
    (everyone,) = charts(read_content(workspace), Playback("", "gone"))["persons"]
    assert everyone["lanes"] == 2
    lane_of = dict(zip(everyone["segments"]["track"], everyone["segments"]["lane"], strict=True))
    assert lane_of[0] != lane_of[1] and lane_of[2] != lane_of[3]


def test_a_persons_own_segments_are_marked_even_of_classes_and_people_no_network_knows(tmp_path: Path) -> None:
    workspace = make_film(tmp_path / "film.fercli")
    rows = ("Person 2,5.000,6.000,contemptuous", "Nobody Tracked,6.000,8.000,happy", "Nobody Tracked,8.000,9.000,sad")
    annotate(workspace, *rows)
    film = read_content(workspace)
    data = charts(film, Playback("", "gone"))
    names = [one["name"] for one in data["classes"]]
    assert names == ["angry", "happy", "neutral", "sad", "contemptuous", "not assessable"]
    persons = {one["name"]: one for one in data["persons"]}
    assert persons["Person 2"]["segments"]["human"] == [1, 0]
    assert [names[k] for k in persons["Person 2"]["segments"]["class"]] == ["contemptuous", "angry"]
    assert len(persons["Person 2"]["stream"]["percent"]) == len(names) - 1
    stranger = next(one for one in film.persons if one.person.name == "Nobody Tracked")
    assert stranger.person.tracks == () and stranger.portrait == stranger.sheet == b""
    assert not stranger.transitions and persons["Nobody Tracked"]["lanes"] == 1


@pytest.mark.parametrize(
    ("directory", "stage"), [("faces", "detect-faces"), ("tracks", "track"), ("emotions", "classify-emotions")]
)
def test_a_stage_that_has_not_run_is_named(tmp_path: Path, directory: str, stage: str) -> None:
    workspace: Workspace = make_film(tmp_path / "film.fercli")
    shutil.rmtree(workspace.path / directory)
    with pytest.raises(MissingStage, match=f"needs {stage} first: it has not run yet") as caught:
        read_content(workspace)
    assert caught.value.hint == f"run: fercli {stage} {workspace.path}"


def test_what_lasts_no_time_has_no_mean_and_no_share(tmp_path: Path) -> None:
    video = replace(VIDEO, path="/films/still.mp4", start_s=START_S, duration_s=0.0)
    workspace = make_film(tmp_path / "film.fercli", video)
    for name in ("emotions", "segments", "persons"):
        table = tables.read_table(workspace.table(name))
        place = table.schema.get_field_index("end_s")
        table = table.set_column(place, table.schema.field(place), table["start_s"])
        tables.write_table(workspace.table(name), [table], table.schema)
    film = read_content(workspace)
    assert [one.balance for one in film.persons] == [None, None, None]
    data = charts(film, Playback("", "gone"))
    assert (data["video"]["start"], data["video"]["end"]) == (5000, 5001)  # charts divide by the length
    assert "<td>0.0 s</td><td>0 %</td>" in fragments.persons(film, data["classes"])
