"""Manual annotations override predictions; the tables of predictions are not changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fercli.edits.apply import Manual
from fercli.labels import NOT_ASSESSABLE
from fercli.results.model import NO_TRACK, Interval, Segment
from fercli.results.seen_faces import SeenFaces

SLIVER_S = 0.002
"""Manual annotations have whole milliseconds, predictions do not: a remainder this short is rounding, not a segment."""
BY_HAND = "marked by hand"
"""Reason of a manual annotation that is not assessable."""


def override(segments: Sequence[Segment], rows: Sequence[Manual], faces: SeenFaces) -> list[Segment]:
    """Replace the predictions of each person by the manual annotations of that person, where there are any.

    Args:
        segments: predicted segments.
        rows: manual annotations with displayed names.
        faces: the faces of all persons.

    Returns:
        Segments by start, then track. The rest of a cut segment keeps its score, and gets the box of its new middle.
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


def _shown(row: Manual, emotion: str, faces: SeenFaces) -> Segment:
    start_s, end_s = row.start_ms / 1000, row.end_ms / 1000
    face = faces.of_person(row.person, start_s, end_s)
    return Segment(
        start_s,
        end_s,
        emotion=emotion,
        person=row.person,
        track=face.track if face else NO_TRACK,
        box=face.box if face else None,
        reason=BY_HAND if emotion == NOT_ASSESSABLE else "",
        source="human",
    )
