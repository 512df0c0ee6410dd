"""A pattern for each class, so that colours are not required: the same in legend, timelines and streams."""

from __future__ import annotations

from collections.abc import Sequence

from fercli.colours import COLOURS, as_hex, ink_on
from fercli.labels import NOT_ASSESSABLE

_SIDE = 8
_MARKS = {
    "anger": "M-2 2l4-4M0 8l8-8M6 10l4-4",
    "disgust": "M2 2h.01M6 6h.01",
    "fear": "M2 0v8M6 0v8",
    "happiness": "",
    "sadness": "M0 2h8M0 6h8",
    "surprise": "M-2 6l4 4M0 0l8 8M6-2l4 4",
    "neutral": "",
    "contempt": "M0 0l8 8M0 8l8-8",
    NOT_ASSESSABLE: "M-2 2l4-4M0 8l8-8M6 10l4-4",
}
"""Canonical emotion -> path on a square tile with side _SIDE."""


def definitions(classes: Sequence[str]) -> str:
    """SVG patterns `class-0`, `class-1`, ... for canonical names."""
    return "".join(f'<pattern id="class-{number}" {_tile(name)}</pattern>' for number, name in enumerate(classes))


def swatch(number: int, letters: str, ink: str) -> str:
    """A small picture of a class, with its letters."""
    return (
        '<svg class="swatch" viewBox="0 0 26 17" aria-hidden="true">'
        f'<rect width="26" height="17" fill="url(#class-{number})" stroke="#767676"/>'
        f'<text x="13" y="12.5" text-anchor="middle" font-size="11" fill="{ink}">{letters}</text></svg>'
    )


def _tile(name: str) -> str:
    colour = COLOURS[name]
    if name == NOT_ASSESSABLE:  # too prominent for large areas
        ground, ink, opacity = "#ffffff", as_hex(colour), 0.4
    else:
        ground, ink, opacity = as_hex(colour), as_hex(ink_on(colour)), 0.28
    width = 2 if name == "disgust" else 1
    return (
        f'patternUnits="userSpaceOnUse" width="{_SIDE}" height="{_SIDE}">'
        f'<rect width="{_SIDE}" height="{_SIDE}" fill="{ground}"/>'
        f'<path d="{_MARKS[name]}" stroke="{ink}" stroke-opacity="{opacity}" stroke-width="{width}"'
        ' stroke-linecap="round"/>'
    )
