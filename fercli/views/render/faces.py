"""Who is on screen at any moment, where, and feeling what: the tables, ready to be drawn."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fercli.results.details import Details
from fercli.results.model import Segment
from fercli.results.smoothed import SmoothedProbabilities
from fercli.views.render.heads import Head, Heads
from fercli.views.render.paths import MAX_GAP_S, Path, Presence, boxes_of, rows_by
from fercli.views.render.sampled import Sampled


@dataclass(frozen=True)
class ShownFace:
    """One face at one moment.

    Attributes:
        track, person: whose it is.
        box: (4,) x1, y1, x2, y2, pixels.
        emotion: canonical name, `not assessable`, or None where nothing is said.
        score: of the segment, in [0, 1]; None if not assessable.
        probabilities: (C,) behind the emotion, one a class of the classifier; see `results.smoothed`. None if there are
            none: not assessable, or a manual annotation.
        head: its mesh and its axes, if they are to be drawn.
    """

    track: int
    person: str
    box: NDArray[np.float32]
    emotion: str | None
    score: float | None
    probabilities: NDArray[np.float32] | None
    head: Head | None = None


class Faces:
    """The faces of the shown tracks.

    Args:
        frames: the frames that were looked at.
        details: faces and windows.
        segments: assessed ones and gaps.
        only: names of persons; faces of others are left out. Empty takes all.
        mesh, pose: whether the meshes, and the axes of the head, are to be drawn.
        pixel_aspect: of the video.
    """

    def __init__(
        self,
        frames: Sampled,
        details: Details,
        segments: Sequence[Segment],
        only: Collection[str] = (),
        *,
        mesh: bool = False,
        pose: bool = False,
        pixel_aspect: float = 1.0,
    ) -> None:
        faces, turned = details.faces, details.turned
        if only:
            wanted = pc.is_in(faces["person"], pa.array(sorted(only), pa.string()))
            faces, turned = faces.filter(wanted), turned[wanted.to_numpy()]
        meshes = details.meshes if mesh else None
        self._heads = Heads(faces, turned, meshes, pose=pose, pixel_aspect=pixel_aspect) if mesh or pose else None
        self._groups = rows_by(faces["track"].to_numpy().astype(np.int64))
        pts, boxes = faces["pts_s"].to_numpy(), boxes_of(faces)
        self._ends = frames.ends_s[frames.places(faces["frame"].to_numpy())]
        self._paths = [
            Path(pts[rows], boxes[rows], float(pts[rows[0]]), float(self._ends[rows[-1]])) for rows in self._groups
        ]
        self._presence = Presence(self._paths)
        self._tracks, self._persons = faces["track"].to_pylist(), faces["person"].to_pylist()
        self._smoothed = SmoothedProbabilities(details)
        # What a person says of somebody goes for all of his or her faces, in whatever track.
        self._segments: dict[int | str, list[Segment]] = defaultdict(list)
        for segment in sorted(segments, key=lambda segment: segment.start_s):
            self._segments[segment.person if segment.source == "human" else segment.track].append(segment)

    def at(self, time_s: float) -> list[ShownFace]:
        """The faces on screen, by track. A face is shown between two sightings less than MAX_GAP_S apart, and as long
        as the frame stands that it was seen in; never in a frame that may lie behind a cut."""
        shown = (self._face(number, time_s) for number in self._presence.at(time_s))
        return [face for face in shown if face is not None]

    def _face(self, number: int, time_s: float) -> ShownFace | None:
        path = self._paths[number]
        place = path.last_seen(time_s)
        row = int(self._groups[number][place])
        following, share = row, 0.0
        if (gap_s := path.gap_s(time_s)) < MAX_GAP_S:
            box = path.box(time_s)
            if gap_s:
                following = int(self._groups[number][place + 1])
                share = (time_s - path.pts_s[place]) / gap_s
        elif time_s < self._ends[row]:
            box = path.boxes[place]
        else:
            return None
        segment = self._segment(self._persons[row], time_s) or self._segment(self._tracks[row], time_s)
        return ShownFace(
            self._tracks[row],
            self._persons[row],
            box,
            segment.emotion if segment else None,
            segment.score if segment else None,
            self._smoothed.at(segment, time_s) if segment and segment.assessed else None,
            self._heads.at(row, following, share) if self._heads else None,
        )

    def _segment(self, whose: int | str, time_s: float) -> Segment | None:
        segments = self._segments[whose]
        place = bisect_right(segments, time_s, key=lambda segment: segment.start_s) - 1
        return segments[place] if place >= 0 and time_s < segments[place].end_s else None
