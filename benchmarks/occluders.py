"""Things drawn over the mouth or the eyes of a face, for training and testing `fercli.models.covered`.

Everything is grey. A face is a square picture with five landmarks (left eye, right eye, nose, left and right mouth
corner as seen in the picture); sizes are given in distances between the eyes, called `unit` here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Points = NDArray[np.float32]
Mask = NDArray[np.float32]

MOUTH_KINDS = ("mask", "card", "patch", "hand", "cup", "microphone", "caption", "blur", "scarf")
EYES_KINDS = ("card", "patch", "hand", "caption", "blur", "blindfold", "brim")
COVERED = 0.85
"""Share of the mouth, or of each eye, that has to be hidden for it to count as covered."""
FREE = 0.3
"""Up to this share it counts as free. What lies between is not learnt from."""


@dataclass(frozen=True)
class Drawn:
    """A picture with what is hidden in it: 1 covered, 0 free, NaN in between."""

    picture: Picture
    mouth: float
    eyes: float


def draw(
    rng: np.random.Generator, face: Picture, points: Points, kind: str, where: str, other: Picture | None = None
) -> Drawn:
    """Cover a place of a face.

    Args:
        rng: of all that is left to chance.
        face: (S, S) grey.
        points: (5, 2) landmarks, pixels of the picture.
        kind: of MOUTH_KINDS or EYES_KINDS, or `sunglasses`.
        where: `mouth`, `eyes` or `elsewhere`.
        other: (S, S) picture whose pieces may be used as a pattern.
    """
    unit = float(max(np.hypot(*(points[1] - points[0])), face.shape[0] / 6))
    centre, half = _place(rng, face, points, unit, where)
    mask = SHAPES[kind](rng, face.shape[0], centre, half, unit, points, where)
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.3, 1.2))
    content = _content(rng, kind, face, mask, unit, other)
    if kind == "caption":
        mask = mask * rng.uniform(0.85, 1.0)
    picture = face + mask * (content - face)
    return Drawn(np.clip(picture, 0, 255).astype(np.uint8), *_hidden(mask, points, unit))


def _place(
    rng: np.random.Generator, face: Picture, points: Points, unit: float, where: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centre and half sides of what is drawn, pixels."""
    if where == "mouth":
        centre = points[3:].mean(axis=0) + rng.normal(0, 0.12, 2) * unit + [0, 0.1 * unit]
        return centre, unit * np.array([rng.uniform(0.6, 1.3), rng.uniform(0.42, 1.0)])
    if where == "eyes":
        centre = points[:2].mean(axis=0) + rng.normal(0, 0.08, 2) * unit
        return centre, unit * np.array([rng.uniform(0.85, 1.5), rng.uniform(0.28, 0.6)])
    return rng.uniform(0, face.shape[0], 2), unit * rng.uniform(0.15, 0.9, 2)


def _polygon(side: int, corners: NDArray[np.float64]) -> Mask:
    mask = np.zeros((side, side), np.float32)
    cv2.fillPoly(mask, [np.round(corners * 16).astype(np.int32)], 1.0, lineType=cv2.LINE_AA, shift=4)
    return mask


def _turned(corners: NDArray[np.float64], centre: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray((corners - centre) @ turn.T + centre)


def _rectangle(rng, side, centre, half, unit, points, where):  # type: ignore[no-untyped-def]
    corners = centre + half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return _polygon(side, _turned(corners, centre, rng.normal(0, 8)))


def _round(rng, side, centre, half, unit, points, where):  # type: ignore[no-untyped-def]
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    power = rng.choice([0.5, 0.8, 1.0])
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    corners = centre + 1.15 * half * np.sign(circle) * np.abs(circle) ** power
    return _polygon(side, _turned(corners, centre, rng.normal(0, 10)))


def _either(rng, side, centre, half, unit, points, where):  # type: ignore[no-untyped-def]
    shape = _rectangle if rng.random() < 0.5 else _round
    return shape(rng, side, centre, half, unit, points, where)


def _medical(rng, side, centre, half, unit, points, where):  # type: ignore[no-untyped-def]
    """From the bridge of the nose to the chin and the cheeks, with loops to the ears."""
    if where == "mouth":
        top = points[2] - [0, rng.uniform(0.05, 0.5) * unit]
        height = (points[3:].mean(axis=0)[1] - top[1]) + rng.uniform(0.4, 0.9) * unit
        width = rng.uniform(0.75, 1.25) * unit
    else:
        top, height, width = centre - [0, half[1]], 2 * half[1], half[0]
    drop = rng.uniform(0.05, 0.3) * height
    shape = np.array([[-1, drop], [-0.5, drop * 0.3], [0, 0], [0.5, drop * 0.3], [1, drop]], np.float64)
    lower = np.array(
        [[1, 0.65 * height], [0.55, 0.95 * height], [0, height], [-0.55, 0.95 * height], [-1, 0.65 * height]]
    )
    corners = top + np.concatenate([shape, lower]) * [width, 1]
    mask = _polygon(side, _turned(corners, top, rng.normal(0, 5)))
    if rng.random() < 0.7:
        for way in (-1, 1):
            start = top + np.array([way * width, drop])
            end = start + unit * np.array([way, -rng.uniform(0.1, 0.5)])
            cv2.line(mask, _pixel(start), _pixel(end), 1.0, 1, cv2.LINE_AA)
    return mask


def _scarf(rng, side, centre, half, unit, points, where):  # type: ignore[no-untyped-def]
    """All below a wavy line."""
    line = points[2][1] + rng.uniform(-0.25, 0.3) * unit if where == "mouth" else centre[1] + unit
    x = np.linspace(0, side, 9)
    y = line + rng.normal(0, 0.06 * unit, 9) + rng.uniform(-0.15, 0.15) * (x - side / 2)
    corners = np.concatenate([np.stack([x, y], axis=1), [[side, side], [0, side]]])
    return _polygon(side, corners)


def _brim(rng, side, centre, half, unit, points, where):  # type: ignore[no-untyped-def]
    """All above a line: a hat or hair before the eyes."""
    line = points[:2].mean(axis=0)[1] + rng.uniform(0.15, 0.4) * unit if where == "eyes" else centre[1] - unit
    x = np.linspace(0, side, 9)
    y = line + rng.normal(0, 0.04 * unit, 9) + rng.uniform(-0.1, 0.1) * (x - side / 2)
    return _polygon(side, np.concatenate([np.stack([x, y], axis=1), [[side, 0], [0, 0]]]))


def _caption(rng, side, centre, half, unit, points, where):  # type: ignore[no-untyped-def]
    low, high = centre[1] - half[1], centre[1] + half[1]
    left = 0.0 if rng.random() < 0.7 else centre[0] - 2 * half[0]
    return _polygon(side, np.array([[left, low], [side, low], [side, high], [left, high]]))


def _hand(rng, side, centre, half, unit, points, where):  # type: ignore[no-untyped-def]
    """A palm and four fingers beside each other, from any side."""
    mask = np.zeros((side, side), np.float32)
    along = rng.uniform(0, 2 * np.pi)
    forward = np.array([np.cos(along), np.sin(along)])
    across = np.array([-forward[1], forward[0]])
    # Wide enough to lie over what it is to hide, whichever way the fingers point.
    reach = abs(forward) @ half
    breadth = abs(across) @ half
    finger = max(breadth / 3.2, 0.14 * unit)
    spread = rng.uniform(1.75, 2.15)
    for number in range(4):
        middle = centre + across * (number - 1.5) * finger * spread
        tip = middle + forward * reach * rng.uniform(0.9, 1.25)
        cv2.line(mask, _pixel(middle - forward * 1.6 * reach), _pixel(tip), 1.0, max(1, round(2 * finger)), cv2.LINE_AA)
    palm = centre - forward * (reach + 0.9 * unit)
    cv2.ellipse(
        mask, (_pixel(palm), (3.8 * finger * 2, 2.0 * unit), float(np.degrees(along)) + 90), 1.0, -1, cv2.LINE_AA
    )
    return mask


def _cup(rng, side, centre, half, unit, points, where):  # type: ignore[no-untyped-def]
    wide, high = max(half[0] * 0.8, 0.55 * unit), half[1] * 1.4
    lower = rng.uniform(0.6, 1.0)
    corners = centre + np.array(
        [[-wide, -high * 0.7], [wide, -high * 0.7], [lower * wide, high], [-lower * wide, high]]
    )
    mask = _polygon(side, _turned(corners, centre, rng.normal(0, 12)))
    cv2.ellipse(mask, _pixel(centre - [0, high * 0.7]), (round(wide), round(0.25 * wide)), 0, 0, 360, 1.0, -1)
    return mask


def _microphone(rng, side, centre, half, unit, points, where):  # type: ignore[no-untyped-def]
    mask = np.zeros((side, side), np.float32)
    radius = max(0.55 * float(half.mean()) + 0.25 * unit, 0.5 * unit) if where == "mouth" else float(half.mean())
    end = centre + unit * np.array([rng.normal(0, 1.0), 2.5])
    cv2.line(mask, _pixel(centre), _pixel(end), 1.0, max(2, round(radius * rng.uniform(0.5, 1.0))), cv2.LINE_AA)
    cv2.ellipse(mask, _pixel(centre), (round(radius), round(radius * rng.uniform(0.75, 1.1))), 0, 0, 360, 1.0, -1)
    return mask


def _sunglasses(rng, side, centre, half, unit, points, where):  # type: ignore[no-untyped-def]
    mask = np.zeros((side, side), np.float32)
    wide, high = unit * rng.uniform(0.36, 0.5), unit * rng.uniform(0.24, 0.42)
    for eye in points[:2]:
        mask = np.maximum(
            mask, _round(rng, side, eye + np.array([0, 0.06 * unit]), np.array([wide, high]), unit, points, where)
        )
    cv2.line(mask, _pixel(points[0] - [0, 0.08 * unit]), _pixel(points[1] - [0, 0.08 * unit]), 1.0, 2, cv2.LINE_AA)
    return mask


SHAPES: dict[str, Callable[..., Mask]] = {
    "mask": _medical,
    "card": _rectangle,
    "patch": _either,
    "hand": _hand,
    "cup": _cup,
    "microphone": _microphone,
    "caption": _caption,
    "blur": _either,
    "scarf": _scarf,
    "blindfold": _caption,
    "brim": _brim,
    "sunglasses": _sunglasses,
}


def _content(
    rng: np.random.Generator, kind: str, face: Picture, mask: Mask, unit: float, other: Picture | None
) -> NDArray[np.float32]:
    """What is seen where the mask is 1."""
    side = face.shape[0]
    skin = float(np.median(face[side // 4 : -side // 4, side // 4 : -side // 4]))
    tone = float(np.clip(rng.normal(skin, 25), 0, 255)) if rng.random() < 0.4 else float(rng.uniform(0, 255))
    if kind == "blur":
        return _censored(rng, face, unit)
    if kind == "patch":
        return _pattern(rng, side, tone, unit, other)
    if kind == "caption":
        return _letters(rng, side, tone, mask)
    if kind == "hand":
        return _rounded(rng, mask, float(np.clip(rng.normal(skin, 30), 0, 255)), unit)
    if kind == "microphone":
        return _mesh(rng, _rounded(rng, mask, float(rng.uniform(0, 120)), unit))
    if kind == "sunglasses":
        return _shaded(rng, side, float(rng.uniform(0, 70)), 25)
    flat = kind == "card" and rng.random() < 0.6
    content = np.full((side, side), tone, np.float32) if flat else _shaded(rng, side, tone, 35)
    if kind in ("mask", "scarf", "blindfold", "brim"):
        content = content + _folds(rng, side, rng.uniform(0, 22), flat=kind == "mask")
    if rng.random() < 0.25 and not flat:
        content = content + rng.normal(0, rng.uniform(2, 20), (side, side)).astype(np.float32)
    return content


def _censored(rng: np.random.Generator, face: Picture, unit: float) -> NDArray[np.float32]:
    if rng.random() < 0.5:
        return cv2.GaussianBlur(face, (0, 0), rng.uniform(0.3, 0.7) * unit).astype(np.float32)
    cells = max(2, round(face.shape[0] / (rng.uniform(0.35, 0.8) * unit)))
    small = cv2.resize(face, (cells, cells), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, face.shape[::-1], interpolation=cv2.INTER_NEAREST).astype(np.float32)


def _pattern(
    rng: np.random.Generator, side: int, tone: float, unit: float, other: Picture | None
) -> NDArray[np.float32]:
    y, x = np.mgrid[:side, :side].astype(np.float32)
    angle, period = rng.uniform(0, np.pi), rng.uniform(0.12, 0.7) * unit
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    strength = rng.uniform(15, 110)
    style = rng.integers(5)
    if style == 0:
        wave = np.sign(np.sin(2 * np.pi * along / period))
    elif style == 1:
        wave = np.sign(np.sin(2 * np.pi * along / period) * np.sin(2 * np.pi * across / period))
    elif style == 2:
        wave = np.where(np.sin(2 * np.pi * along / period) + np.sin(2 * np.pi * across / period) > 1, 1, -0.3)
    elif style == 3 or other is None:
        cells = int(rng.integers(3, 16))
        wave = cv2.resize(
            rng.uniform(-1, 1, (cells, cells)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC
        )
    else:  # a piece of another picture, larger and in any position
        piece = int(side * rng.uniform(0.25, 0.6))
        left, top = rng.integers(0, side - piece, 2)
        cut = np.rot90(other[top : top + piece, left : left + piece], int(rng.integers(4)))
        return cv2.resize(np.ascontiguousarray(cut), (side, side)).astype(np.float32)
    return np.asarray(tone + strength * wave, np.float32)


def _letters(rng: np.random.Generator, side: int, tone: float, mask: Mask) -> NDArray[np.float32]:
    content = np.full((side, side), round(tone), np.uint8)
    ink = 255.0 if tone < 128 else 0.0
    rows = np.flatnonzero(mask.max(axis=1) > 0.5)
    y = int(rows.min()) if len(rows) else 0
    while len(rows) and y < rows.max() and rng.random() < 0.95:
        scale = side * rng.uniform(0.0025, 0.006)
        y += round(24 * scale + 3)
        text = "".join(chr(int(code)) for code in rng.integers(65, 122, 14))
        cv2.putText(
            content,
            text,
            (int(rng.integers(-20, 10)), y),
            cv2.FONT_HERSHEY_SIMPLEX,
            scale,
            ink,
            1 + (scale > 0.4),
            cv2.LINE_AA,
        )
    return content.astype(np.float32)


def _shaded(rng: np.random.Generator, side: int, tone: float, most: float) -> NDArray[np.float32]:
    """A surface that is lighter on one side."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    slope, bow = rng.normal(0, most, 2), rng.normal(0, most)
    return np.asarray(tone + slope[0] * x + slope[1] * y + bow * (x * x - 0.3), np.float32)


def _folds(rng: np.random.Generator, side: int, strength: float, *, flat: bool) -> NDArray[np.float32]:
    y, x = np.mgrid[:side, :side].astype(np.float32)
    angle = rng.normal(np.pi / 2, 0.15) if flat else rng.uniform(0, np.pi)
    along = x * np.cos(angle) + y * np.sin(angle) + rng.normal(0, 2) * np.sin(x / side * 6)
    return np.asarray(
        strength * np.sin(2 * np.pi * along / (side * rng.uniform(0.05, 0.3)) + rng.uniform(0, 6)), np.float32
    )


def _rounded(rng: np.random.Generator, mask: Mask, tone: float, unit: float) -> NDArray[np.float32]:
    """Darker towards the edges, as fingers and balls are."""
    depth = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    lines = cv2.Laplacian(cv2.GaussianBlur(mask, (0, 0), 0.08 * unit + 0.3), cv2.CV_32F)
    shade = np.clip(depth / (0.35 * unit), 0, 1)
    return np.asarray(
        tone * (0.6 + 0.4 * shade) + rng.uniform(-20, 0) * lines + _shaded(rng, len(mask), 0, 15), np.float32
    )


def _mesh(rng: np.random.Generator, content: NDArray[np.float32]) -> NDArray[np.float32]:
    y, x = np.mgrid[: len(content), : len(content)].astype(np.float32)
    step = rng.uniform(2, 5)
    return np.asarray(
        content + rng.uniform(0, 40) * (np.sin(2 * np.pi * x / step) * np.sin(2 * np.pi * y / step)), np.float32
    )


def _hidden(mask: Mask, points: Points, unit: float) -> tuple[float, float]:
    corners = points[3:]
    width = max(0.55 * float(np.hypot(*(corners[1] - corners[0]))), 0.3 * unit)
    mouth = _share(mask, corners.mean(axis=0) + np.array([0, 0.04 * unit]), (width, 0.2 * unit))
    eyes = [_share(mask, eye, (0.22 * unit, 0.12 * unit)) for eye in points[:2]]
    return _verdict(mouth, mouth), _verdict(min(eyes), min(eyes))


def _share(mask: Mask, centre: NDArray[np.float64], half: tuple[float, float]) -> float:
    region = np.zeros_like(mask)
    cv2.ellipse(region, _pixel(centre), (max(1, round(half[0])), max(1, round(half[1]))), 0, 0, 360, 1.0, -1)
    total = region.sum()
    return float((region * mask).sum() / total) if total else 0.0


def _verdict(least: float, most: float) -> float:
    if least >= COVERED:
        return 1.0
    return 0.0 if most <= FREE else float("nan")


def _pixel(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
