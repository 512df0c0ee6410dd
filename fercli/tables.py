"""The tables of a workspace: every schema written once, read and written in one way.

Parquet, because pandas, polars, R and DuckDB open it in one line. The same rows always give the same bytes, so a
table's sha256 says whether a later stage has to run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fercli.errors import CorruptTable, OutputError, command


def column(name: str, kind: pa.DataType, meaning: str, *, nullable: bool = False) -> pa.Field:
    """A column that says what it means and in which unit, in its metadata."""
    return pa.field(name, kind, nullable=nullable, metadata={"meaning": meaning})


FRAMES = pa.schema(
    [
        column("frame", pa.int32(), "number of the frame in the video, from 0, in presentation order"),
        column("pts_s", pa.float64(), "presentation timestamp from the container, seconds"),
        column(
            "end_s", pa.float64(), "until when it stands for what is on screen, at most the end of the shot, seconds"
        ),
        column("shot", pa.int32(), "number of the shot, from 0; cuts lie between shots"),
        column("mixed", pa.bool_(), "whether it may show two shots at once: inside a dissolve, a fade or a wipe"),
    ]
)

FACES = pa.schema(
    [
        column("face", pa.int64(), "number of the face, from 0, by frame and then from left to right"),
        column("frame", pa.int32(), "frame it was seen in"),
        column("x1", pa.float32(), "left edge, pixels of the upright full-size frame"),
        column("y1", pa.float32(), "top edge, pixels"),
        column("x2", pa.float32(), "right edge (exclusive), pixels"),
        column("y2", pa.float32(), "bottom edge (exclusive), pixels"),
        column("score", pa.float32(), "confidence of the detector, in [0, 1]"),
        column(
            "landmarks",
            pa.list_(pa.float32(), 10),
            "x, y of the left eye, right eye, nose, left and right mouth corner as seen in the picture, pixels; "
            "null where the detector gives none",
            nullable=True,
        ),
        column("size", pa.float32(), "shorter side of the box, pixels"),
        column("sharpness", pa.float32(), "variance of the Laplacian of the face at 64 x 64 pixels, from 0"),
        column("contrast", pa.float32(), "variance of the luma of the face at 64 x 64 pixels, from 0"),
        column("frontal", pa.float32(), "1 facing the camera, 0 in profile; null without landmarks", nullable=True),
    ]
)

CROPS = pa.schema(
    [
        column("face", pa.int64(), "number of the face"),
        column("jpeg", pa.binary(), "square crop around the face, JPEG"),
    ]
)

TRACKS = pa.schema(
    [
        column("face", pa.int64(), "number of the face"),
        column("track", pa.int32(), "track it belongs to, from 0; a track never crosses a cut"),
    ]
)

PEOPLE = pa.schema(
    [
        column("track", pa.int32(), "number of the track"),
        column("person", pa.string(), "who it is; null where no face was good enough to tell", nullable=True),
        column("shot", pa.int32(), "shot the track lies in"),
        column("start_s", pa.float64(), "first moment, seconds"),
        column("end_s", pa.float64(), "end (exclusive), seconds"),
        column("faces", pa.int32(), "faces in the track"),
        column("best_face", pa.int64(), "the face that shows the person best"),
        column(
            "identity",
            pa.float32(),
            "how surely the track is this person's, in [0, 1]; null with person",
            nullable=True,
        ),
    ]
)

EMBEDDINGS = pa.schema(
    [
        column("track", pa.int32(), "number of the track; tracks without a usable face have no row"),
        column("embedding", pa.list_(pa.float32()), "mean over the track's best faces, in the space of the embedder"),
        column("confidence", pa.float32(), "how well those faces show whose they are, in [0, 1]"),
    ]
)

SEGMENTS = pa.schema(
    [
        column("track", pa.int32(), "number of the track"),
        column("start_s", pa.float64(), "first moment, seconds"),
        column("end_s", pa.float64(), "end (exclusive), seconds"),
        column("class", pa.string(), "canonical emotion, or `not assessable`"),
        column("score", pa.float32(), "mean probability of the class; null if not assessable", nullable=True),
        column("reason", pa.string(), "why it is not assessable; empty otherwise"),
        column("face", pa.int64(), "face nearest to the middle of the segment"),
    ]
)


def windows_schema(labels: tuple[str, ...]) -> pa.Schema:
    """Schema of `emotions.parquet`: one row a window, one probability column a label of the model."""
    return pa.schema(
        [
            column("track", pa.int32(), "number of the track"),
            column("face", pa.int64(), "first face of the window"),
            column("start_s", pa.float64(), "first moment, seconds"),
            column("end_s", pa.float64(), "end (exclusive), seconds"),
            column("reason", pa.string(), "why the window is not assessable; empty if it is"),
            *(
                column(label, pa.float32(), f"probability of {label}; null if not assessable", nullable=True)
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


def rows_by_value(values: pa.ChunkedArray) -> dict[Any, NDArray[np.int64]]:
    """Value of a column without nulls -> (n,) rows that have it; both ascending. Sorts once for all values."""
    encoded = values.combine_chunks().dictionary_encode()
    code = encoded.indices.to_numpy()
    ends = np.bincount(code, minlength=len(encoded.dictionary)).cumsum()
    rows = np.split(np.argsort(code, kind="stable"), ends[:-1])
    return dict(sorted(zip(encoded.dictionary.to_pylist(), rows, strict=False), key=itemgetter(0)))


def _checked(path: Path, table: pa.Table, schema: pa.Schema | None) -> pa.Table:
    if schema is None or table.schema.equals(schema):
        return table
    raise _corrupt(path, f"its columns are {table.schema.names}, expected {schema.names}")


def _corrupt(path: Path, reason: str) -> CorruptTable:
    return CorruptTable(
        f"cannot read table {path}: {reason}", hint=f"to see what to re-run: {command('status', path.parent.parent)}"
    )
