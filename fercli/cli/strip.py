"""Who felt what when in a few lines of text: a letter for each stretch of time, coloured where there are colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.text import Text

from fercli.colours import COLOURS, as_hex, ink_on
from fercli.exporters.document import Document, Segment
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES
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
WIDTH = 60
"""Cells of a strip at most."""
MOST = 8
"""Persons that get one."""


def strips(document: Document, width: int = WIDTH) -> list[Text]:
    """A line for each of the persons seen longest, a ruler above them and the meaning of the letters below.

    Nothing for a video without persons.
    """
    names = [person.name for person in document.persons[:MOST]]
    if not names:
        return []
    margin = max(map(cell_len, names)) + 2
    start, duration = document.video["start_s"], document.video["duration_s"]
    shown = [segment for segment in (*document.segments, *document.gaps) if segment.person in names]
    rows = []
    for name in names:
        cells = _cells([segment for segment in shown if segment.person == name], start, duration, width)
        rows.append(Text(name + " " * (margin - cell_len(name))) + _coloured(cells))
    last = clock(start + duration)
    ruler = Text(" " * margin + clock(start).ljust(width - len(last)) + last, style="dim")
    return [ruler, *rows, Text(" " * margin) + _legend(segment.emotion for segment in shown)]


def _cells(segments: Sequence[Segment], start_s: float, duration_s: float, width: int) -> list[str]:
    """The emotion that fills most of each of `width` equal stretches of time; empty where the person is not seen."""
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


def _legend(emotions: Iterable[str]) -> Text:
    seen = set(emotions)
    parts = [Text(letter, style=_style(name)) + f" {_name(name)}" for name, letter in LETTERS.items() if name in seen]
    return Text("   ").join(parts)


def _name(emotion: str) -> str:
    return emotion if emotion == NOT_ASSESSABLE else RECORD_NAMES[emotion]


def _style(emotion: str) -> str:
    if not emotion:
        return ""
    return f"{as_hex(ink_on(COLOURS[emotion]))} on {as_hex(COLOURS[emotion])}"
