"""A service for tests: jobs end at once with the workspace of a small film, and nothing is decoded."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fercli.batch.events import Event
from fercli.batch.outcome import DONE, Outcome, failure
from fercli.batch.run import Engine
from fercli.batch.work import Order, Task, Work
from fercli.errors import Cancelled, VideoError
from fercli.serve.settings import Limits, Settings
from fercli.serve.work import CANCEL
from tests.serve.films import make_for
from tests.workspaces import VIDEO

if TYPE_CHECKING:
    from starlette.testclient import TestClient

MP4 = b"\x00\x00\x00\x20ftypisom" + bytes(5000)
"""Begins as a video does."""
FACTS = {"seconds": 9.0, "width": 128, "height": 64}


@dataclass
class Films:
    """An engine that makes a workspace for each job.

    Attributes:
        worked: names of the videos, in the order of their ends.
        hold: while set, jobs run until they are cancelled.
        broken: how often the engine fails before it works.
    """

    worked: list[str] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    began: threading.Event = field(default_factory=threading.Event)
    broken: int = 0
    opened: int = 0

    def open(self) -> AbstractContextManager[Engine]:
        @contextmanager
        def engine() -> Iterator[Engine]:
            self.opened += 1
            yield self.run

        return engine()

    def run(
        self, work: Work, tasks: Sequence[Task], order: Order, send: Callable[[Event], None]
    ) -> Iterator[tuple[Task, Outcome]]:
        for task in tasks:
            if self.broken:
                self.broken -= 1
                raise OSError("the scheduler has gone")
            yield task, self._work(task, send)

    def _work(self, task: Task, send: Callable[[Event], None]) -> Outcome:
        send(Event(0, "progress", "detect-faces", 1, 2, "frame"))
        self.began.set()
        while self.hold.is_set():
            time.sleep(0.01)
            if (task.place.base.parent / CANCEL).exists():
                return failure(task.job.source, Cancelled("cancelled"))
        name = task.job.inside.name
        self.worked.append(name)
        if name.startswith("broken"):
            return failure(task.job.source, VideoError(f"{task.job.video} is broken", code="video-damaged"))
        video = task.job.video
        facts = replace(VIDEO, path=str(video), size=video.stat().st_size)
        make_for(task.place.workspace, replace(facts, width=128, height=64))
        return Outcome(task.job.source, DONE, 1.5, persons=2, segments=5, warnings=("a warning",))


class World:
    """A running service and a client of it."""

    def __init__(self, root: Path, films: Films, client: TestClient, service: Any) -> None:
        self.root, self.films, self.client, self.service = root, films, client, service

    def post(self, name: str = "a.mp4", **options: Any) -> str:
        """Post a video below the root; returns the id of the job."""
        if not (self.root / name).exists():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_bytes(MP4)
        answer = self.client.post("/v1/jobs", json={"path": name, "options": options})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def done(self, name: str = "a.mp4") -> str:
        """Post a video, and wait until it is done."""
        job = self.post(name)
        assert self.wait(job)["state"] == "done"
        return job

    def wait(self, job: str, *states: str) -> dict[str, Any]:
        """The job once it has one of these states; by default once it has ended."""
        wanted = states or ("done", "failed", "cancelled")
        until = time.monotonic() + 120
        while time.monotonic() < until:
            found: dict[str, Any] = self.client.get(f"/v1/jobs/{job}").json()
            if found.get("state") in wanted:
                return found
            time.sleep(0.01)
        raise AssertionError(f"the job is {found}, not {wanted}\n{stacks()}")


def stacks() -> str:
    """What every thread does now."""
    frames = sys._current_frames()
    return "\n".join(
        f"{thread.name}:\n{''.join(traceback.format_stack(frame)[-9:])}"
        for thread in threading.enumerate()
        if (frame := frames.get(thread.ident or 0)) is not None
    )


@contextmanager
def world(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    films: Films | None = None,
    token: str = "",
    limits: Limits | None = None,
    **settings: Any,
) -> Iterator[World]:
    """A service over a root, with one slot."""
    from starlette.testclient import TestClient

    from fercli.serve.app import make_app
    from fercli.serve.routes import jobs
    from fercli.serve.service import Service

    monkeypatch.setattr(jobs, "inspect", lambda path, limits: dict(FACTS))
    films = films or Films()
    made = Settings(root, token=token, jobs=1, limits=limits or Limits(), **settings)
    service = Service(made, films.open)
    with TestClient(make_app(service), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield World(root, films, client, service)
