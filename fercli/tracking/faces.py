"""The faces of a video without their pixels: tracks over time, and the quality filter that selects faces for identity
resolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli.tables import FACES, FRAMES, read_table, rows_by_value
from fercli.timing import seen_until, usual_interval
from fercli.tracking.association import DROPPED
from fercli.workspace import Workspace

_TOO_SMALL = 20.0
"""Shorter side of a box, pixels, below which an embedding is unreliable: of pairs of photographs of one person 98 % lie
within 0.5 of each other, and 59 % once the faces are shrunk to 20 pixels."""
_TOO_BLURRED = 0.02
"""Sharpness divided by contrast below which different persons become similar: photographs blurred to a median of 0.016
brought the first pairs of different persons under 0.55, at 0.011 every fourth pair. A ratio, because a dark face is as
good as a bright one: at a fifth of the light, 0.35, all pairs were at least 0.62 apart."""
_TOO_DARK = 4.0
"""Sharpness below which a dark face is mostly noise: at a tenth of the light, 5.8, different
persons were at least 0.57 apart, at a twentieth, 2.4, only 0.32."""
TURNED_AWAY = 0.1
"""Frontality below which the embedding no longer separates persons: two women in profile, side by side, lay at 0.36."""
_ENOUGH_PIXELS = 150.0
"""The input of the network has this size; more pixels do not help."""
_HALF_SHARP = 50.0
"""Sharpness at which its factor of the quality is one half."""
_APART_S = 1.0
"""Crops closer in time are nearly the same: a track gets a second embedded crop when it is this long, a third at twice
that."""


@dataclass(frozen=True)
class Faces:
    """All faces of a video, without their pixels; row n is face n.

    Attributes:
        frame, shot: (N,) frame and shot of each face.
        pts_s: (N,) time of each face.
        boxes: (N, 4) float32.
        usable: (N,) whether the face is large, sharp and frontal enough to identify its person.
        quality: (N,) how well the face shows its person, in [0, 1].
        end_s: (N,) end of the time that its frame represents.
        until_s: (N,) last time at which its frame would have been sampled, see `timing.seen_until`.
        frames_in_shot: shot -> number of sampled frames.
        interval_s: usual sampling interval; 0 if there is only one frame.
    """

    frame: NDArray[np.int32]
    shot: NDArray[np.int32]
    pts_s: NDArray[np.float64]
    boxes: NDArray[np.float32]
    usable: NDArray[np.bool_]
    quality: NDArray[np.float64]
    end_s: NDArray[np.float64]
    until_s: NDArray[np.float64]
    frames_in_shot: dict[int, int]
    interval_s: float


def read_faces(workspace: Workspace) -> Faces:
    """The tables `frames` and `faces` as arrays; raises CorruptTable."""
    frames = read_table(workspace.table("frames"), FRAMES)
    rows = read_table(workspace.table("faces"), FACES)
    frame, pts, end, shot, mixed = (frames[name].to_numpy() for name in frames.column_names)
    order = np.searchsorted(frame, rows["frame"].to_numpy())
    shots, counts = np.unique(shot, return_counts=True)
    usable, quality = judge(rows)
    interval_s = usual_interval(pts)
    single = ~mixed[order]  # a mixture of two pictures shows no person
    return Faces(
        frame=rows["frame"].to_numpy(),
        shot=shot[order],
        pts_s=pts[order],
        boxes=np.stack([rows[name].to_numpy() for name in ("x1", "y1", "x2", "y2")], axis=1),
        usable=usable & single,
        quality=quality * single,
        end_s=end[order],
        until_s=seen_until(pts, end, interval_s)[order],
        frames_in_shot=dict(zip(shots.tolist(), counts.tolist(), strict=True)),
        interval_s=interval_s,
    )


def choose_faces(faces: Faces, owner: NDArray[np.int32], at_most: int) -> NDArray[np.int64]:
    """Faces to embed, ascending: each track is cut into equal spans of time, and the best face of each span is taken.

    Args:
        faces: all faces.
        owner: (N,) track of each, DROPPED for none.
        at_most: faces per track; short tracks have fewer, tracks without a usable face none.
    """
    chosen: list[int] = []
    for track in members(owner):
        good = track[faces.usable[track]]
        if not len(good):
            continue
        spans = min(at_most, 1 + int((faces.pts_s[good[-1]] - faces.pts_s[good[0]]) / _APART_S))
        chosen += best_of_spans(faces, good, spans).tolist()
    return np.array(sorted(chosen), dtype=np.int64)


def best_of_spans(
    faces: Faces, own: NDArray[np.int64], spans: int, required: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """The best face of each of `spans` equal time spans of a track, ascending; none for a span without faces.

    Args:
        faces: all faces.
        own: (n,) faces of the track, n at least 1, ascending.
        spans: number of spans.
        required: faces that are always chosen; a span that has one gets no other.
    """
    times = faces.pts_s[own] - faces.pts_s[own[0]]
    span = np.minimum((spans * times / max(times[-1], 1e-9)).astype(int), spans - 1)
    taken = np.isin(own, [] if required is None else required)
    chosen = own[taken].tolist()
    for number in set(range(spans)) - set(span[taken].tolist()):
        inside = own[span == number]
        if len(inside):
            chosen.append(int(inside[np.argmax(faces.quality[inside])]))
    return np.array(sorted(chosen), dtype=np.int64)


def members(owner: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """Faces of each track, ascending."""
    return [faces for track, faces in rows_by_value(pa.chunked_array([owner])).items() if track != DROPPED]


def seen_together(faces: Faces, owner: NDArray[np.int32]) -> list[tuple[int, int]]:
    """Pairs of tracks that share a frame."""
    from scipy import sparse

    kept = owner != DROPPED
    if not kept.any():
        return []
    frames = np.unique(faces.frame[kept], return_inverse=True)[1]
    visible = sparse.coo_array((np.ones(len(frames), dtype=np.int32), (owner[kept], frames))).tocsr()
    pairs = sparse.triu(visible @ visible.T, k=1).tocoo()
    return list(zip(pairs.row.tolist(), pairs.col.tolist(), strict=True))


def judge(faces: pa.Table) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """How well faces identify their persons, by the columns `size`, `sharpness`, `contrast` and `frontal` of `faces`.

    A face half turned away counts less, but a sharp large one still counts. If the detector could not determine the
    frontality, the face is treated as frontal.

    Returns:
        (N,) whether a face is large, sharp and frontal enough to identify its person, and (N,) its quality in [0, 1].
    """
    columns = (faces[name].to_numpy().astype(np.float64) for name in ("size", "sharpness", "contrast", "frontal"))
    size, sharpness, contrast, frontal = columns
    frontal = np.nan_to_num(frontal, nan=1.0)
    clear = (sharpness >= _TOO_BLURRED * contrast) & (sharpness >= _TOO_DARK)
    usable = (size >= _TOO_SMALL) & clear & (frontal >= TURNED_AWAY)
    large = np.minimum(size / _ENOUGH_PIXELS, 1)
    return usable, large * sharpness / (sharpness + _HALF_SHARP) * (0.25 + 0.75 * frontal)
