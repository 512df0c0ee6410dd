"""Images: JPEG in and out, square crops, sharpness. RGB uint8 HxWx3 throughout."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.errors import InputError
from fercli.files import require_regular_file
from fercli.geometry import whole_square

MAX_PIXELS = int(os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"])
"""Largest number of pixels of a picture; `fercli/__init__.py` gives the reason and the variable to change it."""
MAX_BYTES = 2**30
"""Largest picture file: more than MAX_PIXELS need without compression."""
_SCALE_DOWN = "scale it down, or set OPENCV_IO_MAX_IMAGE_PIXELS to a larger number"

# fercli reports what cannot be decoded, so OpenCV is silent. OpenCV 4 and 5 have the function in different places; 0 is
# silent in both.
_set_log_level = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel
_set_log_level(0)

SHARPNESS_SIDE = 64
"""Faces are scaled to this side before sharpness is measured, pixels."""

TURN_FROM = 10.0
"""Degrees: faces with a smaller in-plane rotation are not rotated. See docs/faces.md for how it was chosen."""


def encode_jpeg(image: NDArray[np.uint8], quality: int = 95) -> bytes:
    """JPEG bytes of an RGB image; the same image always gives the same bytes."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def decode_jpeg(data: bytes) -> NDArray[np.uint8]:
    """The RGB image in JPEG bytes, or in those of any other format OpenCV reads.

    Raises:
        InputError: they are not an image, or one of more than MAX_PIXELS.
    """
    image = _decoded(data)
    if image is None:
        reason = _too_large(data) or "cannot be decoded"
        raise InputError(f"{len(data)} bytes are not a usable image: {reason}", code="image-unreadable")
    return image


def read_image(path: Path) -> NDArray[np.uint8]:
    """The RGB image in a file, upright.

    Raises:
        InputError: it cannot be read, is not an image, or one of more than MAX_PIXELS.
    """
    require_regular_file(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(
                f"{path} is larger than {MAX_BYTES >> 20} MiB", hint="give a JPEG or PNG file", code="image-too-large"
            )
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read image {path}: {error.strerror}", hint="check the path", code="file-unreadable"
        ) from error
    image = _decoded(data)
    if image is None:
        too_large = _too_large(data)
        if too_large:
            raise InputError(f"{path}: {too_large}", hint=_SCALE_DOWN, code="image-too-large")
        raise InputError(f"{path} is not an image", hint="give a JPEG or PNG file", code="image-unreadable")
    return image


def square_crop(image: NDArray[np.uint8], square: NDArray[np.float32], max_size: int) -> NDArray[np.uint8]:
    """Cut a square out of an image.

    Args:
        image: (H, W, 3).
        square: (4,) `x1, y1, x2, y2`, rounded to whole pixels; outside the image its edge is repeated.
        max_size: a larger square is scaled down to this side by averaging; a smaller one is never enlarged.

    Returns:
        (S, S, 3), 1 <= S <= max_size.
    """
    left, top, side = whole_square(square)
    rows = np.clip(np.arange(top, top + side), 0, image.shape[0] - 1)
    columns = np.clip(np.arange(left, left + side), 0, image.shape[1] - 1)
    crop = image[rows[:, None], columns]
    if side <= max_size:
        return crop
    return np.asarray(cv2.resize(crop, (max_size, max_size), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def upright(crop: NDArray[np.uint8], roll: float | None, turn_from: float = TURN_FROM) -> NDArray[np.uint8]:
    """Turn a square crop about its middle, where the face is, until the face is upright.

    Args:
        crop: (S, S, 3) or (S, S).
        roll: rotation of the face, degrees clockwise; None, or at most `turn_from` in either direction, changes
            nothing.
        turn_from: degrees.

    Returns:
        The crop or one like it; pixels from outside repeat the edge. Its inscribed circle is complete.
    """
    if roll is None or abs(roll) <= turn_from:
        return crop
    middle = (len(crop) - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), roll, 1.0)
    turned = cv2.warpAffine(crop, matrix, crop.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, dtype=np.uint8)


def sharpness(face: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of a face's luma, from 0 (Pech-Pacheco et al. 2000, ICPR, their LAP4).

    The face is first scaled to SHARPNESS_SIDE pixels: the same face at any larger size then has about the same
    sharpness, and only a smaller one, which lacks detail, is less sharp. It grows with the square of the contrast, so a
    dim face scores lower.

    Args:
        face: (H, W, 3), the region inside the detector's box.
    """
    if face.size == 0:
        return 0.0
    return float(cv2.Laplacian(_standard(face), cv2.CV_32F).var())


def contrast(face: NDArray[np.uint8]) -> float:
    """Variance of a face's luma, from 0, at the size that `sharpness` uses, so that the ratio of both measures only
    blur.

    Args:
        face: (H, W, 3), the region inside the detector's box.
    """
    return float(_standard(face).var()) if face.size else 0.0


def _standard(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    luma = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    larger = max(luma.shape) > SHARPNESS_SIDE
    way = cv2.INTER_AREA if larger else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(luma, (SHARPNESS_SIDE, SHARPNESS_SIDE), interpolation=way), dtype=np.uint8)


def _decoded(data: bytes) -> NDArray[np.uint8] | None:
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR) if data else None
    except (cv2.error, MemoryError):  # larger than the limit
        image = None
    return None if image is None else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _too_large(data: bytes) -> str:
    """Error text if a picture could not be decoded because it has too many pixels; otherwise empty."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            width, height = Image.open(io.BytesIO(data)).size
    except Image.DecompressionBombError as error:
        return f"it has too many pixels ({error}), and fercli takes at most {MAX_PIXELS} in all"
    except Exception:  # any exception of a Pillow reader for damaged bytes
        return ""
    many = width * height > MAX_PIXELS
    return f"it has {width} x {height} pixels, and fercli takes at most {MAX_PIXELS} in all" if many else ""
