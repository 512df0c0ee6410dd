"""A page of disagreements: pictures with drawings over them, in one HTML file without any outside part."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.media.images import encode_jpeg
from fercli.writing import write_atomically

COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#0072B2", "#F0E442")
"""The palette of Okabe and Ito, for colour-blind people."""
DASHES = ("", "6 3", "2 2")
"""Of a second and third round through the colours."""
LONGEST_SIDE = 900
"""Of a picture on the page, pixels."""

_HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title><style>
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 24px auto; max-width: 1180px; padding: 0 16px; color: #222; }}
h1 {{ font-size: 22px; margin: 0 0 4px; }}
.legend {{ position: sticky; top: 0; background: #fff; padding: 8px 0; border-bottom: 1px solid #ddd; }}
.legend span {{ margin-right: 18px; white-space: nowrap; }} .legend svg {{ vertical-align: middle; margin-right: 5px; }}
.cards {{ display: flex; flex-wrap: wrap; gap: 20px; margin-top: 16px; align-items: flex-start; }}
figure {{ margin: 0; }} figure svg {{ display: block; max-width: 100%; height: auto; background: #eee; }}
figcaption {{ font-size: 13px; margin-top: 4px; overflow-wrap: anywhere; }}
figcaption div {{ margin: 1px 0; }} .wrong {{ color: #a33000; }}
</style></head><body><h1>{title}</h1><p>{intro}</p>
"""


@dataclass(frozen=True)
class Card:
    """One picture of the page.

    Attributes:
        picture: (H, W, 3) RGB; larger ones are scaled down.
        marks: SVG elements in pixels of the picture.
        lines: caption; a line that begins with `!` tells of a mistake.
    """

    picture: NDArray[np.uint8]
    marks: str
    lines: Sequence[str]


def colour(number: int) -> tuple[str, str]:
    """Colour and dashes of the n-th series."""
    return COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]


def rectangle(box: NDArray[np.float32], number: int | None) -> str:
    """A box of the n-th series; None for the truth, white with a dark edge."""
    x1, y1, x2, y2 = box.tolist()
    place = f'<rect x="{x1:.1f}" y="{y1:.1f}" width="{x2 - x1:.1f}" height="{y2 - y1:.1f}"'
    if number is None:
        return _line(place, "#000", 5) + _line(place, "#fff", 3)
    stroke, dashes = colour(number)
    return _line(place, stroke, 2, dashes)


def dots(points: NDArray[np.float64], radius: float, number: int | None) -> str:
    """Points of the n-th series, (N, 2); None for the truth, white with a dark edge."""
    fill = "#fff" if number is None else colour(number)[0]
    edge = 'stroke="#000" stroke-width=".6" vector-effect="non-scaling-stroke"'
    return "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.2f}" fill="{fill}" {edge}/>' for x, y in points.tolist()
    )


def _line(start: str, stroke: str, width: int, dashes: str = "") -> str:
    """The end of an element that is an outline, as wide on any size of the page."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'{start} fill="none" stroke="{stroke}" stroke-width="{width}"{dashed} vector-effect="non-scaling-stroke"/>'


def write_page(
    path: Path, title: str, intro: str, series: Sequence[str], cards: Sequence[Card], *, truth: bool = True
) -> None:
    """Write the page.

    Args:
        series: names, in the order of their colours; empty if the cards have no marks.
        cards: in the order of the page.
        truth: whether the legend names the truth.

    Raises:
        OutputError: it cannot be written.
    """
    parts = [_HEAD.format(title=escape(title), intro=escape(intro))]
    if series:
        names = [(None, "truth"), *enumerate(series)] if truth else list(enumerate(series))
        parts.append('<div class="legend">' + "".join(_key(number, name) for number, name in names) + "</div>")
    parts.append('<div class="cards">' + "".join(_figure(card) for card in cards) + "</div></body></html>\n")
    write_atomically(path, "".join(parts).encode("utf-8", "backslashreplace"), private=True)


def _key(number: int | None, name: str) -> str:
    sample = rectangle(np.array([2, 2, 20, 12], np.float32), number)
    return f'<span><svg width="22" height="14">{sample}</svg>{escape(name)}</span>'


def _figure(card: Card) -> str:
    import cv2

    height, width = card.picture.shape[:2]
    factor = min(1.0, LONGEST_SIDE / max(height, width))
    shown = card.picture
    if factor < 1:
        size = max(1, round(width * factor)), max(1, round(height * factor))
        shown = np.asarray(cv2.resize(card.picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    data = base64.b64encode(encode_jpeg(shown, 85)).decode()
    sides = f'width="{width * factor:.0f}" height="{height * factor:.0f}" viewBox="0 0 {width} {height}"'
    image = f'<image width="{width}" height="{height}" href="data:image/jpeg;base64,{data}"/>'
    lines = "".join(
        f'<div class="wrong">{escape(line[1:])}</div>' if line.startswith("!") else f"<div>{escape(line)}</div>"
        for line in card.lines
    )
    return (
        f'<figure style="max-width:{max(160, width * factor):.0f}px"><svg {sides}>{image}{card.marks}</svg>'
        f"<figcaption>{lines}</figcaption></figure>"
    )
