"""The service itself: description, figures, networks, events, progress."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import jsonschema
import pytest

from fercli.batch.events import Event
from fercli.serve.hub import Hub, Watch
from fercli.version import VERSION
from tests.serve.test_jobs import problem
from tests.serve.world import World


def test_openapi_describes_every_route_with_its_errors(here: World) -> None:
    paths = here.client.get("/openapi.json").json()["paths"]
    assert {path.removeprefix("/v1/jobs/{job}") for path in paths} == {
        "/v1/jobs", "", "/cancel", "/resume", "/events", "/result", "/segments", "/persons", "/tracks", "/signals",
        "/report", "/frames/{t}.jpg", "/faces/{number}.jpg", "/video", "/timeline", "/tracks-drawn", "/edits",
        "/v1/files", "/v1/events", "/v1/health", "/v1/version", "/v1/models", "/v1/session", "/metrics",
    }  # fmt: skip
    post = paths["/v1/jobs"]["post"]["requestBody"]["content"]
    assert set(post) == {"application/json", "multipart/form-data"}
    options = post["application/json"]["schema"]["properties"]["options"]["properties"]
    assert options["frames"]["properties"]["fps"]["default"] == 10.0 and "cast" in options["persons"]["properties"]
    assert "application/problem+json" in paths["/v1/jobs/{job}"]["get"]["responses"]["404"]["content"]


def test_answers_are_as_described_and_have_an_example(here: World) -> None:
    job = f"/v1/jobs/{here.done('rated.mp4')}"
    edit = {"edit": "rename", "person": "Person 2", "to": "Ross", "by": "annotator-1"}
    assert here.client.post(f"{job}/edits", json=edit).status_code == 201
    description = here.client.get("/openapi.json").json()
    seen = set()
    for path, methods in description["paths"].items():
        content = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {}).get("application/json")
        if content is None or path.endswith("/result"):  # a document of any format
            continue
        schema = content["schema"]
        answer = here.client.get(path.replace("/v1/jobs/{job}", job)).json()
        whole = {**schema, "components": description["components"]}
        jsonschema.Draft202012Validator(whole).validate(answer)
        example = _examples(schema, description)
        assert example, path
        for one in example:
            jsonschema.Draft202012Validator(whole).validate(one)
        seen.add(path)
    assert {"/v1/jobs/{job}/timeline", "/v1/jobs/{job}/tracks-drawn", "/v1/jobs/{job}/edits", "/v1/health"} <= seen
    bodies = [
        methods["post"]["requestBody"]
        for methods in description["paths"].values()
        if "requestBody" in methods.get("post", {})
    ]
    assert len(bodies) == 3
    for body in bodies:
        assert _examples(body["content"]["application/json"]["schema"], description)


def _examples(schema: dict[str, Any], description: dict[str, Any]) -> list[Any]:
    """The examples of a schema; of a list of things, one thing is enough."""
    if "$ref" in schema:
        return _examples(description["components"]["schemas"][schema["$ref"].rpartition("/")[2]], description)
    if "items" in schema:
        return [[one] for one in _examples(schema["items"], description)]
    found: list[Any] = schema.get("examples", [])
    return found


def test_version_models_and_figures(here: World) -> None:
    body = here.client.get("/v1/version").json()
    assert body["fercli"] == VERSION and body["token"] is False and "eaf" in body["formats"]
    assert "tsm-resnet18" in [one["name"] for one in here.client.get("/v1/models").json()]
    here.done()
    lines = here.client.get("/metrics").text.splitlines()
    assert 'fercli_jobs{state="done"} 1' in lines and 'fercli_requests_total{method="POST",status="201"} 1' in lines


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_unknown_methods_and_paths_are_problems(here: World, method: str) -> None:
    assert problem(getattr(here.client, method)("/v1/jobs")) == (405, "method-not-allowed")
    assert problem(here.client.get("/v1/none")) == (404, "not-found")


def test_a_bug_is_a_problem_without_a_traceback(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(here.service.jobs, "counts", broken)
    answer = here.client.get("/v1/health")
    assert problem(answer) == (500, "internal") and "secret" not in answer.text


def test_a_stream_gets_the_events_of_its_job() -> None:
    async def run() -> list[tuple[str, str]]:
        hub = Hub(2)
        one, every = hub.open("a"), hub.open()
        assert one is not None and every is not None and hub.open() is None, "no more than two"
        hub.send("state", "a", {"state": "done"})
        hub.send("state", "b", {"state": "failed"})
        found = []
        for stream, count in ((one, 1), (every, 2)):
            for _ in range(count):
                message = await stream.next(1)
                assert message is not None
                kind, data = message.decode().strip().split("\n")
                found.append((kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))["job"]))
        assert (await one.next(0.01)) == b": still here\n\n"
        hub.close(one)
        hub.end_all()
        assert await every.next(1) is None and hub.watchers == 1
        return found

    assert asyncio.run(run()) == [("state", "a"), ("state", "a"), ("state", "b")]


def test_a_slow_reader_loses_the_oldest_events_only() -> None:
    async def run() -> str:
        hub = Hub(1)
        stream = hub.open()
        assert stream is not None
        for number in range(200):
            hub.send("progress", "a", {"number": number})
        await asyncio.sleep(0)
        messages = [await stream.next(0.01) for _ in range(64)]
        return str(messages[-1])

    assert '"number": 199' in asyncio.run(run())


def test_progress_never_falls_and_estimates_what_is_left() -> None:
    now = [0.0]
    watch = Watch(["extract-frames", "detect-faces"], lambda: now[0])
    first = watch.progress(Event(0, "progress", "extract-frames", 0, 10, "frame"))
    assert (first.share, first.left_s) == (0.0, None)
    now[0] = 10.0
    half = watch.progress(Event(0, "progress", "detect-faces", 1, 3, "frame"))
    assert half.share == pytest.approx(0.5) and half.left_s == pytest.approx(10.0)
    assert watch.progress(Event(0, "progress", "unknown", 0, None, "")).share == half.share
    assert watch.progress(Event(0, "progress", "detect-faces", 9, 3, "frame")).share == 1.0
