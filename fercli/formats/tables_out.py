"""CSV and Parquet: one row a segment, one row a window, one row a face.

Everywhere the class is the short name (`happy`), a probability has the short name of its emotion as its column, and
times are seconds from where a player begins. In Parquet every column says what it means and in which unit (field
metadata `meaning`), numbers are those of the tables, and the file's metadata has the video and the provenance as JSON.
In CSV times are rounded to the millisecond, pixels to two digits, everything else to four.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from fercli import tables
from fercli.formats.face_rows import EDGES, shown_emotions
from fercli.formats.streams import as_json, parts, write_csv
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES
from fercli.results.details import Details
from fercli.results.model import Result, Segment

PERSON = tables.column("person", pa.string(), "shown name of the person")
CLASS = tables.column("class", pa.string(), "emotion, or `not assessable`")
END = tables.column("end_s", pa.float64(), "until when the frame stands (exclusive), seconds")
BOX = [tables.FACES.field(name) for name in EDGES]
SEGMENTS = pa.schema(
    [
        tables.column("type", pa.string(), "always `emotion`"),
        CLASS,
        tables.column("seconds", pa.float64(), "first moment, seconds from where a player begins"),
        tables.column("object", pa.string(), "shown name of the person"),
        tables.column("end", pa.float64(), "end (exclusive), seconds"),
        tables.column("score", pa.float64(), "mean probability of the class; null if not assessable", nullable=True),
        tables.column(
            "track",
            pa.int32(),
            "number of the track; null, as is the box, where nobody was tracked",
            nullable=True,
        ),
        *(field.with_nullable(True) for field in BOX),
        tables.column("identity", pa.float64(), "how surely the track is this person's, in [0, 1]", nullable=True),
        tables.column("identity_source", pa.string(), "`human` if a person said who it is, else `machine`"),
        tables.column("source", pa.string(), "`human` if a person corrected the segment, else `machine`"),
        tables.column("reason", pa.string(), "why it is not assessable; empty otherwise"),
    ]
)
CSV_DIGITS = {"pts_s": 3, "start_s": 3, "end_s": 3, **dict.fromkeys(EDGES, 2)}
OTHER_DIGITS = 4


def write_parquet(result: Result, path: Path) -> None:
    """Segments and gaps by start: what the records say, and why a gap could not be assessed."""
    rows = pa.Table.from_pylist([_segment(segment) for segment in result.all_segments], schema=SEGMENTS)
    tables.write_table(path, [rows], _with_provenance(SEGMENTS, result))


def write_parquet_windows(result: Result, path: Path) -> None:
    """Windows by start, with the probability of every emotion."""
    details = result.details()
    tables.write_table(path, _windows(details), _with_provenance(_windows_schema(details), result))


def write_parquet_faces(result: Result, path: Path) -> None:
    """Faces by frame, with person, box, landmarks, the class of the segment and the probabilities of the window."""
    details = result.details()
    tables.write_table(path, _faces(result, details), _with_provenance(_faces_schema(details), result))


def write_csv_windows(result: Result, path: Path, *, raw_cells: bool = False) -> None:
    """The rows of `write_parquet_windows`."""
    details = result.details()
    write_csv(path, map(_rounded, _windows(details)), _windows_schema(details), raw_cells=raw_cells)


def write_csv_faces(result: Result, path: Path, *, raw_cells: bool = False) -> None:
    """The rows of `write_parquet_faces` without the landmarks."""
    details = result.details()
    schema = _faces_schema(details)
    schema = schema.remove(schema.get_field_index("landmarks"))
    write_csv(
        path,
        (_rounded(part.select(schema.names)) for part in _faces(result, details)),
        schema,
        raw_cells=raw_cells,
    )


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "identity_source": "machine",
        **segment.as_record(),
        "source": segment.source,
        "seconds": segment.start_s,
        "end": segment.end_s,
        "score": segment.score,
        "identity": segment.identity,
        "reason": segment.reason,
        **dict(zip(EDGES, segment.box or [None] * 4, strict=True)),
    }


def _windows_schema(details: Details) -> pa.Schema:
    fields = {field.name: field for field in tables.windows_schema(details.labels)}
    head = [fields["track"], PERSON, fields["start_s"], fields["end_s"], CLASS, fields["reason"]]
    return pa.schema([*head, *_probabilities(details)])


def _windows(details: Details) -> Iterator[pa.Table]:
    schema = _windows_schema(details)
    for part in parts(details.windows):
        shown = [RECORD_NAMES[name or NOT_ASSESSABLE] for name in part["class"].to_pylist()]
        place = part.schema.get_field_index("class")
        yield part.set_column(place, "class", pa.array(shown, pa.string())).rename_columns(schema.names).cast(schema)


def _faces_schema(details: Details) -> pa.Schema:
    frames, faces = tables.FRAMES, tables.FACES
    head = [faces.field("face"), frames.field("frame"), frames.field("pts_s"), END, frames.field("shot")]
    whose = [tables.TRACKS.field("track"), PERSON, *BOX, faces.field("score"), faces.field("landmarks")]
    return pa.schema([*head, *whose, CLASS, *_probabilities(details)])


def _faces(result: Result, details: Details) -> Iterator[pa.Table]:
    schema = _faces_schema(details)
    emotions = shown_emotions(result, details.faces)
    place = schema.get_field_index("class")
    done = 0
    for part in parts(details.faces):
        shown = [RECORD_NAMES[name] for name in emotions[done : done + part.num_rows]]
        done += part.num_rows
        yield part.add_column(place, "class", pa.array(shown, pa.string())).rename_columns(schema.names).cast(schema)


def _probabilities(details: Details) -> list[pa.Field]:
    meaning = "probability of the emotion in the window, in [0, 1]; null if not assessable"
    return [tables.column(RECORD_NAMES[label], pa.float32(), meaning, nullable=True) for label in details.labels]


def _rounded(table: pa.Table) -> pa.Table:
    columns = [
        pc.round(column, CSV_DIGITS.get(field.name, OTHER_DIGITS)) if pa.types.is_floating(field.type) else column
        for field, column in zip(table.schema, table.columns, strict=True)
    ]
    return pa.table(columns, schema=table.schema)


def _with_provenance(schema: pa.Schema, result: Result) -> pa.Schema:
    facts = {"video": result.video, "provenance": result.provenance}
    return schema.with_metadata({key: as_json(value) for key, value in facts.items()})
