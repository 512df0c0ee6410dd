"""track: faces -> tracks inside each shot -> persons across the video.

Tracks come from the boxes alone. Then the few crops of each track that show the face best are embedded, and tracks
whose embeddings lie close are one person, unless both are visible in the same frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.config import TracksParams
from fercli.errors import ConfigError
from fercli.models.registry import find_model, load_model, weights_key
from fercli.stages.base import Stage, StageContext
from fercli.timing import frame_ends
from fercli.tracking.association import DROPPED, associate
from fercli.tracking.clustering import cluster

_TOO_SMALL = 20.0
"""Shorter side of a box, pixels, below which an embedding says little: of two photographs of one person 98 % lie within
0.5 of each other, and 59 % once the faces are shrunk to 20 pixels."""
_TOO_BLURRED = 20.0
"""Sharpness below which strangers begin to look alike: photographs blurred to a median of 15 brought the first pairs of
different persons under 0.5, dark ones at 2 brought four in five of them there."""
_TURNED_AWAY = 0.1
"""Frontality below which the network knows a profile and no longer whose: two women side by side lay at 0.36."""
_ENOUGH_PIXELS = 150.0
"""The network looks at faces of this size; more pixels are no better."""
_HALF_SHARP = 50.0
"""Sharpness that counts half."""
_APART_S = 1.0
"""Crops closer in time look alike: a track gets a second one embedded when it is this long, a third at twice that."""


class Embedder(Protocol):
    """What this stage needs of a network."""

    def embed(self, crops: Sequence[NDArray[np.uint8]], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, D) embeddings of the faces at (N, 4) boxes, each in the pixels of its own crop."""


@dataclass(frozen=True)
class Faces:
    """All faces of a video, without their pixels; row n is face n.

    Attributes:
        frame, shot: (N,) where.
        pts_s: (N,) when.
        boxes: (N, 4).
        usable: (N,) whether the face is large, sharp and frontal enough to tell whose it is.
        quality: (N,) how well the face shows its person, in [0, 1].
        end_s: (N,) until when its frame stands: the next frame that was looked at, or one median interval later.
        frames_in_shot: shot -> frames that were looked at.
    """

    frame: NDArray[np.int32]
    shot: NDArray[np.int32]
    pts_s: NDArray[np.float64]
    boxes: NDArray[np.float32]
    usable: NDArray[np.bool_]
    quality: NDArray[np.float64]
    end_s: NDArray[np.float64]
    frames_in_shot: dict[int, int]


def run(context: StageContext, params: TracksParams) -> dict[str, Any]:
    """Find tracks and persons with the embedder the parameters name; returns counts.

    Raises:
        ConfigError: a parameter is out of range.
        ModelError: the embedder cannot be used.
    """
    _check(params)
    return find_people(context, params, lambda: _load_embedder(params, context.runtime.device))


def find_people(context: StageContext, params: TracksParams, load: Callable[[], Embedder]) -> dict[str, Any]:
    """The stage with any embedder, loaded only if there is a face to embed."""
    faces = read_faces(context)
    owner = find_tracks(faces, params)
    chosen = choose_faces(faces, owner, params.embed_faces)
    embedded, embeddings = _embed(context, faces, owner, chosen, load)
    person = _persons(faces, owner, embedded, embeddings, params.max_distance)

    people = _people_rows(faces, owner, person)
    kept = np.flatnonzero(owner != DROPPED)
    tracks = pa.table({"face": kept.astype(np.int64), "track": owner[kept]}).cast(tables.TRACKS)
    tables.write_table(context.out / "tracks.parquet", [tracks], tables.TRACKS)
    tables.write_table(context.out / "people.parquet", [people], tables.PEOPLE)
    stored = _embedding_rows(faces, owner, chosen, embedded, embeddings)
    tables.write_table(context.out / "embeddings.parquet", [stored], tables.EMBEDDINGS)
    unassigned = person.count(None)
    return {"tracks": len(person), "persons": len(set(person) - {None}), "unassigned": unassigned}


def read_faces(context: StageContext) -> Faces:
    """The tables of the earlier stages as arrays."""
    frames = tables.read_table(context.workspace.table("frames"), tables.FRAMES)
    rows = tables.read_table(context.workspace.table("faces"), tables.FACES)
    frame, pts, shot = (frames[name].to_numpy() for name in ("frame", "pts_s", "shot"))
    order = np.searchsorted(frame, rows["frame"].to_numpy())
    shots, counts = np.unique(shot, return_counts=True)
    size = rows["size"].to_numpy()
    frontal = np.nan_to_num(rows["frontal"].to_numpy().astype(np.float64), nan=1.0)
    sharpness = rows["sharpness"].to_numpy().astype(np.float64)
    return Faces(
        frame=rows["frame"].to_numpy(),
        shot=shot[order],
        pts_s=pts[order],
        boxes=np.stack([rows[name].to_numpy() for name in ("x1", "y1", "x2", "y2")], axis=1),
        usable=(size >= _TOO_SMALL) & (sharpness >= _TOO_BLURRED) & (frontal >= _TURNED_AWAY),
        quality=_quality(size, sharpness, frontal),
        end_s=frame_ends(pts, context.workspace.video.end_s)[order],
        frames_in_shot=dict(zip(shots.tolist(), counts.tolist(), strict=True)),
    )


def find_tracks(faces: Faces, params: TracksParams) -> NDArray[np.int32]:
    """(N,) track of every face, numbered through the video; DROPPED for false alarms."""
    owner = np.full(len(faces.frame), DROPPED, dtype=np.int32)
    total = 0
    for shot, frames in faces.frames_in_shot.items():
        inside = slice(*np.searchsorted(faces.shot, [shot, shot + 1]))
        # In a shot too short for `min_faces`, a face that is there from end to end is as good as can be had.
        enough = min(params.min_faces, frames)
        found = associate(
            faces.pts_s[inside],
            faces.boxes[inside],
            min_iou=params.min_iou,
            max_gap_s=params.max_gap_s,
            min_faces=enough,
        )
        owner[inside] = np.where(found == DROPPED, DROPPED, found + total)
        total += int(found.max(initial=DROPPED)) + 1
    return owner


def choose_faces(faces: Faces, owner: NDArray[np.int32], at_most: int) -> NDArray[np.int64]:
    """Faces to embed, ascending: each track is cut into equal spans of time, and the best face of each span is taken.

    Tracks without a usable face get none.
    """
    chosen: list[int] = []
    for members in _members(owner):
        usable = members[faces.usable[members]]
        if not len(usable):
            continue
        times = faces.pts_s[usable] - faces.pts_s[usable[0]]
        spans = min(at_most, 1 + int(times[-1] / _APART_S))
        span = np.minimum((spans * times / max(times[-1], 1e-9)).astype(int), spans - 1)
        for number in range(spans):
            inside = usable[span == number]
            if len(inside):
                chosen.append(int(inside[np.argmax(faces.quality[inside])]))
    return np.array(sorted(chosen), dtype=np.int64)


def weights(params: TracksParams) -> dict[str, str]:
    """The embedder in use and the sha256 of its file."""
    return weights_key(find_model(params.embedder, "embedder"))


def _check(params: TracksParams) -> None:
    for name, ok, range_ in (
        ("min_iou", 0 <= params.min_iou <= 1, "from 0 to 1"),
        ("max_gap_s", params.max_gap_s >= 0, "0 or more"),
        ("min_faces", params.min_faces >= 1, "1 or more"),
        ("embed_faces", params.embed_faces >= 1, "1 or more"),
        ("max_distance", params.max_distance >= 0, "0 or more"),
    ):
        if not ok:
            raise ConfigError(f"{name} is {getattr(params, name)}", hint=f"use a value {range_}")


def _load_embedder(params: TracksParams, device: str) -> Embedder:
    from fercli.models.devices import pick_device

    embedder: Embedder = load_model(find_model(params.embedder, "embedder"), device=pick_device(device))
    return embedder


def _quality(
    size: NDArray[np.float32], sharpness: NDArray[np.float64], frontal: NDArray[np.float64]
) -> NDArray[np.float64]:
    """In [0, 1]; a face half turned away counts less, but a sharp large one still counts."""
    large = np.minimum(size.astype(np.float64) / _ENOUGH_PIXELS, 1)
    quality: NDArray[np.float64] = large * sharpness / (sharpness + _HALF_SHARP) * (0.25 + 0.75 * frontal)
    return quality


def _members(owner: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """Faces of each track, ascending."""
    order = np.argsort(owner, kind="stable")
    order = order[owner[order] != DROPPED]
    if not len(order):
        return []
    return np.split(order, np.flatnonzero(np.diff(owner[order])) + 1)


def _embed(
    context: StageContext,
    faces: Faces,
    owner: NDArray[np.int32],
    chosen: NDArray[np.int64],
    load: Callable[[], Embedder],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Tracks with an embedding, ascending, and the mean embedding of each. Holds one row group of crops at a time."""
    from fercli.media.images import decode_jpeg

    if not len(chosen):
        return np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.float32)
    embedder = load()
    scale = context.crop_scale()
    found: list[NDArray[np.float32]] = []
    crops_table = context.workspace.table("crops")
    with context.reporter.task("track", len(chosen), "face") as task:
        for part in tables.read_parts(crops_table, tables.CROPS, first_row=int(chosen[0]), last_row=int(chosen[-1])):
            ids = part["face"].to_numpy()
            rows = np.flatnonzero(np.isin(ids, chosen))
            if not len(rows):
                continue
            crops = [decode_jpeg(part["jpeg"][int(row)].as_py()) for row in rows]
            boxes = [_box_in_crop(faces.boxes[ids[row]], crop, scale) for row, crop in zip(rows, crops, strict=True)]
            found.append(embedder.embed(crops, np.stack(boxes)))
            task.advance(len(rows))
    tracks, first = np.unique(owner[chosen], return_inverse=True)
    embeddings = np.concatenate(found)
    means = np.zeros((len(tracks), embeddings.shape[1]), dtype=np.float32)
    np.add.at(means, first, embeddings)
    means /= np.bincount(first)[:, None].astype(np.float32)
    return tracks.astype(np.int64), means


def _box_in_crop(box: NDArray[np.float32], crop: NDArray[np.uint8], scale: float) -> NDArray[np.float32]:
    """Where the face lies in its crop: in the middle, its longer side `1 / scale` of the crop's."""
    sides = box[2:] - box[:2]
    half = sides / sides.max() * crop.shape[0] / scale / 2
    middle = crop.shape[0] / 2
    return np.concatenate([middle - half, middle + half]).astype(np.float32)


def _persons(
    faces: Faces,
    owner: NDArray[np.int32],
    embedded: NDArray[np.int64],
    embeddings: NDArray[np.float32],
    max_distance: float,
) -> list[str | None]:
    """Name of the person of every track, None where there is no embedding. Persons are numbered as they appear."""
    members = _members(owner)
    person: list[str | None] = [None] * len(members)
    # Tracks are numbered by shot; inside a shot by first appearance; so the order of tracks is the order of persons.
    index = {int(track): number for number, track in enumerate(embedded)}
    conflicts = [(index[a], index[b]) for a, b in _seen_together(faces, owner) if a in index and b in index]
    for track, number in zip(embedded, cluster(embeddings, conflicts, max_distance), strict=True):
        person[int(track)] = f"Person {number + 1}"
    return person


def _seen_together(faces: Faces, owner: NDArray[np.int32]) -> list[tuple[int, int]]:
    """Pairs of tracks that share a frame."""
    from scipy import sparse

    kept = owner != DROPPED
    if not kept.any():
        return []
    frames = np.unique(faces.frame[kept], return_inverse=True)[1]
    visible = sparse.coo_array((np.ones(len(frames), dtype=np.int32), (owner[kept], frames))).tocsr()
    pairs = sparse.triu(visible @ visible.T, k=1).tocoo()
    return list(zip(pairs.row.tolist(), pairs.col.tolist(), strict=True))


def _embedding_rows(
    faces: Faces,
    owner: NDArray[np.int32],
    chosen: NDArray[np.int64],
    embedded: NDArray[np.int64],
    embeddings: NDArray[np.float32],
) -> pa.Table:
    """An embedding is worth as much as the best face in it."""
    confidence = np.zeros(len(embedded), dtype=np.float32)
    np.maximum.at(confidence, np.searchsorted(embedded, owner[chosen]), faces.quality[chosen].astype(np.float32))
    columns = [embedded.astype(np.int32), list(embeddings), confidence]
    return pa.table(columns, schema=tables.EMBEDDINGS)


def _people_rows(faces: Faces, owner: NDArray[np.int32], person: list[str | None]) -> pa.Table:
    rows = [
        {
            "track": track,
            "person": person[track],
            "shot": int(faces.shot[members[0]]),
            "start_s": float(faces.pts_s[members[0]]),
            "end_s": float(faces.end_s[members[-1]]),
            "faces": len(members),
            "best_face": int(members[np.argmax(faces.quality[members])]),
            "identity": None,
        }
        for track, members in enumerate(_members(owner))
    ]
    return pa.Table.from_pylist(rows, schema=tables.PEOPLE)


STAGE = Stage(
    name="track",
    directory="3-tracks",
    version=1,
    params=TracksParams,
    needs=("frames", "faces", "crops"),
    run=run,
    weights=weights,
)
