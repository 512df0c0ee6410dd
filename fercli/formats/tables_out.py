"""CSV and Parquet files: one row per segment, window or face; columns as in `fercli.formats.arrow`.

In Parquet, numbers are those of the tables, and the file's metadata has the video and the provenance as JSON. In CSV
times are rounded to the millisecond, pixels to two digits, everything else to four.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from fercli import tables
from fercli.formats import arrow
from fercli.formats.face_rows import EDGES
from fercli.formats.streams import as_json, write_csv
from fercli.results.model import Result

CSV_DIGITS = {"pts_s": 3, "start_s": 3, "end_s": 3, **dict.fromkeys(EDGES, 2)}
OTHER_DIGITS = 4


def write_parquet(result: Result, path: Path) -> None:
    """Segments and gaps, as `arrow.segments`."""
    tables.write_table(path, [arrow.segments(result)], with_provenance(arrow.SEGMENTS, result))


def write_parquet_windows(result: Result, path: Path) -> None:
    """Windows, as `arrow.windows`."""
    details = result.details()
    schema = with_provenance(arrow.windows_schema(details), result)
    tables.write_table(path, arrow.window_parts(result, details), schema)


def write_parquet_faces(result: Result, path: Path) -> None:
    """Faces, as `arrow.faces`."""
    details = result.details()
    schema = with_provenance(arrow.faces_schema(details, rated=result.ratings is not None), result)
    tables.write_table(path, arrow.face_parts(result, details), schema)


def write_csv_windows(result: Result, path: Path, *, raw_cells: bool = False) -> None:
    """The rows of `write_parquet_windows`."""
    details = result.details()
    rows = map(rounded, arrow.window_parts(result, details))
    write_csv(path, rows, arrow.windows_schema(details), raw_cells=raw_cells)


def write_csv_faces(result: Result, path: Path, *, raw_cells: bool = False) -> None:
    """The rows of `write_parquet_faces` without the landmarks."""
    details = result.details()
    schema = arrow.faces_schema(details, rated=result.ratings is not None)
    schema = schema.remove(schema.get_field_index("landmarks"))
    rows = (rounded(part.select(schema.names)) for part in arrow.face_parts(result, details))
    write_csv(path, rows, schema, raw_cells=raw_cells)


def write_parquet_utterances(result: Result, path: Path) -> None:
    """What is said, as `arrow.utterances`."""
    tables.write_table(path, [arrow.utterances(result)], with_provenance(arrow.UTTERANCES, result))


def write_csv_utterances(result: Result, path: Path, *, raw_cells: bool = False) -> None:
    """The rows of `write_parquet_utterances`."""
    write_csv(path, [rounded(arrow.utterances(result))], arrow.UTTERANCES, raw_cells=raw_cells)


def rounded(table: pa.Table) -> pa.Table:
    """The rows with numbers rounded for text files: CSV_DIGITS, or OTHER_DIGITS."""
    columns = [
        pc.round(column, CSV_DIGITS.get(field.name, OTHER_DIGITS)) if pa.types.is_floating(field.type) else column
        for field, column in zip(table.schema, table.columns, strict=True)
    ]
    return pa.table(columns, schema=table.schema)


def with_provenance(schema: pa.Schema, result: Result) -> pa.Schema:
    """The columns, with the video and the provenance in the metadata of the file."""
    facts = {"video": result.video, "provenance": result.provenance}
    return schema.with_metadata({key: as_json(value) for key, value in facts.items()})
