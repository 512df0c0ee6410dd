"""What is said, drawn over the lower part of the picture: two lines a cue at most, in the middle."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from textwrap import wrap

from fercli.formats.spoken import CUE_LETTERS, Said
from fercli.views.render.lettering import Image, Lettering, on_plate
from fercli.views.render.placing import Rect

_SHARE = 0.9
"""Share of the width that a line may take."""
_LETTER_WIDTH = 0.62
"""Mean width of a letter, as a share of its size."""


class Subtitles:
    """Draws cues.

    Args:
        cues: by start.
        area: the part of the picture in which they lie at the bottom.
        letters: of the text.
    """

    def __init__(self, cues: Sequence[Said], area: Rect, letters: Lettering) -> None:
        self._cues = cues
        self._starts = [one.start_ms for one in cues]
        self._longest_ms = max((one.end_ms - one.start_ms for one in cues), default=0)
        self._area, self._letters = area, letters
        fitting = int(area.width * _SHARE / (_LETTER_WIDTH * letters.size))
        self._most = max(8, min(CUE_LETTERS // 2, fitting))

    def at(self, time_s: float) -> list[str]:
        """The lines of a time, from the top."""
        time_ms = 1000 * time_s
        after = bisect_right(self._starts, time_ms)
        first = bisect_right(self._starts, time_ms - self._longest_ms - 1)
        own = [one.text for one in self._cues[first:after] if time_ms < one.end_ms]
        return [line for text in own for line in wrap(text, self._most)]

    def draw(self, image: Image, time_s: float) -> None:
        """Draw them over the picture of a time, RGB uint8 HxWx3, in place."""
        bottom = self._area.bottom - self._letters.line_height // 2
        for line in reversed(self.at(time_s)):
            plate = on_plate(self._letters.text(line, round(self._area.width * _SHARE)))
            bottom -= plate.height
            plate.paste(image, self._area.left + (self._area.width - plate.width) // 2, bottom)
