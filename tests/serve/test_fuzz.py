"""Thousands of requests that the description of the API itself allows, or nearly allows: none may be a bug."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.serve.world import MP4, World, world

schemathesis = pytest.importorskip("schemathesis", reason="no schemathesis: pip install schemathesis")

pytestmark = pytest.mark.slow
EXAMPLES = 130
"""Requests for each of the operations, of which there are more than 24."""
SECRET = b"outside of the root"
ENDLESS = ("/v1/events", "/v1/jobs/{job}/events")


class Fuzzed:
    """A service with a job that always exists, and what was asked of it."""

    def __init__(self, here: World) -> None:
        self.here, self.asked = here, 0
        self._job = ""

    @property
    def job(self) -> str:
        """The id of a job that is done; a new one if a request has erased the last."""
        found = self.here.client.get(f"/v1/jobs/{self._job or 'none'}")
        if found.status_code != 200 or found.json()["state"] != "done":
            for one in self.here.client.get("/v1/jobs?limit=1000").json()["jobs"]:
                self.here.client.delete(f"/v1/jobs/{one['id']}")
            self._job = self.here.done("film.mp4")
        return self._job

    def send(self, case: Any, *, at_the_job: bool) -> None:
        """One request, and what must hold of every answer."""
        if at_the_job and "job" in (case.path_parameters or {}):
            case.path_parameters["job"] = self.job
        request = case.as_transport_kwargs(base_url="http://localhost")
        request["headers"] = {str(name): str(value) for name, value in dict(request.get("headers") or {}).items()}
        request = {name: value for name, value in request.items() if value is not None and name != "cookies"}
        try:
            prepared = self.here.client.build_request(**request)
            prepared.read()
        except (AttributeError, TypeError, ValueError):  # nothing that a client could send
            return
        answer = self.here.client.send(prepared)
        self.asked += 1
        what = f"{request['method']} {request['url']} {request.get('json')!r:.300}"
        assert answer.status_code < 500, f"{what}: {answer.text}"
        assert b"Traceback" not in answer.content and SECRET not in answer.content, what
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", what
            assert str(self.here.root) not in answer.text, what
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_request_finds_a_bug_or_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret.mp4").write_bytes(SECRET)
    root = tmp_path / "root"
    root.mkdir()
    (root / "film.mp4").write_bytes(MP4)
    (root / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    with world(root, monkeypatch) as here:
        fuzzed = Fuzzed(here)
        schema = schemathesis.openapi.from_dict(here.client.get("/openapi.json").json())
        operations = [found.ok() for found in schema.get_all_operations()]
        chosen = [one for one in operations if one.path not in ENDLESS]
        assert len(chosen) >= 23
        for operation in chosen:
            attack(fuzzed, operation)
        assert fuzzed.asked >= 2000, fuzzed.asked
        assert sorted(path.name for path in tmp_path.iterdir()) == ["root", "secret.mp4"]
        assert sorted(path.name for path in root.iterdir()) == [".fercli", "film.mp4", "link.mp4"]


def attack(fuzzed: Fuzzed, operation: Any) -> None:
    """Many requests for one operation."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), at_the_job=st.booleans())
    def run(case: Any, at_the_job: bool) -> None:
        fuzzed.send(case, at_the_job=at_the_job)

    run()
