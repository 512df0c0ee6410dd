"""Tables on stdout and stderr, in one style for all commands."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fercli.cli.terminal import visible

PIPE_WIDTH = 200
"""Columns if the output is a file or a pipe, so that no line is wrapped there."""


class _Console(Console):
    """Escapes control characters in all printed text, also in table cells."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(visible(text), **options)


def console(stream: TextIO | None = None, *, at_least: int = 0) -> Console:
    """The console for tables and lines, by default on stdout.

    Text is printed literally: brackets in a name or a path are not markup.

    Args:
        at_least: columns below which a terminal wraps lines, because a truncated table is useless.
    """
    stream = stream or sys.stdout
    made = _Console(file=stream, width=None if stream.isatty() else PIPE_WIDTH, highlight=False, markup=False)
    made.width = max(made.width, at_least)
    return made


def table(*texts: str, numbers: tuple[str, ...] = ()) -> Table:
    """An empty table without lines: columns of text, which wrap if necessary, then columns of numbers."""
    made = Table(box=None, pad_edge=False)
    for heading in texts:
        made.add_column(heading, overflow="fold")
    for heading in numbers:
        made.add_column(heading, justify="right")
    return made


def counted(number: int, plural: str) -> str:
    """`1 face`, `2 faces`; of several words the first one is inflected, as in `1 frame with faces`."""
    first, *rest = plural.split()
    return " ".join([str(number), first.removesuffix("s") if number == 1 else first, *rest])
