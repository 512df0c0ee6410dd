"""A gallery of known persons: their pictures read into embeddings that can be compared with those of faces in video.

A picture is processed like a frame in detect-faces: same detector, same image size, same square crop. So distances
between a picture and a face in a video are comparable with those between two faces in videos, and one limit serves for
both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fercli.config import FacesParams
from fercli.errors import InputError
from fercli.geometry import square_around
from fercli.models.detections import Detector
from fercli.models.pictures import find_faces
from fercli.persons.gallery_files import Entry, list_gallery
from fercli.progress import Reporter

MIN_FACE = 40
"""Shorter side, in pixels, of the smallest face that identifies a person well."""
_BYSTANDER = 1 / 3
"""Faces smaller than this, compared with the largest, are in the background of a portrait and do not count as a second
person."""


class Embedder(Protocol):
    """Interface of a face recognition network."""

    def embed(self, crops: Sequence[NDArray[np.uint8]], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, D) embeddings of the faces at (N, 4) boxes, each in the pixels of its own crop."""


@dataclass(frozen=True)
class Face:
    """The one face of a picture.

    Attributes:
        crop: (S, S, 3) square around it.
        box: (4,) its box, in pixels of the crop.
    """

    crop: NDArray[np.uint8]
    box: NDArray[np.float32]


@dataclass(frozen=True)
class Problem:
    """A picture that could not be used; `reason` is a sentence that names the file, `code` as of `FercliError`."""

    person: str
    file: Path
    reason: str
    code: str = "gallery-picture-unusable"


@dataclass(frozen=True)
class Portraits:
    """The usable pictures of one person.

    Attributes:
        files: their paths.
        embeddings: (n, D) float32, row k of file k.
    """

    files: tuple[Path, ...]
    embeddings: NDArray[np.float32]


@dataclass(frozen=True)
class Gallery:
    """Known persons.

    Attributes:
        persons: name -> pictures, in the order of names; each person has at least one.
        problems: pictures that could not be used.
        missing: names of persons without a usable picture.
    """

    persons: dict[str, Portraits]
    problems: tuple[Problem, ...]
    missing: tuple[str, ...]

    def warnings(self) -> list[str]:
        """One sentence for each person or picture that was left out."""
        nobody = [f"the gallery has no usable picture of {name}, who will not be found" for name in self.missing]
        return [problem.reason for problem in self.problems] + nobody


def read_gallery(path: Path, detector: Detector, embedder: Embedder, reporter: Reporter) -> Gallery:
    """Read all pictures of a gallery. The caller reports `warnings()`.

    Args:
        path: directory laid out as `fercli.persons.gallery_files` says.
        detector: the default detector.
        embedder: the network that embeds the faces of the videos.
        reporter: gets progress and warnings.

    Raises:
        InputError: the gallery cannot be read, is empty, or has no usable picture.
    """
    entries = list_gallery(path)
    if not entries:
        raise InputError(
            f"the gallery {path} is empty",
            hint=f"add a picture of each person, such as {path / 'Ross.jpg'}",
            code="gallery-empty",
        )
    gallery = read_entries(entries, detector, embedder, reporter)
    if not gallery.persons:
        first = f", for example: {gallery.problems[0].reason}" if gallery.problems else ": its folders are empty"
        raise InputError(
            f"the gallery {path} has no usable picture{first}",
            hint=f"give pictures of one face each, at least {MIN_FACE} pixels wide",
            code="gallery-empty",
        )
    return gallery


def read_entries(entries: Sequence[Entry], detector: Detector, embedder: Embedder, reporter: Reporter) -> Gallery:
    """The same for listed entries; none of them must be usable. Holds the crops of one person in memory."""
    persons: dict[str, Portraits] = {}
    problems: list[Problem] = []
    with reporter.task("gallery", sum(len(entry.pictures) for entry in entries), "picture") as task:
        for entry in entries:
            files, faces = [], []
            for file in entry.pictures:
                try:
                    faces.append(read_face(file, detector))
                    files.append(file)
                except InputError as error:
                    problems.append(Problem(entry.name, file, error.message, error.code))
                task.advance()
            if faces:
                persons[entry.name] = Portraits(tuple(files), embed_faces(faces, embedder))
    missing = tuple(entry.name for entry in entries if entry.name not in persons)
    return Gallery(persons, tuple(problems), missing)


def read_face(file: Path, detector: Detector) -> Face:
    """The one face in a picture file.

    Raises:
        InputError: it is not a picture, or shows no face or several; the message names the file.
    """
    from fercli.media.images import read_image

    return only_face(read_image(file), detector, str(file))


def only_face(picture: NDArray[np.uint8], detector: Detector, name: str) -> Face:
    """The one face in an upright (H, W, 3) picture.

    Raises:
        InputError: it shows no face, several, or one too small; the message begins with `name`.
    """
    from fercli.media.images import square_crop

    boxes = find_faces(picture, detector)
    sizes = (boxes[:, 2:] - boxes[:, :2]).min(axis=1)
    largest = float(sizes.max(initial=0))
    if not largest:
        raise InputError(f"{name}: no face was found", code="gallery-picture-unusable")
    if largest < MIN_FACE:
        raise InputError(
            f"{name}: its largest face is {largest:.0f} pixels wide, less than {MIN_FACE}",
            code="gallery-picture-unusable",
        )
    near = sizes >= max(MIN_FACE, largest * _BYSTANDER)
    if near.sum() > 1:
        raise InputError(
            f"{name}: it shows {near.sum()} faces; it must show one person alone",
            code="gallery-picture-unusable",
        )
    box = boxes[sizes.argmax()]
    square = square_around(box, FacesParams.crop_scale)
    crop = square_crop(picture, square, FacesParams.crop_size)
    inside = (box - np.tile(square[:2], 2)) * crop.shape[0] / (square[2] - square[0])
    return Face(crop, inside.astype(np.float32))


def embed_faces(faces: Sequence[Face], embedder: Embedder) -> NDArray[np.float32]:
    """(N, D) embeddings of at least one face."""
    return embedder.embed([face.crop for face in faces], np.stack([face.box for face in faces]))
