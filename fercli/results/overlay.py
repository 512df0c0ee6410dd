"""A person's own segments painted over the machine's, which stay as they are in the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fercli.labels import NOT_ASSESSABLE
from fercli.people.naming import WhoIsWho
from fercli.people.segments_csv import HumanSegment
from fercli.persons.names import UNASSIGNED
from fercli.results.model import NO_TRACK, Interval, Segment
from fercli.results.seen_faces import SeenFaces

SLIVER_S = 0.002
"""Human segments have whole milliseconds and the machine's do not: what is left over on the way is not a segment."""
SAID_SO = "a person says so"
"""Why a human segment is not assessable."""


def under_shown_names(rows: Iterable[HumanSegment], who: WhoIsWho) -> list[HumanSegment]:
    """The rows with the names that are shown now: who was `Person 2` when a row was written may have a name since."""
    called: dict[str | None, set[str]] = defaultdict(set)
    for track in who.tracks.values():
        called[track.machine].add(track.name or UNASSIGNED)
    only = {machine: names.pop() for machine, names in called.items() if len(names) == 1 and machine is not None}
    return [row if row.person in who.names else replace(row, person=only.get(row.person, row.person)) for row in rows]


def hidden_names(who: WhoIsWho) -> set[str]:
    """Who is left out of every export."""
    return who.names - {track.name for track in who.tracks.values() if not track.ignored and track.name is not None}


def paint(segments: Sequence[Segment], rows: Sequence[HumanSegment], faces: SeenFaces) -> list[Segment]:
    """Cut the machine's segments of a person away wherever a row speaks of that person, and show the rows instead.

    Args:
        segments: the machine's.
        rows: a person's, under shown names.
        faces: where everybody is seen.

    Returns:
        By start, then track. What is left of a cut segment keeps its score, and has the box of its own middle.
    """
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        spans[row.person].append((row.start_ms / 1000, row.end_ms / 1000))
    holes = {person: np.array(own) for person, own in spans.items()}
    nothing = np.zeros((0, 2))
    painted = [piece for segment in segments for piece in _pieces(segment, holes.get(segment.person, nothing), faces)]
    painted += [_shown(row, row.emotion, faces) for row in rows if row.emotion is not None]
    return sorted(painted, key=lambda segment: (segment.start_s, segment.track))


def _pieces(segment: Segment, holes: NDArray[np.float64], faces: SeenFaces) -> list[Segment]:
    met = holes[(holes[:, 0] < segment.end_s) & (holes[:, 1] > segment.start_s)]
    if not len(met):
        return [segment]
    left = segment.without(Interval(*hole) for hole in met.tolist())
    pieces = [replace(segment, start_s=one.start_s, end_s=one.end_s) for one in left if one.seconds > SLIVER_S]
    found = [faces.of_track(piece.track, piece.start_s, piece.end_s) for piece in pieces]
    return [replace(piece, box=face.box) if face else piece for piece, face in zip(pieces, found, strict=True)]


def _shown(row: HumanSegment, emotion: str, faces: SeenFaces) -> Segment:
    start_s, end_s = row.start_ms / 1000, row.end_ms / 1000
    face = faces.of_person(row.person, start_s, end_s)
    return Segment(
        start_s,
        end_s,
        emotion=emotion,
        person=row.person,
        track=face.track if face else NO_TRACK,
        box=face.box if face else None,
        reason=SAID_SO if emotion == NOT_ASSESSABLE else "",
        source="human",
    )
