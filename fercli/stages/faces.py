"""detect-faces: the faces of each sampled frame and a square crop of each, so that no later stage needs the video."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fercli.config import FacesParams
from fercli.errors import WeightsError
from fercli.geometry import frontality, roll, square_around
from fercli.media.upright import Stretch
from fercli.models.detections import Detections, Detector
from fercli.models.face_search import Moments, Searched, search
from fercli.models.registry import find_model, weights_key
from fercli.stages.base import NO_PICTURE, StageContext, require_ranges
from fercli.tables import CROPS, FACES, FRAMES, read_table

CHUNK_FRAMES = 100
"""Largest number of sampled frames that are lost if the process is killed."""
JPEG_QUALITY = 95

_SEEN = pa.schema([pa.field("frame", pa.int32(), nullable=False)])
_RESULTS = {"faces": FACES, "crops": CROPS}
_PIECES = {**_RESULTS, "seen": _SEEN}
"""A finished chunk also stores which of its frames were decoded, so that a resumed run counts them all."""


class FaceRows:
    """Rows of `faces` and `crops` for the frames of a chunk, numbered from 0.

    Args:
        params: parameters of the stage.
        stretch: stretch of the video.
    """

    def __init__(self, params: FacesParams, stretch: Stretch) -> None:
        self._params, self._stretch = params, stretch
        self._next_face = 0
        self._seen: list[int] = []
        self._faces: list[dict[str, Any]] = []
        self._crops: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._faces)

    def add(self, frame: int, searched: Searched) -> None:
        """One frame in square pixels with the faces in it, in the order of their numbers."""
        from fercli.media.images import contrast, encode_jpeg, sharpness, square_crop

        image, found = searched.image, searched.found
        self._seen.append(frame)
        for row, (box, score) in enumerate(zip(found.boxes, found.scores, strict=True)):
            stored = self._stretch.stored(box)
            crop = square_crop(image, square_around(box, self._params.crop_scale), self._params.crop_size)
            self._crops.append({"face": self._next_face, "jpeg": encode_jpeg(crop, JPEG_QUALITY)})
            self._faces.append(
                {
                    "face": self._next_face,
                    "frame": frame,
                    **dict(zip(("x1", "y1", "x2", "y2"), stored.tolist(), strict=True)),
                    "score": float(score),
                    "detected": searched.detected,
                    "size": float(min(stored[2:] - stored[:2])),
                    "sharpness": sharpness(_inside(image, box)),
                    "contrast": contrast(_inside(image, box)),
                    **self._pose(None if found.landmarks is None else found.landmarks[row]),
                }
            )
            self._next_face += 1

    def _pose(self, points: NDArray[np.float32] | None) -> dict[str, Any]:
        """The columns computed from landmarks, if there are any. NaN, of a lying face, becomes frontality 0."""
        if points is None:
            return {"landmarks": None, "frontal": None, "roll": None}
        if not np.isfinite(points).all():
            return {"landmarks": None, "frontal": 0.0, "roll": None}
        stored = self._stretch.stored(points).ravel().tolist()
        return {"landmarks": stored, "frontal": frontality(points), "roll": roll(points)}

    def tables(self) -> dict[str, pa.Table]:
        """The tables of a chunk."""
        return {
            "faces": pa.Table.from_pylist(self._faces, schema=FACES),
            "crops": pa.Table.from_pylist(self._crops, schema=CROPS),
            "seen": pa.table({"frame": pa.array(self._seen, pa.int32())}, schema=_SEEN),
        }


def run(context: StageContext, params: FacesParams) -> dict[str, Any]:
    """Detect the faces of every sampled frame and write `faces.parquet` and `crops.parquet`.

    Returns:
        frames: frames examined; faces: faces found; frames_with_faces: frames with at least one.

    Raises:
        ConfigError: a parameter is out of range.
        ModelError: the detector cannot be used.
        VideoError: the video cannot be opened.
    """
    from fercli.media.decode import decode
    from fercli.media.kept_index import frame_index

    check(params)
    if not context.workspace.video.has_picture:
        context.skip(NO_PICTURE, _RESULTS)
        return {"frames": 0, "frames_with_faces": 0, "faces": 0}
    frames = read_table(context.workspace.table("frames"), FRAMES)

    def pictures(wanted: list[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        path, index = Path(context.workspace.video.path), frame_index(context.workspace)
        for one in decode(path, index, wanted, decoder=context.runtime.decoder, warn=context.warn):
            yield one.frame, one.rgb()

    def detector() -> Detector:
        found = find_model(params.detector, "detector")
        loaded: Detector = context.models.load(found, params.weights, context.runtime.device)
        return loaded

    return detect_faces(context, params, detector, frames["frame"].to_pylist(), Moments.of(frames), pictures)


def detect_faces(
    context: StageContext,
    params: FacesParams,
    load: Callable[[], Detector],
    frames: list[int],
    moments: Moments,
    pictures: Callable[[list[int]], Iterable[tuple[int, NDArray[np.uint8]]]],
) -> dict[str, Any]:
    """As `run`, for pictures from any source.

    Args:
        context, params: context and parameters of the stage.
        load: gives the detector; called if a chunk is left.
        frames: numbers of all sampled frames, ascending.
        moments: of the same frames.
        pictures: number and picture of each of the frames whose numbers it is called with, ascending; some may be
            missing.
    """
    left = context.chunks_left(math.ceil(len(frames) / CHUNK_FRAMES))
    if left:
        _detect_chunks(context, params, load(), frames, moments, left, pictures)
    if context.piece is not None:
        return {}
    counts = context.chunks.merge(context.out, _RESULTS, numbered="face")
    return _counts(context, len(frames), counts["faces"])


def _detect_chunks(
    context: StageContext,
    params: FacesParams,
    detector: Detector,
    frames: list[int],
    moments: Moments,
    left: list[int],
    pictures: Callable[[list[int]], Iterable[tuple[int, NDArray[np.uint8]]]],
) -> None:
    chunks = {number: frames[number * CHUNK_FRAMES : (number + 1) * CHUNK_FRAMES] for number in left}
    wanted = [frame for own in chunks.values() for frame in own]
    expected = _with_gaps(wanted, pictures(wanted))
    stretch = Stretch.of(context.workspace.video.pixel_aspect)
    faces = sum(part.num_rows for part in context.chunks.parts("faces", FACES))
    with context.reporter.task("detect-faces", len(frames), "frame") as task:
        task.advance(len(frames) - len(wanted))
        for number, own in chunks.items():
            rows = FaceRows(params, stretch)
            squares = (None if image is None else stretch.square(image) for _, image in islice(expected, len(own)))
            start = number * CHUNK_FRAMES
            its = moments.part(start, start + len(own))
            found = search(squares, its, lambda image: find_faces(detector, image, params), params.every)
            for frame, searched in zip(own, found, strict=True):
                if searched is not None:
                    rows.add(frame, searched)
                task.advance(1, faces=str(faces + len(rows)))
            context.chunks.commit(number, rows.tables(), _PIECES)
            faces += len(rows)


def find_faces(detector: Detector, image: NDArray[np.uint8], params: FacesParams) -> Detections:
    """Faces of a frame in square pixels that pass the limits, from left to right; boxes in pixels, inside the frame."""
    import cv2

    from fercli.models.lying import redetect_rotated

    height, width = image.shape[:2]
    scale = min(1.0, params.max_side / max(height, width))
    small_width, small_height = max(1, round(width * scale)), max(1, round(height * scale))
    if scale < 1:
        small = cv2.resize(image, (small_width, small_height), interpolation=cv2.INTER_AREA)
        found = detector.detect(np.asarray(small, dtype=np.uint8)).scaled(width / small_width, height / small_height)
    else:
        found = detector.detect(image)

    boxes = np.clip(found.boxes, 0, np.array([width, height, width, height], dtype=np.float32))
    shorter = (boxes[:, 2:] - boxes[:, :2]).min(axis=1)
    good = np.flatnonzero((found.scores >= params.min_score) & (shorter >= params.min_size) & (shorter > 0))
    order = good[np.lexsort((boxes[good, 1], boxes[good, 0]))]
    return redetect_rotated(detector, image, Detections(boxes, found.scores, found.landmarks).take(order))


def weights(params: FacesParams) -> dict[str, str]:
    """The detector in use and the sha256 of its weights."""
    return weights_key(find_model(params.detector, "detector"), params.weights)


def _with_gaps(
    frames: list[int], pictures: Iterable[tuple[int, NDArray[np.uint8]]]
) -> Iterator[tuple[int, NDArray[np.uint8] | None]]:
    """Every frame with its picture, or with None if it did not decode."""
    rest = iter(pictures)
    following = next(rest, None)
    for frame in frames:
        if following is None or following[0] != frame:
            yield frame, None
        else:
            yield following
            following = next(rest, None)


def _counts(context: StageContext, expected: int, faces: int) -> dict[str, Any]:
    frames = sum(part.num_rows for part in context.chunks.parts("seen", _SEEN))
    if frames < expected:
        context.warn(f"only {frames} of {expected} sampled frames of {context.workspace.video.path} could be decoded")
    with_faces = sum(pc.count_distinct(part["frame"]).as_py() for part in context.chunks.parts("faces", FACES))
    return {"frames": frames, "faces": faces, "frames_with_faces": with_faces}


def _inside(image: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The pixels a box touches."""
    x1, y1 = np.floor(box[:2]).astype(int)
    x2, y2 = np.ceil(box[2:]).astype(int)
    return image[y1:y2, x1:x2]


def check(params: FacesParams) -> None:
    """Check the parameters before a long run.

    Raises:
        ConfigError: one is out of range.
        ModelError: there is no such detector, or it needs a file.
    """
    if find_model(params.detector, "detector").needs_file and not params.weights:
        raise WeightsError(
            f"{params.detector} needs a weights file",
            hint="give one with --detector-weights",
            code="weights-missing",
        )
    require_ranges(
        params,
        ("min_score", 0 <= params.min_score <= 1, "from 0 to 1"),
        ("min_size", params.min_size >= 0, "0 or more"),
        ("max_side", params.max_side >= 32, "32 or more"),
        ("every", params.every >= 1, "1 or more"),
        ("crop_scale", params.crop_scale > 0, "above 0"),
        ("crop_size", params.crop_size >= 1, "1 or more"),
    )
