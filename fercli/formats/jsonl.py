"""JSON Lines: one record a line, for streams and tables."""

from __future__ import annotations

import json
from pathlib import Path

from fercli.results.model import Result


def write(result: Result, path: Path) -> None:
    """Write the segments; what `records` writes as one list."""
    lines = [json.dumps(segment.as_record(), ensure_ascii=False) + "\n" for segment in result.segments]
    path.write_text("".join(lines), encoding="utf-8")
