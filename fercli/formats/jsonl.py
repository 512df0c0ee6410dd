"""JSON Lines: one record a line, for streams and tables."""

from __future__ import annotations

import json
from pathlib import Path

from fercli.formats.document import Document


def write(document: Document, path: Path) -> None:
    """Write the segments; what `records` writes as one list."""
    lines = [json.dumps(segment.as_record(), ensure_ascii=False) + "\n" for segment in document.segments]
    path.write_text("".join(lines), encoding="utf-8")
