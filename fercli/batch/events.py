"""What happens during a run, as small messages that also travel from a worker to the process that shows them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fercli.progress import Task

INTERVAL_S = 0.25
"""Shortest time between two messages about the progress of one video."""


@dataclass(frozen=True)
class Event:
    """One message about a video of a run.

    Attributes:
        number: number of the video in the run.
        kind: `progress`, or `warning` about a worker; warnings about a video are part of its outcome, so that none is
            lost on the way.
        text: the stage for `progress`, else the message.
        done, total, unit: of the stage; the total is None if unknown.
    """

    number: int
    kind: str
    text: str
    done: int = 0
    total: int | None = None
    unit: str = ""


class EventReporter:
    """A reporter that sends progress as events about one video, and keeps its warnings.

    Attributes:
        warnings: all warnings so far.
    """

    def __init__(self, number: int, send: Callable[[Event], None]) -> None:
        self._number, self._send = number, send
        self.warnings: list[str] = []

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Task]:
        """Sends the progress of a stage, at most every INTERVAL_S."""
        task = _EventTask(Event(self._number, "progress", label, 0, total, unit), self._send)
        task.advance(0)
        yield task

    def note(self, message: str) -> None:
        """Ignored."""

    def warn(self, message: str) -> None:
        """Kept in `warnings`."""
        self.warnings.append(message)


class _EventTask:
    def __init__(self, begun: Event, send: Callable[[Event], None]) -> None:
        self._begun, self._send = begun, send
        self._done, self._sent_at = 0, -INTERVAL_S

    def advance(self, steps: int = 1, **figures: str) -> None:
        self._done += steps
        now = time.monotonic()
        if now - self._sent_at >= INTERVAL_S or self._done == self._begun.total:
            self._sent_at = now
            begun = self._begun
            self._send(Event(begun.number, begun.kind, begun.text, self._done, begun.total, begun.unit))
