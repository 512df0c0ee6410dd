"""The faces in pictures, as candidates for a gallery: what `track` needs to know of a face, and its crop on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli.config import FacesParams
from fercli.corpus.sources import Picture
from fercli.geometry import frontality, square_around
from fercli.media.images import contrast, encode_jpeg, sharpness, square_crop
from fercli.models.detections import Detector
from fercli.models.pictures import detect_faces
from fercli.persons.gallery import MIN_FACE, Embedder
from fercli.tracking.faces import TURNED_AWAY, judge


@dataclass(frozen=True)
class Candidate:
    """A face.

    Attributes:
        file, time_s: as of its `Picture`.
        box: `x1, y1, x2, y2`, pixels of the picture.
        quality: how well it shows its person, in [0, 1], see `tracking.faces.judge`.
        poor: why it is not good enough for a gallery; empty if it is.
        crop: JPEG file of a square around it.
    """

    file: Path
    time_s: float | None
    box: tuple[float, float, float, float]
    quality: float
    poor: str
    crop: Path


def find_candidates(
    picture: Picture, detector: Detector, embedder: Embedder, folder: Path, number: int
) -> tuple[list[Candidate], NDArray[np.float32]]:
    """All faces of a picture, the largest first.

    Args:
        picture: the picture.
        detector, embedder: the default networks.
        folder: where crops are written. number: of the picture, for their names.

    Returns:
        The faces, and an (n, D) embedding of each that is good enough; the others are not embedded and have zeros.
    """
    found = detect_faces(picture.image, detector)
    order = np.argsort(-_shorter(found.boxes), kind="stable")
    found = found.take(order)
    measured = [
        _measured(picture.image, box, None if found.landmarks is None else found.landmarks[row])
        for row, box in enumerate(found.boxes)
    ]
    usable, quality = judge(pa.Table.from_pylist(measured, schema=_MEASURED))
    candidates, crops, boxes = [], [], []
    for row, box in enumerate(found.boxes):
        square = square_around(box, FacesParams.crop_scale)
        crop = square_crop(picture.image, square, FacesParams.crop_size)
        file = folder / f"{number}-{row}.jpg"
        poor = _why_poor(measured[row], good=bool(usable[row]))
        if not poor:
            file.write_bytes(encode_jpeg(crop))
            crops.append(crop)
            boxes.append((box - np.tile(square[:2], 2)) * crop.shape[0] / (square[2] - square[0]))
        x1, y1, x2, y2 = box.tolist()
        candidates.append(Candidate(picture.file, picture.time_s, (x1, y1, x2, y2), float(quality[row]), poor, file))
    good = np.array([not one.poor for one in candidates], dtype=bool)
    if not good.any():
        return candidates, np.zeros((len(candidates), 1), np.float32)
    own = embedder.embed(crops, np.stack(boxes).astype(np.float32))
    embeddings = np.zeros((len(candidates), own.shape[1]), np.float32)
    embeddings[good] = own
    return candidates, embeddings


_MEASURED = pa.schema([(name, pa.float64()) for name in ("size", "sharpness", "contrast", "frontal")])


def _shorter(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    shorter: NDArray[np.float32] = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf)
    return shorter


def _measured(
    image: NDArray[np.uint8], box: NDArray[np.float32], landmarks: NDArray[np.float32] | None
) -> dict[str, float | None]:
    """The columns that `judge` reads, as `detect-faces` measures them."""
    (x1, y1), (x2, y2) = np.floor(box[:2]).astype(int), np.ceil(box[2:]).astype(int)
    inside = image[y1:y2, x1:x2]
    frontal = None
    if landmarks is not None:
        frontal = frontality(landmarks) if np.isfinite(landmarks).all() else 0.0
    size = float(_shorter(box[None])[0])
    return {"size": size, "sharpness": sharpness(inside), "contrast": contrast(inside), "frontal": frontal}


def _why_poor(measured: dict[str, float | None], *, good: bool) -> str:
    size = measured["size"] or 0.0
    if size < MIN_FACE:
        return f"too small: {size:.0f} pixels, less than {MIN_FACE}"
    if good:
        return ""
    frontal = measured["frontal"]
    if frontal is not None and frontal < TURNED_AWAY:
        return "turned away"
    return "blurred or dark"


def conflicts_of(candidates: Sequence[Candidate]) -> list[tuple[int, int]]:
    """Pairs of candidates in one picture, which are different persons."""
    seen: dict[tuple[Path, float | None], list[int]] = {}
    for row, one in enumerate(candidates):
        seen.setdefault((one.file, one.time_s), []).append(row)
    return [(a, b) for rows in seen.values() for place, a in enumerate(rows) for b in rows[place + 1 :]]
