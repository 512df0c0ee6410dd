"""What a finished job gives: exports, tables, pictures, the video; and corrections."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fercli.formats import FORMATS
from fercli.workspace import Workspace
from tests.serve.test_jobs import problem
from tests.serve.world import MP4, World
from tests.views.report.film import EVIL


@pytest.fixture
def job(here: World) -> str:
    """A finished job; its address."""
    return f"/v1/jobs/{here.done()}"


def edit(here: World, job: str, **values: Any) -> Any:
    return here.client.post(f"{job}/edits", json={"by": "annotator-1", **values})


def persons(here: World, job: str) -> dict[str, bool]:
    """Shown name -> whether the person is ignored."""
    found = here.client.get(f"{job}/timeline").json()["persons"]
    return {one["name"]: one["ignored"] for one in found}


def segments(here: World, job: str, person: str) -> list[tuple[int, int, str, int]]:
    """Start and end in milliseconds, class, and whether it is a manual annotation."""
    body = here.client.get(f"{job}/timeline").json()
    names = [one["name"] for one in body["classes"]]
    (own,) = (one["segments"] for one in body["persons"] if one["name"] == person)
    return [
        (start, end, names[kind], human)
        for start, end, kind, human in zip(own["start"], own["end"], own["class"], own["human"], strict=True)
    ]


SILENT = [name for name in FORMATS if name not in ("coco", "openface", "pyfeat") and not FORMATS[name].said]


@pytest.mark.parametrize("name", [name for name in FORMATS if FORMATS[name].said])
def test_a_format_of_what_is_said_needs_a_transcript(here: World, job: str, name: str) -> None:
    assert problem(here.client.get(f"{job}/result", params={"format": name})) == (409, "stage-missing")


@pytest.mark.parametrize("name", SILENT)
def test_every_format_can_be_taken_away(here: World, job: str, name: str) -> None:
    answer = here.client.get(f"{job}/result", params={"format": name})
    assert answer.status_code == 200 and answer.content
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''a{FORMATS[name].suffix}"
    again = here.client.get(f"{job}/result", params={"format": name}, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304 and not again.content


def test_an_unknown_format_and_a_job_that_is_not_done_are_said(here: World, job: str) -> None:
    assert problem(here.client.get(f"{job}/result?format=none")) == (422, "name-unknown")
    failed = here.post("broken.mp4")
    here.wait(failed)
    for path in ("result", "timeline", "segments", "faces/0.jpg", "edits", "report", "frames/1.jpg", "tracks-drawn"):
        assert problem(here.client.get(f"/v1/jobs/{failed}/{path}")) == (409, "job-not-done")


def test_tables_come_as_json_in_pages(here: World, job: str) -> None:
    whole = here.client.get(f"{job}/segments").json()
    assert whole["next"] is None and len(whole["rows"]) == 7
    rows, address = [], f"{job}/segments?limit=3"
    while address:
        page = here.client.get(address).json()
        rows += page["rows"]
        address = page["next"]
    assert rows == whole["rows"]
    assert whole["rows"][0] | {"seconds": 5.0, "class": "happy", "object": EVIL} == whole["rows"][0]
    assert [row["person"] for row in here.client.get(f"{job}/persons").json()["rows"]] == [
        EVIL,
        "Person 2",
        "Unassigned",
    ]


@pytest.mark.parametrize("name", ["segments", "persons", "tracks", "signals"])
def test_tables_come_as_arrow_and_csv(here: World, job: str, name: str) -> None:
    rows = here.client.get(f"{job}/{name}?limit=10000").json()["rows"]
    kind = "application/vnd.apache.arrow.stream"
    answer = here.client.get(f"{job}/{name}", headers={"accept": kind})
    assert answer.headers["content-type"] == kind and answer.headers["vary"] == "accept"
    assert len(pa.ipc.open_stream(answer.content).read_all()) == len(rows)
    answer = here.client.get(f"{job}/{name}", headers={"accept": "text/csv"})
    found = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(found) == len(rows) and list(found[0]) == list(rows[0])
    assert problem(here.client.get(f"{job}/{name}", headers={"accept": "image/png"})) == (406, "not-acceptable")


def test_a_name_is_no_formula_in_csv(here: World, job: str) -> None:
    assert edit(here, job, edit="rename", person="Person 2", to="=1+1").status_code == 201
    text = here.client.get(f"{job}/persons", headers={"accept": "text/csv"}).text
    assert "'=1+1" in text and '"=1+1' not in text


def test_the_report_runs_its_own_script_only(here: World, job: str) -> None:
    answer = here.client.get(f"{job}/report")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'sha256-" in policy and "frame-ancestors 'none'" in policy
    assert '"source":"video"' in answer.text and "<script>alert" not in answer.text


def test_faces_are_pictures(here: World, job: str) -> None:
    answer = here.client.get(f"{job}/faces/3.jpg")
    assert answer.headers["content-type"] == "image/jpeg" and answer.content[:2] == b"\xff\xd8"
    assert problem(here.client.get(f"{job}/faces/100000.jpg")) == (404, "face-unknown")


def test_the_video_comes_in_ranges(here: World, job: str) -> None:
    answer = here.client.get(f"{job}/video")
    assert answer.content == MP4 and answer.headers["accept-ranges"] == "bytes"
    part = here.client.get(f"{job}/video", headers={"range": "bytes=4-11"})
    assert (part.status_code, part.content) == (206, MP4[4:12])
    assert part.headers["content-range"] == f"bytes 4-11/{len(MP4)}"
    assert here.client.get(f"{job}/video", headers={"range": "bytes=99999999-"}).status_code == 416
    (here.root / "a.mp4").unlink()
    assert problem(here.client.get(f"{job}/video")) == (404, "file-missing")
    (here.root.parent / "secret.mp4").write_bytes(b"secret")
    (here.root / "a.mp4").symlink_to(here.root.parent / "secret.mp4")
    assert problem(here.client.get(f"{job}/video")) == (404, "file-missing")


def test_what_is_drawn_changes_with_edits_and_the_tracks_do_not(here: World, job: str) -> None:
    timeline, drawn = here.client.get(f"{job}/timeline"), here.client.get(f"{job}/tracks-drawn")
    assert [len(timeline.json()["classes"]), len(drawn.json()["boxes"]["track"])] == [9, 4]
    assert drawn.json()["boxes"]["track"] == drawn.json()["streams"]["track"] == [0, 1, 2, 3]
    assert edit(here, job, edit="ignore", person="Person 2").status_code == 201
    for path, before, status in (("timeline", timeline, 200), ("tracks-drawn", drawn, 304)):
        headers = {"if-none-match": before.headers["etag"]}
        assert here.client.get(f"{job}/{path}", headers=headers).status_code == status


def test_what_is_drawn_is_sent_compressed_to_those_who_read_that(here: World, job: str) -> None:
    for path in ("timeline", "tracks-drawn", "edits"):
        small = here.client.get(f"{job}/{path}", headers={"accept-encoding": "br, gzip"})
        plain = here.client.get(f"{job}/{path}", headers={"accept-encoding": "identity"})
        assert (small.headers.get("content-encoding"), plain.headers.get("content-encoding")) == ("gzip", None)
        assert small.json() == plain.json() and small.headers["vary"] == "accept-encoding"


def test_valence_and_words_are_in_what_is_drawn(here: World) -> None:
    job = f"/v1/jobs/{here.done('rated.mp4')}"
    timeline, drawn = (here.client.get(f"{job}/{path}").json() for path in ("timeline", "tracks-drawn"))
    said = {one["name"]: one["said"] for one in timeline["persons"]}
    assert said == {
        EVIL: {"start": [5500], "end": [6500], "text": ["Hello <b>there</b>."]},
        "Person 2": {"start": [7000], "end": [7333], "text": ["Who"]},
        "Unassigned": {"start": [], "end": [], "text": []},
    }
    rated = drawn["rated"]
    assert (rated["source"], rated["track"], rated["step"]) == ("derived", [0, 1, 2, 3], [100.0] * 4)
    happy, unseen = rated["percent"][0], rated["percent"][3]
    valence, low, high, arousal, intensity = (column[5] for column in happy)
    assert 40 < valence <= 81 and low < valence < high <= 100 and 30 < arousal < 60 and intensity > 50
    assert [len(column) for column in happy] == [len(rated["bin"][0])] * 5 and rated["bin"][0][:3] == [0, 1, 1]
    assert unseen == [[]] * 5, "a face that is not assessable has no valence"
    angry = rated["percent"][1]
    assert max(angry[0]) < -20


def test_without_ratings_and_words_nothing_of_them_is_drawn(here: World, job: str) -> None:
    timeline, drawn = (here.client.get(f"{job}/{path}").json() for path in ("timeline", "tracks-drawn"))
    assert drawn["rated"] == {"source": "", "track": [], "step": [], "bin": [], "percent": []}
    assert all(one["said"]["start"] == [] for one in timeline["persons"])


def test_who_speaks_follows_the_names(here: World) -> None:
    job = f"/v1/jobs/{here.done('rated.mp4')}"
    assert edit(here, job, edit="rename", person=EVIL, to="Ross").status_code == 201
    persons = here.client.get(f"{job}/timeline").json()["persons"]
    assert {one["name"]: one["said"]["text"] for one in persons}["Ross"] == ["Hello <b>there</b>."]


def test_persons_are_renamed_merged_split_ignored_and_restored(here: World, job: str) -> None:
    answer = edit(here, job, edit="rename", person=EVIL, to="Ross")
    assert answer.json()["edits"] == [1] and answer.json()["notes"] == []
    assert persons(here, job) == {"Ross": False, "Person 2": False, "Unassigned": False}
    assert problem(edit(here, job, edit="merge", persons=["Person 2"], to="Ross")) == (409, "persons-seen-together")
    assert edit(here, job, edit="merge", persons=["Person 2"], to="Ross", force=True).status_code == 201
    assert persons(here, job) == {"Ross": False, "Unassigned": False}
    assert edit(here, job, edit="split", person="Ross", tracks=[2], to="Joey").status_code == 201
    assert edit(here, job, edit="ignore", person="Joey").status_code == 201
    assert persons(here, job) == {"Ross": False, "Unassigned": False, "Joey": True}
    assert edit(here, job, edit="restore", person="Joey").status_code == 201
    assert persons(here, job)["Joey"] is False
    assert edit(here, job, edit="undo", of=[2, 3]).json()["edits"] == [6, 7]
    assert persons(here, job) == {"Ross": False, "Person 2": False, "Unassigned": False}
    listed = here.client.get(f"{job}/edits").json()["edits"]
    assert [one["by"] for one in listed] == ["annotator-1"] * 7
    assert listed[1]["state"] == "undone" and listed[0]["text"].endswith("is Ross")


def test_manual_annotations_override_and_are_anchored_to_a_face(here: World, job: str) -> None:
    before = segments(here, job, "Person 2")
    assert before == [(5000, 7000, "angry", 0)]
    body = {"person": "Person 2", "start_s": 5.5, "end_s": 6.0}
    assert edit(here, job, edit="set-emotion", **body, **{"class": "surprised"}).status_code == 201
    assert segments(here, job, "Person 2") == [
        (5000, 5500, "angry", 0), (5500, 6000, "surprised", 1), (6000, 7000, "angry", 0)
    ]  # fmt: skip
    assert edit(here, job, edit="set-emotion", **body, **{"class": "not assessable"}).status_code == 201
    assert segments(here, job, "Person 2")[1] == (5500, 6000, "not assessable", 1)
    assert edit(here, job, edit="clear", **body).status_code == 201
    assert segments(here, job, "Person 2") == [(5000, 5500, "angry", 0), (6000, 7000, "angry", 0)]
    assert edit(here, job, edit="undo", of=[1, 2, 3]).status_code == 201
    assert segments(here, job, "Person 2") == before
    line = json.loads(log_of(here, job).read_text().splitlines()[0])
    assert 5.4 <= line["at"]["time_s"] <= 6.0 and line["class"] == "surprised" and line["by"] == "annotator-1"
    exported = here.client.get(f"{job}/result?format=records").json()
    assert not any(one.get("source") == "human" for one in exported)


def log_of(here: World, job: str) -> Path:
    (found,) = (here.root / ".fercli" / "jobs" / job.rsplit("/", 1)[1]).glob("*.fercli/edits.jsonl")
    return found


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"edit": "rename", "person": "Nobody", "to": "X"}, (404, "person-unknown")),
        ({"edit": "rename", "person": "Person 2", "to": EVIL}, (409, "name-taken")),
        ({"edit": "rename", "person": "Person 2"}, (422, "request-invalid")),
        ({"edit": "rename", "person": "Person 2", "to": "a\nb"}, (422, "name-invalid")),
        ({"edit": "rename", "person": "Person 2", "to": "X", "by": "a\nb"}, (422, "name-invalid")),
        ({"edit": "paint", "person": "Person 2"}, (422, "request-invalid")),
        ({"edit": "undo", "of": [9]}, (404, "edit-unknown")),
        ({"edit": "undo"}, (422, "request-invalid")),
        ({"edit": "split", "person": "Person 2", "tracks": [7]}, (422, "track-unknown")),
        ({"edit": "merge", "to": "Person 2"}, (422, "request-invalid")),
        ({"edit": "clear", "person": "Nobody", "start_s": 5, "end_s": 6}, (404, "person-unknown")),
        ({"edit": "clear", "person": "Person 2", "start_s": 6, "end_s": 5}, (422, "time-outside-video")),
        ({"edit": "clear", "person": "Person 2", "start_s": 50, "end_s": 60}, (422, "time-outside-video")),
        ({"edit": "clear", "person": "Person 2"}, (422, "request-invalid")),
        (
            {"edit": "set-emotion", "person": "Person 2", "start_s": 5, "end_s": 6, "class": "bored"},
            (422, "option-unusable"),
        ),
        ({"edit": "restore", "person": "Person 2"}, (409, "nothing-to-do")),
        ({"edit": "ignore", "person": "Person 2", "colour": "red"}, (422, "request-invalid")),
    ],
)
def test_a_correction_that_does_not_fit_changes_nothing(
    here: World, job: str, values: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert problem(edit(here, job, **values)) == expected
    assert here.client.get(f"{job}/edits").json()["edits"] == []


def test_an_annotator_can_ask_that_nobody_was_faster(here: World, job: str) -> None:
    seen = here.client.get(f"{job}/timeline").headers["etag"]
    body = {"edit": "ignore", "person": "Person 2", "by": "annotator-2"}
    assert here.client.post(f"{job}/edits", json=body, headers={"if-match": seen}).status_code == 201
    body = {"edit": "restore", "person": "Person 2", "by": "annotator-3"}
    assert problem(here.client.post(f"{job}/edits", json=body, headers={"if-match": seen})) == (412, "edits-changed")


def test_a_workspace_in_use_is_not_corrected(here: World, job: str) -> None:
    with Workspace.open(log_of_workspace(here, job)).lock():
        assert problem(edit(here, job, edit="ignore", person="Person 2")) == (409, "workspace-locked")
    assert edit(here, job, edit="ignore", person="Person 2").status_code == 201


def log_of_workspace(here: World, job: str) -> Path:
    (found,) = (here.root / ".fercli" / "jobs" / job.rsplit("/", 1)[1]).glob("*.fercli")
    return found
