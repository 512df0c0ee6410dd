"""Audacity's label track: `start TAB end TAB label`, in seconds, one line per segment.

Format: https://manual.audacityteam.org/man/importing_and_exporting_labels.html.
"""

from __future__ import annotations

from pathlib import Path

from fercli.formats.timeline import in_milliseconds
from fercli.results.model import Result


def write(result: Result, path: Path) -> None:
    """Write the assessed segments as `Ross: happy`."""
    lines = [f"{i.start_ms / 1000:.3f}\t{i.end_ms / 1000:.3f}\t{i.caption}\n" for i in in_milliseconds(result.segments)]
    path.write_text("".join(lines), encoding="utf-8")
