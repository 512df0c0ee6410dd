"""track: faces -> tracks inside each shot -> persons across the video.

Tracks come from the boxes, and are split where another person's face goes on. Then the few crops of each track that
show the face best are embedded, and tracks whose embeddings lie close are one person, unless both are visible in the
same frame. Persons get their names from a gallery of pictures and from the cast of the series, if there are any.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.config import TracksParams
from fercli.errors import command
from fercli.models.pictures import default_detector
from fercli.models.registry import find_model, load_model, weights_key
from fercli.persons import cast
from fercli.persons.gallery import Embedder, read_gallery
from fercli.persons.gallery_files import gallery_digest, list_gallery
from fercli.persons.identify import Enrol, Tracks, identify
from fercli.stages.base import StageContext, require_ranges
from fercli.timing import seen_until, usual_interval
from fercli.tracking.association import DROPPED, associate
from fercli.tracking.bridging import Appearance
from fercli.tracking.clustering import cluster
from fercli.tracking.consistency import check_tracks
from fercli.tracking.faces import Faces, choose_faces, judge, members, seen_together
from fercli.tracking.identity import same_person

_BATCH = 32
"""Crops embedded at once."""
LASTING_S = 1.0
"""A face seen in all frames that were looked at in so long a time is no false alarm, however few they are."""


def run(context: StageContext, params: TracksParams) -> dict[str, Any]:
    """Find tracks and persons with the embedder the parameters name; returns counts.

    Raises:
        ConfigError: a parameter is out of range.
        InputError: the gallery or the cast cannot be used.
        ModelError: the embedder cannot be used.
    """
    check(params)
    return find_people(context, params, lambda: _load_embedder(params, context.runtime.device))


def find_people(context: StageContext, params: TracksParams, load: Callable[[], Embedder]) -> dict[str, Any]:
    """The stage with any embedder, loaded only if there is a face to embed."""
    faces = read_faces(context)
    found = find_tracks(faces, params, lambda rows: _thumbnails(context, rows))
    embeddings_of = _Embeddings(context, faces, load)
    scale = np.float32(TracksParams.max_distance / params.max_distance if params.max_distance else 1.0)
    checked = check_tracks(faces, found, params.embed_faces, lambda rows: embeddings_of(rows) * scale)
    owner = checked.owner
    chosen = choose_faces(faces, owner, params.embed_faces)
    embeddings = embeddings_of(chosen)
    gallery = _gallery(context, params, embeddings_of.embedder()) if len(chosen) else {}
    known, tracks = _tracks(faces, owner, chosen, embeddings)
    group = cluster(tracks.embeddings, tracks.conflicts, params.max_distance)
    names, identity = identify(tracks, group, gallery, _enrol(context, params), params.max_distance)
    # A track is its person's at most as surely as its parts are one person.
    parts = np.array([same_person(checked.doubt.get(int(track), 0.0)) for track in known], np.float32)
    identity = np.minimum(identity, parts)

    kept = np.flatnonzero(owner != DROPPED)
    members_rows = pa.table({"face": kept.astype(np.int64), "track": owner[kept]}).cast(tables.TRACKS)
    embedding_rows = pa.table([known, list(tracks.embeddings), tracks.confidence], schema=tables.EMBEDDINGS)
    people = _people_rows(faces, owner, {int(t): (n, float(i)) for t, n, i in zip(known, names, identity, strict=True)})
    for name, rows in (("tracks", members_rows), ("people", people), ("embeddings", embedding_rows)):
        tables.write_table(context.out / f"{name}.parquet", [rows], tables.SCHEMAS[name])
    if checked.doubt:
        numbers = ", ".join(map(str, sorted(checked.doubt)))
        context.warn(
            f"tracks that may show more than one person: {numbers}; their identity is low, look at them in "
            f"{command('people', context.workspace.path)}"
        )
    return {"tracks": len(people), "persons": len(set(names)), "unassigned": people["person"].null_count}


def read_faces(context: StageContext) -> Faces:
    """The tables of the earlier stages as arrays."""
    frames = tables.read_table(context.workspace.table("frames"), tables.FRAMES)
    rows = tables.read_table(context.workspace.table("faces"), tables.FACES)
    frame, pts, end, shot, mixed = (frames[name].to_numpy() for name in frames.column_names)
    order = np.searchsorted(frame, rows["frame"].to_numpy())
    shots, counts = np.unique(shot, return_counts=True)
    usable, quality = judge(rows)
    interval_s = usual_interval(pts)
    single = ~mixed[order]  # the face of a mixture of two pictures is nobody's
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


def find_tracks(faces: Faces, params: TracksParams, appearance: Appearance) -> NDArray[np.int32]:
    """(N,) track of every face, numbered through the video; DROPPED for false alarms."""
    owner = np.full(len(faces.frame), DROPPED, dtype=np.int32)
    # Frames that follow each other are no gap, however far apart they are; half as much again, as they lie unevenly.
    max_gap_s = max(params.max_gap_s, 1.5 * faces.interval_s)
    lasting = math.ceil(LASTING_S / faces.interval_s) if faces.interval_s else params.min_faces
    # A picture that is held counts as often as it would have been looked at.
    looks = 1 + np.rint((faces.until_s - faces.pts_s) / max(faces.interval_s, 1e-6))
    total = 0
    for shot, frames in faces.frames_in_shot.items():
        first, last = np.searchsorted(faces.shot, [shot, shot + 1])
        inside = slice(first, last)
        # In a shot too short for `min_faces`, a face that is there from end to end is as good as can be had.
        enough = min(params.min_faces, frames, lasting)
        found = associate(
            faces.pts_s[inside],
            faces.boxes[inside],
            min_iou=params.min_iou,
            max_gap_s=max_gap_s,
            min_faces=enough,
            until_s=faces.until_s[inside],
            looks=looks[inside],
            appearance=lambda rows, first=first: appearance(rows + first),  # type: ignore[misc]
        )
        owner[inside] = np.where(found == DROPPED, DROPPED, found + total)
        total += int(found.max(initial=DROPPED)) + 1
    return owner


def weights(params: TracksParams) -> dict[str, str]:
    """The embedder in use and the sha256 of its file."""
    return weights_key(find_model(params.embedder, "embedder"))


def outside(params: TracksParams) -> dict[str, str]:
    """Digest of the gallery's pictures. A cast is known by its path alone: what other videos add makes this one no
    staler.

    Raises:
        InputError: the gallery cannot be read.
    """
    return {"gallery": gallery_digest(Path(params.gallery))} if params.gallery else {}


def check(params: TracksParams) -> None:
    """Find out before hours of work whether the parameters, the gallery and the cast can be used; errors as `run`."""
    require_ranges(
        params,
        ("min_iou", 0 <= params.min_iou <= 1, "from 0 to 1"),
        ("max_gap_s", params.max_gap_s >= 0, "0 or more"),
        ("min_faces", params.min_faces >= 1, "1 or more"),
        ("embed_faces", params.embed_faces >= 1, "1 or more"),
        ("max_distance", params.max_distance >= 0, "0 or more"),
    )
    if params.gallery:
        list_gallery(Path(params.gallery))
    if params.cast:
        cast.check(Path(params.cast), _embedder_key(params))


def _load_embedder(params: TracksParams, device: str) -> Embedder:
    from fercli.models.devices import pick_device

    embedder: Embedder = load_model(find_model(params.embedder, "embedder"), device=pick_device(device))
    return embedder


def _thumbnails(context: StageContext, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    from fercli.media.crops import thumbnails

    return thumbnails(context.workspace.table("crops"), rows)


class _Embeddings:
    """The embeddings of faces of a video, each computed once."""

    def __init__(self, context: StageContext, faces: Faces, load: Callable[[], Embedder]) -> None:
        self._context = context
        self._faces = faces
        self._rolls = tables.read_table(context.workspace.table("faces"), tables.FACES)["roll"]
        self._known: dict[int, NDArray[np.float32]] = {}
        self.embedder = cache(load)

    def __call__(self, wanted: NDArray[np.int64]) -> NDArray[np.float32]:
        """(N, D) embeddings of the wanted faces. Holds one row group of crops at a time.

        Raises:
            ModelError: the embedder cannot be used.
            CorruptTable, InputError: as `read_crops`.
        """
        new = np.array([face for face in wanted.tolist() if face not in self._known], np.int64)
        if len(new):
            self._compute(new)
        return (
            np.stack([self._known[face] for face in wanted.tolist()]) if len(wanted) else np.zeros((0, 0), np.float32)
        )

    def _compute(self, new: NDArray[np.int64]) -> None:
        from fercli.media.crops import read_crops
        from fercli.media.images import upright

        scale = self._context.workspace.crop_scale
        embedder = self.embedder()
        with self._context.reporter.task("track", len(new), "face") as task:
            crops = read_crops(self._context.workspace.table("crops"), new)
            while part := list(islice(crops, _BATCH)):
                rolls = [self._rolls[face].as_py() for face, _ in part]
                turned = [upright(crop, roll) for (_, crop), roll in zip(part, rolls, strict=True)]
                boxes = [
                    _box_in_crop(self._faces.boxes[face], roll, crop, scale)
                    for (face, crop), roll in zip(part, rolls, strict=True)
                ]
                found = embedder.embed(turned, np.stack(boxes))
                self._known |= {face: row for (face, _), row in zip(part, found, strict=True)}
                task.advance(len(part))


def _box_in_crop(
    box: NDArray[np.float32], roll: float | None, crop: NDArray[np.uint8], scale: float
) -> NDArray[np.float32]:
    """Where the face lies in its crop turned upright: in the middle, its longer side `1 / scale` of the crop's."""
    sides = box[2:] - box[:2]
    if roll is not None and 45 < abs(roll) < 135:
        sides = sides[::-1]
    half = sides / sides.max() * crop.shape[0] / scale / 2
    middle = crop.shape[0] / 2
    return np.concatenate([middle - half, middle + half]).astype(np.float32)


def _gallery(context: StageContext, params: TracksParams, embedder: Embedder) -> dict[str, NDArray[np.float32]]:
    """Name -> (n, D) embeddings of the pictures of known persons; none without a gallery."""
    if not params.gallery:
        return {}
    gallery = read_gallery(Path(params.gallery), default_detector(), embedder, context.reporter)
    for warning in gallery.warnings():
        context.warn(warning)
    return {name: portraits.embeddings for name, portraits in gallery.persons.items()}


def _tracks(
    faces: Faces, owner: NDArray[np.int32], chosen: NDArray[np.int64], embeddings: NDArray[np.float32]
) -> tuple[NDArray[np.int32], Tracks]:
    """Numbers of the tracks that have an embedding, ascending, and what is known of them.

    The embedding of a track is the mean of its faces', and worth as much as the best of them.
    """
    numbers, row_of = np.unique(owner[chosen], return_inverse=True)
    means = np.zeros((len(numbers), embeddings.shape[1]), dtype=np.float32)
    np.add.at(means, row_of, embeddings)
    means /= np.maximum(np.bincount(row_of, minlength=len(numbers)), 1)[:, None].astype(np.float32)
    confidence = np.zeros(len(numbers), dtype=np.float32)
    np.maximum.at(confidence, row_of, faces.quality[chosen].astype(np.float32))
    index = {int(track): row for row, track in enumerate(numbers)}
    conflicts = [(index[a], index[b]) for a, b in seen_together(faces, owner) if a in index and b in index]
    return numbers.astype(np.int32), Tracks(means, confidence, conflicts)


def _enrol(context: StageContext, params: TracksParams) -> Enrol | None:
    if not params.cast:
        return None
    path, embedder, video = Path(params.cast), _embedder_key(params), context.workspace.video.sha256
    return lambda groups, conflicts: cast.enrol(path, embedder, video, groups, conflicts, params.max_distance)


def _embedder_key(params: TracksParams) -> str:
    """Embeddings can only be compared with those of the same network."""
    return " ".join(f"{name} {sha256[:12]}" for name, sha256 in weights(params).items())


def _people_rows(faces: Faces, owner: NDArray[np.int32], who: Mapping[int, tuple[str, float]]) -> pa.Table:
    """One row a track; `who` has the name and the identity score of those that could be told."""
    rows = []
    for track, seen in enumerate(members(owner)):
        person, identity = who.get(track, (None, None))
        rows.append(
            {
                "track": track,
                "person": person,
                "shot": int(faces.shot[seen[0]]),
                "start_s": float(faces.pts_s[seen[0]]),
                "end_s": float(faces.end_s[seen[-1]]),
                "faces": len(seen),
                "best_face": int(seen[np.argmax(faces.quality[seen])]),
                "identity": identity,
            }
        )
    return pa.Table.from_pylist(rows, schema=tables.PEOPLE)
