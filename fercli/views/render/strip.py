"""The timeline at the bottom of the picture: emotions around the current time, hatched where the video was not
analysed."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

import cv2

from fercli.colours import COLOURS
from fercli.results.model import Segment
from fercli.timing import clock, outside
from fercli.views.render.lettering import PLATE, PLATE_OPACITY, WHITE, Bitmap, Colour, Image, Lettering, on_plate
from fercli.views.render.placing import Rect

MOST_PERSONS = 4
WINDOW_S = 60.0
"""For longer videos, the visible time window, which scrolls with the cursor."""
HATCHING: Colour = (120, 120, 120)
"""Colour of stretches that were not analysed."""
BLACK: Colour = (0, 0, 0)
"""Edge of the cursor, so that it is visible on light segments."""


class Strip:
    """A row for each of a few persons, and a cursor at the current time.

    Args:
        names: names of the persons, most important first; the first MOST_PERSONS are shown, the others counted.
        segments: segments of all persons, assessed or not.
        span_s: start and end of the video, seconds.
        size: width and height of the picture, pixels.
        letters: lettering for names and time.
        analysed_s: start and end of the analysed stretch, seconds; None for the whole video.
    """

    def __init__(
        self,
        names: Sequence[str],
        segments: Sequence[Segment],
        span_s: tuple[float, float],
        size: tuple[int, int],
        letters: Lettering,
        analysed_s: tuple[float, float] | None = None,
    ) -> None:
        width, height = size
        shown = list(names[:MOST_PERSONS])
        self._letters = letters
        self._margin = max(2, letters.size // 3)
        self._line = letters.line_height
        rows = self._line * len(shown) + self._margin if shown else 0
        self.area = Rect(0, height - min(rows, height), width, height)
        """Its rectangle; empty if there are no persons."""
        self._names = [_name(name, letters, width // 4) for name in shown]
        more = f"+{len(names) - len(shown)} more" if len(names) > len(shown) else ""
        self._more = on_plate(letters.text(more))
        right = max(letters.text(words).shape[1] for words in ("0:00:00", "00:00", more))
        names_width = max((name.width for name in self._names), default=0)
        left = names_width + 2 * self._margin
        self._track = Rect(left, self.area.top, max(left + 1, width - right - 2 * self._margin), height)
        self._begin_s, self._end_s = span_s
        self._unseen_s = outside(*span_s, [analysed_s or span_s])
        self._window_s = min(WINDOW_S, max(span_s[1] - span_s[0], 1e-3))
        by_person: dict[str, list[Segment]] = defaultdict(list)
        for segment in sorted(segments, key=lambda segment: segment.start_s):
            by_person[segment.person].append(segment)
        self._segments = [by_person[name] for name in shown]
        self._longest_s = max((s.end_s - s.start_s for row in self._segments for s in row), default=0.0)

    def draw(self, image: Image, time_s: float) -> None:
        """Draw it over a picture, RGB uint8 HxWx3, in place."""
        if not self.area.height:
            return
        below = image[self.area.top : self.area.bottom]
        cv2.addWeighted(below, 1 - PLATE_OPACITY, below, 0, PLATE[0] * PLATE_OPACITY, dst=below)
        from_s = max(self._begin_s, min(time_s - self._window_s / 2, self._end_s - self._window_s))
        for row, (name, segments) in enumerate(zip(self._names, self._segments, strict=True)):
            top = self._top(row)
            name.paste(image, self._margin, top)
            for span_s in self._unseen_s:
                self._hatch(image, self._x(span_s[0], from_s), self._x(span_s[1], from_s), top)
            for segment in self._visible(segments, from_s):
                self._draw_segment(image, segment, from_s, top)
        for span_s in self._unseen_s:
            self._write_unseen(image, self._x(span_s[0], from_s), self._x(span_s[1], from_s))
        self._draw_cursor(image, self._x(time_s, from_s))
        plate = on_plate(self._letters.text(clock(time_s)))
        middle = (self.area.top + self.area.bottom - plate.height) // 2
        plate.paste(image, self.area.right - self._margin - plate.width, middle)
        left = self.area.right - self._margin - self._more.width
        self._more.paste(image, left, self._top(len(self._names) - 1))

    def _top(self, row: int) -> int:
        return self.area.top + self._margin // 2 + row * self._line

    def _draw_cursor(self, image: Image, x: int) -> None:
        for edge, colour in ((1, BLACK), (0, WHITE)):
            corners = (x - 1 - edge, self.area.top), (x + edge, self.area.bottom - 1)
            cv2.rectangle(image, *corners, colour, cv2.FILLED)

    def _hatch(self, image: Image, left: int, right: int, top: int) -> None:
        """Diagonal lines, aligned across stretches."""
        height = self._line - 4
        part = image[top + 2 : top + 2 + height, left:right]
        for x in range(-height - left % height, right - left if part.size else -height, height):
            cv2.line(part, (x, height), (x + height, 0), HATCHING, 1)

    def _write_unseen(self, image: Image, left: int, right: int) -> None:
        words = on_plate(self._letters.text("not analysed"))
        if words.width < right - left:
            words.paste(image, (left + right - words.width) // 2, self._top(0))

    def _visible(self, segments: Sequence[Segment], from_s: float) -> Sequence[Segment]:
        first = bisect_right(segments, from_s - self._longest_s, key=lambda segment: segment.start_s)
        last = bisect_right(segments, from_s + self._window_s, key=lambda segment: segment.start_s)
        return [segment for segment in segments[max(0, first - 1) : last] if segment.end_s > from_s]

    def _draw_segment(self, image: Image, segment: Segment, from_s: float, top: int) -> None:
        left, right = self._x(segment.start_s, from_s), self._x(segment.end_s, from_s)
        if left < right:
            corners = (left, top + 2), (right - 1, top + self._line - 3)
            cv2.rectangle(image, *corners, COLOURS[segment.emotion], cv2.FILLED)

    def _x(self, time_s: float, from_s: float) -> int:
        share = (time_s - from_s) / self._window_s
        return round(self._track.left + min(max(share, 0.0), 1.0) * self._track.width)


def _name(name: str, letters: Lettering, max_width: int) -> Bitmap:
    return on_plate(letters.text(name, max_width))
