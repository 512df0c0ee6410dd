"""One service: its folder, its table of jobs, the runner, and what the routes share."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from fercli.batch.cluster import cluster_engine, default_jobs, local_engine, require_distributed
from fercli.errors import ConfigError, InputError, WorkspaceLocked
from fercli.serve import erasure, table
from fercli.serve.hub import Hub
from fercli.serve.orders import WORKSPACE
from fercli.serve.places import JOB_ID
from fercli.serve.problems import without_paths
from fercli.serve.reading import Reading
from fercli.serve.runner import OpenEngine, Runner
from fercli.serve.settings import Settings
from fercli.serve.table import JobTable, Row
from fercli.serve.work import CANCEL
from fercli.workspace import Digests, Workspace
from fercli.writing import OWNER_ONLY_DIRECTORY, writing

LOG = logging.getLogger("fercli.serve")
T = TypeVar("T")
_AT_ONCE = 4
"""Requests that read tables or write exports at once; the others wait."""
_HOUSEKEEPING_S = 60.0
_ALL_OF_A_CLUSTER = 8
"""Jobs that are handed to a cluster at once; its scheduler spreads them."""


class Service:
    """The state behind the routes.

    Args:
        settings: of the service.
        open_engine: opens the engine of the runner; by default that of the settings.

    Raises:
        OutputError: the folder of the data cannot be written.
        WorkspaceLocked: another service uses the same root.
        MissingDependency: Dask Distributed is not installed.
    """

    def __init__(self, settings: Settings, open_engine: OpenEngine | None = None) -> None:
        self.settings = settings
        if open_engine is None:
            require_distributed()
        with writing(settings.data):
            settings.data.mkdir(OWNER_ONLY_DIRECTORY, exist_ok=True)
            self.folder = settings.data / "jobs"
            self.folder.mkdir(OWNER_ONLY_DIRECTORY, exist_ok=True)
            self._lock = FileLock(settings.data / "lock", blocking=False, thread_local=False)
            try:
                self._lock.acquire()
            except Timeout as error:
                raise WorkspaceLocked(
                    f"another service uses the root {settings.root}",
                    hint="stop it first, or give another --root",
                    code="service-running",
                ) from error
            self.jobs = JobTable(settings.data / "jobs.sqlite")
        self.hub = Hub(settings.limits.watchers)
        self.reading = Reading()
        self.digests = Digests()
        self.requests: dict[tuple[str, int], int] = {}
        self.uploaded_bytes = 0
        self._heavy = asyncio.Semaphore(_AT_ONCE)
        slots = settings.jobs or (_ALL_OF_A_CLUSTER if settings.scheduler else default_jobs(64, settings.device))
        self.slots = slots
        engine = open_engine or _engine_of(settings, slots)
        self.runner = Runner(settings, self.jobs, self.hub, self.folder_of, engine, slots)
        self._housekeeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Go on with the jobs, and begin to look after old ones."""
        erasure.remove_strays(self.jobs, self.folder)
        self.runner.start()
        self._housekeeping = asyncio.create_task(self._keep_house())

    async def stop(self) -> None:
        """Stop; unfinished jobs go on after the next start."""
        if self._housekeeping is not None:
            self._housekeeping.cancel()
        self.hub.end_all()
        await asyncio.to_thread(self.runner.stop)
        self.jobs.close()
        self._lock.release()

    async def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run something that reads tables in a thread, a few at once."""
        async with self._heavy:
            return await asyncio.to_thread(function, *arguments)

    def folder_of(self, job: str) -> Path:
        """The folder of a job."""
        return self.folder / job

    def find(self, job: str) -> Row:
        """A job.

        Raises:
            InputError: there is none.
        """
        row = self.jobs.get(job) if JOB_ID.fullmatch(job) else None
        if row is None:
            raise InputError(f"there is no job {job[:40]!r}", hint="GET /v1/jobs lists them", code="job-unknown")
        return row

    def workspace_of(self, job: str) -> Path:
        """The workspace of a job that is done.

        Raises:
            InputError: there is no such job.
            ConfigError: it is not done.
        """
        row = self.find(job)
        if row.state != table.DONE:
            raise ConfigError(f"the job is {row.state}", hint="wait until it is done", code="job-not-done")
        return self.folder_of(job) / WORKSPACE

    def opened(self, job: str) -> Workspace:
        """As `workspace_of`, opened."""
        return Workspace.open(self.workspace_of(job))

    def cancel(self, row: Row) -> None:
        """Cancel a queued job, or stop a running one at its next step."""
        if self.jobs.cancel_queued(row.id):
            self.hub.send("state", row.id, {"state": table.CANCELLED})
            return
        with writing(self.folder_of(row.id)):
            self.folder_of(row.id).mkdir(OWNER_ONLY_DIRECTORY, exist_ok=True)
            (self.folder_of(row.id) / CANCEL).touch()

    def go_on(self, row: Row) -> None:
        """Queue a failed or cancelled job again; finished stages are kept."""
        (self.folder_of(row.id) / CANCEL).unlink(missing_ok=True)
        self.jobs.put_back(row.id, attempts=0)
        self.hub.send("state", row.id, {"state": table.QUEUED})
        self.runner.wake()

    def erase(self, row: Row) -> bool:
        """Erase a job, or have it erased once its worker has stopped; returns whether it is erased already."""
        if row.state in (table.QUEUED, table.RUNNING):
            self.cancel(row)
        self.jobs.to_erase(row.id)
        self.reading.forget(self.folder_of(row.id) / WORKSPACE)
        self.hub.send("erased", row.id)
        still = next((one for one in self.jobs.erasable() if one.id == row.id), None)
        return still is not None and erasure.erase(still, self.folder_of(row.id), self.jobs)

    def shown(self, row: Row) -> dict[str, Any]:
        """A job as `schemas.Job`."""
        progress = self.hub.progress_of(row.id)
        outcome = {key: value for key, value in row.outcome.items() if key not in ("video", "state", "outputs")}
        for name in ("message", "hint"):
            outcome[name] = without_paths(outcome.get(name, ""), self.settings.root)
        return {
            "id": row.id,
            "number": row.number,
            "name": row.name,
            "state": row.state,
            "uploaded": row.uploaded,
            "options": row.options,
            "video": row.facts,
            "created": _moment(row.created),
            "started": _moment(row.started),
            "ended": _moment(row.ended),
            "ahead": self.jobs.ahead(row) if row.state == table.QUEUED else None,
            "progress": asdict(progress) if progress and row.state == table.RUNNING else None,
            "outcome": outcome if row.state in table.ENDED and row.outcome else None,
        }

    def remove_folder(self, job: str) -> None:
        """Remove the folder of a job that was not accepted."""
        shutil.rmtree(self.folder_of(job), ignore_errors=True)

    async def _keep_house(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._erase_what_is_due)
            except Exception:
                LOG.exception("old jobs could not be erased")
            await asyncio.sleep(_HOUSEKEEPING_S)

    def _erase_what_is_due(self) -> None:
        if self.settings.retention_days is not None:
            for row in erasure.erase_old(self.jobs, self.settings.retention_days):
                self.reading.forget(self.folder_of(row.id) / WORKSPACE)
                self.hub.send("erased", row.id)
        for row in self.jobs.erasable():
            erasure.erase(row, self.folder_of(row.id), self.jobs)


def _engine_of(settings: Settings, slots: int) -> OpenEngine:
    if settings.scheduler:
        return lambda: cluster_engine(settings.scheduler)
    return lambda: local_engine(slots, settings.device)


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
