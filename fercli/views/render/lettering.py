"""Text as bitmaps over a picture, rendered once and cached. Names may be in any script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

WHITE: Colour = (255, 255, 255)
PLATE: Colour = (16, 16, 16)
"""Background of text, so that it is readable on any picture."""
PLATE_OPACITY = 0.7
_KEPT = 512
"""Cached bitmaps; more than are on screen at a time, and a few megabytes."""


@dataclass(frozen=True)
class Bitmap:
    """A picture with opacity.

    Attributes:
        colour: RGB times opacity; uint8 (H, W, 3).
        keep: transparency, 0 to 255, the same in each channel; uint8 (H, W, 3).
    """

    colour: Image
    keep: Image

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.colour.shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.colour.shape[0])

    def paste(self, image: Image, left: int, top: int) -> None:
        """Draw it over an RGB picture, in place, clipped to the picture."""
        x, y = max(0, left), max(0, top)
        below = image[y : max(y, top + self.height), x : max(x, left + self.width)]
        if below.size:
            part = np.s_[y - top : y - top + below.shape[0], x - left : x - left + below.shape[1]]
            cv2.multiply(below, self.keep[part], dst=below, scale=1 / 255)
            cv2.add(below, self.colour[part], dst=below)


class Lettering:
    """Renders text in one size, with a cache.

    Args:
        size: size of the letters, pixels.
        font: path of a TrueType font.
    """

    def __init__(self, size: int, font: str) -> None:
        from PIL import ImageFont

        self.size = size
        self._font = ImageFont.truetype(font, size)
        self.text = lru_cache(_KEPT)(self._text)
        """`text(words, max_width=None)` -> (H, W) uint8 mask of the words in one line; see `_text`."""

    @property
    def line_height(self) -> int:
        """Distance of lines, pixels."""
        return round(self.size * 1.35)

    def plate(self, words: str, stripe: Colour, max_width: int) -> Bitmap:
        """White words on a dark plate with a coloured stripe on its left, at most `max_width` pixels wide."""
        margin, edge = max(2, self.size // 3), max(2, self.size // 5)
        mask = self.text(words, max(self.size, max_width - 2 * margin - edge))
        letters = np.zeros((mask.shape[0], mask.shape[1] + 2 * margin + edge), np.uint8)
        letters[:, edge + margin : edge + margin + mask.shape[1]] = mask
        plate = on_plate(letters)
        plate.colour[:, :edge], plate.keep[:, :edge] = stripe, 0
        return plate

    def _text(self, words: str, max_width: int | None = None) -> Image:
        """(H, W) coverage of the words in one line, 0 to 255; H is the line height. Shortened with … to fit."""
        from PIL import Image as Pillow
        from PIL import ImageDraw

        if max_width is not None:
            words = _shortened(words, lambda text: self._font.getlength(text) <= max_width)
        width = max(1, round(self._font.getlength(words) + 0.5))
        canvas = Pillow.new("L", (width, self.line_height), 0)
        ImageDraw.Draw(canvas).text((0, self.line_height / 2), words, fill=255, font=self._font, anchor="lm")
        return np.asarray(canvas, np.uint8)


def on_plate(letters: Image) -> Bitmap:
    """White letters, an (H, W) mask, on a dark plate of the same size."""
    ink = letters.astype(np.float32)[..., None] / 255
    opacity = PLATE_OPACITY + (1 - PLATE_OPACITY) * ink
    colour = PLATE_OPACITY * (1 - ink) * np.array(PLATE, np.float32) + ink * np.array(WHITE, np.float32)
    keep = np.repeat(255 * (1 - opacity), 3, axis=2)
    return Bitmap(np.rint(colour).astype(np.uint8), np.rint(keep).astype(np.uint8))


def font_file(text: str) -> str:
    """Path of a font for a text: DejaVu Sans, which comes with matplotlib, if it has all its letters; else the font of
    this computer that has most of them. Missing letters are drawn as boxes."""
    import matplotlib as mpl
    from matplotlib import font_manager

    usual = str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")
    wanted = {ord(letter) for letter in text if not letter.isspace()}
    if not _missing(usual, wanted):
        return usual
    installed = dict.fromkeys(font.fname for font in font_manager.fontManager.ttflist)
    return min([usual, *installed], key=lambda font: _missing(font, wanted))


def _missing(font: str, letters: set[int]) -> int:
    """Number of letters that a font lacks; all, if it cannot be scaled."""
    from matplotlib.ft2font import FT2Font

    try:
        face = FT2Font(font)
    except (OSError, RuntimeError):
        return len(letters)
    return len(letters - set(face.get_charmap())) if face.scalable else len(letters)


def _shortened(words: str, fits: Callable[[str], bool]) -> str:
    if fits(words):
        return words
    lengths = range(len(words) - 1, 0, -1)
    return next((short for n in lengths if fits(short := words[:n].rstrip() + "…")), "…")
