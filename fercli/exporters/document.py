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
from fercli.exporters.details import Details, read_details
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES
from fercli.people.corrections import UNASSIGNED as UNASSIGNED
from fercli.people.naming import TrackIdentity, WhoIsWho, who_is_who
from fercli.workspace import TABLE_HOMES, Workspace


@dataclass(frozen=True)
class Segment:
    """One person showing one emotion for a while, or not assessable for a while.

    Attributes:
        emotion: canonical name, or `not assessable`.
        start_s, end_s: [start, end) in presentation timestamps, seconds.
        person: who.
        track: number of the track.
        score: mean probability in [0, 1]; None if not assessable.
        box: x1, y1, x2, y2 of the face in the middle of the segment, pixels.
        reason: why it is not assessable; empty otherwise.
        identity: how surely the track is this person's, in [0, 1]; None if nobody is known.
        by_hand: whether a person's correction says who it is.
    """

    emotion: str
    start_s: float
    end_s: float
    person: str
    track: int
    score: float | None
    box: tuple[float, float, float, float]
    reason: str
    identity: float | None = None
    by_hand: bool = False

    def as_record(self) -> dict[str, Any]:
        """The exported record: four keys everybody relies on, then the optional ones."""
        record: dict[str, Any] = {
            "type": "emotion",
            "class": RECORD_NAMES[self.emotion],
            "seconds": round(self.start_s, 3),
            "object": self.person,
            "end": round(self.end_s, 3),
        }
        if self.score is not None:
            record["score"] = round(self.score, 3)
        record |= {"track": self.track, "box": [round(edge, 1) for edge in self.box]}
        if self.identity is not None:
            record["identity"] = round(self.identity, 3)
        if self.by_hand:
            record["identity_source"] = "human"
        return record


@dataclass(frozen=True)
class Person:
    """A person's sum over the video, times in seconds."""

    name: str
    tracks: int
    screen_time_s: float
    seconds_by_emotion: dict[str, float]


@dataclass(frozen=True)
class Document:
    """All an exporter needs.

    Attributes:
        video: facts of the video; its name, not its path.
        persons: by screen time, longest first.
        unassigned: the sum of the tracks that could not be given to a person; None if there are none.
        segments: assessed segments by start.
        gaps: segments that could not be assessed, by start.
        provenance: version, models with the sha256 of their weights, parameters of each stage.
        warnings: what went wrong on the way.
        details: reads every face and window, for formats with boxes or probabilities.
    """

    video: dict[str, Any]
    persons: list[Person]
    unassigned: Person | None
    segments: list[Segment]
    gaps: list[Segment]
    provenance: dict[str, Any]
    warnings: list[str]
    details: Callable[[], Details]


def gather(workspace: Workspace, who: WhoIsWho | None = None) -> Document:
    """Read the finished tables of a workspace.

    Args:
        workspace: with the tables of all stages before the export.
        who: who is who there, if it has been read already.

    Raises:
        CorruptTable: one of them cannot be read.
        InputError: a person's corrections cannot be read.
    """
    who = who or who_is_who(workspace)
    shown = {track: identity for track, identity in who.tracks.items() if not identity.ignored}
    segments = _segments(workspace, shown)
    persons = _persons([row for row in who.people if row["track"] in shown], shown, segments)
    video = {key: value for key, value in asdict(workspace.video).items() if key != "path"}
    provenance, warnings = _provenance(workspace)
    return Document(
        video={"name": Path(workspace.video.path).name, **video},
        persons=[person for person in persons if person.name != UNASSIGNED],
        unassigned=next((person for person in persons if person.name == UNASSIGNED), None),
        segments=[segment for segment in segments if segment.emotion != NOT_ASSESSABLE],
        gaps=[segment for segment in segments if segment.emotion == NOT_ASSESSABLE],
        provenance=provenance,
        warnings=warnings + who.problems,
        details=lambda: read_details(workspace, {track: one.name or UNASSIGNED for track, one in shown.items()}),
    )


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
    ranked = sorted(screen_time, key=lambda name: (-screen_time[name], name))
    return [
        Person(
            name,
            tracks[name],
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
    for directory in sorted(set(TABLE_HOMES.values())):
        receipt = workspace.receipt(directory)
        if receipt is not None:
            stages[receipt.stage] = {"version": receipt.version, "parameters": receipt.params}
            models.update(receipt.weights)
            warnings += [f"{receipt.stage}: {warning}" for warning in receipt.warnings]
    return {"fercli": fercli.__version__, "models": models, "stages": stages}, warnings
