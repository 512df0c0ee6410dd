"""In which frames the detector looks for faces, and where they are in those between.

Detection takes the most time of all stages, and in a tenth of a second a face hardly moves. So the detector looks at
every second sampled frame; if it finds the same faces in both, those of the frame between lie between. Where a face
comes, goes or moves fast, and at cuts, it looks at each frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli.geometry import iou_matrix
from fercli.models.detections import Detections

LONGEST_STEP_S = 0.15
"""Too much may happen between frames further apart: with fewer than about 7 frames a second, the detector looks
at each."""
SAME_FACE = 0.8
"""Intersection over union of the boxes of a face in two frames, from which it counts as calm. Below that, labels of the
talking man of tests/test_talking.py change, whose head turns (docs/speed.md)."""

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Searched:
    """A frame and its faces.

    Attributes:
        detected: whether the detector looked at this frame; otherwise the faces lie between those around it.
    """

    image: Image
    found: Detections
    detected: bool


@dataclass(frozen=True)
class Moments:
    """Of N sampled frames.

    Attributes:
        pts_s: (N,) float64.
        follows: (N,) whether a frame continues the one before it: the same shot, no dissolve, and soon after.
    """

    pts_s: NDArray[np.float64]
    follows: NDArray[np.bool_]

    @classmethod
    def of(cls, frames: pa.Table) -> Moments:
        """Those of a table of frames."""
        pts_s, shot, mixed = (frames[name].to_numpy() for name in ("pts_s", "shot", "mixed"))
        follows = (np.diff(shot, prepend=-1) == 0) & (np.diff(pts_s, prepend=-np.inf) <= LONGEST_STEP_S) & ~mixed
        follows[1:] &= ~mixed[:-1]
        return cls(pts_s, follows)

    def part(self, start: int, end: int) -> Moments:
        """Those of some frames, as if there were no others."""
        follows = self.follows[start:end].copy()
        follows[:1] = False
        return Moments(self.pts_s[start:end], follows)


def search(
    pictures: Iterable[Image | None], moments: Moments, detect: Callable[[Image], Detections], every: int
) -> Iterator[Searched | None]:
    """The faces of each frame, in order; None for one that did not decode. At most `every` pictures are held.

    Args:
        pictures: the frames, None where one did not decode.
        moments: of the same frames.
        detect: the detector.
        every: it looks at each frame of this number; 1: at all.
    """
    before: tuple[float, Detections] | None = None
    waiting: list[tuple[float, Image]] = []
    for image, pts_s, follows in zip(pictures, moments.pts_s.tolist(), moments.follows.tolist(), strict=True):
        if image is None or not follows:
            yield from _each(waiting, detect)
            before, waiting = None, []
        if image is None:
            yield None
        elif before is None or len(waiting) == every - 1:
            latest = pts_s, detect(image)
            if before is not None:
                yield from _between(before, waiting, latest, detect)
            yield Searched(image, latest[1], detected=True)
            before, waiting = latest, []
        else:
            waiting.append((pts_s, image))
    yield from _each(waiting, detect)


def _each(waiting: list[tuple[float, Image]], detect: Callable[[Image], Detections]) -> Iterator[Searched]:
    for _, image in waiting:
        yield Searched(image, detect(image), detected=True)


def _between(
    before: tuple[float, Detections],
    waiting: list[tuple[float, Image]],
    after: tuple[float, Detections],
    detect: Callable[[Image], Detections],
) -> Iterator[Searched]:
    partners = same_faces(before[1], after[1])
    if partners is None:
        yield from _each(waiting, detect)
        return
    following = after[1].take(partners)
    for pts_s, image in waiting:
        share = (pts_s - before[0]) / (after[0] - before[0])
        yield Searched(image, interpolated(before[1], following, share), detected=False)


def same_faces(before: Detections, after: Detections) -> NDArray[np.intp] | None:
    """For each face the row of the same face in another frame; None if one came, went, moved much or lay down."""
    if len(before) != len(after):
        return None
    overlap = iou_matrix(before.boxes, after.boxes)
    partners = overlap.argmax(axis=1) if len(before) else np.zeros(0, np.intp)
    if len(set(partners.tolist())) < len(before) or (overlap.max(axis=1, initial=0) < SAME_FACE).any():
        return None
    if before.landmarks is not None and after.landmarks is not None:
        ways = [np.isfinite(one).all(axis=(1, 2)) for one in (before.landmarks, after.landmarks[partners])]
        if (ways[0] != ways[1]).any():
            return None
    return partners


def interpolated(before: Detections, after: Detections, share: float) -> Detections:
    """The faces of a frame between two others, from left to right; of both scores the lower one.

    Args:
        before, after: the same faces in the same order.
        share: 0 at the first of the frames, 1 at the second.
    """
    boxes = (before.boxes + share * (after.boxes - before.boxes)).astype(np.float32)
    landmarks = None
    if before.landmarks is not None and after.landmarks is not None:
        landmarks = (before.landmarks + share * (after.landmarks - before.landmarks)).astype(np.float32)
    mixed = Detections(boxes, np.minimum(before.scores, after.scores), landmarks)
    return mixed.take(np.lexsort((boxes[:, 1], boxes[:, 0])))
