"""The table of `fercli people`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from fercli.cli import layout
from fercli.cli.terminal import visible
from fercli.timing import clock

if TYPE_CHECKING:
    from fercli.results.model import Person

_NUMBERS = ("on screen", "tracks", "shots")
_BREAKABLE = {"person": 16, "to check": 12}
"""Columns with text that may wrap, and their least width in cells."""
_DISPENSABLE = ("by hand", "shots", "best face")
"""Columns that are left out in a narrow terminal, in this order."""
_GAP = 2
"""Cells between two columns."""


def print_people(persons: list[Person]) -> list[str]:
    """Print all persons on stdout; returns the headings of columns without room."""
    console = layout.console()
    columns = _columns(persons)
    left_out: list[str] = []
    for heading in _DISPENSABLE:
        if _least_width(columns) > console.width:
            left_out.append(heading)
            del columns[heading]
    table = layout.table()
    for heading in columns:
        table.add_column(
            heading,
            justify="right" if heading in _NUMBERS else "left",
            overflow="fold",
            no_wrap=heading not in _BREAKABLE,
        )
    for row in zip(*columns.values(), strict=True):
        table.add_row(*row)
    console.print(table)
    return left_out


def _columns(persons: list[Person]) -> dict[str, list[str]]:
    """Heading -> one cell per person."""
    return {
        "person": [f"{one.name} (ignored)" if one.ignored else one.name for one in persons],
        "on screen": [f"{one.screen_time_s:.1f} s" for one in persons],
        "tracks": [str(len(one.tracks)) for one in persons],
        "shots": [str(one.shots) for one in persons],
        "best face": [f"{clock(one.best.best_s, tenths=True)} in track {one.best.track}" for one in persons],
        "identity": ["" if one.identity is None else f"{one.identity:.2f}" for one in persons],
        "to check": [_few(one.doubtful) for one in persons],
        "by hand": ["yes" if one.by_hand else "" for one in persons],
    }


def _least_width(columns: dict[str, list[str]]) -> int:
    widths = {heading: max(cell_len(visible(cell)) for cell in (heading, *cells)) for heading, cells in columns.items()}
    return sum(min(width, _BREAKABLE.get(heading, width)) + _GAP for heading, width in widths.items()) - _GAP


def _few(tracks: list[int], most: int = 8) -> str:
    """`3, 17, 21 ... (12 in all)`."""
    shown = ", ".join(map(str, tracks[:most]))
    return f"{shown} ... ({len(tracks)} in all)" if len(tracks) > most else shown
