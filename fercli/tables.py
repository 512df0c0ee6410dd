"""The tables of a workspace: all schemas, and functions to read and write tables.

Parquet, because pandas, polars, R and DuckDB open it in one line. The same rows always give the same bytes, so the
sha256 of a table shows whether a later stage must run again.

Every table is checked when it is read: its columns against the schema, and its values against the rules.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fercli.chain import STAGE_OF
from fercli.errors import CorruptTable, OutputError, command
from fercli.labels import BLENDSHAPES, EMOTIONS_8, NOT_ASSESSABLE
from fercli.table_rules import RISING, ROWS, SORTED, broken_rule, rule, rules_of, values_of
from fercli.writing import create_for_owner

_OWN, _ROW = rule(order=RISING), rule(order=ROWS)
_POSITIVE = rule(low=0)
_SHARE = rule(low=0, high=1)
_TIME = rule(low=-1e10, high=1e10)
"""Seconds: 1e10 is the year 2286 for a camera with Unix time."""
_END = _TIME | rule(from_column="start_s")
_CLASS = rule(one_of=(*EMOTIONS_8, NOT_ASSESSABLE))
_PIXEL = rule(low=-1e6, high=1e6)
_FACE = rule(found_in="faces.face")
_TRACK = rule(found_in="tracks.track")


PROBABILITY, SIGNAL = "probability", "signal"
"""Roles of columns: probability of a label, and measurement over time."""
_KEPT = ("meaning", "role", "unit", "label")
"""Column metadata stored in a file; rules are not stored, those of the reading version apply."""


def column(
    name: str,
    kind: pa.DataType,
    meaning: str,
    *rules: dict[str, str],
    nullable: bool = False,
    role: str = "",
    unit: str = "",
    label: str = "",
) -> pa.Field:
    """A column with its meaning and rules in the metadata.

    Args:
        role: PROBABILITY or SIGNAL; empty for all other columns.
        unit: unit of a signal.
        label: canonical name of the class of a probability.
    """
    facts = {"meaning": meaning, "role": role, "unit": unit, "label": label}
    metadata = {key: value for key, value in facts.items() if value}
    for stated in rules:
        metadata |= stated
    return pa.field(name, kind, nullable=nullable, metadata=metadata)


FRAMES = pa.schema(
    [
        column("frame", pa.int32(), "number of the frame in the video, from 0, in presentation order", _OWN),
        column(
            "pts_s", pa.float64(), "when it is shown, seconds from the start in a player", _TIME, rule(order=SORTED)
        ),
        column(
            "end_s",
            pa.float64(),
            "end of the time it represents, at most the end of the shot, seconds",
            _TIME,
            rule(from_column="pts_s"),
        ),
        column("shot", pa.int32(), "number of the shot, from 0; cuts lie between shots", rule(order=SORTED)),
        column("mixed", pa.bool_(), "whether it may show two shots at once: inside a dissolve, a fade or a wipe"),
    ]
)

FACES = pa.schema(
    [
        column("face", pa.int64(), "number of the face, from 0, by frame and then from left to right", _ROW),
        column("frame", pa.int32(), "frame it was seen in", rule(order=SORTED, found_in="frames.frame")),
        column(
            "x1", pa.float32(), "left edge, stored pixels of the upright frame, at the size of the first one", _PIXEL
        ),
        column("y1", pa.float32(), "top edge, pixels", _PIXEL),
        column("x2", pa.float32(), "right edge (exclusive), pixels", _PIXEL, rule(above_column="x1")),
        column("y2", pa.float32(), "bottom edge (exclusive), pixels", _PIXEL, rule(above_column="y1")),
        column("score", pa.float32(), "confidence of the detector, in [0, 1]", _SHARE),
        column(
            "detected",
            pa.bool_(),
            "whether the detector looked at this frame; otherwise box and landmarks lie between those of the frames "
            "around it, and of their scores this is the lower one",
        ),
        column(
            "landmarks",
            pa.list_(pa.float32(), 10),
            "x, y of the left eye, right eye, nose, left and right mouth corner as seen in the upright face, pixels; "
            "null if the detector has none, or none that are reliable",
            _PIXEL,
            nullable=True,
        ),
        column("size", pa.float32(), "shorter side of the box, pixels", _POSITIVE),
        column("sharpness", pa.float32(), "variance of the Laplacian of the face at 64 x 64 pixels, from 0", _POSITIVE),
        column("contrast", pa.float32(), "variance of the luma of the face at 64 x 64 pixels, from 0", _POSITIVE),
        column(
            "frontal",
            pa.float32(),
            "1 facing the camera, 0 in profile and for `lying` faces; null if the detector has no landmarks",
            _SHARE,
            nullable=True,
        ),
        column(
            "roll",
            pa.float32(),
            "in-plane rotation, degrees clockwise, 0 upright; null without landmarks",
            rule(low=-180, high=180),
            nullable=True,
        ),
    ]
)

CROPS = pa.schema(
    [
        column("face", pa.int64(), "number of the face", _ROW, _FACE),
        column("jpeg", pa.binary(), "square crop around the face, JPEG"),
    ]
)

TRACKS = pa.schema(
    [
        column("face", pa.int64(), "number of the face", _OWN, _FACE),
        column("track", pa.int32(), "track it belongs to, from 0; a track never crosses a cut", rule(low=0)),
    ]
)

PERSONS = pa.schema(
    [
        column("track", pa.int32(), "number of the track; every track has a row", _OWN, _TRACK, rule(covers=True)),
        column("person", pa.string(), "name of the person; null if no face passed the quality filter", nullable=True),
        column("shot", pa.int32(), "shot of the track"),
        column("start_s", pa.float64(), "first moment, seconds", _TIME),
        column("end_s", pa.float64(), "end (exclusive), seconds", _END),
        column("faces", pa.int32(), "faces in the track", rule(low=1)),
        column("best_face", pa.int64(), "the face that shows the person best", _FACE),
        column(
            "identity",
            pa.float32(),
            "identity score: how certain the person is, in [0, 1]; null with person",
            _SHARE,
            nullable=True,
        ),
    ]
)

EMBEDDINGS = pa.schema(
    [
        column(
            "track",
            pa.int32(),
            "number of the track; tracks without a usable face have no row",
            rule(order=RISING),
            _TRACK,
        ),
        column("embedding", pa.list_(pa.float32()), "mean over the track's best faces, in the space of the embedder"),
        column("confidence", pa.float32(), "how well those faces identify the person, in [0, 1]", _SHARE),
        column(
            "doubt",
            pa.float64(),
            "distance of two parts of the track that may be two persons, scaled so that 0.55 is the limit for one; "
            "0 if there are none",
            _POSITIVE,
        ),
    ]
)

_ANGLE = rule(low=-180, high=180)
SEGMENTS = pa.schema(
    [
        column("track", pa.int32(), "number of the track", _TRACK),
        column("start_s", pa.float64(), "first moment, seconds", _TIME),
        column("end_s", pa.float64(), "end (exclusive), seconds", _END),
        column("class", pa.string(), "canonical emotion, or `not assessable`", _CLASS),
        column("score", pa.float32(), "mean probability of the class; null if not assessable", _SHARE, nullable=True),
        column("reason", pa.string(), "why it is not assessable; empty otherwise"),
        column("face", pa.int64(), "face nearest to the middle of the segment", _FACE),
        column("doubtful", pa.string(), "why the class is doubtful; empty if it is not"),
    ]
)


TALKING = column(
    "talking",
    pa.float32(),
    "share of the faces of the window that talk; null if unknown, as with fewer than six faces a second",
    _SHARE,
    nullable=True,
    role=SIGNAL,
    unit="share",
)


def windows_schema(labels: tuple[str, ...]) -> pa.Schema:
    """Schema of `emotions.parquet`: one row per window, one probability column per label of the model."""
    return pa.schema(
        [
            column("track", pa.int32(), "number of the track", _TRACK),
            column("face", pa.int64(), "first face of the window", _FACE),
            column("start_s", pa.float64(), "first moment, seconds", _TIME),
            column("end_s", pa.float64(), "end (exclusive), seconds", _END),
            column("reason", pa.string(), "why the window is not assessable; empty if it is"),
            TALKING,
            *(
                column(
                    name,
                    pa.float32(),
                    f"median {name} of its faces, degrees; null without a mesh",
                    _ANGLE,
                    nullable=True,
                )
                for name in ("yaw", "pitch")
            ),
            *(
                column(
                    label,
                    pa.float32(),
                    f"probability of {label}; null if not assessable",
                    _SHARE,
                    nullable=True,
                    role=PROBABILITY,
                    unit="probability",
                    label=label,
                )
                for label in labels
            ),
        ]
    )


def _measured(name: str, meaning: str, unit: str, *rules: dict[str, str]) -> pa.Field:
    return column(name, pa.float32(), f"{meaning}; null without a mesh", *rules, nullable=True, role=SIGNAL, unit=unit)


ATTRIBUTES = pa.schema(
    [
        column("face", pa.int64(), "number of the face", _ROW, _FACE),
        column("flag", pa.float32(), "probability that the mesh found a face, in [0, 1]", _SHARE),
        _measured("yaw", "angle to the right of the picture", "degrees", _ANGLE),
        _measured("pitch", "angle upwards", "degrees", _ANGLE),
        _measured("roll", "in-plane rotation, clockwise", "degrees", _ANGLE),
        _measured("eye_left", "height / width of the eye on the left of the picture", "ratio", _POSITIVE),
        _measured("eye_right", "height / width of the eye on the right of the picture", "ratio", _POSITIVE),
        _measured("mouth", "distance of the lips / width of the mouth", "ratio", _POSITIVE),
        *(_measured(name, f"ARKit blendshape {name}, in [0, 1]", "share", _SHARE) for name in BLENDSHAPES),
    ]
)
"""Left and right of a blendshape are those of the person."""

MESHES = pa.schema(
    [
        column("face", pa.int64(), "number of the face; faces without a mesh have no row", _OWN, _FACE),
        column(
            "points",
            pa.list_(pa.float32(), 478 * 3),
            "478 times x, y, z in pixels: x and y as those of `faces`, z away from the camera in square pixels",
            _PIXEL,
        ),
    ]
)
"""Empty unless landmarks were to be kept."""

_BOTH_SIGNS = rule(low=-1, high=1)


def _rated(name: str, meaning: str, *rules: dict[str, str], unit: str = "rating") -> pa.Field:
    meaning = f"{meaning}; null if not assessable"
    return column(name, pa.float32(), meaning, *rules, nullable=True, role=SIGNAL, unit=unit)


VALENCE = pa.schema(
    [
        column("track", pa.int32(), "number of the track", _TRACK, rule(order=SORTED)),
        column("seconds", pa.float64(), "moment, seconds; ten a second, from its first to its last", _TIME),
        _rated("valence", "how pleasant, from -1 to 1", _BOTH_SIGNS),
        _rated("valence_low", "lower end of its 90 % interval", _BOTH_SIGNS),
        _rated("valence_high", "upper end of its 90 % interval", _BOTH_SIGNS),
        _rated("arousal", "how aroused, from -1 to 1", _BOTH_SIGNS),
        _rated("arousal_low", "lower end of its 90 % interval", _BOTH_SIGNS),
        _rated("arousal_high", "upper end of its 90 % interval", _BOTH_SIGNS),
        _rated("intensity", "how strongly the face shows anything but neutral, in [0, 1]", _SHARE, unit="share"),
    ]
)
"""The moments of each track, ten a second."""

COURSES = pa.schema(
    [
        column("track", pa.int32(), "number of the track", _TRACK, rule(order=SORTED)),
        column("start_s", pa.float64(), "start of the segment whose course this is, seconds", _TIME),
        column("onset_s", pa.float64(), "when the intensity has risen to half of its peak, seconds", _TIME),
        column("apex_s", pa.float64(), "when the intensity is highest, seconds", _TIME, rule(from_column="onset_s")),
        column(
            "offset_s", pa.float64(), "when it has fallen to half again, seconds", _TIME, rule(from_column="apex_s")
        ),
        column("peak", pa.float32(), "intensity at the apex, in [0, 1]", _SHARE),
    ]
)
"""One row for each segment with an expression other than neutral."""

SOUND = pa.schema(
    [
        column("piece", pa.int32(), "number of the piece, from 0; pieces follow each other without gaps", _ROW),
        column("start_s", pa.float64(), "first moment, seconds", _TIME, rule(order=SORTED)),
        column("end_s", pa.float64(), "end (exclusive), seconds", _END),
        column("flac", pa.binary(), "the sound: FLAC, 16 bits, mono, 16 kHz"),
    ]
)

VOICE = pa.schema(
    [
        column("start_s", pa.float64(), "first moment, seconds", _TIME, rule(order=SORTED)),
        column("end_s", pa.float64(), "end (exclusive), seconds", _END),
        column("score", pa.float32(), "highest probability of speech in it, in [0, 1]", _SHARE),
    ]
)
"""Stretches in which someone speaks."""

UTTERANCES = pa.schema(
    [
        column("utterance", pa.int32(), "number of the utterance, from 0", _ROW),
        column("start_s", pa.float64(), "start of its first word, seconds", _TIME, rule(order=SORTED)),
        column("end_s", pa.float64(), "end (exclusive) of its last word, seconds", _END),
        column("text", pa.string(), "what is said"),
        column("score", pa.float32(), "mean probability of its words, in [0, 1]", _SHARE),
    ]
)

WORDS = pa.schema(
    [
        column(
            "utterance",
            pa.int32(),
            "utterance it belongs to",
            rule(order=SORTED, found_in="utterances.utterance"),
        ),
        column("text", pa.string(), "the word, with the punctuation beside it"),
        column("start_s", pa.float64(), "first moment, seconds", _TIME, rule(order=SORTED)),
        column("end_s", pa.float64(), "end (exclusive), seconds", _END),
        column("score", pa.float32(), "probability of the word, in [0, 1]", _SHARE),
    ]
)

TALKING_FACES = pa.schema(
    [
        column(
            "face",
            pa.int64(),
            "number of the face; every face of a track has a row",
            _OWN,
            rule(found_in="tracks.face"),
        ),
        column(
            "talks",
            pa.float32(),
            "probability that it is heard talking; null outside the sound",
            _SHARE,
            nullable=True,
            role=SIGNAL,
            unit="probability",
        ),
    ]
)

VOICES = pa.schema(
    [
        column("utterance", pa.int32(), "number of the utterance", _ROW, rule(found_in="utterances.utterance")),
        *(
            column(
                label,
                pa.float32(),
                f"probability of {label} in the voice; null if it was not assessed",
                _SHARE,
                nullable=True,
                role=PROBABILITY,
                unit="probability",
                label=label,
            )
            for label in EMOTIONS_8
        ),
    ]
)

BIOMETRIC = (CROPS, MESHES, EMBEDDINGS, SOUND)
"""Tables by which faces or voices can be recognised."""

SCHEMAS = {
    "frames": FRAMES,
    "faces": FACES,
    "crops": CROPS,
    "attributes": ATTRIBUTES,
    "meshes": MESHES,
    "tracks": TRACKS,
    "persons": PERSONS,
    "embeddings": EMBEDDINGS,
    "segments": SEGMENTS,
    "valence": VALENCE,
    "courses": COURSES,
    "sound": SOUND,
    "voice": VOICE,
    "utterances": UTTERANCES,
    "words": WORDS,
    "talking": TALKING_FACES,
    "voices": VOICES,
}
"""Tables whose columns do not depend on a model, by name; `emotions` follows `windows_schema`."""


def write_table(path: Path, parts: Iterable[pa.Table], schema: pa.Schema) -> int:
    """Write a table part by part, one row group per non-empty part; returns the number of rows.

    Only the owner can read a biometric table. The file is not written atomically: its directory is moved into place
    when complete.

    Raises:
        OutputError: the file cannot be written.
    """
    rows = 0
    written = _without_rules(schema)
    try:
        if schema in BIOMETRIC:
            create_for_owner(path)
        # Points never repeat: in a dictionary they take more room than without one.
        with pq.ParquetWriter(path.absolute(), written, compression="zstd", use_dictionary=schema != MESHES) as writer:
            for part in parts:
                if part.num_rows:
                    writer.write_table(part.cast(written), row_group_size=part.num_rows)
                    rows += part.num_rows
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error}", hint="free some space, then run the same command") from error
    return rows


def read_table(path: Path, schema: pa.Schema | None = None) -> pa.Table:
    """Read a whole table and check its schema and values.

    Raises:
        CorruptTable: it is unreadable, or has wrong columns or invalid values; the message names file and column.
    """
    try:
        table = pq.read_table(path.absolute())
    except (OSError, pa.ArrowException) as error:
        raise _corrupt(path, str(error)) from error
    if schema is not None:
        _check_count(path, table.num_rows, schema)
        _check(path, table, schema, first_row=0)
        _check_references(path, table, schema)
    return table


def read_windows(path: Path) -> tuple[pa.Table, tuple[str, ...]]:
    """The table `emotions`, and the labels of its probabilities, in their order; errors as `read_table`."""
    try:
        schema = pq.read_schema(path.absolute())
    except (OSError, pa.ArrowException) as error:
        raise _corrupt(path, str(error)) from error
    labels = labels_of(schema)
    if not labels:
        raise _corrupt(path, "it has no probabilities of emotions")
    return read_table(path, windows_schema(labels)), labels


def labels_of(schema: pa.Schema) -> tuple[str, ...]:
    """The labels of the probabilities of a table, in the order of its columns."""
    rules = (rules_of(field) for field in schema)
    return tuple(found["label"] for found in rules if found.get("role") == PROBABILITY and "label" in found)


def signals_of(schema: pa.Schema) -> tuple[pa.Field, ...]:
    """The columns of a table that are measurements over time."""
    return tuple(field for field in schema if rules_of(field).get("role") == SIGNAL)


def read_rows(path: Path, schema: pa.Schema, columns: list[str], key: str, wanted: Collection[int]) -> pa.Table:
    """Some columns of the rows with the requested `key` values, in the order of the table; errors as `read_table`.

    Other rows are neither kept nor checked. If `key` numbers the rows or the frames, all requested rows must exist.
    """
    filters = [(key, "in", list(wanted))]
    try:
        _check_columns(path, pq.read_schema(path.absolute()), schema)
        if not wanted:
            return schema.empty_table().select(columns)
        table = pq.read_table(path.absolute(), columns=columns, filters=filters)
    except (OSError, pa.ArrowException) as error:
        raise _corrupt(path, str(error)) from error
    _check_values(path, table, schema, first_row=None)
    if "found_in" not in rules_of(schema.field(key)):  # the key is numbered in this table
        missing = set(wanted).difference(table[key].to_pylist())
        if missing:
            raise _corrupt(path, f"column {key}: there is no {min(missing)}")
    return table


def read_parts(
    path: Path,
    schema: pa.Schema | None = None,
    *,
    rows: Collection[int] | None = None,
    only: Collection[int] | None = None,
    columns: list[str] | None = None,
    piece: bool = False,
) -> Iterator[pa.Table]:
    """Read a table row group by row group, for tables too large to hold; errors as `read_table`.

    Args:
        rows: only the row groups that hold one of these rows are read; by default all.
        only: only the row groups with these numbers are read; by default all.
        columns: only these are read and checked; by default all.
        piece: whether the file is a piece of a table, whose row numbers continue those of the piece before.
    """
    wanted = None if rows is None else np.sort(np.fromiter(rows, np.int64, len(rows)))
    try:
        with pq.ParquetFile(path.absolute()) as file:
            if schema is not None and not piece:
                _check_count(path, file.metadata.num_rows, schema)
            if schema is not None:
                _check_columns(path, file.schema_arrow, schema)
            begin = 0
            for number in range(file.num_row_groups):
                end = begin + file.metadata.row_group(number).num_rows
                asked = only is None or number in only
                if asked and (wanted is None or np.searchsorted(wanted, begin) < np.searchsorted(wanted, end)):
                    part = file.read_row_group(number, columns=columns)
                    if schema is not None:
                        _check_values(path, part, schema, first_row=None if piece else begin)
                    yield part
                begin = end
    except (OSError, pa.ArrowException) as error:
        raise _corrupt(path, str(error)) from error


def part_sizes(path: Path) -> list[int]:
    """Number of rows of each row group of a table; errors as `read_table`."""
    try:
        found = pq.read_metadata(path.absolute())
    except (OSError, pa.ArrowException) as error:
        raise _corrupt(path, str(error)) from error
    return [found.row_group(number).num_rows for number in range(found.num_row_groups)]


def rows_by_value(values: pa.ChunkedArray) -> dict[Any, NDArray[np.int64]]:
    """Value of a column without nulls -> (n,) rows with it; both ascending. Sorts once for all values."""
    encoded = values.combine_chunks().dictionary_encode()
    code = encoded.indices.to_numpy()
    ends = np.bincount(code, minlength=len(encoded.dictionary)).cumsum()
    rows = np.split(np.argsort(code, kind="stable"), ends[:-1])
    return dict(sorted(zip(encoded.dictionary.to_pylist(), rows, strict=False), key=itemgetter(0)))


def _without_rules(schema: pa.Schema) -> pa.Schema:
    fields = []
    for field in schema:
        kept = {key: value for key, value in rules_of(field).items() if key in _KEPT}
        fields.append(field.with_metadata(kept) if kept else field)
    return pa.schema(fields, metadata=schema.metadata)


def _check(path: Path, table: pa.Table, schema: pa.Schema, *, first_row: int | None) -> None:
    _check_columns(path, table.schema, schema)
    _check_values(path, table, schema, first_row=first_row)


def _check_columns(path: Path, found: pa.Schema, schema: pa.Schema) -> None:
    if not found.equals(schema):
        raise _corrupt(path, f"its columns are {found.names}, expected {schema.names}")


def _check_values(path: Path, table: pa.Table, schema: pa.Schema, *, first_row: int | None) -> None:
    reason = broken_rule(table, schema, first_row)
    if reason:
        raise _corrupt(path, reason)


def _check_references(path: Path, table: pa.Table, schema: pa.Schema) -> None:
    """Check that referenced rows of other tables exist, if those tables exist."""
    for field in schema:
        other, _, key = rules_of(field).get("found_in", "").partition(".")
        values = values_of(table[field.name]) if other else np.zeros(0)
        covers = "covers" in rules_of(field)
        if not (len(values) or covers) or not other or not (file := _beside(path, other)).is_file():
            continue
        if rules_of(SCHEMAS[other].field(key)).get("order") == ROWS:
            wrong = values[values >= _row_count(file)]
        else:
            wrong = values[~np.isin(values, _read_column(file, key))]
        if len(wrong):
            raise _corrupt(path, f"column {field.name}: {wrong[0]} is not a {key} of {file}")
        if covers and len(left_out := np.setdiff1d(_read_column(file, key), values)):
            raise _corrupt(path, f"column {field.name}: it lacks {left_out[0]}, a {key} of {file}")


def _check_count(path: Path, rows: int, schema: pa.Schema) -> None:
    """Check that a table that is parallel to another one has as many rows."""
    for field in schema:
        rules = rules_of(field)
        if rules.get("order") == ROWS and "found_in" in rules:
            file = _beside(path, rules["found_in"].partition(".")[0])
            if file.is_file() and _row_count(file) != rows:
                raise _corrupt(path, f"column {field.name}: it has {rows} rows, and {file} has {_row_count(file)}")


def _beside(path: Path, table: str) -> Path:
    return path.parent.parent / STAGE_OF[table].name / f"{table}.parquet"


def _row_count(path: Path) -> int:
    try:
        return int(pq.read_metadata(path.absolute()).num_rows)
    except (OSError, pa.ArrowException) as error:
        raise _corrupt(path, str(error)) from error


def _read_column(path: Path, name: str) -> NDArray[Any]:
    try:
        return np.asarray(pq.read_table(path.absolute(), columns=[name])[name].to_numpy())
    except (OSError, KeyError, pa.ArrowException) as error:
        raise _corrupt(path, str(error)) from error


def _corrupt(path: Path, reason: str) -> CorruptTable:
    return CorruptTable(
        f"cannot read table {path}: {reason}", hint=f"to see what to re-run: {command('status', path.parent.parent)}"
    )
