"""`fercli formats`: what can be exported, and what each format loses."""

from __future__ import annotations

from fercli.cli import layout
from fercli.formats import EXPORTERS


def formats() -> None:
    """Every format on stdout; the first with a suffix is the one that suffix means."""
    table = layout.table("name", "suffix", "holds", "cannot hold")
    for name, exporter in EXPORTERS.items():
        table.add_row(name, exporter.suffix, exporter.summary, exporter.lacks)
    for column in table.columns[:2]:
        column.no_wrap = True
    layout.console().print(table)
