"""What is drawn over one frame: a box, who it is, the emotion of the segment, and a bar for each probability.

The number behind the emotion is its mean over the segment. The bars are smoothed, and the bar of the emotion is framed:
in a short stretch that was merged with its neighbour, another bar may be longer.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.colours import COLOURS, RGB
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES
from fercli.persons.names import UNASSIGNED
from fercli.views.render.faces import ShownFace
from fercli.views.render.heads import draw_axes, draw_mesh
from fercli.views.render.lettering import WHITE, Bitmap, Image, Lettering, on_plate
from fercli.views.render.placing import Rect, above_or_below, around, freest

SMALLEST_LETTERS = 10
"""Pixels; smaller ones cannot be read."""
BARS_TITLE = "smoothed"
_FULL_BAR = 40
"""How white the ground of a bar is, of 255: just enough to see how long it could be."""


def letter_size(width: int, height: int) -> int:
    """Size of the letters for a frame, pixels."""
    return max(SMALLEST_LETTERS, round(min(width, height) / 40))


class Overlay:
    """Draws faces over the frames of a video, in order. Bars that would cover another face or a text are left out.

    Args:
        labels: the classes of the classifier.
        frame: the part of the picture that texts may take.
        font: path of a font; see `lettering.font_file`.
        size: of the letters, pixels.
    """

    def __init__(self, labels: Sequence[str], frame: Rect, font: str, size: int) -> None:
        self._labels = labels
        self._frame = frame
        self._thick = max(2, round(size / 9))  # video halves the resolution of colour
        self._letters, small = Lettering(size, font), Lettering(max(SMALLEST_LETTERS - 1, round(size * 0.75)), font)
        self._line = small.line_height
        self._bar_left, self._bars = _bars_plate([RECORD_NAMES[label] for label in labels], small)
        self._sides: dict[int, int] = {}

    def draw(self, image: Image, faces: Sequence[ShownFace]) -> None:
        """Draw the faces of one frame, RGB uint8 HxWx3, in place."""
        height, width = image.shape[:2]
        boxes = [_rounded(face.box, width, height) for face in faces]
        heads = [face.head for face in faces if face.head is not None]
        for head in heads:
            if head.mesh is not None:
                draw_mesh(image, head.mesh)
        for head in heads:
            draw_axes(image, head)
        for face, box in zip(faces, boxes, strict=True):
            cv2.rectangle(image, (box.left, box.top), (box.right - 1, box.bottom - 1), _colour(face), self._thick)
        texts: list[Rect] = []
        for face, box in zip(faces, boxes, strict=True):
            if words := label_of(face):
                texts.append(self._write(image, words, _colour(face), box, [*texts, *_others(box, boxes)]))
        sides = {}
        for face, box in zip(faces, boxes, strict=True):
            if face.probabilities is not None and face.emotion != NOT_ASSESSABLE:
                side, place = self._room_for_bars(box, boxes, texts, self._sides.get(face.track))
                if not any(map(place.shared, [*texts, *_others(box, boxes)])):
                    sides[face.track] = side
                    texts.append(place)
                    self._draw_bars(image, face.probabilities, face.emotion, place)
        self._sides = sides

    def _room_for_bars(
        self, box: Rect, boxes: Sequence[Rect], texts: Sequence[Rect], usual: int | None
    ) -> tuple[int, Rect]:
        aside, name = 2 * self._thick, self._letters.line_height
        places = around(box, self._bars.width, self._bars.height, aside, aside + name)
        return freest(places, [*boxes, *texts], self._frame, usual)

    def _write(self, image: Image, words: str, stripe: RGB, box: Rect, taken: Sequence[Rect]) -> Rect:
        plate = self._letters.plate(words, stripe, self._frame.width)
        _, place = freest(above_or_below(box, plate.width, plate.height), taken, self._frame)
        plate.paste(image, place.left, place.top)
        return place

    def _draw_bars(self, image: Image, probabilities: NDArray[np.float32], emotion: str | None, place: Rect) -> None:
        self._bars.paste(image, place.left, place.top)
        left, full = place.left + self._bar_left, place.width - self._bar_left - self._line // 3  # a bar of 1
        for row, (label, probability) in enumerate(zip(self._labels, probabilities, strict=True)):
            top = place.top + (row + 1) * self._line + self._line // 2
            right = left + max(1, round(float(probability) * full))
            cv2.rectangle(image, (left, top), (right - 1, top + self._line // 2), COLOURS[label], cv2.FILLED)
            if label == emotion:
                corners = (left - 2, top - 2), (left + full + 1, top + self._line // 2 + 2)
                cv2.rectangle(image, *corners, WHITE, 1)


def _bars_plate(names: Sequence[str], letters: Lettering) -> tuple[int, Bitmap]:
    """Where the bars begin on the plate behind them, pixels, and the plate: the title, then names and full bars."""
    margin, line = letters.line_height // 3, letters.line_height
    masks = [letters.text(name) for name in names]
    bar_left = max(mask.shape[1] for mask in masks) + 2 * margin
    width = bar_left + 4 * line + margin
    plate = np.zeros(((len(names) + 1) * line + margin, width), np.uint8)
    for row, mask in enumerate([letters.text(BARS_TITLE, width - 2 * margin), *masks]):
        plate[row * line + margin // 2 :][:line, margin : margin + mask.shape[1]] = mask
    for row in range(1, len(names) + 1):
        plate[row * line + line // 2 :][: line // 2 + 1, bar_left:-margin] = _FULL_BAR
    return bar_left, on_plate(plate)


def label_of(face: ShownFace) -> str:
    """`Ross: sad, mean 0.68`; empty for a face of which neither the person nor the emotion is known.

    What a person says has no score.
    """
    if face.emotion in (None, NOT_ASSESSABLE) and face.person == UNASSIGNED:
        return ""
    if face.emotion is None:
        return face.person
    mean = "" if face.score is None else f", mean {face.score:.2f}"
    return f"{face.person}: {RECORD_NAMES[face.emotion]}{mean}"


def _others(box: Rect, boxes: Sequence[Rect]) -> list[Rect]:
    return [other for other in boxes if other is not box]


def _colour(face: ShownFace) -> RGB:
    return COLOURS[face.emotion or NOT_ASSESSABLE]


def _rounded(box: NDArray[np.float32], width: int, height: int) -> Rect:
    """In whole pixels, inside the picture, at least one pixel wide and high."""
    left, top = min(max(0, round(float(box[0]))), width - 1), min(max(0, round(float(box[1]))), height - 1)
    right, bottom = min(round(float(box[2])), width), min(round(float(box[3])), height)
    return Rect(left, top, max(left + 1, right), max(top + 1, bottom))
