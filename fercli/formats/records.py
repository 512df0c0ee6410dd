"""The bare list of records, one a segment."""

from __future__ import annotations

import json
from pathlib import Path

from fercli.results.model import Result


def write(result: Result, path: Path) -> None:
    """Write `[{"type": "emotion", "class": ..., "seconds": ..., "object": ..., ...}, ...]`, a record a line."""
    lines = [json.dumps(segment.as_record(), ensure_ascii=False) for segment in result.segments]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n", encoding="utf-8")
