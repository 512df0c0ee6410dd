"""A run over many videos: finished ones are skipped, the others are spread over workers, failures are isolated.

With a cast, the order of the videos must not change the names. So all other stages run first, in any order; then the
persons are found in one video after the other, in a fixed order; then the results are written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from fercli import pipeline
from fercli.api import check_device, plan_for
from fercli.batch.delivery import Delivery
from fercli.batch.events import Event, EventReporter
from fercli.batch.outcome import DONE, OUTCOMES, Outcome, failure, write_outcomes
from fercli.batch.work import Kit, Order, Task, Work, analyse, annotate, find_persons, finished, outputs_of
from fercli.errors import FercliError
from fercli.pipeline import Share
from fercli.writing import writing

Engine = Callable[[Work, Sequence[Task], Order, Callable[[Event], None]], Iterator[tuple[Task, Outcome]]]
"""Does some work for each task, and yields the outcomes as they come; in any order, each task once."""
_WRITE_EVERY_S = 5.0
"""Shortest time between two versions of batch.json during a run."""


class Display(Protocol):
    """Shows a run."""

    def event(self, event: Event) -> None:
        """A message about one video."""

    def ended(self, task: Task, outcome: Outcome) -> None:
        """A video is done or has failed."""


def in_process(
    work: Work, tasks: Sequence[Task], order: Order, send: Callable[[Event], None]
) -> Iterator[tuple[Task, Outcome]]:
    """The engine without workers: one video after the other, in this process."""
    return sharing(None)(work, tasks, order, send)


def sharing(share: Share | None) -> Engine:
    """The same, but other processes do pieces of long stages."""

    def engine(
        work: Work, tasks: Sequence[Task], order: Order, send: Callable[[Event], None]
    ) -> Iterator[tuple[Task, Outcome]]:
        kit = Kit(share=share)
        for task in tasks:
            yield task, work(task, order, EventReporter(task.number, send), kit)

    return engine


def run(
    folder: Path, tasks: Sequence[Task], order: Order, engine: Engine, display: Display, *, url: str = ""
) -> list[Outcome]:
    """Annotate all videos; returns their outcomes in the order of the tasks, also written to batch.json and batch.csv.

    Args:
        folder: the folder of the outputs.
        tasks: the videos.
        order: what is the same for all of them.
        engine: runs the work, here or on workers.
        display: shows it.
        url: address to which the outputs are sent, too; empty for none.

    Raises:
        ConfigError, InputError, ModelError: something that concerns all videos cannot be used.
        OutputError: the folder or the address cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    delivery = Delivery(folder, url, overwrite=order.overwrite) if url else None
    record = _Record(folder, tasks, display, delivery)
    kit = Kit()
    pipeline.check(plan_for(order.params), kit.digests)
    check_device(order.runtime)
    pending = []
    for task in tasks:
        known = finished(task, order, kit)
        if known is None and delivery is not None:
            known = _refused(task, order, delivery)
        if known is None:
            pending.append(task)
        else:
            record.add(task, known)
    try:
        if pending:
            _work(pending, order, engine, record)
    finally:
        record.write()
    if delivery is not None:
        for name in OUTCOMES:
            delivery.send(folder / name)
    return record.outcomes()


def _refused(task: Task, order: Order, delivery: Delivery) -> Outcome | None:
    """The outcome of a video whose outputs must not be sent; None if they may be."""
    try:
        delivery.refuse_existing(task.place.workspace, outputs_of(task, order))
    except FercliError as error:
        return failure(task.job.source, error)
    return None


def _work(tasks: list[Task], order: Order, engine: Engine, record: _Record) -> None:
    if order.cast:
        tasks = record.without_failed(engine(analyse, tasks, order, record.display.event))
        tasks.sort(key=lambda task: task.number)
        tasks = record.without_failed(in_process(find_persons, tasks, order, record.display.event))
        order = replace(
            order, force=False, verify=False
        )  # the stages have just run; again, the cast would be filled twice
    for task, outcome in engine(annotate, tasks, order, record.display.event):
        record.add(task, outcome)


class _Record:
    """The outcomes so far, shown and written as they come."""

    def __init__(self, folder: Path, tasks: Sequence[Task], display: Display, delivery: Delivery | None) -> None:
        self.display = display
        self._delivery = delivery
        self._folder, self._tasks = folder, tasks
        self._outcomes: dict[int, Outcome] = {}
        self._before: dict[int, Outcome] = {}
        self._written_at = time.monotonic()

    def add(self, task: Task, outcome: Outcome) -> None:
        if before := self._before.get(task.number):
            outcome = _both(before, outcome)
        if self._delivery is not None:
            outcome = self._delivery.deliver(task.place.workspace, outcome)
        self._outcomes[task.number] = outcome
        self.display.ended(task, outcome)
        if time.monotonic() - self._written_at > _WRITE_EVERY_S:
            self.write()

    def without_failed(self, results: Iterator[tuple[Task, Outcome]]) -> list[Task]:
        """The tasks whose part of the work is done; the failed ones are added."""
        done = []
        for task, outcome in results:
            if outcome.state == DONE:
                before = self._before.get(task.number)
                self._before[task.number] = _both(before, outcome) if before else outcome
                done.append(task)
            else:
                self.add(task, outcome)
        return done

    def outcomes(self) -> list[Outcome]:
        return [self._outcomes[task.number] for task in self._tasks if task.number in self._outcomes]

    def write(self) -> None:
        self._written_at = time.monotonic()
        write_outcomes(self._folder, self.outcomes())


def _both(before: Outcome, after: Outcome) -> Outcome:
    """The outcome of two parts of the work on one video."""
    seconds, warnings = round(before.seconds + after.seconds, 1), before.warnings + after.warnings
    return replace(after, seconds=seconds, warnings=warnings)
