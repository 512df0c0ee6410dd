"""What every export says, gathered once from the tables: the video, the persons, the segments, and what made them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

import fercli
from fercli import tables
from fercli.chain import FRAMES, STAGES
from fercli.formats.details import Details, read_details
from fercli.formats.overlay import hidden_names, paint, under_shown_names
from fercli.formats.seen_faces import SeenFaces
from fercli.formats.segment import NO_TRACK as NO_TRACK
from fercli.formats.segment import Segment as Segment
from fercli.labels import NOT_ASSESSABLE
from fercli.people.naming import TrackIdentity, WhoIsWho, who_is_who
from fercli.people.segments_csv import outside, read_segments
from fercli.persons.names import UNASSIGNED as UNASSIGNED
from fercli.required import require_tables
from fercli.workspace import Workspace

_ROUNDED_S = 1e-5
"""Times of the video are rounded to a tenth of this."""


@dataclass(frozen=True)
class Person:
    """A person's sum over the video, times in seconds.

    Whom only a person's own segments name has no track, and is on screen as long as they say.
    """

    name: str
    tracks: int
    screen_time_s: float
    seconds_by_emotion: dict[str, float]


@dataclass(frozen=True)
class Document:
    """All an exporter needs.

    Attributes:
        video: facts of the video; its name, not its path; `analysed` is the stretch that was looked at, [from, to] in
            seconds, which is all of it unless `extract-frames` was told otherwise.
        persons: by screen time, longest first.
        unassigned: the sum of the tracks that could not be given to a person; None if there are none.
        segments: assessed segments by start.
        gaps: segments that could not be assessed, by start.
        provenance: version, models with the sha256 of their weights, parameters of each stage.
        warnings: what went wrong on the way.
        details: reads every face and window, for formats with boxes or probabilities.
        raw_cells: whether CSV keeps text as it is that spreadsheets take for formulas.
    """

    video: dict[str, Any]
    persons: list[Person]
    unassigned: Person | None
    segments: list[Segment]
    gaps: list[Segment]
    provenance: dict[str, Any]
    warnings: list[str]
    details: Callable[[], Details]
    raw_cells: bool = False


def gather(workspace: Workspace, who: WhoIsWho | None = None) -> Document:
    """Read the finished tables of a workspace. What is said of the video and of what made the tables names no path.

    Args:
        workspace: with the tables of all stages before the export.
        who: who is who there, if it has been read already.

    Raises:
        MissingStage: a stage has not run, or not since one before it ran again.
        CorruptTable: a table cannot be read.
        InputError: a person's corrections or segments cannot be read.
    """
    require_tables(workspace, "segments")
    who = who or who_is_who(workspace)
    shown = {track: identity for track, identity in who.tracks.items() if not identity.ignored}
    names = {track: one.name or UNASSIGNED for track, one in shown.items()}
    segments = _painted(workspace, who, _segments(workspace, shown), names)
    persons = _persons([row for row in who.people if row["track"] in shown], shown, segments)
    provenance, warnings = _provenance(workspace)
    return Document(
        video=_video(workspace),
        persons=[person for person in persons if person.name != UNASSIGNED],
        unassigned=next((person for person in persons if person.name == UNASSIGNED), None),
        segments=[segment for segment in segments if segment.emotion != NOT_ASSESSABLE],
        gaps=[segment for segment in segments if segment.emotion == NOT_ASSESSABLE],
        provenance=provenance,
        warnings=warnings + who.problems,
        details=lambda: read_details(workspace, names),
    )


def not_analysed(video: dict[str, Any]) -> list[tuple[float, float]]:
    """The stretches of `Document.video` that nobody looked at, seconds; none if all of it was analysed."""
    left = outside(video["start_s"], video["start_s"] + video["duration_s"], [tuple(video["analysed"])])
    return [(start, end) for start, end in left if end - start > _ROUNDED_S]


def _video(workspace: Workspace) -> dict[str, Any]:
    """Its name and not its path; times and rate as exact as anybody can use."""
    facts = {key: value for key, value in asdict(workspace.video).items() if key != "path"}
    rounded = {key: round(facts[key], 6) for key in ("fps", "duration_s", "start_s", "raw_start_s")}
    analysed = [round(edge, 6) for edge in _analysed(workspace)]
    return {"name": Path(workspace.video.path).name, **facts, **rounded, "analysed": analysed}


def _analysed(workspace: Workspace) -> tuple[float, float]:
    """What `extract-frames` was told to look at, as far as it lies in the video; 0 stands for either end of it."""
    video, receipt = workspace.video, workspace.receipt(FRAMES.name)
    params = receipt.params if receipt else {}
    start_s, end_s = params.get("start_s") or video.start_s, params.get("end_s") or video.end_s
    return max(start_s, video.start_s), min(end_s, video.end_s)


def _segments(workspace: Workspace, shown: dict[int, TrackIdentity]) -> list[Segment]:
    rows = tables.read_table(workspace.table("segments"), tables.SEGMENTS).to_pylist()
    rows = [row for row in rows if row["track"] in shown]
    faces = tables.read_table(workspace.table("faces"), tables.FACES).select(["x1", "y1", "x2", "y2"])
    boxes = faces.take(pa.array([row["face"] for row in rows], pa.int64())).to_pylist()
    return [
        Segment(
            emotion=row["class"],
            start_s=row["start_s"],
            end_s=row["end_s"],
            person=shown[row["track"]].name or UNASSIGNED,
            track=row["track"],
            score=row["score"],
            box=(box["x1"], box["y1"], box["x2"], box["y2"]),
            reason=row["reason"],
            identity=shown[row["track"]].identity,
            by_hand=shown[row["track"]].source == "human",
        )
        for row, box in zip(rows, boxes, strict=True)
    ]


def _painted(workspace: Workspace, who: WhoIsWho, segments: list[Segment], names: dict[int, str]) -> list[Segment]:
    """The segments with a person's own ones over them."""
    hidden = hidden_names(who)
    rows = under_shown_names(read_segments(workspace.human_segments), who)
    rows = [row for row in rows if row.person not in hidden]
    return paint(segments, rows, SeenFaces(workspace, names)) if rows else segments


def _persons(people: list[dict[str, Any]], shown: dict[int, TrackIdentity], segments: list[Segment]) -> list[Person]:
    tracks: dict[str, int] = defaultdict(int)
    screen_time: dict[str, float] = defaultdict(float)
    emotions: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in people:
        name = shown[row["track"]].name or UNASSIGNED
        tracks[name] += 1
        screen_time[name] += row["end_s"] - row["start_s"]
    for segment in segments:
        emotions[segment.person][segment.emotion] += segment.end_s - segment.start_s
        if segment.person not in tracks:
            screen_time[segment.person] += segment.end_s - segment.start_s
    ranked = sorted(screen_time, key=lambda name: (-screen_time[name], name))
    return [
        Person(
            name,
            tracks.get(name, 0),
            round(screen_time[name], 3),
            {
                emotion: round(seconds, 3)
                for emotion, seconds in sorted(emotions[name].items(), key=lambda item: (-item[1], item[0]))
            },
        )
        for name in ranked
    ]


def _provenance(workspace: Workspace) -> tuple[dict[str, Any], list[str]]:
    stages, models, warnings = {}, {}, []
    for stage in STAGES:
        receipt = workspace.receipt(stage.name)
        if receipt is not None:
            stages[receipt.stage] = {"version": receipt.version, "parameters": _without_paths(receipt.params)}
            models.update(receipt.weights)
            warnings += [f"{receipt.stage}: {warning}" for warning in receipt.warnings]
    return {"fercli": fercli.__version__, "models": models, "stages": stages}, warnings


def _without_paths(params: dict[str, Any]) -> dict[str, Any]:
    """Galleries, casts and networks by name: an exported document names no path."""
    return {name: Path(value).name if isinstance(value, str) else value for name, value in params.items()}
