"""Add pictures to a gallery from a video: the best and most different faces of one of its persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fercli import tables
from fercli.config import PersonsParams
from fercli.errors import ConfigError, InputError
from fercli.files import fitting_name
from fercli.models.detections import Detector
from fercli.persons.gallery import MIN_FACE, Embedder, Face, Gallery, embed_faces, only_face, read_entries
from fercli.persons.gallery_check import outliers
from fercli.persons.gallery_files import Entry, add_picture, find_entry, list_gallery, not_a_name, shown_name
from fercli.progress import Reporter
from fercli.tracking.faces import judge
from fercli.tracking.identity import rms_distance
from fercli.workspace import Workspace

_ROOM = " (99).jpg"
"""Longest suffix that may be added to the name of a picture."""
_LOOK_AT = 8
"""Crops examined per picture to be added."""
_APART_S = 1.0
"""Crops of one track closer in time are nearly the same."""
_DIFFERENT = 0.2
"""Least distance of a new picture from the others; above `gallery_check.SAME_PICTURE`."""


@dataclass(frozen=True)
class Portrait:
    """A crop that shows the person alone.

    Attributes:
        time_s: time of the frame.
        crop: (S, S, 3) as it is stored in the workspace.
        face: the face in it, as the gallery detects it.
    """

    time_s: float
    crop: NDArray[np.uint8]
    face: Face


def add_from(
    workspace: Workspace,
    tracks: Sequence[int],
    person: str,
    name: str,
    gallery: Path,
    detector: Detector,
    embedder: Embedder,
    reporter: Reporter,
    *,
    pictures: int,
    force: bool,
) -> list[Path]:
    """Write pictures of a person of a video to a gallery, which is created if it does not exist.

    Faces are taken from as many tracks as possible, the largest, sharpest and most frontal first, and only those that
    differ from each other and from the person's pictures in the gallery. No picture is replaced.

    Args:
        workspace: a workspace in which `track` has run.
        tracks: tracks of the person.
        person: displayed name, for messages.
        name: the person's name in the gallery.
        gallery: directory laid out as `fercli.persons.gallery_files` says.
        detector, embedder: the default networks.
        reporter: gets progress and warnings.
        pictures: largest number of pictures.
        force: add them even if the person looks like another person in the gallery.

    Returns:
        The files written; fewer than `pictures`, or none, if the other faces are too similar.

    Raises:
        ConfigError: an invalid name, or `pictures` is less than 1.
        InputError: no crop shows the face well, it looks like another person, or the gallery cannot be read.
        OutputError: the gallery cannot be written.
    """
    name = shown_name(name)
    _check(name, pictures)
    entries = list_gallery(gallery) if gallery.exists() else []
    entry = find_entry(entries, name, gallery)
    candidates = _candidates(workspace, tracks, _LOOK_AT * pictures)
    portraits, embeddings = _portraits(workspace, person, candidates, detector, embedder)
    known = read_entries(entries, detector, embedder, reporter)
    for warning in known.warnings():
        reporter.warn(warning)
    if not force:
        _refuse_other_person(embeddings, person, entry, known)
    own = known.persons[entry.name].embeddings if entry.name in known.persons else embeddings[:0]
    chosen = _different(embeddings, own, pictures)
    return [add_picture(entry.path, _source(workspace, portraits[row].time_s), portraits[row].crop) for row in chosen]


def _check(name: str, pictures: int) -> None:
    if not_a_name(name):
        raise ConfigError(
            f"--name: {not_a_name(name)}", hint="give the name of the person, such as --name Ross", code="name-invalid"
        )
    if pictures < 1:
        raise ConfigError(f"--pictures is {pictures}", hint="use a value 1 or more", code="option-out-of-range")


def _candidates(workspace: Workspace, tracks: Sequence[int], at_most: int) -> dict[int, float]:
    """Face -> time, the best first: the best face of every track, then the second best of each, and so on."""
    faces = _faces(workspace, tracks)
    track, times, score = (faces[name].to_numpy() for name in ("track", "pts_s", "quality"))
    taken: dict[int, list[int]] = {}
    ranked = []
    for row in np.argsort(-score, kind="stable").tolist():
        others = taken.setdefault(int(track[row]), [])
        if all(abs(times[row] - times[other]) >= _APART_S for other in others):
            ranked.append((len(others), row))
            others.append(row)
    ranked.sort(key=lambda pair: pair[0])
    number = faces["face"].to_numpy()
    return {int(number[row]): float(times[row]) for _, row in ranked[:at_most]}


def _faces(workspace: Workspace, tracks: Sequence[int]) -> pa.Table:
    """`face`, `track`, `pts_s` and `quality` of the faces in some tracks that are good enough for a picture."""
    members = tables.read_table(workspace.table("tracks"), tables.TRACKS)
    members = members.filter(pc.is_in(members["track"], pa.array(tracks, pa.int32())))
    frames = tables.read_table(workspace.table("frames"), tables.FRAMES)
    faces = tables.read_table(workspace.table("faces"), tables.FACES)
    columns = faces.select(["face", "frame", "size", "sharpness", "contrast", "frontal"])
    rows = columns.join(members, "face", join_type="inner").join(frames, "frame", join_type="inner").sort_by("face")
    usable, quality = judge(rows)
    large = rows["size"].to_numpy() >= MIN_FACE
    return rows.append_column("quality", pa.array(quality)).filter(pa.array(usable & large))


def _portraits(
    workspace: Workspace, person: str, candidates: dict[int, float], detector: Detector, embedder: Embedder
) -> tuple[list[Portrait], NDArray[np.float32]]:
    """The candidates whose crop shows a single face, of the same person as the others, and their embeddings."""
    from fercli.media.crops import read_crops

    found: dict[int, Portrait] = {}
    for face, crop in read_crops(workspace.table("crops"), np.array(list(candidates), dtype=np.int64)):
        try:
            found[face] = Portrait(candidates[face], crop, only_face(crop, detector, f"face {face}"))
        except InputError:
            continue  # the gallery would not detect this face either
    portraits = [found[face] for face in candidates if face in found]
    if not portraits:
        raise InputError(
            f"no crop of {person} in {workspace.path} shows one face of at least {MIN_FACE} pixels",
            hint="take the pictures from a video that shows the person larger and sharper",
            code="face-missing",
        )
    embeddings = embed_faces([portrait.face for portrait in portraits], embedder)
    odd = outliers(embeddings, PersonsParams.max_distance)
    return [portrait for row, portrait in enumerate(portraits) if row not in odd], np.delete(embeddings, odd, axis=0)


def _refuse_other_person(embeddings: NDArray[np.float32], person: str, entry: Entry, known: Gallery) -> None:
    """Raise InputError if the person looks more like another person, or unlike their own pictures in the gallery."""
    distances = {name: rms_distance(embeddings, portraits.embeddings) for name, portraits in known.persons.items()}
    own = distances.pop(entry.name, None)
    nearest = min(distances, key=distances.__getitem__, default="")
    near = distances.get(nearest, np.inf)
    if near <= PersonsParams.max_distance and (own is None or near < own):
        raise InputError(
            f"{person} looks like {nearest} in the gallery (distance {near:.2f})",
            hint=f'use --name "{nearest}" if it is the same person, or --force if it is not',
            code="gallery-mismatch",
        )
    if own is not None and own > PersonsParams.max_distance:
        raise InputError(
            f"{person} does not look like {entry.name} in the gallery (distance {own:.2f})",
            hint="choose another --person or --name, or use --force if it is the same person",
            code="gallery-mismatch",
        )


def _different(embeddings: NDArray[np.float32], own: NDArray[np.float32], at_most: int) -> list[int]:
    """Rows, in order, that differ from the existing pictures and from the rows before."""
    chosen: list[int] = []
    for row, embedding in enumerate(embeddings):
        there = np.concatenate([own, embeddings[chosen]])
        if len(chosen) < at_most and (np.linalg.norm(there - embedding, axis=1) >= _DIFFERENT).all():
            chosen.append(row)
    return chosen


def _source(workspace: Workspace, time_s: float) -> str:
    """`episode 1 0h12m34.560s`: sorts by time, and is a file name on every system."""
    ms = round(time_s * 1000)
    clock = f"{ms // 3_600_000}h{ms // 60_000 % 60:02}m{ms // 1000 % 60:02}.{ms % 1000:03}s"
    return fitting_name(Path(workspace.video.path).stem, f" {clock}{_ROOM}").removesuffix(_ROOM)
