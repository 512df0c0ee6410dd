"""The contact sheet as a picture."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from fercli.views.contact_sheet import FACE_SIDE, MOST_TRACKS, Picture, Row, Sheet

_MARGIN, _GAP, _FRAME, _DASH = 20, 10, 3, 8
_LINE, _FONT_SIZE, _SMALL = 20, 16, 13
_CELL = FACE_SIDE + 2 * _FRAME
_LINES_BELOW = 3
_ROW = 2 * _LINE + _CELL + _LINES_BELOW * _LINE + _MARGIN
_PAPER, _INK, _CALM = "white", "black", "#bbbbbb"
_ALARM = "#d55e00"
"""Vermilion of Okabe and Ito's palette, distinct from grey with every kind of colour vision
(jfly.uni-koeln.de/color)."""


def draw(sheet: Sheet) -> bytes:
    """The whole sheet as a PNG, one row per person."""
    width = 2 * _MARGIN + MOST_TRACKS * (_CELL + _GAP) - _GAP
    height = 2 * _MARGIN + 3 * _LINE + max(len(sheet.rows), 1) * _ROW + (_LINE if sheet.more else 0)
    image = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(image)
    _write(pen, (_MARGIN, _MARGIN), f"{sheet.title}: persons", width - 2 * _MARGIN, bold=True)
    _write(pen, (_MARGIN, _MARGIN + _LINE), sheet.legend, width - 2 * _MARGIN, size=_SMALL)
    top = _MARGIN + 3 * _LINE
    if not sheet.rows:
        _write(pen, (_MARGIN, top), "No face was found.", width - 2 * _MARGIN)
    for row in sheet.rows:
        _draw_row(image, pen, top, row)
        top += _ROW
    if sheet.more:
        text = f"and {sheet.more} more persons: an .html sheet shows all"
        _write(pen, (_MARGIN, top), text, width - 2 * _MARGIN)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _draw_row(image: Image.Image, pen: ImageDraw.ImageDraw, top: int, row: Row) -> None:
    more = f", and {row.more} more" if row.more else ""
    _write(pen, (_MARGIN, top), row.name, image.width - 2 * _MARGIN, bold=True)
    _write(pen, (_MARGIN, top + _LINE), row.summary + more, image.width - 2 * _MARGIN, size=_SMALL)
    for number, picture in enumerate(row.pictures):
        _draw_picture(image, pen, _MARGIN + number * (_CELL + _GAP), top + 2 * _LINE + _FRAME, picture)


def _draw_picture(image: Image.Image, pen: ImageDraw.ImageDraw, left: int, top: int, picture: Picture) -> None:
    image.paste(Image.open(io.BytesIO(picture.jpeg)), (left + _FRAME, top + _FRAME))
    if picture.doubtful:
        _dashed_frame(pen, left, top)
        middle = left + _CELL - 18, top + 18
        pen.circle(middle, 12, fill=_PAPER, outline=_ALARM, width=2)
        pen.text(middle, "?", _INK, _font(_FONT_SIZE, bold=True), anchor="mm")
    else:
        pen.rectangle((left, top, left + _CELL - 1, top + _CELL - 1), outline=_CALM, width=1)
    if picture.is_apex:
        x, y = left + _CELL - 18, top + 18
        pen.circle((x, y), 12, fill=_PAPER, outline=_INK, width=2)
        pen.polygon([(x - 6, y - 4), (x + 6, y - 4), (x, y + 6)], fill=_INK)
    for number, line in enumerate(picture.caption):
        _write(pen, (left, top + _CELL + 2 + number * (_LINE - 3)), line, _CELL, size=_SMALL)


def _dashed_frame(pen: ImageDraw.ImageDraw, left: int, top: int) -> None:
    for begin in range(0, _CELL, 2 * _DASH):
        end = min(begin + _DASH, _CELL) - 1
        for near in (0, _CELL - _FRAME):
            far = near + _FRAME - 1
            pen.rectangle((left + begin, top + near, left + end, top + far), fill=_ALARM)
            pen.rectangle((left + near, top + begin, left + far, top + end), fill=_ALARM)


def _write(
    pen: ImageDraw.ImageDraw,
    place: tuple[int, int],
    text: str,
    width: int,
    *,
    size: int = _FONT_SIZE,
    bold: bool = False,
) -> None:
    """Write a line from its upper left corner, truncated to `width`."""
    font = _font(size, bold=bold)
    if font.getlength(text) > width:
        while text and font.getlength(f"{text}…") > width:
            text = text[:-1]
        text += "…"
    pen.text(place, text, _INK, font)


@cache
def _font(size: int, *, bold: bool) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib: Latin with all accents, Greek and Cyrillic; Pillow's default font only
    has ASCII."""
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, size)
