"""Conversion of stored pictures to those a player shows, in one coordinate system per video.

They differ by the display matrix of the file (rotation of a phone, mirrored front cameras), the shape of the pixels
(DVDs, HDV and broadcasts store fewer columns than they show), and sizes that change during the stream (video calls,
broadcasts). All boxes of a video are in the stored pixels of its first frame, turned
upright: its `Screen`. A later frame of another shape is fitted into it as in a player: as large as possible, with its
proportions, centred on black. ffmpeg stretches instead, which would distort the faces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fercli.geometry import square_factors

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

Image = NDArray[np.uint8]

MOST_ASPECT = 10
"""A larger ratio of width and height of a pixel, or its inverse, is an error of the file."""
_CLOSE_ENOUGH = 0.02
"""A picture fills a screen whose proportions differ by at most this: 1088 rows count as 1080."""
_ODD_DEGREES = 1.0
_QUARTERS = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""Cosine and sine of 0, 90, 180 and 270 degrees."""


@dataclass(frozen=True)
class Orientation:
    """Rotation and mirroring that make a stored picture upright.

    Attributes:
        rotation: degrees clockwise: 0, 90, 180 or 270.
        mirrored: whether left and right are swapped after that.
    """

    rotation: int = 0
    mirrored: bool = False

    @property
    def swaps_sides(self) -> bool:
        """Whether width becomes height."""
        return self.rotation in (90, 270)

    def upright(self, image: Image) -> Image:
        """The upright picture, contiguous."""
        turned = np.rot90(image, -self.rotation // 90)
        return np.ascontiguousarray(turned[:, ::-1] if self.mirrored else turned)


@dataclass(frozen=True)
class Screen:
    """A size in which upright pictures are shown.

    Attributes:
        width, height: stored pixels.
        pixel_aspect: width / height of a pixel.
    """

    width: int
    height: int
    pixel_aspect: Fraction

    def place(self, other: Screen) -> tuple[int, int, int, int]:
        """Left, top, width and height, in pixels of this screen, of another screen fitted into it."""
        wide, high = self.width * self.pixel_aspect, self.height
        scale = min(wide / (other.width * other.pixel_aspect), Fraction(high, other.height))
        width = _filled(other.width * other.pixel_aspect * scale / self.pixel_aspect, self.width)
        height = _filled(other.height * scale, self.height)
        return (self.width - width) // 2, (self.height - height) // 2, width, height


def _filled(part: Fraction, side: int) -> int:
    return side if part >= side * (1 - _CLOSE_ENOUGH) else max(1, round(part))


@dataclass(frozen=True)
class View:
    """How a player shows a video, from its first frame.

    Attributes:
        screen: the coordinate system of the video.
        orientation: orientation of its stored pictures.
        pixel_aspect: width / height of a stored pixel, before rotation.
        coded_aspect: pixel aspect of the codec alone; None if it has none.
        codec: ffmpeg's name of the codec.
        warnings: properties of the file that are not supported.
    """

    screen: Screen
    orientation: Orientation
    pixel_aspect: Fraction
    coded_aspect: Fraction | None
    codec: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Stretch:
    """Conversion of stored pixels to square pixels and back.

    Attributes:
        x, y: factors of widths and heights; 1 and 1 for square pixels.
    """

    x: float
    y: float

    @classmethod
    def of(cls, pixel_aspect: float) -> Stretch:
        """The stretch for a pixel aspect (width / height)."""
        return cls(*square_factors(pixel_aspect))

    def square(self, image: Image) -> Image:
        """A picture in square pixels."""
        import cv2

        if self.x == self.y == 1:
            return image
        height, width = image.shape[:2]
        size = round(width * self.x), round(height * self.y)
        return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)

    def stored(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes or points (..., 2k), x and y alternating, in stored pixels."""
        return np.asarray(points / np.tile([self.x, self.y], points.shape[-1] // 2), np.float32)


def view_of(path: Path, stream: VideoStream, frame: VideoFrame) -> View:
    """The view of a video, from its first frame and the stream just after that frame was decoded."""
    said = stream.sample_aspect_ratio
    orientation, off = orientation_of(display_matrix(frame))
    aspect = sensible_aspect(said)
    warnings = []
    if off > _ODD_DEGREES:
        warnings.append(
            f"{path.name} has a rotation that is not a multiple of 90 degrees, which players show differently: "
            f"taken as {orientation.rotation} degrees clockwise{', mirrored' if orientation.mirrored else ''}"
        )
    if said and aspect != said:
        warnings.append(f"{path.name} declares pixels {said} times as wide as high: treated as square")
    return View(
        screen_of(frame.width, frame.height, orientation, aspect),
        orientation,
        aspect,
        stream.codec_context.sample_aspect_ratio,
        stream.codec.canonical_name,
        tuple(warnings),
    )


def screen_of(width: int, height: int, orientation: Orientation, pixel_aspect: Fraction) -> Screen:
    """The upright screen of a stored picture of this size; `pixel_aspect` is that of stored pixels."""
    if orientation.swaps_sides:
        return Screen(height, width, 1 / pixel_aspect)
    return Screen(width, height, pixel_aspect)


def sensible_aspect(said: Fraction | None) -> Fraction:
    """Width / height of a pixel; 1 if it is unknown or impossible."""
    if not said or not Fraction(1, MOST_ASPECT) <= said <= MOST_ASPECT:
        return Fraction(1)
    return said


def display_matrix(frame: VideoFrame) -> bytes:
    """The display matrix of a decoded frame: nine int32 in native byte order; empty if there is none."""
    found: Any = frame.side_data.get("DISPLAYMATRIX")
    return b"" if found is None else bytes(found)


@lru_cache(16)
def orientation_of(matrix: bytes) -> tuple[Orientation, float]:
    """The orientation nearest to a display matrix, and its distance from it in degrees.

    A point x, y of the stored picture, y downwards, is shown at a x + c y, b x + d y (ISO/IEC 14496-12, 8.3.2); the
    matrix holds a, b, u, c, d, v, x, y, w. Scaling along the sides of the stored picture does not count.

    Args:
        matrix: as `display_matrix` gives it.

    Returns:
        The distance is infinite for a degenerate matrix.
    """
    if len(matrix) != 36:
        return Orientation(), 0.0
    a, b, _, c, d = np.frombuffer(matrix, np.int32).astype(np.float64)[:5].tolist()
    across, down = math.hypot(a, b), math.hypot(c, d)
    if not across or not down:
        return Orientation(), math.inf
    a, b, c, d = a / across, b / across, c / down, d / down
    # A clockwise turn has the columns (cos, sin) and (-sin, cos); mirroring it changes the sign of the first row.
    likeness = {
        Orientation(90 * quarter, mirrored): (side * (a * cos - c * sin) + b * sin + d * cos) / 2
        for mirrored, side in ((False, 1), (True, -1))
        for quarter, (cos, sin) in enumerate(_QUARTERS)
    }
    best = max(likeness, key=lambda orientation: likeness[orientation])
    return best, math.degrees(math.acos(min(1.0, likeness[best])))
