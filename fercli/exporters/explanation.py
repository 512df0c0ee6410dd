"""A sheet of faces with heat maps: what the network looked at when it named the emotion.

Each face stands still for a clip, so that what is shown is one face and not four.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.config import FacesParams
from fercli.datasets.framing import spread
from fercli.errors import InputError, MissingStage
from fercli.geometry import square_around
from fercli.labels import NOT_ASSESSABLE
from fercli.media.crops import read_crops
from fercli.media.images import read_image, square_crop
from fercli.models.classifier import EmotionClassifier, FaceView
from fercli.models.pictures import default_detector, find_faces
from fercli.workspace import Workspace

SIDE = 192
"""Largest side of a face on the sheet, pixels."""


@dataclass(frozen=True)
class Face:
    """A face to explain.

    Attributes:
        crop: (S, S, 3) RGB, cut as detect-faces cuts.
        crop_scale: side of the crop in longer sides of the box.
        name: who and when.
    """

    crop: NDArray[np.uint8]
    crop_scale: float
    name: str


def faces_of_workspace(workspace: Workspace, limit: int) -> list[Face]:
    """The face in the middle of each assessed segment; if there are more than `limit`, some spread over the video.

    Raises:
        MissingStage: the segments or the receipt of the faces are missing.
        CorruptTable: a table cannot be read.
    """
    receipt = workspace.receipt("2-faces")
    if receipt is None or not workspace.table("segments").exists():
        raise MissingStage(
            f"{workspace.path} has no emotions yet", hint=f"fercli annotate {workspace.video.path} does all stages"
        )
    persons = {row["track"]: row["person"] for row in _rows(workspace, "people", tables.PEOPLE)}
    segments = [row for row in _rows(workspace, "segments", tables.SEGMENTS) if row["class"] != NOT_ASSESSABLE]
    chosen = [segments[row] for row in spread(len(segments), limit)]
    crops = dict(read_crops(workspace.table("crops"), np.array([row["face"] for row in chosen], np.int64)))
    return [
        Face(
            crops[row["face"]],
            float(receipt.params["crop_scale"]),
            f"{persons[row['track']] or 'unassigned'} {row['start_s']:.1f} s",
        )
        for row in chosen
    ]


def faces_of_image(path: Path, limit: int) -> list[Face]:
    """The largest faces of a picture.

    Raises:
        InputError: not a picture, or no face in it.
    """
    image = read_image(path)
    boxes = find_faces(image, default_detector())
    if not len(boxes):
        raise InputError(f"no face found in {path}", hint="give a picture in which a face is larger or clearer")
    largest = np.argsort(-(boxes[:, 2:] - boxes[:, :2]).prod(axis=1), kind="stable")[:limit]
    scale = FacesParams.crop_scale
    return [
        Face(square_crop(image, square_around(boxes[row], scale), FacesParams.crop_size), scale, f"face {number}")
        for number, row in enumerate(largest, start=1)
    ]


def explain(classifier: EmotionClassifier, faces: Sequence[Face], path: Path) -> None:
    """Draw each face beside the heat map of the class it was given.

    Raises:
        ConfigError: no face, or a path that is no `.png`.
        OutputError: the sheet cannot be written.
    """
    from fercli.models.activation import explanation_sheet

    views = [FaceView(classifier.header, face.crop_scale) for face in faces]
    stills = [view(face.crop) for view, face in zip(views, faces, strict=True)]
    size, n_frames = classifier.header.input_size, classifier.header.n_frames
    clips = np.asarray(stills, np.uint8).reshape(-1, 1, size, size).repeat(n_frames, axis=1)
    shown = [
        square_crop(face.crop, np.asarray(view.square(face.crop), np.float32), SIDE)
        for view, face in zip(views, faces, strict=True)
    ]
    probabilities = classifier.classify(clips) if len(clips) else np.zeros((0, len(classifier.head.labels)))
    best = probabilities.argmax(axis=1).tolist()
    heats = classifier.heat_maps(clips, best).mean(axis=1) if len(clips) else np.zeros((0, size, size), np.float32)
    heats /= np.maximum(heats.max(axis=(1, 2), keepdims=True, initial=0), 1e-6)  # the frames' maxima may lie apart
    captions = [
        f"{face.name}: {classifier.head.labels[label]} {probabilities[row, label]:.2f}"
        for row, (face, label) in enumerate(zip(faces, best, strict=True))
    ]
    explanation_sheet(shown, list(heats), captions, path)


def _rows(workspace: Workspace, name: str, schema: pa.Schema) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tables.read_table(workspace.table(name), schema).to_pylist()
    return rows
