"""Progress, notes and warnings of long operations, and how they can be cancelled.

The command line shows progress bars; the Python API has a progress callback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from fercli.errors import Cancelled


class Task(Protocol):
    """One progress bar."""

    def advance(self, steps: int = 1, **figures: str) -> None:
        """Report `steps` further steps; `figures` are shown beside the bar."""


class Reporter(Protocol):
    """Receives the progress of a long operation."""

    def task(self, label: str, total: int | None, unit: str) -> AbstractContextManager[Task]:
        """Open a bar of `total` steps, or of unknown length."""

    def note(self, message: str) -> None:
        """A message."""

    def warn(self, message: str) -> None:
        """A warning about something that may affect the result."""


class _SilentTask:
    def advance(self, steps: int = 1, **figures: str) -> None:
        pass


class Silent:
    """A reporter that prints nothing and stores the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Task]:
        """A progress bar that is not shown."""
        yield _SilentTask()

    def note(self, message: str) -> None:
        """Ignored."""

    def warn(self, message: str) -> None:
        """Stored in `warnings`."""
        self.warnings.append(message)


@dataclass(frozen=True)
class Progress:
    """Progress of a stage.

    Attributes:
        stage: the command of the stage, such as `detect-faces`.
        done, total: steps; the total is None if unknown.
        unit: unit of a step, such as `frame`.
    """

    stage: str
    done: int
    total: int | None
    unit: str


class CallbackReporter(Silent):
    """A reporter that calls a progress callback, and can stop the work.

    Args:
        progress: called after every step; an exception in it stops the work.
        cancel: called after every step; if it returns True, Cancelled is raised. Finished pieces are kept.
    """

    def __init__(
        self, progress: Callable[[Progress], None] | None = None, cancel: Callable[[], bool] | None = None
    ) -> None:
        super().__init__()
        self._progress, self._cancel = progress, cancel

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Task]:
        """Calls `progress` with 0 steps done, then after every step."""
        task = _CallbackTask(label, total, unit, self._step)
        task.advance(0)
        yield task

    def _step(self, progress: Progress) -> None:
        if self._progress is not None:
            self._progress(progress)
        if self._cancel is not None and self._cancel():
            raise Cancelled(f"{progress.stage} was cancelled", hint="run it again to continue")


class _CallbackTask:
    def __init__(self, stage: str, total: int | None, unit: str, step: Callable[[Progress], None]) -> None:
        self._stage, self._total, self._unit, self._step = stage, total, unit, step
        self._done = 0

    def advance(self, steps: int = 1, **figures: str) -> None:
        self._done += steps
        self._step(Progress(self._stage, self._done, self._total, self._unit))
