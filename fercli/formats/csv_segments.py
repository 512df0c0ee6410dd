"""One CSV row a segment, for spreadsheets and R."""

from __future__ import annotations

import csv
from pathlib import Path

from fercli.csv_cells import safe_cell
from fercli.results.model import Result

COLUMNS = ("object", "class", "seconds", "end", "score", "track", "x1", "y1", "x2", "y2", "source")


def write(result: Result, path: Path, *, raw_cells: bool = False) -> None:
    """Write the segments with a header line; columns mean what the keys of a record mean, `source` is always there."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for segment in result.segments:
            record = segment.as_record()
            cells = [record.get(name) for name in COLUMNS[:6]]
            if not raw_cells:
                cells = [safe_cell(cell) if isinstance(cell, str) else cell for cell in cells]
            writer.writerow([*cells, *(record["box"] or [None] * 4), segment.source])
