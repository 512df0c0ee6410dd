"""A result as Arrow tables, for `Result.to_pandas`, CSV and Parquet.

Classes are short names (`happy`), a probability has the short name of its emotion as its column, times are seconds from
the start in a player. The metadata of every column describe it; all tables name the video, so that tables of several
videos can be concatenated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from fercli import tables
from fercli.formats.face_rows import EDGES, face_ratings, shown_emotions
from fercli.formats.spoken import top
from fercli.formats.streams import parts
from fercli.labels import EMOTIONS_8, NOT_ASSESSABLE, RECORD_NAMES
from fercli.results.details import MEASURED, Details
from fercli.results.model import Person, Result, Segment, Signal, Utterance, Word

VIDEO = tables.column("video", pa.string(), "file name of the video")
PERSON = tables.column("person", pa.string(), "shown name of the person")
CLASS = tables.column("class", pa.string(), "emotion of the segment, or `not assessable`")
MOST_PROBABLE = tables.column(
    "class",
    pa.string(),
    "most probable emotion of the window alone, or `not assessable`; segments are smoothed, so theirs may differ",
)
END = tables.column("end_s", pa.float64(), "end of the time of the frame (exclusive), seconds")
BOX = [tables.FACES.field(name) for name in EDGES]
RATED = [field for field in tables.VALENCE if field.name not in ("track", "seconds")]
"""Ratings over time, of faces."""
_IDENTITY = tables.column("identity", pa.float64(), "how certain the person is, in [0, 1]", nullable=True)

_COURSE = [
    tables.column(
        name,
        pa.float64(),
        f"{tables.COURSES.field(column).metadata[b'meaning'].decode()}; null if unknown",
        nullable=True,
    )
    for name, column in (("onset", "onset_s"), ("apex", "apex_s"), ("offset", "offset_s"), ("intensity", "peak"))
]

SEGMENTS = pa.schema(
    [
        tables.column("type", pa.string(), "always `emotion`"),
        CLASS,
        tables.column("seconds", pa.float64(), "first moment, seconds from the start in a player"),
        tables.column("object", pa.string(), "shown name of the person"),
        tables.column("end", pa.float64(), "end (exclusive), seconds"),
        tables.column("score", pa.float64(), "mean probability of the class; null if not assessable", nullable=True),
        tables.column(
            "track",
            pa.int32(),
            "number of the track; null, like the box, if no face was tracked",
            nullable=True,
        ),
        *(field.with_nullable(True) for field in BOX),
        _IDENTITY,
        tables.column("identity_source", pa.string(), "`human` if the person was named by hand, else `machine`"),
        tables.column("source", pa.string(), "`human` for a manual segment, else `machine`"),
        tables.column("reason", pa.string(), "why it is not assessable; empty otherwise"),
        tables.SEGMENTS.field("doubtful"),
        *_COURSE,
        VIDEO,
    ]
)
PERSONS = pa.schema(
    [
        PERSON,
        tables.column("tracks", pa.int32(), "how many"),
        tables.column("shots", pa.int32(), "number of shots with the person"),
        tables.column("screen_time_s", pa.float64(), "seconds on screen"),
        _IDENTITY,
        *(
            tables.column(f"{name}_s", pa.float64(), f"seconds of segments that are {name}")
            for name in (name.replace(" ", "_") for name in RECORD_NAMES.values())
        ),
        VIDEO,
    ]
)
TRACKS = pa.schema(
    [
        tables.TRACKS.field("track"),
        PERSON,
        tables.FRAMES.field("shot"),
        tables.column("start_s", pa.float64(), "first moment, seconds"),
        tables.column("end_s", pa.float64(), "end (exclusive), seconds"),
        tables.column("faces", pa.int32(), "faces in the track"),
        tables.column("best_face", pa.int64(), "number of the face that shows the person best"),
        _IDENTITY,
        tables.column("identity_source", pa.string(), "`human` if the person was named by hand, else `machine`"),
        VIDEO,
    ]
)
SIGNALS = pa.schema(
    [
        tables.column("signal", pa.string(), "what was measured"),
        tables.column("column", pa.string(), "name of the value"),
        tables.column("unit", pa.string(), "unit of the value"),
        tables.TRACKS.field("track"),
        PERSON,
        tables.column("start_s", pa.float64(), "first moment, seconds"),
        tables.column("end_s", pa.float64(), "end (exclusive), seconds"),
        tables.column("value", pa.float32(), "null if it could not be measured", nullable=True),
        VIDEO,
    ]
)
_SAID = [
    tables.column("utterance", pa.int32(), "number, from 0, by start"),
    tables.column("start_s", pa.float64(), "first moment, seconds"),
    tables.column("end_s", pa.float64(), "end (exclusive), seconds"),
    tables.column("person", pa.string(), "shown name of who says it; null if unknown, or not on screen", nullable=True),
    tables.column("on_screen", pa.bool_(), "whether who says it is visible; null if unknown", nullable=True),
    tables.column("text", pa.string(), "what is said"),
    tables.column("score", pa.float64(), "probability of the word, or mean of the words"),
]
_PARTS = {
    "face": "the face of the person meanwhile",
    "voice": "the voice, experimental",
    "both": "face and voice together",
}
UTTERANCES = pa.schema(
    [
        *_SAID,
        *(
            tables.column(name, pa.string(), f"most probable emotion of {what}; null if not assessed", nullable=True)
            for name, what in _PARTS.items()
        ),
        *(
            tables.column(
                f"{name}_{RECORD_NAMES[emotion]}",
                pa.float32(),
                f"probability of the emotion in {what}, in [0, 1]; null if not assessed",
                nullable=True,
            )
            for name, what in _PARTS.items()
            for emotion in EMOTIONS_8
        ),
        VIDEO,
    ]
)
WORDS = pa.schema([*_SAID, VIDEO])


def utterances(result: Result) -> pa.Table:
    """What is said, a row an utterance, by start; no rows if `transcribe` has not run."""
    rows = [_said(one, one.number, result) | _emotions_of(one) for one in result.utterances]
    return pa.Table.from_pylist(rows, schema=UTTERANCES)


def words(result: Result) -> pa.Table:
    """The words of it, by start."""
    return pa.Table.from_pylist([_said(one, one.utterance, result) for one in result.words], schema=WORDS)


def _said(one: Utterance | Word, number: int, result: Result) -> dict[str, Any]:
    names = ("start_s", "end_s", "person", "on_screen", "text", "score")
    return {"utterance": number, **{name: getattr(one, name) for name in names}, "video": result.video["name"]}


def _emotions_of(one: Utterance) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in _PARTS:
        found = dict(getattr(one, name) or {})
        row[name] = top(found) or None
        row |= {f"{name}_{RECORD_NAMES[emotion]}": value for emotion, value in found.items()}
    return row


def segments(result: Result) -> pa.Table:
    """Segments and gaps by start, with the fields of records, and the reason of each gap."""
    name = result.video["name"]
    return pa.Table.from_pylist([_segment(one, name) for one in result.all_segments], schema=SEGMENTS)


def persons(result: Result) -> pa.Table:
    """Persons by screen time, `Unassigned` last."""
    name = result.video["name"]
    return pa.Table.from_pylist([_person(one, name) for one in result.everyone], schema=PERSONS)


def tracks(result: Result) -> pa.Table:
    """Tracks by number."""
    rows = [
        {
            **{name: getattr(one, name) for name in TRACKS.names if hasattr(one, name)},
            "identity_source": "human" if one.by_hand else "machine",
            "video": result.video["name"],
        }
        for one in result.tracks
    ]
    return pa.Table.from_pylist(rows, schema=TRACKS)


def windows(result: Result) -> pa.Table:
    """Windows by start, with the probability of every emotion."""
    details = result.details()
    return pa.Table.from_batches(_batches(window_parts(result, details)), windows_schema(details))


def faces(result: Result) -> pa.Table:
    """Faces by frame: person, box, landmarks, class of the segment, probabilities of the window, and measurements."""
    details = result.details()
    schema = faces_schema(details, rated=result.ratings is not None)
    return pa.Table.from_batches(_batches(face_parts(result, details)), schema)


def signals(result: Result) -> pa.Table:
    """One row a value of each signal: by track, then signal, then start, then column."""
    return pa.concat_tables([SIGNALS.empty_table(), *signal_parts(result)])


def signal_parts(result: Result) -> Iterator[pa.Table]:
    """`signals`, one signal at a time."""
    return (_signal(one, result.video["name"]) for one in result.signals)


TABLES: dict[str, Callable[[Result], pa.Table]] = {
    "segments": segments,
    "persons": persons,
    "tracks": tracks,
    "windows": windows,
    "faces": faces,
    "signals": signals,
    "utterances": utterances,
    "words": words,
}
"""Name -> table of a result."""


def windows_schema(details: Details) -> pa.Schema:
    """Columns of `windows`, which depend on the labels of the classifier."""
    fields = {field.name: field for field in tables.windows_schema(details.labels)}
    head = [fields["track"], PERSON, fields["start_s"], fields["end_s"], MOST_PROBABLE, fields["reason"]]
    return pa.schema([*head, tables.TALKING, *_probabilities(details), VIDEO])


def window_parts(result: Result, details: Details) -> Iterator[pa.Table]:
    """`windows`, one part at a time."""
    schema = windows_schema(details)
    for part in parts(details.windows):
        shown = [RECORD_NAMES[name or NOT_ASSESSABLE] for name in part["class"].to_pylist()]
        place = part.schema.get_field_index("class")
        part = part.set_column(place, "class", pa.array(shown, pa.string()))
        yield _with_video(part, result).rename_columns(schema.names).cast(schema)


def faces_schema(details: Details, *, rated: bool = False) -> pa.Schema:
    """Columns of `faces`, which depend on the labels of the classifier, and on whether there are ratings over time."""
    frames, faces = tables.FRAMES, tables.FACES
    head = [faces.field("face"), frames.field("frame"), frames.field("pts_s"), END, frames.field("shot")]
    whose = [tables.TRACKS.field("track"), PERSON, *BOX, faces.field("score"), faces.field("landmarks")]
    ratings = RATED if rated else []
    return pa.schema([*head, *whose, CLASS, *_probabilities(details), tables.TALKING, *MEASURED, *ratings, VIDEO])


def face_parts(result: Result, details: Details) -> Iterator[pa.Table]:
    """`faces`, one part at a time."""
    schema = faces_schema(details, rated=result.ratings is not None)
    emotions = shown_emotions(result, details.faces)
    ratings = face_ratings(result, details.faces)
    place = schema.get_field_index("class")
    done = 0
    for part in parts(details.faces):
        rows = slice(done, done := done + part.num_rows)
        part = part.add_column(place, "class", pa.array([RECORD_NAMES[name] for name in emotions[rows]], pa.string()))
        for name, values in ratings.items():
            part = part.append_column(name, pa.array(values[rows], pa.float32(), from_pandas=True))
        yield _with_video(part, result).rename_columns(schema.names).cast(schema)


def _segment(segment: Segment, video: str) -> dict[str, Any]:
    return {
        "identity_source": "machine",
        **segment.as_record(),
        "source": segment.source,
        "seconds": segment.start_s,
        "end": segment.end_s,
        "score": segment.score,
        "identity": segment.identity,
        "reason": segment.reason,
        "doubtful": segment.doubtful,
        **_course(segment),
        "video": video,
        **dict(zip(EDGES, segment.box or [None] * 4, strict=True)),
    }


def _course(segment: Segment) -> dict[str, float]:
    course = segment.course
    if course is None:
        return {}
    return {"onset": course.onset_s, "apex": course.apex_s, "offset": course.offset_s, "intensity": course.peak}


def _person(person: Person, video: str) -> dict[str, Any]:
    seconds = {
        f"{short.replace(' ', '_')}_s": person.seconds_by_emotion.get(name, 0.0) for name, short in RECORD_NAMES.items()
    }
    return {
        "person": person.name,
        "tracks": len(person.tracks),
        "shots": person.shots,
        "screen_time_s": person.screen_time_s,
        "identity": person.identity,
        **seconds,
        "video": video,
    }


def _signal(signal: Signal, video: str) -> pa.Table:
    rows, columns = signal.values.shape
    count = rows * columns
    names, units = (
        pa.array([getattr(column, what) for column in signal.columns], pa.string()) for what in ("name", "unit")
    )
    each = np.tile(np.arange(columns), rows)
    content = {
        "signal": pa.repeat(signal.name, count),
        "column": names.take(each),
        "unit": units.take(each),
        "track": pa.repeat(pa.scalar(signal.track, pa.int32()), count),
        "person": pa.repeat(signal.person, count),
        "start_s": signal.start_s.repeat(columns),
        "end_s": signal.end_s.repeat(columns),
        "value": pa.array(signal.values.reshape(-1), pa.float32(), from_pandas=True),
        "video": pa.repeat(video, count),
    }
    return pa.table(content, schema=SIGNALS)


def _probabilities(details: Details) -> list[pa.Field]:
    meaning = "probability of the emotion in the window alone, before smoothing, in [0, 1]; null if not assessable"
    return [tables.column(RECORD_NAMES[label], pa.float32(), meaning, nullable=True) for label in details.labels]


def _with_video(part: pa.Table, result: Result) -> pa.Table:
    return part.append_column("video", pa.array([result.video["name"]] * part.num_rows, pa.string()))


def _batches(parts_: Iterator[pa.Table]) -> Iterator[pa.RecordBatch]:
    for part in parts_:
        yield from part.to_batches()
