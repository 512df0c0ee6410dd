"""The only place that joins the tables of a workspace with each other and with the manual edits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from fercli import tables
from fercli.chain import FRAMES, SPEECH, STAGES
from fercli.edits.apply import TrackIdentity
from fercli.edits.log import problem
from fercli.edits.state import State, read_state
from fercli.errors import ConfigError
from fercli.models.licences import terms_of
from fercli.persons.names import UNASSIGNED, clean_name
from fercli.results.corrected_speech import corrected
from fercli.results.details import read_details
from fercli.results.model import Box, Interval, Person, Result, Segment, Speech, Track, by_person, totals_key
from fercli.results.overlay import override
from fercli.results.seen_faces import SeenFaces
from fercli.results.speech import load_speech, with_emotions
from fercli.results.valence import load_ratings
from fercli.version import VERSION
from fercli.workspace import Workspace, require_tables

_EDGES = ("x1", "y1", "x2", "y2")


def load(workspace: Workspace, state: State | None = None) -> Result:
    """Read the finished tables of a workspace. The result has no paths of the video, galleries or networks.

    Args:
        workspace: a workspace in which all stages up to classify-emotions have run.
        state: persons and edits, if the caller has read them already.

    Raises:
        MissingStage: a stage has not run, or not since one before it ran again.
        CorruptTable: a table cannot be read.
        InputError: the manual edits cannot be read.
    """
    require_tables(workspace, "segments", "persons")
    state = state or read_state(workspace)
    tracks = _tracks(workspace, state)
    shown = {track.track: track.person for track in tracks if not track.ignored}
    segments = _overridden(workspace, state, _segments(workspace, state, shown), shown)
    ratings, segments, unrated = load_ratings(workspace, segments, shown, state.manual)
    persons = _persons(tracks, segments)
    provenance, warnings = _provenance(workspace)
    speech, problems = load_speech(workspace, tracks)
    speech = _with_source(workspace, speech)
    speech, lost = _corrected(speech, state, tracks)
    problems += lost
    speech = speech and with_emotions(workspace, speech, tracks)
    return Result(
        video=_video(workspace),
        persons=[person for person in persons if person.name != UNASSIGNED and not person.ignored],
        unassigned=next((one for one in persons if one.name == UNASSIGNED and not one.ignored), None),
        segments=[segment for segment in segments if segment.assessed],
        gaps=[segment for segment in segments if not segment.assessed],
        provenance=provenance,
        warnings=warnings + state.problems + problems + unrated,
        speech=speech,
        ratings=ratings,
        details=lambda: read_details(workspace, shown),
        ignored=[person for person in persons if person.ignored],
    )


def load_persons(workspace: Workspace) -> tuple[list[Person], list[str]]:
    """Only the persons, without segments; works before classify-emotions.

    Returns:
        Persons by screen time, then `Unassigned`, then ignored persons; and messages about edits that could not be
        applied.

    Raises:
        MissingStage: there are no tracks, or they are older than the faces.
        CorruptTable, InputError: as `load`.
    """
    require_tables(workspace, "persons")
    state = read_state(workspace)
    return _persons(_tracks(workspace, state), []), [*state.problems, *_unseen(state)]


def find_person(persons: Sequence[Person], name: str, path: Path) -> Person:
    """The person with a displayed name.

    Args:
        persons: result of `load_persons`; ignored persons are not found.
        name: name from the user.
        path: path of the workspace, for the message.

    Raises:
        ConfigError: there is none.
    """
    name = clean_name(name)
    shown = {one.name: one for one in persons if not one.ignored and one.name != UNASSIGNED}
    if name not in shown:
        known = ", ".join(shown) or "none, because no face passed the quality filter"
        raise ConfigError(f"{path} has no person {name!r}", hint=f"known: {known}", code="person-unknown")
    return shown[name]


def _video(workspace: Workspace) -> dict[str, Any]:
    """The facts of the video, with its name instead of its path; times and frame rate rounded."""
    facts = {key: value for key, value in asdict(workspace.video).items() if key != "path"}
    rounded = {key: round(facts[key], 6) for key in ("fps", "duration_s", "start_s", "raw_start_s")}
    analysed = [round(edge, 6) for edge in _analysed(workspace)]
    return {"name": Path(workspace.video.path).name, **facts, **rounded, "analysed": analysed}


def _analysed(workspace: Workspace) -> tuple[float, float]:
    """The stretch of `extract-frames`, limited to the video; 0 means the start or the end of the video."""
    video, receipt = workspace.video, workspace.receipt(FRAMES.name)
    params = receipt.params if receipt else {}
    start_s, end_s = params.get("start_s") or video.start_s, params.get("end_s") or video.end_s
    return max(start_s, video.start_s), min(end_s, video.end_s)


def _tracks(workspace: Workspace, state: State) -> list[Track]:
    """By number."""
    best = [row["best_face"] for row in state.people]
    faces = tables.read_rows(
        workspace.table("faces"), tables.FACES, ["face", "frame", *_EDGES], "face", set(best)
    ).to_pylist()
    frames = tables.read_rows(
        workspace.table("frames"), tables.FRAMES, ["frame", "pts_s"], "frame", {row["frame"] for row in faces}
    ).to_pylist()
    times = {row["frame"]: row["pts_s"] for row in frames}
    seen = {row["face"]: (_box(row), times[row["frame"]]) for row in faces}
    return [
        _track(row, state.tracks[row["track"]], *seen[row["best_face"]])
        for row in sorted(state.people, key=lambda row: int(row["track"]))
    ]


def _track(row: dict[str, Any], who: TrackIdentity, box: Box, best_s: float) -> Track:
    return Track(
        row["start_s"],
        row["end_s"],
        track=row["track"],
        shot=row["shot"],
        person=who.name or UNASSIGNED,
        faces=row["faces"],
        best_face=row["best_face"],
        best_box=box,
        best_s=best_s,
        identity=who.identity,
        by_hand=who.source == "human",
        predicted=who.predicted,
        ignored=who.ignored,
    )


def _segments(workspace: Workspace, state: State, shown: dict[int, str]) -> list[Segment]:
    """The predicted segments of the tracks that are not ignored."""
    rows = tables.read_table(workspace.table("segments"), tables.SEGMENTS).to_pylist()
    rows = [row for row in rows if row["track"] in shown]
    faces = tables.read_table(workspace.table("faces"), tables.FACES).select(list(_EDGES))
    boxes = faces.take(pa.array([row["face"] for row in rows], pa.int64())).to_pylist()
    return [
        Segment(
            row["start_s"],
            row["end_s"],
            emotion=row["class"],
            person=shown[row["track"]],
            track=row["track"],
            score=row["score"],
            box=_box(box),
            reason=row["reason"],
            doubtful=row["doubtful"],
            identity=state.tracks[row["track"]].identity,
            by_hand=state.tracks[row["track"]].source == "human",
        )
        for row, box in zip(rows, boxes, strict=True)
    ]


def _overridden(workspace: Workspace, state: State, segments: list[Segment], names: dict[int, str]) -> list[Segment]:
    """The segments, in which manual ones override the predicted ones they overlap."""
    return override(segments, state.manual, SeenFaces(workspace, names)) if state.manual else segments


def _with_source(workspace: Workspace, speech: Speech | None) -> Speech | None:
    """What is said, marked if it is from subtitles."""
    receipt = workspace.receipt(SPEECH.name)
    if speech is None or receipt is None or not receipt.params.get("subtitles"):
        return speech
    marked = [replace(one, sources={**one.sources, "text": "subtitles"}) for one in speech.utterances]
    return replace(speech, utterances=tuple(marked))


def _corrected(speech: Speech | None, state: State, tracks: Sequence[Track]) -> tuple[Speech | None, list[str]]:
    """What is said with its corrections; and a message if there is nothing to correct."""
    said = state.applied.said
    if speech is None:
        lost = [problem(one.number, "not applied: transcribe has not run") for one in said]
        return None, lost
    seen: dict[str, list[Interval]] = defaultdict(list)
    for track in tracks:
        if not track.ignored:
            seen[track.person].append(track)
    return corrected(speech, said, seen, state.applied.hidden), []


def _persons(tracks: Sequence[Track], segments: Sequence[Segment]) -> list[Person]:
    """Persons by screen time, then `Unassigned`, then ignored persons."""
    own: dict[tuple[str, bool], list[Track]] = defaultdict(list)
    for track in tracks:
        own[track.person, track.ignored].append(track)
    shown = by_person(segments)
    keys = [*own, *((name, False) for name in shown if (name, False) not in own)]
    persons = [
        Person(name, tuple(own[name, ignored]), () if ignored else tuple(shown.get(name, ())), ignored)
        for name, ignored in keys
    ]
    return sorted(persons, key=lambda one: (one.ignored, one.name == UNASSIGNED, totals_key(one)))


def _unseen(state: State) -> list[str]:
    """Persons with manual annotations but without a face: a narrator, or a misspelt name."""
    seen = {UNASSIGNED, *state.names}
    edits: dict[str, list[int]] = defaultdict(list)
    for one in state.manual:
        if one.person not in seen and one.emotion is not None:
            edits[one.person].append(one.number)
    return [
        problem(min(own), f"no person on screen has the name {name!r} ({len(own)} manual annotations)")
        for name, own in edits.items()
    ]


def _provenance(workspace: Workspace) -> tuple[dict[str, Any], list[str]]:
    stages, models, headers, warnings = {}, {}, {}, []
    for stage in STAGES:
        receipt = workspace.receipt(stage.name)
        if receipt is not None:
            stages[receipt.stage] = {"version": receipt.version, "parameters": _without_paths(receipt.params)}
            if receipt.runtime.get("config"):
                stages[receipt.stage]["config"] = receipt.runtime["config"]
            models.update(receipt.weights)
            headers.update(receipt.training_data)
            warnings += [f"{receipt.stage}: {warning}" for warning in receipt.warnings]
    return {"fercli": VERSION, "models": models, "networks": terms_of(models, headers), "stages": stages}, warnings


def _without_paths(params: dict[str, Any]) -> dict[str, Any]:
    """Replace paths of galleries, casts and networks by names, because exported documents have no paths."""
    return {name: Path(value).name if isinstance(value, str) else value for name, value in params.items()}


def _box(row: dict[str, Any]) -> Box:
    return row["x1"], row["y1"], row["x2"], row["y2"]
