"""Jobs over HTTP: posted, listed, cancelled, let go on, erased."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from fercli.serve.settings import Limits
from tests.serve.world import MP4, Films, World, world


def problem(answer: Any) -> tuple[int, str]:
    """Status and code of problem details."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code and body["type"] == f"urn:fercli:error:{body['code']}"
    assert body["title"] and body["detail"]
    return answer.status_code, body["code"]


def test_a_video_below_the_root_is_annotated(here: World) -> None:
    job = here.post("season/e01.mp4", frames={"fps": 5})
    found = here.wait(job)
    assert (found["state"], found["name"], found["uploaded"]) == ("done", "e01.mp4", False)
    assert found["options"] == {"frames": {"fps": 5}} and found["video"]["seconds"] == 9.0
    assert (found["outcome"]["persons"], found["outcome"]["segments"]) == (2, 5)
    assert found["outcome"]["warnings"] == ["a warning"] and found["progress"] is None
    listed = here.client.get("/v1/jobs").json()
    assert [one["id"] for one in listed["jobs"]] == [job] and listed["next"] is None


def test_an_upload_arrives_with_its_digest_for_its_owner_only(here: World) -> None:
    files: Any = {"options": (None, json.dumps({"frames": {"fps": 2}})), "file": ("Épisode 1.mp4", MP4)}
    answer = here.client.post("/v1/jobs", files=files)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{body['id']}"
    assert body["video"]["sha256"] == hashlib.sha256(MP4).hexdigest() and body["video"]["bytes"] == len(MP4)
    assert (body["name"], body["uploaded"], body["options"]) == ("Épisode 1.mp4", True, {"frames": {"fps": 2}})
    file = here.root / ".fercli" / "jobs" / body["id"] / "Épisode 1.mp4"
    assert file.read_bytes() == MP4
    assert [path.stat().st_mode & 0o077 for path in (file, file.parent, here.root / ".fercli")] == [0, 0, 0]
    assert here.wait(body["id"])["state"] == "done"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.mp4", "passwd.mp4"),
        ("C:\\films\\a.mp4", "a.mp4"),
        ("..", "video"),
        ("con.mp4", "video-con.mp4"),
        ("a\u202eb<script>.mp4", "abscript.mp4"),
        ("x" * 400 + ".mp4", None),
    ],
)
def test_a_file_name_is_only_a_name(here: World, given: str, kept: str | None) -> None:
    body = here.client.post("/v1/jobs", files={"file": (given, MP4)}).json()
    folder = here.root / ".fercli" / "jobs" / body["id"]
    names = [path.name for path in folder.iterdir() if path.is_file()]
    assert len(names) == 1 and len(names[0].encode()) <= 255 and names[0] == body["name"]
    assert kept is None or names == [kept]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"file": ("a.mp4", b"<html>" + bytes(9000))}, (415, "upload-is-no-video")),
        ({"file": ("a.mp4", b"\x7fELF")}, (415, "upload-is-no-video")),
        ({"file": ("a.mp4", b"")}, (415, "upload-is-no-video")),
        ({"options": (None, "{}")}, (422, "request-invalid")),
        ({"other": ("a.mp4", MP4)}, (422, "request-invalid")),
        ({"options": (None, "[]"), "file": ("a.mp4", MP4)}, (422, "option-unusable")),
        ({"options": (None, "{"), "file": ("a.mp4", MP4)}, (422, "request-invalid")),
        ({"options": (None, '{"frames": {"fps": "5"}}'), "file": ("a.mp4", MP4)}, (422, "option-unusable")),
        ({"file": ("a.mp4", MP4 + bytes(20_000))}, (413, "upload-too-large")),
    ],
)
def test_a_refused_upload_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, Any], expected: tuple[int, str]
) -> None:
    with world(tmp_path, monkeypatch, limits=Limits(upload_bytes=20_000)) as here:
        assert problem(here.client.post("/v1/jobs", files=files)) == expected
        assert list((here.root / ".fercli" / "jobs").iterdir()) == []
        assert here.client.get("/v1/jobs").json()["jobs"] == []


def test_an_announced_upload_that_is_too_large_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def body() -> Any:
        raise AssertionError("nothing is read")
        yield b""

    with world(tmp_path, monkeypatch, limits=Limits(upload_bytes=1000)) as here:
        headers = {"content-type": "multipart/form-data; boundary=x", "content-length": "100000000"}
        assert problem(here.client.post("/v1/jobs", content=MP4 * 40, headers=headers)) == (413, "upload-too-large")


@pytest.mark.parametrize(
    "options", [{"frames": {"fps": 0.5, "no": 1}}, {"nothing": {}}, {"batch": "many"}, {"licences": 1}]
)
def test_options_are_validated_as_those_of_annotate(here: World, options: dict[str, Any]) -> None:
    (here.root / "a.mp4").write_bytes(MP4)
    answer = here.client.post("/v1/jobs", json={"path": "a.mp4", "options": options})
    assert problem(answer) == (422, "option-unusable")


def test_an_unknown_network_is_refused_when_it_is_posted(here: World) -> None:
    (here.root / "a.mp4").write_bytes(MP4)
    options = {"emotions": {"model": "nothing"}}
    answer = here.client.post("/v1/jobs", json={"path": "a.mp4", "options": options})
    assert problem(answer) == (422, "model-unknown")


def test_persons_get_the_embedder_of_the_tracks() -> None:
    from fercli.config import PersonsParams, TracksParams
    from fercli.serve.orders import order_of

    order = order_of({"tracks": {"embedder": "dlib-resnet"}}, Path("/videos"), "cpu")
    assert [type(one) for one in order.params] == [TracksParams, PersonsParams]
    assert {one.embedder for one in order.params} == {"dlib-resnet"} and order.runtime.device == "cpu"


def test_a_failed_job_says_why_without_places_of_the_server(here: World) -> None:
    found = here.wait(here.post("broken.mp4"))
    assert found["state"] == "failed" and found["outcome"]["code"] == "video-damaged"
    assert found["outcome"]["message"] == "broken.mp4 is broken"


def test_jobs_are_listed_in_pages_the_latest_first(here: World) -> None:
    jobs = [here.done(f"{k}.mp4") for k in range(5)]
    seen, address = [], "/v1/jobs?limit=2&state=done"
    while address:
        body = here.client.get(address).json()
        seen += [one["id"] for one in body["jobs"]]
        address = body["next"]
    assert seen == jobs[::-1]
    assert here.client.get("/v1/jobs?state=failed").json()["jobs"] == []


def test_a_running_job_has_progress_and_can_be_cancelled_and_go_on(here: World) -> None:
    here.films.hold.set()
    first, second = here.post("a.mp4"), here.post("b.mp4")
    running = here.wait(first, "running")
    assert here.films.began.wait(60)
    running = here.client.get(f"/v1/jobs/{first}").json()
    assert running["progress"]["stage"] == "detect-faces" and 0 < running["progress"]["share"] < 1
    assert here.client.get(f"/v1/jobs/{second}").json()["ahead"] == 0
    assert here.client.post(f"/v1/jobs/{second}/cancel").json()["state"] == "cancelled"
    assert here.client.post(f"/v1/jobs/{first}/cancel").status_code == 202
    assert here.wait(first)["state"] == "cancelled"
    assert problem(here.client.post(f"/v1/jobs/{first}/cancel")) == (409, "nothing-to-do")
    here.films.hold.clear()
    assert here.client.post(f"/v1/jobs/{first}/resume").status_code == 202
    assert here.wait(first, "done")["outcome"]["code"] == ""
    assert problem(here.client.post(f"/v1/jobs/{first}/resume")) == (409, "nothing-to-do")


def test_erasing_leaves_nothing_of_an_upload(here: World) -> None:
    name = "Rachel Green.mp4"
    job = here.client.post("/v1/jobs", files={"file": (name, MP4)}).json()["id"]
    here.wait(job)
    assert here.client.delete(f"/v1/jobs/{job}").status_code == 204
    assert list((here.root / ".fercli" / "jobs").iterdir()) == []
    assert problem(here.client.get(f"/v1/jobs/{job}")) == (404, "job-unknown")
    left = [path for path in here.root.rglob("*") if path.is_file() and b"Rachel" in path.read_bytes()]
    assert left == []


def test_erasing_keeps_a_video_of_the_root(here: World) -> None:
    job = here.done("a.mp4")
    assert here.client.delete(f"/v1/jobs/{job}").status_code == 204
    assert (here.root / "a.mp4").read_bytes() == MP4
    assert list((here.root / ".fercli" / "jobs").iterdir()) == []


def test_erasing_a_running_job_stops_it_first(here: World) -> None:
    here.films.hold.set()
    job = here.post()
    assert here.films.began.wait(60)
    assert here.client.delete(f"/v1/jobs/{job}").status_code == 202
    assert problem(here.client.get(f"/v1/jobs/{job}")) == (404, "job-unknown")
    other = here.post("b.mp4")
    here.films.hold.clear()
    assert here.wait(other)["state"] == "done"
    assert [path.name for path in (here.root / ".fercli" / "jobs").iterdir()] == [other]


def test_old_jobs_are_erased_by_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, monkeypatch, retention_days=30) as here:
        old, new = here.done("a.mp4"), here.done("b.mp4")
    with sqlite3.connect(tmp_path / ".fercli" / "jobs.sqlite") as db:
        db.execute("UPDATE jobs SET ended = ended - 31 * 86400 WHERE id = ?", (old,))
    db.close()
    with world(tmp_path, monkeypatch, retention_days=30) as here:
        assert here.wait(new)["state"] == "done"
        until = time.monotonic() + 60
        while (tmp_path / ".fercli" / "jobs" / old).exists() and time.monotonic() < until:
            time.sleep(0.01)
        assert [path.name for path in (tmp_path / ".fercli" / "jobs").iterdir()] == [new]
        assert [one["id"] for one in here.client.get("/v1/jobs").json()["jobs"]] == [new]


def test_what_was_running_when_the_service_died_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, monkeypatch) as here:
        jobs = [here.done("a.mp4"), here.done("b.mp4")]
    stray = tmp_path / ".fercli" / "jobs" / ("0" * 16)
    stray.mkdir()
    (stray / "half.mp4").write_bytes(MP4)
    with sqlite3.connect(tmp_path / ".fercli" / "jobs.sqlite") as db:
        db.execute("UPDATE jobs SET state = 'running', ended = NULL WHERE id = ?", (jobs[0],))
    db.close()
    films = Films()
    with world(tmp_path, monkeypatch, films=films) as here:
        assert here.wait(jobs[0])["state"] == "done"
        assert films.worked == ["a.mp4"], "what was done is not done again"
        assert not stray.exists(), "an upload that was interrupted is removed"


def test_an_engine_that_breaks_is_opened_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fercli.serve import runner

    monkeypatch.setattr(runner, "_BROKEN_WAIT_S", 0.01)
    monkeypatch.setattr(runner, "_LOOK_EVERY_S", 0.02)
    films = Films(broken=2)
    with world(tmp_path, monkeypatch, films=films) as here:
        assert here.wait(here.post())["state"] == "done"
        assert films.opened == 3


def test_two_services_cannot_share_a_root(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from fercli.errors import WorkspaceLocked
    from tests.failing import fails

    with fails(WorkspaceLocked, "service-running"), world(here.root, monkeypatch):
        pass


def test_there_is_a_limit_to_the_number_of_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, monkeypatch, limits=Limits(jobs=1)) as here:
        here.done("a.mp4")
        (tmp_path / "b.mp4").write_bytes(MP4)
        assert problem(here.client.post("/v1/jobs", json={"path": "b.mp4"})) == (429, "too-many-jobs")
        assert problem(here.client.post("/v1/jobs", files={"file": ("b.mp4", MP4)})) == (429, "too-many-jobs")
        assert len(list((tmp_path / ".fercli" / "jobs").iterdir())) == 1
