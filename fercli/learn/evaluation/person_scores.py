"""Agreement of the persons of a workspace with the truth.

A detected face is matched to the true face with the largest overlap, if the intersection over union is at least MIN_IOU
or its centre is inside. A face without a match is a false alarm. A track belongs to the person of most of its faces; if
none has a match, the track is left out. These scores ignore faces that were not detected or are in no track, and times
between the shots of the truth.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli import tables
from fercli.errors import DatasetError
from fercli.geometry import iou_matrix
from fercli.learn.evaluation.person_truth import SAME_TIME_S, TrueShot, read_person_truth
from fercli.learn.evaluation.persons import ClusterScores, score_clusters
from fercli.persons.names import UNASSIGNED
from fercli.results.load import load_persons
from fercli.workspace import Workspace, require_tables

MIN_IOU = 0.3
"""The boxes of detectors differ in size; boxes of two different faces hardly overlap."""


@dataclass(frozen=True)
class PersonScores:
    """Agreement of the persons of a workspace with the truth.

    Attributes:
        agreement: scores over the tracks with matched faces, weighted by the number of matched faces.
        clusters: persons of the workspace in the shots of the truth, including false alarms with a name.
        persons: persons in the truth.
        false_alarms: faces of tracks without a match.
    """

    agreement: ClusterScores
    clusters: int
    persons: int
    false_alarms: int

    def as_json(self) -> dict[str, Any]:
        """All scores as one flat dict."""
        figures = asdict(self.agreement)
        unassigned = figures.pop("unassigned")
        return {
            **figures,
            "clusters": self.clusters,
            "persons": self.persons,
            "unassigned": unassigned,
            "false_alarms": self.false_alarms,
        }


def score_workspace(workspace: Workspace, truth: Path) -> PersonScores:
    """`score` with the predicted persons, after manual edits.

    Raises:
        MissingStage: it has not run, or a stage before it ran again.
        CorruptTable: a table cannot be read.
        DatasetError: as `score`.
    """
    require_tables(workspace, "persons")
    names = {
        track.track: None if person.name == UNASSIGNED else person.name
        for person in load_persons(workspace)[0]
        for track in person.tracks
        if not person.ignored
    }
    return score(workspace, names, truth)


def score(workspace: Workspace, names: Mapping[int, str | None], truth: Path) -> PersonScores:
    """Score the tracks of a workspace under given names.

    Args:
        workspace: one with tracks.
        names: track -> person, None if unknown; a missing track counts as None.
        truth: file, see `fercli.learn.evaluation.person_truth`.

    Raises:
        MissingStage: as `score_workspace`.
        CorruptTable: a table cannot be read.
        DatasetError: as `read_person_truth`, or no face has a match.
    """
    require_tables(workspace, "persons")
    shots = read_person_truth(truth)
    found = _found_faces(workspace)
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    false_alarms = 0
    for shot in shots:
        inside = found.during(shot)
        for track, person in zip(inside.track.tolist(), _true_persons(shot, inside), strict=True):
            votes[track].update([person] if person else [])
            false_alarms += not person
    shown = {track: _majority(counts) for track, counts in sorted(votes.items()) if counts}
    if not shown:
        raise DatasetError(
            f"no face in {workspace.path} matches a face of {truth}",
            hint="check that they belong to the same video",
            code="truth-does-not-fit",
        )
    weights = np.array([votes[track].total() for track in shown])
    agreement = score_clusters([names.get(track) for track in shown], list(shown.values()), weights)
    persons = {name for shot in shots for name in (shot.person, *(face.person for face in shot.faces)) if name}
    return PersonScores(agreement, len({names.get(track) for track in votes} - {None}), len(persons), false_alarms)


@dataclass(frozen=True)
class _Faces:
    """Found faces by time, row by row."""

    time_s: NDArray[np.float64]
    box: NDArray[np.float32]
    track: NDArray[np.int32]

    def during(self, shot: TrueShot) -> _Faces:
        rows = slice(*np.searchsorted(self.time_s + SAME_TIME_S, [shot.start_s, shot.end_s]))
        return _Faces(self.time_s[rows], self.box[rows], self.track[rows])


def _found_faces(workspace: Workspace) -> _Faces:
    """The faces that are in a track; faces are numbered by frame, so they ascend in time."""
    frames = tables.read_table(workspace.table("frames"), tables.FRAMES)
    faces = tables.read_table(workspace.table("faces"), tables.FACES)
    tracks = tables.read_table(workspace.table("tracks"), tables.TRACKS).sort_by("face")
    faces = faces.take(tracks["face"])
    frame = np.searchsorted(frames["frame"].to_numpy(), faces["frame"].to_numpy())
    boxes = np.stack([faces[name].to_numpy() for name in ("x1", "y1", "x2", "y2")], axis=1)
    return _Faces(frames["pts_s"].to_numpy()[frame], boxes, tracks["track"].to_numpy())


def _true_persons(shot: TrueShot, found: _Faces) -> list[str]:
    """True person of each detected face; empty for none."""
    if shot.person:
        return [shot.person] * len(found.track)
    if not shot.faces:
        return [""] * len(found.track)
    true = np.stack([face.at(found.time_s) for face in shot.faces], axis=1)
    people = []
    for box, candidates in zip(found.box, true, strict=True):
        overlap = iou_matrix(box[None], candidates)[0]
        centre = (box[:2] + box[2:]) / 2
        inside = ((candidates[:, :2] <= centre) & (centre < candidates[:, 2:])).all(axis=1)
        allowed = (overlap >= MIN_IOU) | inside
        best = int(np.argmax(np.where(allowed, overlap, -1)))
        people.append(shot.faces[best].person if allowed[best] else "")
    return people


def _majority(counts: Counter[str]) -> str:
    """The most frequent person; ties go to the first by name."""
    return min(counts, key=lambda person: (-counts[person], person))
