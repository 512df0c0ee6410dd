from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.media.soft_cuts import SoftCut, SoftCutDetector

HEIGHT, WIDTH = 72, 128
Frames = list[NDArray[np.uint8]]


def _found(images: Sequence[NDArray[np.uint8]], fps: float = 25) -> list[SoftCut]:
    detector = SoftCutDetector()
    for number, image in enumerate(images):
        detector.add(number, number / fps, image)
    detector.finish()
    return detector.found


def _panorama(seed: int, width: int = WIDTH) -> NDArray[np.float64]:
    """Blurred blobs of colour with edges, as photographs have them."""
    random = np.random.default_rng(seed)
    coarse = np.kron(random.integers(20, 235, (6, width // 12 + 1, 3)), np.ones((12, 12, 1)))[:HEIGHT, :width]
    fine = np.kron(random.integers(-30, 30, (24, width // 3 + 1, 3)), np.ones((3, 3, 1)))[:HEIGHT, :width]
    return np.clip(coarse + fine, 0, 255)


def _shot(seed: int, frames: int) -> list[NDArray[np.float64]]:
    """A still picture in which something small moves, with noise."""
    random = np.random.default_rng(seed + 100)
    shot = []
    for number in range(frames):
        image = _panorama(seed) + random.normal(0, 3, (HEIGHT, WIDTH, 3))
        left = 20 + number % 40
        image[30:50, left : left + 15] = 128
        shot.append(np.clip(image, 0, 255))
    return shot


def _joined(kind: str, seconds: float, fps: int, seeds: tuple[int, int] = (1, 2)) -> tuple[Frames, int, int]:
    """Two shots of 1.5 s, joined; and the first and last mixed frame."""
    length, around = round(seconds * fps), round(1.5 * fps)
    before, after = _shot(seeds[0], around + length), _shot(seeds[1], around + length)
    shares = np.arange(1, length + 1) / (length + 1)
    mixed = [_mix(kind, *pair) for pair in zip(before[around:], after, shares, strict=False)]
    images = [image.round().astype(np.uint8) for image in [*before[:around], *mixed, *after[length:]]]
    return images, around, around + length - 1


def _mix(kind: str, a: NDArray[np.float64], b: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    if kind == "dissolve":
        return (1 - share) * a + share * b
    if kind in ("through black", "through white"):
        plain = 0.0 if kind == "through black" else 255.0
        return plain + abs(1 - 2 * share) * ((a if share < 0.5 else b) - plain)
    shown = {
        "wipe to the right": columns < share * WIDTH,
        "wipe up": rows > (1 - share) * HEIGHT,
        "circle": np.hypot(columns - WIDTH / 2, rows - HEIGHT / 2) < share * np.hypot(WIDTH, HEIGHT) / 2,
    }[kind]
    return np.where(shown[:, :, None], b, a)


KINDS = ("dissolve", "through black", "through white", "wipe to the right", "wipe up", "circle")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("seconds", "fps"), [(0.3, 25), (0.5, 30), (1.0, 25), (2.0, 25), (0.5, 60), (1.0, 12)])
def test_transitions_are_found_where_they_are(kind: str, seconds: float, fps: int) -> None:
    images, first, last = _joined(kind, seconds, fps)
    found = _found(images, fps)
    assert len(found) == 1
    # To a third of the transition (a circle begins small), and to the distance of the pictures that are compared.
    slack = 0.3 * (last - first) + 0.09 * fps
    assert abs(found[0].cut - (first + last) / 2) <= slack
    assert abs(found[0].first - first) <= slack and abs(found[0].last - last) <= slack


def test_two_transitions_in_a_row_are_two() -> None:
    one, _, _ = _joined("dissolve", 0.5, 25, (1, 2))
    other, _, _ = _joined("circle", 0.5, 25, (2, 3))
    assert len(_found(one[:-10] + other[10:])) == 2


@pytest.mark.parametrize("fps", [25, 60])
def test_hard_cuts_are_left_to_others(fps: int) -> None:
    images, *_ = _joined("dissolve", 0, fps)
    assert _found(images, fps) == []


def _light(factors: NDArray[np.float64]) -> Frames:
    return [
        np.clip(image * f, 0, 255).astype(np.uint8) for image, f in zip(_shot(1, len(factors)), factors, strict=True)
    ]


def test_changes_of_light_are_none() -> None:
    still = np.ones(40)
    assert _found(_light(np.concatenate([still, np.linspace(1, 0.3, 15), 0.3 * still]))) == []
    assert _found(_light(np.concatenate([still, np.linspace(1, 0, 10), np.linspace(0, 1, 10), still]))) == []
    flash = np.concatenate([still, [3.0, 5.0, 4.0, 2.0, 1.5], still])
    assert _found(_light(flash)) == []


@pytest.mark.parametrize("widths_per_s", [0.1, 0.25, 0.5, 1.0, 2.0])
def test_pans_are_none_also_when_they_start_and_stop(widths_per_s: float) -> None:
    wide = _panorama(5, 6 * WIDTH)
    moving = np.clip((np.arange(100) - 40) / 25 * widths_per_s, 0, 1.5)
    lefts = (moving * WIDTH).round().astype(int)
    assert _found([wide[:, left : left + WIDTH].astype(np.uint8) for left in lefts]) == []


@pytest.mark.parametrize("seconds", [0.5, 1.0, 2.0])
def test_zooms_are_none(seconds: float) -> None:
    import cv2

    picture = _panorama(6)
    scales = np.interp(np.arange(100), [40, 40 + 25 * seconds], [1.0, 2.0])
    images = []
    for scale in scales:
        move = np.array([[scale, 0, (1 - scale) * WIDTH / 2], [0, scale, (1 - scale) * HEIGHT / 2]])
        images.append(cv2.warpAffine(picture, move, (WIDTH, HEIGHT)).astype(np.uint8))
    assert _found(images) == []


def test_slides_a_timelapse_and_short_clips_are_none() -> None:
    images, *_ = _joined("dissolve", 1.0, 25)
    assert _found(images, fps=1) == []
    assert [_found(images[:count]) for count in (0, 1, 5, 8)] == [[]] * 4


def test_memory_does_not_grow() -> None:
    import tracemalloc

    images = [image.astype(np.uint8) for image in _shot(1, 20)]
    tracemalloc.start()
    _found(images * 10)
    short = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    _found(images * 40)
    assert tracemalloc.get_traced_memory()[1] < 1.2 * short
    tracemalloc.stop()
