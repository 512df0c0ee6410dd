"""The packed pictures of faces: how large, in colour or grey, in memory or in a file, of one data set or of several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 64
"""Side of a packed grey face, and of the smallest one in colour, pixels."""
COLOUR_SIDE = 112
"""Side of a packed face in colour, if the pictures have that many pixels."""
STEP = 16
"""Chosen sides are multiples of it."""
COLOURED = 4.0
"""Mean difference between the largest and the smallest channel from which a picture has colour."""
IN_MEMORY = 2 * 2**30
"""Larger arrays, bytes, are in a file without a name, whose parts the system loads and drops as needed."""


@dataclass(frozen=True)
class Packing:
    """How a data set is packed.

    Attributes:
        side: of a packed face, pixels; 0 chooses it by the pictures.
        wanted: side that the network has use for, if the pictures have it, pixels.
        colour: whether in colour; None is in colour if the pictures are.
    """

    side: int = 0
    wanted: int = 0
    colour: bool | None = None

    def of(self, sides: Sequence[float], coloured: Sequence[bool]) -> tuple[int, bool]:
        """Side and colour for a set, given sides of faces in some of its pictures, pixels, and whether they have
        colour."""
        colour = any(coloured) if self.colour is None else self.colour
        if self.side:
            return self.side, colour
        at_most = float(np.median(sides)) if sides else SIDE
        wanted = max(self.wanted, COLOUR_SIDE if colour else SIDE)
        return max(SIDE, min(_up(wanted), int(at_most) // STEP * STEP)), colour


GREY = Packing(SIDE, colour=False)
"""As FER2013 is: enough for networks of 56 grey pixels."""


def _up(side: int) -> int:
    return math.ceil(side / STEP) * STEP


def has_colour(picture: NDArray[np.uint8]) -> bool:
    """Whether an (H, W, 3) picture is more than grey."""
    return bool(np.ptp(picture.astype(np.int16), axis=2).mean() > COLOURED)


def space(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """An array for packed faces, zeros."""
    if math.prod(shape) <= IN_MEMORY:
        return np.zeros(shape, np.uint8)
    with TemporaryFile() as file:  # the map holds it until the array is gone
        return np.memmap(file, np.uint8, "w+", shape=shape)


def resized(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """An (H, W) or (H, W, 3) picture at side x side pixels."""
    if picture.shape[:2] == (side, side):
        return picture
    way = cv2.INTER_AREA if min(picture.shape[:2]) > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (side, side), interpolation=way), dtype=np.uint8)


def in_colour(picture: NDArray[np.uint8], colour: bool) -> NDArray[np.uint8]:
    """An (H, W) or (H, W, 3) picture as (H, W, 3) if `colour`, else as (H, W) luma."""
    if (picture.ndim == 3) == colour:
        return picture
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB if colour else cv2.COLOR_RGB2GRAY), np.uint8)


@dataclass(frozen=True)
class Framed:
    """The pictures of one set, and how much of each is shown.

    Attributes:
        images: (N, T, H, H) grey or (N, T, H, H, 3) RGB.
        share: share of the side that is shown, from the middle, in (0, 1].
    """

    images: NDArray[np.uint8]
    share: float = 1.0


class JoinedImages:
    """Pictures of several sets as if they were one array, in the framing, size and colour of the largest of them.

    They stay where they are; what is asked for is fitted on the way. A still is repeated if there are clips.

    Args:
        sources: the sets.
        like: sets that define frames, side and colour; by default the sources.
    """

    def __init__(self, sources: Sequence[Framed], like: Sequence[Framed] = ()) -> None:
        self._sources = tuple(sources)
        pattern = [framed.images for framed in like or sources]
        self.colour = any(images.ndim == 5 for images in pattern)
        self._frames, self._side = (max(images.shape[axis] for images in pattern) for axis in (1, 2))
        counts = [len(framed.images) for framed in sources]
        self._source = np.repeat(np.arange(len(counts)), counts)
        self._row = np.concatenate([np.arange(count) for count in counts])

    def __len__(self) -> int:
        return len(self._row)

    @property
    def shape(self) -> tuple[int, ...]:
        """As of the array."""
        return (len(self), self._frames, self._side, self._side, *([3] if self.colour else []))

    @property
    def ndim(self) -> int:
        """As of the array."""
        return len(self.shape)

    def take(self, rows: NDArray[np.intp]) -> JoinedImages:
        """Only these rows; nothing is copied."""
        taken = object.__new__(JoinedImages)
        taken.__dict__ |= self.__dict__ | {"_source": self._source[rows], "_row": self._row[rows]}
        return taken

    def __getitem__(self, rows: slice | NDArray[np.intp]) -> NDArray[np.uint8]:
        """(n, T, S, S) or (n, T, S, S, 3) pictures of some rows."""
        places = zip(self._source[rows], self._row[rows], strict=True)
        fitted = [self._fitted(self._sources[source], row) for source, row in places]
        return np.stack(fitted) if fitted else np.zeros((0, *self.shape[1:]), np.uint8)

    def _fitted(self, framed: Framed, row: int) -> NDArray[np.uint8]:
        clip = framed.images[row]
        margin = round(clip.shape[1] * (1 - framed.share) / 2)
        inner = slice(margin, clip.shape[1] - margin)
        fitted = [in_colour(resized(picture[inner, inner], self._side), self.colour) for picture in clip]
        return np.stack(fitted * self._frames if len(fitted) == 1 else fitted)
