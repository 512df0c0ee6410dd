"""A sheet of faces with heat maps of the evidence for the predicted emotions.

Each face is repeated to a clip, so that the heat map explains one face and not four.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.config import FacesParams
from fercli.errors import InputError
from fercli.formats.face_rows import middle_faces
from fercli.geometry import square_around
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES
from fercli.learn.datasets.framing import spread
from fercli.media.crops import read_crops
from fercli.media.images import read_image, square_crop, upright
from fercli.models.classifier import EmotionClassifier, FaceView
from fercli.models.pictures import default_detector, find_faces
from fercli.results.load import load
from fercli.tables import FACES, read_table
from fercli.workspace import Workspace

SIDE = 192
"""Largest side of a face on the sheet, pixels."""


@dataclass(frozen=True)
class Face:
    """A face to explain.

    Attributes:
        crop: (S, S, 3) RGB, cropped as in detect-faces and rotated upright.
        crop_scale: side of the crop in longer sides of the box.
        name: person and time.
    """

    crop: NDArray[np.uint8]
    crop_scale: float
    name: str


def faces_of_workspace(workspace: Workspace, limit: int) -> list[Face]:
    """The face in the middle of each assessed segment that has one; at most `limit`, spread over the video.

    Raises:
        MissingStage: a stage has not run.
        CorruptTable: a table cannot be read.
        InputError: the edits or a crop cannot be read.
    """
    result = load(workspace)
    scale = workspace.crop_scale
    faces = result.details().faces
    seen = [
        (faces["face"][row].as_py(), f"{segment.person} {faces['pts_s'][row].as_py():.1f} s")
        for segment, row in middle_faces(result, faces)
        if row is not None and segment.emotion != NOT_ASSESSABLE
    ]
    chosen = [seen[place] for place in spread(len(seen), limit)]
    rolls = read_table(workspace.table("faces"), FACES)["roll"]
    crops = dict(read_crops(workspace.table("crops"), np.array([face for face, _ in chosen], np.int64)))
    return [Face(upright(crops[face], rolls[face].as_py()), scale, name) for face, name in chosen]


def faces_of_image(path: Path, limit: int) -> list[Face]:
    """The largest faces of a picture.

    Raises:
        InputError: not a picture, or no face in it.
    """
    image = read_image(path)
    boxes = find_faces(image, default_detector())
    if not len(boxes):
        raise InputError(
            f"no face found in {path}", hint="give a picture with a larger or clearer face", code="face-missing"
        )
    largest = np.argsort(-(boxes[:, 2:] - boxes[:, :2]).prod(axis=1), kind="stable")[:limit]
    scale = FacesParams.crop_scale
    return [
        Face(square_crop(image, square_around(boxes[row], scale), FacesParams.crop_size), scale, f"face {number}")
        for number, row in enumerate(largest, start=1)
    ]


def explain(classifier: EmotionClassifier, faces: Sequence[Face], path: Path) -> None:
    """Draw each face beside the heat map of its predicted class.

    Raises:
        ConfigError: no face, or a path that is not a `.png`.
        OutputError: the sheet cannot be written.
    """
    from fercli.models.activation import explanation_sheet

    views = [FaceView(classifier.header, face.crop_scale) for face in faces]
    stills = [view(face.crop) for view, face in zip(views, faces, strict=True)]
    size, n_frames = classifier.header.input_size, classifier.header.n_frames
    clips = np.asarray(stills, np.uint8).reshape(-1, 1, size, size).repeat(n_frames, axis=1)
    shown = [
        square_crop(face.crop, np.asarray(view.square(len(face.crop)), np.float32), SIDE)
        for view, face in zip(views, faces, strict=True)
    ]
    probabilities = classifier.classify(clips) if len(clips) else np.zeros((0, len(classifier.head.labels)))
    best = probabilities.argmax(axis=1).tolist()
    heats = classifier.heat_maps(clips, best).mean(axis=1) if len(clips) else np.zeros((0, size, size), np.float32)
    heats /= np.maximum(
        heats.max(axis=(1, 2), keepdims=True, initial=0), 1e-6
    )  # the maxima of the frames may be at different places
    captions = [
        f"{face.name}: {RECORD_NAMES[classifier.head.labels[label]]} {probabilities[row, label]:.2f}"
        for row, (face, label) in enumerate(zip(faces, best, strict=True))
    ]
    explanation_sheet(shown, list(heats), captions, path)
