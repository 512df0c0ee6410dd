"""The work on one job, on a worker: that of a run over folders, which stops when the job is cancelled."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fercli.batch.events import EventReporter
from fercli.batch.outcome import Outcome
from fercli.batch.work import Kit, Order, Task, annotate, finished, plan_of
from fercli.chain import Plan
from fercli.errors import Cancelled, FercliError
from fercli.models.loaded import Models
from fercli.progress import Task as Progress
from fercli.workspace import Digests

CANCEL = "cancel"
"""A file of this name in the folder of a job stops the work on it. A file, because it also reaches the workers of a
cluster."""
NICENESS = 10
_LOOK_EVERY_S = 0.25


def annotate_job(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    """All stages of one video, or those that are left; a cancelled job ends as failed with the code `cancelled`."""
    _give_way()
    _look_again(kit, plan_of(task, order))
    known = finished(task, order, kit)
    return known or annotate(task, order, _Stoppable(reporter, task.place.base.parent / CANCEL), kit)


def _give_way() -> None:
    """The service answers first: this thread, and those that it starts, take what it leaves of the cores."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))


def _look_again(kit: Kit, plan: Plan) -> None:
    """Forget what other jobs read: a service lives for weeks, in which galleries and networks are replaced. Networks
    stay loaded if their files are the same."""
    before, kit.digests = kit.digests, Digests()
    with suppress(FercliError):  # reported by the work itself
        if any(before.of_weights(stage, own) != kit.digests.of_weights(stage, own) for stage, own in plan):
            kit.models = Models()


class _Stoppable(EventReporter):
    """A reporter that stops the work when there is a certain file."""

    def __init__(self, inner: EventReporter, marker: Path) -> None:
        self._inner, self._marker = inner, marker
        self.warnings = inner.warnings

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Progress]:
        """Raises Cancelled at the next step once the file is there."""
        _stop_if(self._marker)
        with self._inner.task(label, total, unit) as task:
            yield _StoppableTask(task, self._marker)


class _StoppableTask:
    def __init__(self, inner: Progress, marker: Path) -> None:
        self._inner, self._marker = inner, marker
        self._looked_at = time.monotonic()

    def advance(self, steps: int = 1, **figures: str) -> None:
        self._inner.advance(steps, **figures)
        if time.monotonic() - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            _stop_if(self._marker)


def _stop_if(marker: Path) -> None:
    if marker.exists():
        raise Cancelled("the job was cancelled", hint="post it again, or let it go on: finished work is kept")
