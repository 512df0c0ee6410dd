"""Messages on stderr: progress bars, notes, warnings. stdout is only for data."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from fercli.cli.terminal import visible
from fercli.progress import Task


class _Bar:
    def __init__(self, bar: tqdm[Any]) -> None:
        self._bar = bar

    def advance(self, steps: int = 1, **figures: str) -> None:
        if figures:
            self._bar.set_postfix({name: visible(text) for name, text in figures.items()}, refresh=False)
        self._bar.update(steps)


class ConsoleReporter:
    """Progress on stderr: bars with the remaining time if it is a terminal, plain lines otherwise."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Task]:
        """A progress bar that is removed at the end."""
        hidden = self._quiet or not sys.stderr.isatty()
        with tqdm(
            total=total,
            desc=visible(label),
            unit=f" {unit}s",
            leave=False,
            disable=hidden,
            dynamic_ncols=True,
            unit_scale=False,
        ) as bar:
            yield _Bar(bar)

    def note(self, message: str) -> None:
        """Print a line, unless --quiet is given."""
        if not self._quiet:
            tqdm.write(visible(message), file=sys.stderr)

    def warn(self, message: str) -> None:
        """Print a line, always."""
        tqdm.write(f"warning: {visible(message)}", file=sys.stderr)
