"""Tables of a result for HTTP: JSON in pages, Arrow or CSV as a stream, one part in memory at a time."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pyarrow as pa
from pyarrow import csv as arrow_csv

from fercli.api import Result
from fercli.errors import ConfigError
from fercli.formats import arrow
from fercli.formats.streams import safe_cells
from fercli.formats.tables_out import rounded

JSON, ARROW, CSV = "application/json", "application/vnd.apache.arrow.stream", "text/csv"
TABLES: dict[str, Callable[[Result], Iterator[pa.Table]]] = {
    "segments": lambda result: iter([arrow.segments(result)]),
    "persons": lambda result: iter([arrow.persons(result)]),
    "tracks": lambda result: iter([arrow.tracks(result)]),
    "signals": arrow.signal_parts,
}
"""Name -> parts of a table."""
_SCHEMAS = {"segments": arrow.SEGMENTS, "persons": arrow.PERSONS, "tracks": arrow.TRACKS, "signals": arrow.SIGNALS}


def type_of(accept: str) -> str:
    """The media type for a header Accept: the best that it names.

    Raises:
        ConfigError: it accepts none of them.
    """
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept.split(",")):
        kind, *options = (one.strip() for one in part.split(";"))
        quality = next((one[2:] for one in options if one.startswith("q=")), "1")
        try:
            wanted.append((-float(quality), place, kind))
        except ValueError:
            continue
    for worth, _, kind in sorted(wanted):
        if not worth:
            continue
        if kind in (JSON, ARROW, CSV):
            return kind
        if kind in ("*/*", "application/*", "") or kind == "text/html":
            return JSON
        if kind == "text/*":
            return CSV
    raise ConfigError(
        f"no table is of the type {accept[:80]!r}", hint=f"accept {JSON}, {ARROW} or {CSV}", code="not-acceptable"
    )


def page_of(result: Result, name: str, offset: int, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """Rows [offset, offset + limit) of a table, and whether there are more; NaN and infinity are null."""
    rows: list[dict[str, Any]] = []
    seen = 0
    for part in TABLES[name](result):
        left = limit + 1 - len(rows)
        if seen + part.num_rows > offset:
            rows += part.slice(max(offset - seen, 0), left).to_pylist()
        seen += part.num_rows
        if len(rows) > limit:
            break
    return [_finite(row) for row in islice(rows, limit)], len(rows) > limit


def streamed(result: Result, name: str, kind: str) -> Iterator[bytes]:
    """All rows as Arrow or CSV."""
    sink = io.BytesIO()

    def taken() -> bytes:
        content = sink.getvalue()
        sink.seek(0)
        sink.truncate()
        return content

    parts = TABLES[name](result)
    if kind == ARROW:
        with pa.ipc.new_stream(sink, _SCHEMAS[name]) as writer:
            for part in parts:
                writer.write_table(part)
                yield taken()
        yield taken()
        return
    with arrow_csv.CSVWriter(sink, _SCHEMAS[name]) as writer:
        for part in parts:
            writer.write_table(safe_cells(rounded(part)))
            yield taken()
    yield taken()


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and not -1e300 < value < 1e300 else value for key, value in row.items()
    }
