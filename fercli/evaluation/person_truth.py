"""Who is truly seen in an edited video, and how a workspace's persons agree with that.

The truth is a JSON file, times in seconds of the video, boxes in pixels of the upright frame:

    {"shots": [
      {"start_s": 0.0, "end_s": 4.0, "person": "Ross"},
      {"start_s": 4.0, "end_s": 6.5, "faces": [
        {"person": "Ross",   "boxes": [[4.0, 80, 60, 180, 190], [6.5, 120, 60, 220, 190]]},
        {"person": "Rachel", "boxes": [[4.0, 400, 70, 480, 170]]}]}]}

With `person`, every face of the shot is that person's. With `faces`, each is followed through the shot by boxes
`[t, x1, y1, x2, y2]`: between two of them the box moves evenly, before the first and after the last it stands still; no
faces at all means that nobody is seen. Shots follow one another. What lies between them is not scored, and other keys
are passed over.

A found face is the true one it overlaps with most, by an intersection over union of at least MIN_IOU or with its centre
inside. One that is nobody's is a false alarm. A track is the person most of its faces are; if none is anybody's, the
track is left out. A face that was never found, or is in no track, is not seen by these figures.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli import tables
from fercli.errors import DatasetError, MissingStage
from fercli.evaluation.persons import ClusterScores, score_clusters
from fercli.geometry import iou_matrix
from fercli.people.naming import who_is_who
from fercli.workspace import Workspace

MIN_IOU = 0.3
"""Detectors draw the same face larger or smaller; two different ones hardly overlap."""
_SAME_TIME_S = 0.001
"""Times in the truth may be rounded to milliseconds."""
_HINT = "`python -m examples.make_episode` writes such a file"


@dataclass(frozen=True)
class TrueFace:
    """One person's face through a shot.

    Attributes:
        person: who.
        times_s: (T,) ascending.
        boxes: (T, 4) where the face is at these times.
    """

    person: str
    times_s: NDArray[np.float64]
    boxes: NDArray[np.float64]

    def at(self, times_s: NDArray[np.float64]) -> NDArray[np.float32]:
        """(N, 4) boxes at (N,) times."""
        edges = [np.interp(times_s, self.times_s, edge) for edge in self.boxes.T]
        return np.stack(edges, axis=1).astype(np.float32)


@dataclass(frozen=True)
class TrueShot:
    """Who is seen in [start_s, end_s).

    Attributes:
        person: whose every face is; empty where `faces` tell.
        faces: those that are seen.
    """

    start_s: float
    end_s: float
    person: str
    faces: tuple[TrueFace, ...]


@dataclass(frozen=True)
class PersonScores:
    """How a workspace's persons agree with the truth.

    Attributes:
        agreement: figures over the tracks that show somebody, each weighted by its faces that do.
        clusters: persons the workspace tells apart in the shots of the truth, false alarms with a name included.
        persons: persons in the truth.
        false_alarms: faces of tracks that match nobody.
    """

    agreement: ClusterScores
    clusters: int
    persons: int
    false_alarms: int

    def as_json(self) -> dict[str, Any]:
        """All figures side by side."""
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
    """`score` with the persons that stage `track` found and a person corrected.

    Raises:
        MissingStage: it has not run.
        CorruptTable: a table cannot be read.
        DatasetError: as `score`.
    """
    _need_tracks(workspace)
    names = {number: track.name for number, track in who_is_who(workspace).tracks.items() if not track.ignored}
    return score(workspace, names, truth)


def score(workspace: Workspace, names: Mapping[int, str | None], truth: Path) -> PersonScores:
    """Score the tracks of a workspace under given names.

    Args:
        workspace: one with tracks.
        names: track -> person, None where nobody could be told; a track that is not in it counts as None.
        truth: file, see the head of this module.

    Raises:
        MissingStage: there are no tracks.
        CorruptTable: a table cannot be read.
        DatasetError: as `read_person_truth`, or not a single face is anybody's.
    """
    _need_tracks(workspace)
    shots = read_person_truth(truth)
    found = _found_faces(workspace)
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    false_alarms = 0
    for shot in shots:
        inside = found.during(shot)
        for track, person in zip(inside.track.tolist(), _who(shot, inside), strict=True):
            votes[track].update([person] if person else [])
            false_alarms += not person
    shown = {track: _majority(counts) for track, counts in sorted(votes.items()) if counts}
    if not shown:
        raise DatasetError(
            f"no face in {workspace.path} is anybody of {truth}", hint="check that they belong to the same video"
        )
    weights = np.array([votes[track].total() for track in shown])
    agreement = score_clusters([names.get(track) for track in shown], list(shown.values()), weights)
    persons = {name for shot in shots for name in (shot.person, *(face.person for face in shot.faces)) if name}
    return PersonScores(agreement, len({names.get(track) for track in votes} - {None}), len(persons), false_alarms)


def read_person_truth(path: Path) -> list[TrueShot]:
    """Read who is truly seen.

    Raises:
        DatasetError: missing, unreadable, or not usable; names the file, the shot and what is wrong there.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DatasetError(f"cannot read {path}: {error}", hint="check the name; it is a JSON file") from error
    rows = document.get("shots") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not rows:
        raise DatasetError(f'{path} has no list of "shots"', hint=_HINT)
    shots: list[TrueShot] = []
    for number, row in enumerate(rows, start=1):
        try:
            shots.append(_shot(row, earliest=shots[-1].end_s if shots else -math.inf))
        except ValueError as error:
            raise DatasetError(f"{path}: shot {number}: {error}", hint=_HINT) from error
    return shots


def _shot(row: object, earliest: float) -> TrueShot:
    """Raises ValueError with what is wrong."""
    if not isinstance(row, dict) or ("person" in row) == ("faces" in row):
        raise ValueError('it needs "start_s", "end_s" and either "person" or "faces"')
    start, end = (_numbers([row.get(key)], 1, f'"{key}"')[0] for key in ("start_s", "end_s"))
    if end <= start:
        raise ValueError(f"ends at {end:g} s but starts at {start:g} s")
    if start < earliest - _SAME_TIME_S:
        raise ValueError(f"starts at {start:g} s, before the shot before it ends at {earliest:g} s")
    if "person" in row:
        return TrueShot(start, end, _name(row["person"]), ())
    if not isinstance(row["faces"], list):
        raise ValueError('"faces" is no list')
    return TrueShot(start, end, "", tuple(_face(face) for face in row["faces"]))


def _face(row: object) -> TrueFace:
    if not isinstance(row, dict) or not isinstance(row.get("boxes"), list) or not row["boxes"]:
        raise ValueError('a face needs "person" and a list of "boxes"')
    person = _name(row.get("person"))
    values = np.array([_numbers(box, 5, f"a box of {person}") for box in row["boxes"]])
    times, boxes = values[:, 0], values[:, 1:]
    if (np.diff(times) <= 0).any():
        raise ValueError(f"the times of the boxes of {person} do not ascend")
    if (boxes[:, 2:] <= boxes[:, :2]).any():
        raise ValueError(f"a box of {person} is empty: x2 and y2 are beyond x1 and y1")
    return TrueFace(person, times, boxes)


def _name(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f'"person" is {value!r}, expected a name')
    return value.strip()


def _numbers(values: object, count: int, what: str) -> list[float]:
    if isinstance(values, list) and len(values) == count and all(isinstance(value, (int, float)) for value in values):
        numbers = [float(value) for value in values]
        if all(map(math.isfinite, numbers)):
            return numbers
    raise ValueError(f"{what} is {json.dumps(values)}, expected {'numbers' if count > 1 else 'a number'}")


@dataclass(frozen=True)
class _Faces:
    """Found faces by time, row by row."""

    time_s: NDArray[np.float64]
    box: NDArray[np.float32]
    track: NDArray[np.int32]

    def during(self, shot: TrueShot) -> _Faces:
        rows = slice(*np.searchsorted(self.time_s + _SAME_TIME_S, [shot.start_s, shot.end_s]))
        return _Faces(self.time_s[rows], self.box[rows], self.track[rows])


def _need_tracks(workspace: Workspace) -> None:
    if not workspace.table("tracks").exists():
        raise MissingStage(f"{workspace.path} has no persons yet", hint=f"run: fercli track {workspace.path}")


def _found_faces(workspace: Workspace) -> _Faces:
    """Those that are in a track; faces are numbered from 0 and frames ascend, so faces ascend in time."""
    frames = tables.read_table(workspace.table("frames"), tables.FRAMES)
    faces = tables.read_table(workspace.table("faces"), tables.FACES)
    tracks = tables.read_table(workspace.table("tracks"), tables.TRACKS).sort_by("face")
    faces = faces.take(tracks["face"])
    frame = np.searchsorted(frames["frame"].to_numpy(), faces["frame"].to_numpy())
    boxes = np.stack([faces[name].to_numpy() for name in ("x1", "y1", "x2", "y2")], axis=1)
    return _Faces(frames["pts_s"].to_numpy()[frame], boxes, tracks["track"].to_numpy())


def _who(shot: TrueShot, found: _Faces) -> list[str]:
    """Person of each found face; empty for nobody."""
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
    """Of equals the first by name, whatever the order of the faces."""
    return min(counts, key=lambda person: (-counts[person], person))
