"""One colour for each emotion in all outputs: report, overlay, plots, subtitles, terminal.

The palette of Okabe and Ito (https://jfly.uni-koeln.de/color/), made for colour-blind people; the greys were chosen to
differ from it and from white under each kind of colour blindness. Colour must never be the only sign: also write the
name, or its first two letters.
"""

from __future__ import annotations

from fercli.labels import NOT_ASSESSABLE

RGB = tuple[int, int, int]

COLOURS: dict[str, RGB] = {
    "anger": (213, 94, 0),
    "disgust": (0, 158, 115),
    "fear": (204, 121, 167),
    "happiness": (240, 228, 66),
    "sadness": (0, 114, 178),
    "surprise": (86, 180, 233),
    "neutral": (200, 200, 200),
    "contempt": (230, 159, 0),
    NOT_ASSESSABLE: (68, 68, 68),
}
"""Canonical emotion, or `not assessable` -> (red, green, blue) of sRGB, 0 to 255 each."""


def as_hex(colour: RGB) -> str:
    """`#rrggbb`."""
    return "#" + "".join(f"{channel:02x}" for channel in colour)


def ink_on(colour: RGB) -> RGB:
    """Black or white, the one with the higher contrast to a colour by WCAG 2.2."""
    light = _luminance(colour)
    return (0, 0, 0) if (light + 0.05) ** 2 > 1.05 * 0.05 else (255, 255, 255)


def _luminance(colour: RGB) -> float:
    """Relative luminance in [0, 1] as WCAG 2.2 defines it."""
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in _unit(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _unit(colour: RGB) -> list[float]:
    return [channel / 255 for channel in colour]
