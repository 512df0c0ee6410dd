"""Emotion timelines in a few lines of text: one letter per stretch of time, in colour if the terminal has colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.text import Text

from fercli.cli.terminal import visible
from fercli.colours import COLOURS, as_hex, ink_on
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES
from fercli.results.model import Result, Segment
from fercli.timing import clock

LETTERS = {
    "anger": "a",
    "disgust": "d",
    "fear": "f",
    "happiness": "h",
    "sadness": "s",
    "surprise": "u",
    "neutral": "n",
    "contempt": "c",
    NOT_ASSESSABLE: "-",
}
WIDTH, NARROWEST = 60, 16
"""Cells of a strip, at most and at least."""
MOST = 8
"""Largest number of persons with a strip."""
_BETWEEN = "   "
"""Between two entries of the legend."""


def strips(result: Result, columns: int = 100) -> list[Text]:
    """One line for each person with the longest screen time, a ruler above and a legend below.

    Args:
        document: the document of a video; without persons there are no lines.
        columns: columns of the terminal; names may take a third.
    """
    names = [person.name for person in result.persons[:MOST]]
    if not names:
        return []
    margin = min(max(cell_len(visible(name)) for name in names), columns // 3) + 2
    width = min(WIDTH, max(NARROWEST, columns - margin))
    start, duration = result.video["start_s"], result.video["duration_s"]
    shown = [segment for segment in (*result.segments, *result.gaps) if segment.person in names]
    lines = [Text(" " * margin) + _ruler(clock(start), clock(start + duration), width)]
    for name in names:
        cells = _cells([segment for segment in shown if segment.person == name], start, duration, width)
        lines.append(_shortened(name, margin) + _coloured(cells))
    if len(result.persons) > MOST:
        lines.append(Text(f"and {len(result.persons) - MOST} more", style="dim"))
    return lines + [Text(" " * margin) + line for line in _legend((segment.emotion for segment in shown), width)]


def _ruler(first: str, last: str, width: int) -> Text:
    return Text(first.ljust(width - len(last)) + last, style="dim")


def _shortened(name: str, margin: int) -> Text:
    """The name, padded with at least two spaces."""
    text = Text(visible(name))
    text.truncate(margin - 2, overflow="ellipsis", pad=True)
    return text + "  "


def _cells(segments: Sequence[Segment], start_s: float, duration_s: float, width: int) -> list[str]:
    """The most frequent emotion of each of `width` equal stretches of time; empty where the person is not visible."""
    emotions = list(LETTERS)
    edges = start_s + np.linspace(0, duration_s, width + 1)
    seconds = np.zeros((len(emotions), width))
    for segment in segments:
        seconds[emotions.index(segment.emotion)] += _overlap(edges, segment.start_s, segment.end_s)
    best = seconds.argmax(axis=0)
    return [emotions[row] if seconds[row, cell] else "" for cell, row in enumerate(best)]


def _overlap(edges: NDArray[np.float64], start_s: float, end_s: float) -> NDArray[np.float64]:
    shared: NDArray[np.float64] = np.minimum(edges[1:], end_s) - np.maximum(edges[:-1], start_s)
    return np.maximum(shared, 0)


def _coloured(cells: Iterable[str]) -> Text:
    text = Text()
    for emotion in cells:
        text.append(LETTERS.get(emotion, " "), style=_style(emotion))
    text.rstrip()
    return text


def _legend(emotions: Iterable[str], width: int) -> list[Text]:
    """The legend, in lines of at most `width` cells unless a word is longer."""
    seen = set(emotions)
    lines: list[Text] = []
    for name, letter in LETTERS.items():
        if name in seen:
            part = Text.assemble((letter, _style(name)), f" {_name(name)}")
            if lines and lines[-1].cell_len + len(_BETWEEN) + part.cell_len <= width:
                lines[-1] += Text(_BETWEEN) + part
            else:
                lines.append(part)
    return lines


def _name(emotion: str) -> str:
    return emotion if emotion == NOT_ASSESSABLE else RECORD_NAMES[emotion]


def _style(emotion: str) -> str:
    if not emotion:
        return ""
    return f"{as_hex(ink_on(COLOURS[emotion]))} on {as_hex(COLOURS[emotion])}"
