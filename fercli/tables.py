"""The tables of a workspace: every schema written once, read and written in one way.

Parquet, because pandas, polars, R and DuckDB open it in one line. The same rows always give the same bytes, so a
table's sha256 says whether a later stage has to run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fercli.errors import CorruptTable, OutputError


def _column(name: str, kind: pa.DataType, meaning: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"meaning": meaning})


FRAMES = pa.schema(
    [
        _column("frame", pa.int32(), "number of the frame in the video, from 0, in presentation order"),
        _column("pts_s", pa.float64(), "presentation timestamp from the container, seconds"),
        _column("shot", pa.int32(), "number of the shot, from 0; cuts lie between shots"),
    ]
)

FACES = pa.schema(
    [
        _column("face", pa.int64(), "number of the face, from 0, by frame and then from left to right"),
        _column("frame", pa.int32(), "frame it was seen in"),
        _column("x1", pa.float32(), "left edge, pixels of the upright full-size frame"),
        _column("y1", pa.float32(), "top edge, pixels"),
        _column("x2", pa.float32(), "right edge (exclusive), pixels"),
        _column("y2", pa.float32(), "bottom edge (exclusive), pixels"),
        _column("score", pa.float32(), "confidence of the detector, in [0, 1]"),
        _column(
            "landmarks",
            pa.list_(pa.float32(), 10),
            "x, y of the left eye, right eye, nose, left and right mouth corner as seen in the picture, pixels; "
            "null where the detector gives none",
            nullable=True,
        ),
        _column("size", pa.float32(), "shorter side of the box, pixels"),
        _column("sharpness", pa.float32(), "variance of the Laplacian of the face at 64 x 64 pixels, from 0"),
        _column("contrast", pa.float32(), "variance of the luma of the face at 64 x 64 pixels, from 0"),
        _column("frontal", pa.float32(), "1 facing the camera, 0 in profile; null without landmarks", nullable=True),
    ]
)

CROPS = pa.schema(
    [
        _column("face", pa.int64(), "number of the face"),
        _column("jpeg", pa.binary(), "square crop around the face, JPEG"),
    ]
)

TRACKS = pa.schema(
    [
        _column("face", pa.int64(), "number of the face"),
        _column("track", pa.int32(), "track it belongs to, from 0; a track never crosses a cut"),
    ]
)

PEOPLE = pa.schema(
    [
        _column("track", pa.int32(), "number of the track"),
        _column("person", pa.string(), "who it is; null where no face was good enough to tell", nullable=True),
        _column("shot", pa.int32(), "shot the track lies in"),
        _column("start_s", pa.float64(), "first moment, seconds"),
        _column("end_s", pa.float64(), "end (exclusive), seconds"),
        _column("faces", pa.int32(), "faces in the track"),
        _column("best_face", pa.int64(), "the face that shows the person best"),
        _column(
            "identity",
            pa.float32(),
            "how surely the track is this person's, in [0, 1]; null with person",
            nullable=True,
        ),
    ]
)

EMBEDDINGS = pa.schema(
    [
        _column("track", pa.int32(), "number of the track; tracks without a usable face have no row"),
        _column("embedding", pa.list_(pa.float32()), "mean over the track's best faces, in the space of the embedder"),
        _column("confidence", pa.float32(), "how well those faces show whose they are, in [0, 1]"),
    ]
)

SEGMENTS = pa.schema(
    [
        _column("track", pa.int32(), "number of the track"),
        _column("start_s", pa.float64(), "first moment, seconds"),
        _column("end_s", pa.float64(), "end (exclusive), seconds"),
        _column("class", pa.string(), "canonical emotion, or `not assessable`"),
        _column("score", pa.float32(), "mean probability of the class; null if not assessable", nullable=True),
        _column("reason", pa.string(), "why it is not assessable; empty otherwise"),
        _column("face", pa.int64(), "face nearest to the middle of the segment"),
    ]
)


def windows_schema(labels: tuple[str, ...]) -> pa.Schema:
    """Schema of `emotions.parquet`: one row a window, one probability column a label of the model."""
    return pa.schema(
        [
            _column("track", pa.int32(), "number of the track"),
            _column("face", pa.int64(), "first face of the window"),
            _column("start_s", pa.float64(), "first moment, seconds"),
            _column("end_s", pa.float64(), "end (exclusive), seconds"),
            _column("reason", pa.string(), "why the window is not assessable; empty if it is"),
            *(
                _column(label, pa.float32(), f"probability of {label}; null if not assessable", nullable=True)
                for label in labels
            ),
        ]
    )


SCHEMAS = {
    "frames": FRAMES,
    "faces": FACES,
    "crops": CROPS,
    "tracks": TRACKS,
    "people": PEOPLE,
    "embeddings": EMBEDDINGS,
    "segments": SEGMENTS,
}
"""Tables whose columns do not depend on a model, by name; `emotions` follows `windows_schema`."""


def write_table(path: Path, parts: Iterable[pa.Table], schema: pa.Schema) -> int:
    """Write a table part by part, one row group a part that has rows; returns the number of rows.

    Raises:
        OutputError: the file cannot be written.
    """
    rows = 0
    try:
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for part in parts:
                if part.num_rows:
                    writer.write_table(part.cast(schema), row_group_size=part.num_rows)
                    rows += part.num_rows
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error}", hint="free some space, then run the same command") from error
    return rows


def read_table(path: Path, schema: pa.Schema | None = None) -> pa.Table:
    """Read a whole table and check it against its schema.

    Raises:
        CorruptTable: unreadable, or other columns.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise _corrupt(path, str(error)) from error
    return _checked(path, table, schema)


def read_parts(
    path: Path, schema: pa.Schema | None = None, *, first_row: int = 0, last_row: int | None = None
) -> Iterator[pa.Table]:
    """Read a table row group by row group, for tables too large to hold; errors as `read_table`.

    Only the row groups that hold rows `first_row` to `last_row` (inclusive; by default the last) are read.
    """
    try:
        with pq.ParquetFile(path) as file:
            begin = 0
            for number in range(file.num_row_groups):
                end = begin + file.metadata.row_group(number).num_rows
                if end > first_row and (last_row is None or begin <= last_row):
                    yield _checked(path, file.read_row_group(number), schema)
                begin = end
    except (OSError, pa.ArrowException) as error:
        raise _corrupt(path, str(error)) from error


def _checked(path: Path, table: pa.Table, schema: pa.Schema | None) -> pa.Table:
    if schema is None or table.schema.equals(schema):
        return table
    raise _corrupt(path, f"its columns are {table.schema.names}, expected {schema.names}")


def _corrupt(path: Path, reason: str) -> CorruptTable:
    return CorruptTable(
        f"cannot read table {path}: {reason}", hint=f"run `fercli status {path.parent.parent}` to see what to re-run"
    )
