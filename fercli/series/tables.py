"""The tables of a series: those of single results (`fercli.formats.arrow`), with the video, its workspace, and the name
of the person over the series in front; and `videos`, one row a video."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from fercli import tables
from fercli.formats import arrow
from fercli.formats.streams import as_json
from fercli.labels import EMOTIONS_8
from fercli.results.details import Details
from fercli.results.model import Result
from fercli.series.reading import Episode

WORKSPACE = tables.column("workspace", pa.string(), "path of the workspace below the folder; not shared by two videos")
IN_SERIES = tables.column(
    "person_in_series",
    pa.string(),
    "name that is one person in all rows: of a person known in one video only it begins with the workspace, as in "
    "`e01: Person 1`; null for Unassigned",
    nullable=True,
)
VIDEOS = pa.schema(
    [
        arrow.VIDEO,
        WORKSPACE,
        tables.column("duration_s", pa.float64(), "length of the video, seconds"),
        tables.column("analysed_from_s", pa.float64(), "start of the analysed part, seconds"),
        tables.column("analysed_to_s", pa.float64(), "end of the analysed part, seconds"),
        tables.column("width", pa.int32(), "stored pixels of the upright picture"),
        tables.column("height", pa.int32(), "stored pixels of the upright picture"),
        tables.column("fps", pa.float64(), "average frame rate"),
        tables.column("persons", pa.int32(), "persons, without Unassigned"),
        tables.column("segments", pa.int32(), "segments, without those not assessable"),
        tables.column("cast", pa.string(), "file name of the cast; empty: numbers of persons hold in this video only"),
        tables.column("sha256", pa.string(), "of the file of the video"),
        tables.column("warnings", pa.string(), "warnings of all stages, one a line"),
        tables.column("provenance", pa.string(), "version, models and parameters, as JSON"),
    ]
)
_ALL_LABELS = Details(EMOTIONS_8, pa.table({}), pa.table({}))
"""Classifiers differ in their classes; a table of several has the columns of all."""


@dataclass(frozen=True)
class Kind:
    """One table of a series.

    Attributes:
        own: its columns for a single result.
        parts: the rows of a single result, in parts, some columns of `own` may be missing.
        person: the column with the shown name of the person; empty if there is none.
        standard: whether it is written if no table is named: the others have a row a face or a window.
    """

    own: pa.Schema
    parts: Callable[[Result], Iterator[pa.Table]]
    person: str = "person"
    standard: bool = True

    @property
    def schema(self) -> pa.Schema:
        """Columns of the table of a series."""
        names = [IN_SERIES] if self.person else []
        return pa.schema([arrow.VIDEO, WORKSPACE, *names, *(one for one in self.own if one.name != "video")])


def _whole(make: Callable[[Result], pa.Table]) -> Callable[[Result], Iterator[pa.Table]]:
    return lambda result: iter([make(result)])


KINDS: dict[str, Kind] = {
    "videos": Kind(VIDEOS.remove(VIDEOS.get_field_index("workspace")), lambda result: iter([_video(result)]), ""),
    "persons": Kind(arrow.PERSONS, _whole(arrow.persons)),
    "segments": Kind(arrow.SEGMENTS, _whole(arrow.segments), "object"),
    "signals": Kind(arrow.SIGNALS, arrow.signal_parts),
    "utterances": Kind(arrow.UTTERANCES, _whole(arrow.utterances)),
    "words": Kind(arrow.WORDS, _whole(arrow.words), standard=False),
    "tracks": Kind(arrow.TRACKS, _whole(arrow.tracks), standard=False),
    "windows": Kind(
        arrow.windows_schema(_ALL_LABELS),
        lambda result: arrow.window_parts(result, result.details()),
        standard=False,
    ),
    "faces": Kind(
        arrow.faces_schema(_ALL_LABELS, rated=True),
        lambda result: arrow.face_parts(result, result.details()),
        standard=False,
    ),
}
"""Name -> table of a series."""


def rows(kind: Kind, episode: Episode) -> Iterator[pa.Table]:
    """The rows of one video with all columns of `kind.schema`, in parts."""
    for part in kind.parts(episode.result):
        columns = {name: part[name] for name in part.column_names}
        columns["video"] = pa.repeat(episode.video, part.num_rows)
        columns["workspace"] = pa.repeat(episode.member.inside, part.num_rows)
        if kind.person:
            columns["person_in_series"] = _in_series(part[kind.person], episode)
        if "cast" in part.column_names:
            columns["cast"] = pa.repeat(episode.cast, part.num_rows)
        content = [columns.get(field.name, pa.nulls(part.num_rows, field.type)) for field in kind.schema]
        yield pa.table(content, names=kind.schema.names).cast(kind.schema)


def _in_series(persons: pa.ChunkedArray, episode: Episode) -> pa.Array:
    encoded = pc.dictionary_encode(persons).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # without rows there is no chunk
        encoded = pa.array([], pa.dictionary(pa.int32(), pa.string()))
    names = pa.array([episode.in_series(name) for name in encoded.dictionary.to_pylist()], pa.string())
    return names.take(encoded.indices)


def _video(result: Result) -> pa.Table:
    video: dict[str, Any] = result.video
    row = {
        **{name: video[name] for name in ("duration_s", "width", "height", "fps", "sha256")},
        "analysed_from_s": video["analysed"][0],
        "analysed_to_s": video["analysed"][1],
        "persons": len(result.persons),
        "segments": len(result.segments),
        "cast": "",
        "warnings": "\n".join(result.warnings),
        "provenance": as_json(result.provenance),
    }
    own = pa.schema([field for field in VIDEOS if field.name not in ("video", "workspace")])
    return pa.Table.from_pylist([row], schema=own)
