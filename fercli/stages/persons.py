"""track, second stage: tracks -> persons across the video.

Tracks whose embeddings lie close are one person, unless both are visible in the same frame. Persons get their names
from a gallery of pictures and from the cast of the series, if there are any. Only tables are read, no pixels of the
video, so a change of gallery, cast or limit needs no new embeddings of tracks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.chain import TRACKS
from fercli.config import FacesParams, PersonsParams
from fercli.errors import ConfigError, command
from fercli.models.registry import find_model, weights_key
from fercli.persons import cast
from fercli.persons.gallery import Embedder, read_gallery
from fercli.persons.gallery_files import gallery_digest, list_gallery
from fercli.persons.identify import Enrol, Tracks, identify
from fercli.stages.base import NO_FACE, StageContext, require_ranges
from fercli.tracking.association import DROPPED
from fercli.tracking.clustering import cluster
from fercli.tracking.faces import Faces, members, read_faces, seen_together
from fercli.tracking.identity import same_person


def run(context: StageContext, params: PersonsParams) -> dict[str, Any]:
    """Find the persons; returns counts.

    Raises:
        ConfigError: a parameter is out of range, or the tracks were embedded by another network.
        InputError: the gallery or the cast cannot be used.
        ModelError: a network cannot be used.
    """
    check(params)
    _require_same_embedder(context, params)
    return find_persons(context, params, lambda: _load_embedder(context, params))


def find_persons(context: StageContext, params: PersonsParams, load: Callable[[], Embedder]) -> dict[str, Any]:
    """The stage with any embedder, loaded only if there is a gallery."""
    faces = read_faces(context.workspace)
    if not len(faces.frame):
        context.skip(NO_FACE, {"persons": tables.PERSONS})
        return {"persons": 0, "unassigned": 0}
    owner = _owner(context, len(faces.frame))
    rows = tables.read_table(context.workspace.table("embeddings"), tables.EMBEDDINGS)
    known, tracks = _tracks(faces, owner, rows)
    gallery = _gallery(context, params, load) if len(known) else {}
    group = cluster(tracks.embeddings, tracks.conflicts, params.max_distance)
    names, identity = identify(tracks, group, gallery, _enrol(context, params), params.max_distance)
    # The identity score is at most the probability that all parts of the track are one person.
    identity = np.minimum(identity, same_person(rows["doubt"].to_numpy()).astype(np.float32))
    persons = _rows(faces, owner, {int(t): (n, float(i)) for t, n, i in zip(known, names, identity, strict=True)})
    tables.write_table(context.out / "persons.parquet", [persons], tables.PERSONS)
    return {"persons": len(set(names)), "unassigned": persons["person"].null_count}


def weights(params: PersonsParams) -> dict[str, str]:
    """The embedder, and with a gallery the detector for its pictures; with their sha256."""
    detector = weights_key(find_model(FacesParams.detector, "detector")) if params.gallery else {}
    return _embedder(params) | detector


def outside(params: PersonsParams) -> dict[str, str]:
    """Digest of the gallery's pictures. A cast is identified by its path only: other videos that are added to it do not
    make this one stale.

    Raises:
        InputError: the gallery cannot be read.
    """
    return {"gallery": gallery_digest(Path(params.gallery))} if params.gallery else {}


def check(params: PersonsParams) -> None:
    """Check the parameters, the gallery and the cast before a long run; errors as `run`."""
    require_ranges(params, ("max_distance", params.max_distance >= 0, "0 or more"))
    if params.gallery:
        list_gallery(Path(params.gallery))
    if params.cast:
        cast.check(Path(params.cast), _embedder_key(params))


def _require_same_embedder(context: StageContext, params: PersonsParams) -> None:
    """Embeddings of two networks cannot be compared."""
    receipt = context.workspace.receipt(TRACKS.name)
    if receipt is not None and receipt.weights != _embedder(params):
        used = ", ".join(receipt.weights)
        raise ConfigError(
            f"the tracks in {context.workspace.path} were embedded by {used}, not by {params.embedder}",
            hint=f"run: {command('track', context.workspace.path, '--embedder', params.embedder)}",
        )


def _load_embedder(context: StageContext, params: PersonsParams) -> Embedder:
    from fercli.models.devices import pick_device

    embedder: Embedder = context.models.load(
        find_model(params.embedder, "embedder"), device=pick_device(context.runtime.device)
    )
    return embedder


def _owner(context: StageContext, count: int) -> NDArray[np.int32]:
    """(count,) track of every face; DROPPED for faces in no track."""
    rows = tables.read_table(context.workspace.table("tracks"), tables.TRACKS)
    owner = np.full(count, DROPPED, np.int32)
    owner[rows["face"].to_numpy()] = rows["track"].to_numpy()
    return owner


def _tracks(faces: Faces, owner: NDArray[np.int32], rows: pa.Table) -> tuple[list[int], Tracks]:
    """Numbers of the tracks that have an embedding, ascending, and their data."""
    known = rows["track"].to_pylist()
    embeddings = np.array(rows["embedding"].to_pylist(), np.float32).reshape(len(known), -1 if known else 0)
    index = {track: row for row, track in enumerate(known)}
    conflicts = [(index[a], index[b]) for a, b in seen_together(faces, owner) if a in index and b in index]
    return known, Tracks(embeddings, rows["confidence"].to_numpy(), conflicts)


def _gallery(
    context: StageContext, params: PersonsParams, load: Callable[[], Embedder]
) -> dict[str, NDArray[np.float32]]:
    """Name -> (n, D) embeddings of the pictures of known persons; none without a gallery."""
    if not params.gallery:
        return {}
    detector = context.models.load(find_model(FacesParams.detector, "detector"), device=context.runtime.device)
    gallery = read_gallery(Path(params.gallery), detector, load(), context.reporter)
    for warning in gallery.warnings():
        context.warn(warning)
    return {name: portraits.embeddings for name, portraits in gallery.persons.items()}


def _enrol(context: StageContext, params: PersonsParams) -> Enrol | None:
    if not params.cast:
        return None
    path, embedder, video = Path(params.cast), _embedder_key(params), context.workspace.video.sha256
    return lambda groups, conflicts: cast.enrol(path, embedder, video, groups, conflicts, params.max_distance)


def _embedder(params: PersonsParams) -> dict[str, str]:
    return weights_key(find_model(params.embedder, "embedder"))


def _embedder_key(params: PersonsParams) -> str:
    """Embeddings can only be compared with those of the same network."""
    return " ".join(f"{name} {sha256[:12]}" for name, sha256 in _embedder(params).items())


def _rows(faces: Faces, owner: NDArray[np.int32], who: Mapping[int, tuple[str, float]]) -> pa.Table:
    """One row per track; `who` has the name and identity score of the tracks that have a person."""
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
    return pa.Table.from_pylist(rows, schema=tables.PERSONS)
