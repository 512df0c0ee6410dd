"""Which clips show the same pictures: recaps, trailers, videos that are there twice.

Up to LOOKS faces of a clip are embedded with the network that recognises persons. Copies of one picture, even if they
were encoded again, lie within SAME_PICTURE of each other, two pictures of one person mostly do not.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.config import FacesParams, TracksParams
from fercli.corpus.clip_files import FACE_SIDE, FRAMES
from fercli.corpus.manifest import Clip
from fercli.media.images import read_image
from fercli.models.loaded import Models
from fercli.models.registry import find_model
from fercli.persons.gallery_check import SAME_PICTURE
from fercli.writing import new_file, writing

LOOKS = 5
"""Largest number of faces of a clip that are embedded."""
Looks = Mapping[str, NDArray[np.float32]]
"""Id of a clip -> (k, D) embeddings."""


@dataclass(frozen=True)
class Alike:
    """Two clips that show the same pictures: their ids, and the median distance of the nearest faces."""

    first: str
    second: str
    distance: float


def write_likeness(path: Path, clips: Sequence[Clip], folder: Path, models: Models) -> None:
    """Embed faces of clips, whose files are there; those in the file already are kept.

    Raises:
        ModelError: the network cannot be used.
        OutputError: the file cannot be written.
    """
    known = dict(read_likeness([path]))
    missing = [clip for clip in clips if clip.id not in known]
    if not missing and len(known) == len(clips):
        return
    embedder = models.load(find_model(TracksParams.embedder, "embedder")) if missing else None
    half = FACE_SIDE / FacesParams.crop_scale / 2
    box = np.array([FACE_SIDE / 2 - half] * 2 + [FACE_SIDE / 2 + half] * 2, np.float32)
    for clip in missing:
        files = sorted((folder / FRAMES / clip.id).glob("*.jpg"))
        places = np.linspace(0, len(files) - 1, LOOKS if files else 0).round().astype(int)
        crops = [read_image(files[number]) for number in sorted(set(places.tolist()))]
        if crops and embedder is not None:
            known[clip.id] = embedder.embed(crops, np.tile(box, (len(crops), 1)))
    with writing(path), new_file(path, private=True) as temporary, temporary.open("wb") as file:
        arrays: dict[str, Any] = {clip.id: known[clip.id] for clip in clips if clip.id in known}
        np.savez(file, **arrays)


def read_likeness(paths: Sequence[Path]) -> Looks:
    """The embeddings in some files; a file that is missing or damaged has none."""
    found: dict[str, NDArray[np.float32]] = {}
    for path in paths:
        try:
            with np.load(path, allow_pickle=False) as arrays:
                found |= {name: np.asarray(arrays[name], np.float32) for name in arrays.files}
        except (OSError, ValueError, zipfile.BadZipFile):
            continue
    return found


def find_alike(some: Sequence[str], others: Sequence[str], looks: Looks) -> list[Alike]:
    """For each clip of the first list, the nearest clip of the second that shows the same pictures, if there is one."""
    from scipy.spatial.distance import cdist

    known = [name for name in others if name in looks]
    if not known:
        return []
    rows = np.concatenate([looks[name] for name in known])
    begins = np.cumsum([0, *(len(looks[name]) for name in known[:-1])])
    found = []
    for name in some:
        if name in looks:
            nearest = np.minimum.reduceat(cdist(looks[name], rows), begins, axis=1)
            medians = np.median(nearest, axis=0)
            best = int(medians.argmin())
            if medians[best] <= SAME_PICTURE:
                found.append(Alike(name, known[best], float(medians[best])))
    return found
