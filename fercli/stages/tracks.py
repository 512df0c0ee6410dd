"""track, first stage: faces -> tracks inside each shot, and an embedding of each track.

Tracks come from the boxes, and are split where the person changes. Then the best few crops of each track are embedded.
`stages.persons` resolves the identities, without pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.config import TracksParams
from fercli.errors import command
from fercli.models.registry import find_model, weights_key
from fercli.persons.gallery import Embedder
from fercli.stages.base import NO_FACE, StageContext, require_ranges
from fercli.tracking.association import DROPPED, associate
from fercli.tracking.bridging import Appearance
from fercli.tracking.consistency import Checked, check_tracks
from fercli.tracking.faces import Faces, choose_faces, read_faces

_BATCH = 32
"""Crops embedded at once."""
LASTING_S = 1.0
"""A face in all sampled frames of this time is not a false alarm, even if these are few frames."""


def run(context: StageContext, params: TracksParams) -> dict[str, Any]:
    """Find tracks with the embedder the parameters name; returns counts.

    Raises:
        ConfigError: a parameter is out of range.
        ModelError: the embedder cannot be used.
    """
    check(params)
    return embed_tracks(context, params, lambda: _load_embedder(context, params))


def embed_tracks(context: StageContext, params: TracksParams, load: Callable[[], Embedder]) -> dict[str, Any]:
    """The stage with any embedder, loaded only if there is a face to embed."""
    faces = read_faces(context.workspace)
    if not len(faces.frame):
        context.skip(NO_FACE, {"tracks": tables.TRACKS, "embeddings": tables.EMBEDDINGS})
        return {"tracks": 0}
    found = find_tracks(faces, params, lambda rows: _thumbnails(context, rows))
    embeddings_of = _Embeddings(context, faces, load)
    scale = np.float32(TracksParams.limit / params.limit if params.limit else 1.0)
    checked = check_tracks(faces, found, params.embed_faces, lambda rows: embeddings_of(rows) * scale)
    owner = checked.owner
    kept = np.flatnonzero(owner != DROPPED)
    members_rows = pa.table({"face": kept.astype(np.int64), "track": owner[kept]}).cast(tables.TRACKS)
    chosen = choose_faces(faces, owner, params.embed_faces)
    embedding_rows = _embedding_rows(faces, checked, chosen, embeddings_of(chosen))
    tables.write_table(context.out / "tracks.parquet", [members_rows], tables.TRACKS)
    tables.write_table(context.out / "embeddings.parquet", [embedding_rows], tables.EMBEDDINGS)
    if checked.doubt:
        numbers = ", ".join(map(str, sorted(checked.doubt)))
        context.warn(
            f"tracks that may show more than one person: {numbers}; their identity score is low; check them with "
            f"{command('people', context.workspace.path)}"
        )
    return {"tracks": int(owner.max(initial=DROPPED)) + 1}


def find_tracks(faces: Faces, params: TracksParams, appearance: Appearance) -> NDArray[np.int32]:
    """(N,) track of every face, numbered across the video; DROPPED for false alarms."""
    owner = np.full(len(faces.frame), DROPPED, dtype=np.int32)
    # Consecutive sampled frames are not a gap, at any sampling interval; a factor of 1.5, as the spacing is uneven.
    max_gap_s = max(params.max_gap_s, 1.5 * faces.interval_s)
    lasting = math.ceil(LASTING_S / faces.interval_s) if faces.interval_s else params.min_faces
    # A still picture counts as often as it would have been sampled.
    looks = 1 + np.rint((faces.until_s - faces.pts_s) / max(faces.interval_s, 1e-6))
    total = 0
    for shot, frames in faces.frames_in_shot.items():
        first, last = np.searchsorted(faces.shot, [shot, shot + 1])
        inside = slice(first, last)
        # In a shot too short for `min_faces`, a face that is visible throughout is accepted.
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


def check(params: TracksParams) -> None:
    """Check the parameters before a long run.

    Raises:
        ConfigError: one is out of range.
    """
    require_ranges(
        params,
        ("min_iou", 0 <= params.min_iou <= 1, "from 0 to 1"),
        ("max_gap_s", params.max_gap_s >= 0, "0 or more"),
        ("min_faces", params.min_faces >= 1, "1 or more"),
        ("embed_faces", params.embed_faces >= 1, "1 or more"),
        ("limit", params.limit >= 0, "0 or more"),
    )


def _load_embedder(context: StageContext, params: TracksParams) -> Embedder:
    from fercli.models.devices import pick_device

    embedder: Embedder = context.models.load(
        find_model(params.embedder, "embedder"), device=pick_device(context.runtime.device)
    )
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
    """Box of the face in its upright crop: in the middle, its longer side `1 / scale` of the crop's."""
    sides = box[2:] - box[:2]
    if roll is not None and 45 < abs(roll) < 135:
        sides = sides[::-1]
    half = sides / sides.max() * crop.shape[0] / scale / 2
    middle = crop.shape[0] / 2
    return np.concatenate([middle - half, middle + half]).astype(np.float32)


def _embedding_rows(
    faces: Faces, checked: Checked, chosen: NDArray[np.int64], embeddings: NDArray[np.float32]
) -> pa.Table:
    """One row per track that has a face to embed, ascending.

    The embedding of a track is the mean over its faces; its confidence is the quality of the best one.
    """
    numbers, row_of = np.unique(checked.owner[chosen], return_inverse=True)
    means = np.zeros((len(numbers), embeddings.shape[1]), dtype=np.float32)
    np.add.at(means, row_of, embeddings)
    means /= np.maximum(np.bincount(row_of, minlength=len(numbers)), 1)[:, None].astype(np.float32)
    confidence = np.zeros(len(numbers), dtype=np.float32)
    np.maximum.at(confidence, row_of, faces.quality[chosen].astype(np.float32))
    doubt = [checked.doubt.get(int(track), 0.0) for track in numbers]
    return pa.table([numbers.astype(np.int32), list(means), confidence, doubt], schema=tables.EMBEDDINGS)
