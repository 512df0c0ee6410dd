"""Runs the queued jobs, as many at once as the engine has room for, through the engine of runs over folders."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from pathlib import Path

from fercli.batch.events import Event
from fercli.batch.outcome import DONE, Outcome, failure
from fercli.batch.run import Engine
from fercli.chain import Stage
from fercli.errors import FercliError
from fercli.serve import table
from fercli.serve.erasure import erase
from fercli.serve.hub import Hub, Watch
from fercli.serve.orders import order_of, task_of
from fercli.serve.settings import Settings
from fercli.serve.table import JobTable, Row
from fercli.serve.work import CANCEL, annotate_job

LOG = logging.getLogger("fercli.serve")
OpenEngine = Callable[[], AbstractContextManager[Engine]]
LOCKED_WAIT_S = 2.0
"""After a restart, a worker of the service before may still hold the workspace for a moment; and `fercli` may work in
it. The job waits."""
_BROKEN_WAIT_S = 5.0
_MOST_ATTEMPTS = 10
"""So often a job is started again after the engine broke while it ran."""
_LOOK_EVERY_S = 1.0


class Runner:
    """Threads that each run one job at a time.

    Args:
        settings: of the service.
        jobs: the table.
        hub: gets progress and changes of state.
        folder_of: id of a job -> its folder.
        open_engine: opens the engine; called when there is work, and again after it broke.
        slots: number of threads.
    """

    def __init__(
        self,
        settings: Settings,
        jobs: JobTable,
        hub: Hub,
        folder_of: Callable[[str], Path],
        open_engine: OpenEngine,
        slots: int,
    ) -> None:
        self._settings, self._jobs, self._hub, self._folder_of = settings, jobs, hub, folder_of
        self._open_engine = open_engine
        self._engine: Engine | None = None
        self._opened = ExitStack()
        self._engine_lock = threading.Lock()
        self._wake = threading.Condition()
        self._stopping = False
        self._threads = [threading.Thread(target=self._work, name=f"job-{n}", daemon=True) for n in range(slots)]

    def start(self) -> None:
        """Queue what a service before did not finish, and begin."""
        self._jobs.queue_interrupted()
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There may be new work."""
        with self._wake:
            self._wake.notify_all()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Stop; running jobs go on after the next start."""
        self._stopping = True
        self.wake()
        with self._engine_lock:
            self._close_engine()
        for thread in self._threads:
            thread.join(timeout_s)

    def _work(self) -> None:
        while not self._stopping:
            try:
                row = self._jobs.claim()
                if row is not None:
                    self._run(row)
                    continue
            except Exception:
                LOG.exception("a job could not be run")
            with self._wake:
                self._wake.wait(_LOOK_EVERY_S)

    def _run(self, row: Row) -> None:
        self._hub.send("state", row.id, {"state": table.RUNNING})
        try:
            outcome = self._outcome(row)
        except Exception as error:
            if self._stopping:
                return
            LOG.exception("the engine failed")
            with self._engine_lock:
                self._close_engine()
            if row.attempts < _MOST_ATTEMPTS and not isinstance(error, FercliError):
                self._put_back(row, _BROKEN_WAIT_S)
                return
            outcome = failure(row.name, error)
        self._ended(row, outcome)

    def _outcome(self, row: Row) -> Outcome:
        try:
            order = order_of(row.options, self._settings.root, self._settings.device)
            task = task_of(row, self._folder_of(row.id))
        except FercliError as error:  # a gallery or a network has gone since the job was posted
            return failure(row.name, error)
        watch = Watch([stage.title for stage in _stages(order.params)])

        def send(event: Event) -> None:
            if event.kind == "progress":
                self._hub.set_progress(row.id, watch.progress(event))
            else:
                LOG.warning("%s", event.text)

        for _, outcome in self._ready_engine()(annotate_job, [task], order, send):
            return outcome
        raise RuntimeError("the engine gave no outcome")

    def _ended(self, row: Row, outcome: Outcome) -> None:
        folder = self._folder_of(row.id)
        if outcome.code == "workspace-locked":
            self._put_back(row, LOCKED_WAIT_S, attempts=row.attempts - 1)
            return
        cancelled = (folder / CANCEL).exists() and outcome.state != DONE
        state = table.CANCELLED if cancelled else table.DONE if outcome.state == DONE else table.FAILED
        self._jobs.end(row.id, state, {**asdict(outcome), "video": row.name})
        self._hub.forget(row.id)
        self._hub.send("state", row.id, {"state": state})
        for erasable in self._jobs.erasable():
            erase(erasable, self._folder_of(erasable.id), self._jobs)

    def _put_back(self, row: Row, after_s: float, *, attempts: int | None = None) -> None:
        self._jobs.put_back(row.id, after_s=after_s, attempts=attempts)
        self._hub.forget(row.id)
        self._hub.send("state", row.id, {"state": table.QUEUED})

    def _ready_engine(self) -> Engine:
        with self._engine_lock:
            if self._stopping:
                raise RuntimeError("the service stops")
            if self._engine is None:
                self._engine = self._opened.enter_context(self._open_engine())
            return self._engine

    def _close_engine(self) -> None:
        self._engine = None
        try:
            self._opened.close()
        except Exception:
            LOG.exception("the engine could not be closed")
        self._opened = ExitStack()


def _stages(params: tuple[object, ...]) -> list[Stage]:
    from fercli.api import plan_for

    return [stage for stage, _ in plan_for(params)]
