"""Embeddings by the package `face_recognition` itself: the reference for `dlib-resnet`, about 8 times slower, for
results that must agree with scripts based on that package."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile

from fercli.errors import WeightsError

_CUT_SHORT_IS_FINE = ImageFile.LOAD_TRUNCATED_IMAGES
with warnings.catch_warnings():  # the last release of its models package still uses pkg_resources
    warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)
    import face_recognition
# It makes Pillow accept truncated pictures in the whole process; in fercli a damaged picture is an error.
ImageFile.LOAD_TRUNCATED_IMAGES = _CUT_SHORT_IS_FINE

DIMENSIONS = 128


class FaceRecognitionEncoder:
    """`face_recognition.face_encodings` with its five-point model, which has a free licence; the 68-point model has
    not."""

    def embed(self, crops: Sequence[NDArray[np.uint8]], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 128) embeddings of the faces at (N, 4) boxes, each in the pixels of its own RGB crop."""
        rows = [
            face_recognition.face_encodings(np.ascontiguousarray(crop), [_location(box)], model="small")[0]
            for crop, box in zip(crops, boxes, strict=True)
        ]
        return np.array(rows, dtype=np.float32).reshape(len(rows), DIMENSIONS)


def load(weights: Path | None, device: str) -> FaceRecognitionEncoder:
    """Build the encoder; it runs on the CPU, with the weights of `face_recognition_models`, for any `device`.

    Raises:
        WeightsError: a file was given.
    """
    if weights is not None:
        raise WeightsError(
            f"face-recognition cannot use {weights}: it has its own weights",
            hint="use dlib-resnet",
            code="weights-not-wanted",
        )
    return FaceRecognitionEncoder()


def _location(box: NDArray[np.float32]) -> tuple[int, int, int, int]:
    """The package's order: top, right, bottom, left."""
    x1, y1, x2, y2 = (round(float(edge)) for edge in box)
    return y1, x2, y2, x1
