"""How the library says what it is doing, without knowing who listens. The CLI draws bars; everybody else is silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Task(Protocol):
    """One bar."""

    def advance(self, steps: int = 1, **figures: str) -> None:
        """`steps` more are done; `figures` are shown beside the bar."""


class Reporter(Protocol):
    """Who listens to a long operation."""

    def task(self, label: str, total: int | None, unit: str) -> AbstractContextManager[Task]:
        """Open a bar of `total` steps, or of unknown length."""

    def note(self, message: str) -> None:
        """Something worth a line."""

    def warn(self, message: str) -> None:
        """Something that may spoil the result, though the work goes on."""


class _SilentTask:
    def advance(self, steps: int = 1, **figures: str) -> None:
        pass


class Silent:
    """A reporter that says nothing and keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Task]:
        """A bar nobody sees."""
        yield _SilentTask()

    def note(self, message: str) -> None:
        """Dropped."""

    def warn(self, message: str) -> None:
        """Kept in `warnings`."""
        self.warnings.append(message)
