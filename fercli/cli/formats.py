"""`fercli formats`: what can be exported, and what each format loses."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from fercli.exporters import EXPORTERS


def formats() -> None:
    """Every format on stdout; the first with a suffix is the one that suffix means."""
    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("suffix", no_wrap=True)
    for column in ("holds", "cannot hold"):
        table.add_column(column, overflow="fold")
    for name, exporter in EXPORTERS.items():
        table.add_row(name, exporter.suffix, exporter.summary, exporter.lacks)
    # Wide enough not to break lines where the output goes into a file or a pipe.
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else 200, highlight=False, markup=False).print(table)
