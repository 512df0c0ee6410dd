"""RandAugment: each operation against Pillow, OpenCV or geometry, then how they are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from fercli.learn.training.randaugment import LIGHT, MAX_MAGNITUDE, OPERATIONS, SHARPNESS, randaugment

SIDE = 24
MEASURING = ("autocontrast", "equalize")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(seed: int = 0) -> NDArray[np.uint8]:
    """(SIDE, SIDE) grey levels of a limited range, unevenly spread."""
    return (60 + 120 * np.random.default_rng(seed).random((SIDE, SIDE)) ** 2).astype(np.uint8)


def still(image: NDArray[np.uint8]) -> Tensor:
    """(1, 1, 1, SIDE, SIDE)."""
    return torch.from_numpy(image)[None, None, None].float() / 255


def done(name: str, image: NDArray[np.uint8], strength: float = 0.0) -> NDArray[np.float32]:
    """(SIDE, SIDE) in [0, 255]."""
    result: NDArray[np.float32] = OPERATIONS[name](still(image), torch.tensor([strength]))[0, 0, 0].numpy() * 255
    return result


def test_autocontrast_and_posterize_are_pillows() -> None:
    image = picture()
    np.testing.assert_allclose(
        done("autocontrast", image), np.asarray(ImageOps.autocontrast(Image.fromarray(image))), atol=1
    )
    for strength, bits in ((0.0, 8), (0.25, 7), (-0.5, 6), (1.0, 4), (-1.0, 4)):
        expected = np.asarray(ImageOps.posterize(Image.fromarray(image), bits))
        np.testing.assert_allclose(done("posterize", image, strength), expected, atol=1e-3)


def test_equalize_is_opencvs() -> None:
    image = picture()
    np.testing.assert_allclose(done("equalize", image), cv2.equalizeHist(image), atol=0.51)


@pytest.mark.parametrize(
    ("name", "enhance", "end"),
    [
        ("contrast", ImageEnhance.Contrast, LIGHT),
        ("brightness", ImageEnhance.Brightness, LIGHT),
        ("sharpness", ImageEnhance.Sharpness, SHARPNESS),
    ],
)
@pytest.mark.parametrize("strength", [-1.0, -0.3, 0.6, 1.0])
def test_contrast_brightness_and_sharpness_are_pillows(
    name: str, enhance: Callable[[Image.Image], ImageEnhance._Enhance], end: float, strength: float
) -> None:
    image = picture()
    expected = np.asarray(enhance(Image.fromarray(image)).enhance(1 + end * strength))
    np.testing.assert_allclose(done(name, image, strength), expected, atol=2)


@pytest.mark.parametrize("name", MEASURING)
@pytest.mark.parametrize("level", [0, 100, 255])
def test_a_picture_of_one_level_is_left_as_it_is(name: str, level: int) -> None:
    image = np.full((SIDE, SIDE), level, np.uint8)
    np.testing.assert_allclose(done(name, image), image, atol=1e-4)


def shown(name: str, strength: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(x, y) of the view's inner pixels and (x, y) of what they show, the middle at 0 and the edges at -1 and 1."""
    line = (torch.arange(SIDE) + 0.5) / SIDE * 2 - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    clips = torch.stack([x, y])[:, None, None]
    seen = OPERATIONS[name](clips, torch.full((2,), strength))[:, 0, 0]
    inner = slice(SIDE // 4, -SIDE // 4)
    return x[inner, inner], y[inner, inner], seen[0, inner, inner], seen[1, inner, inner]


@pytest.mark.parametrize("strength", [1.0, -0.5])
def test_geometry_is_what_its_name_says(strength: float) -> None:
    def check(name: str, expected: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> None:
        x, y, seen_x, seen_y = shown(name, strength)
        for seen, value in zip((seen_x, seen_y), expected(x, y), strict=True):
            torch.testing.assert_close(seen, value, rtol=0, atol=1e-4)

    angle = math.radians(30 * strength)
    cos, sin = math.cos(angle), math.sin(angle)
    check("identity", lambda x, y: (x, y))
    check("rotate", lambda x, y: (cos * x - sin * y, sin * x + cos * y))
    check("shear-x", lambda x, y: (x + 0.3 * strength * y, y))
    check("shear-y", lambda x, y: (x, y + 0.3 * strength * x))
    check("translate-x", lambda x, y: (x + 0.15 * 2 * strength, y))  # 0.15 of a side that is 2 long
    check("translate-y", lambda x, y: (x, y + 0.15 * 2 * strength))


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_treats_all_frames_alike_and_each_clip_by_itself(name: str) -> None:
    brightest = torch.tensor([0.3, 0.6, 0.9]).view(3, 1, 1, 1, 1)
    clips = torch.rand((3, 4, 1, SIDE, SIDE), generator=generator(1)) * brightest
    clips[:, 1] = clips[:, 0]
    strengths = torch.tensor([0.9, -0.7, 0.2])
    together = OPERATIONS[name](clips, strengths)
    assert together.shape == clips.shape and together.dtype == torch.float32
    assert together.min() >= 0 and together.max() <= 1
    assert torch.equal(together[:, 0], together[:, 1])
    for number in range(3):
        alone = OPERATIONS[name](clips[number : number + 1], strengths[number : number + 1])
        torch.testing.assert_close(together[number : number + 1], alone)


def test_what_is_measured_is_measured_over_the_whole_clip() -> None:
    dark, bright = torch.full((1, SIDE, SIDE), 0.2), torch.full((1, SIDE, SIDE), 0.6)
    dark[0, 0, 0] = 0.1
    clip = torch.stack([dark, bright])[None]
    stretched = OPERATIONS["autocontrast"](clip, torch.zeros(1))[0]
    assert (stretched[0].min().item(), stretched[1].max().item()) == pytest.approx((0.0, 1.0))
    assert stretched[0, 0, 1, 1].item() == pytest.approx(0.2)  # (0.2 - 0.1) / (0.6 - 0.1)
    equal = OPERATIONS["equalize"](clip, torch.zeros(1))[0]
    pixels = SIDE**2
    assert equal[0, 0, 1, 1].item() == pytest.approx((pixels - 1) / (2 * pixels - 1))
    flat = OPERATIONS["contrast"](clip, torch.tensor([-1.0]))[0]
    assert (flat[1, 0, 1, 1] - flat[0, 0, 1, 1]).item() == pytest.approx(0.4 * (1 - LIGHT), abs=1e-6)


def test_magnitude_0_leaves_all_but_the_measuring_operations_without_effect() -> None:
    clips = still(picture())
    for name, operation in OPERATIONS.items():
        change = (operation(clips, torch.zeros(1)) - clips).abs().max()
        assert (change > 0.1) == (name in MEASURING), name


def test_a_larger_strength_is_a_larger_change_in_both_directions() -> None:
    wave = np.sin(np.arange(SIDE) / 6)  # smooth, so that a picture moved further differs more
    clips = still((128 + 80 * np.outer(wave, wave)).astype(np.uint8))
    for name in OPERATIONS.keys() - {"identity", *MEASURING}:
        for sign in (-1.0, 1.0):
            small, large = ((OPERATIONS[name](clips, torch.tensor([sign * s])) - clips).abs().mean() for s in (0.3, 1))
            assert 0 < small < large, name


def test_the_generator_is_the_only_source_of_chance_and_the_views_stay_as_they_are() -> None:
    views = torch.rand((16, 4, 1, SIDE, SIDE), generator=generator(1))
    before = views.clone()
    torch.manual_seed(1)
    first = randaugment(views, 2, 5, generator(3))
    torch.manual_seed(2)
    assert torch.equal(first, randaugment(views, 2, 5, generator(3)))
    assert not torch.equal(first, randaugment(views, 2, 5, generator(4)))
    assert torch.equal(views, before)
    assert torch.equal(randaugment(views, 0, 5, generator()), views)


def test_views_of_a_still_that_are_shared_in_memory_are_taken_too() -> None:
    views = still(picture()).expand(3, 4, -1, -1, -1)
    result = randaugment(views, 2, 8, generator())
    assert torch.equal(result, result[:, :1].expand_as(result))


def test_operations_are_drawn_evenly_at_the_strength_asked_for_with_either_sign(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: dict[str, list[float]] = {name: [] for name in OPERATIONS}

    def recording(name: str) -> Callable[[Tensor, Tensor], Tensor]:
        def operation(clips: Tensor, strength: Tensor) -> Tensor:
            drawn[name] += strength.tolist()
            return clips + 1

        return operation

    for name in OPERATIONS:
        monkeypatch.setitem(OPERATIONS, name, recording(name))
    n = 1200
    result = randaugment(torch.zeros(n, 1, 1, 1, 1), 3, 0.4 * MAX_MAGNITUDE, generator())
    assert (result == 3).all()
    expected = 3 * n / len(OPERATIONS)
    for strengths in drawn.values():
        assert 0.8 * expected < len(strengths) < 1.2 * expected
        assert set(np.round(strengths, 6)) == {-0.4, 0.4}
        assert 0.35 < np.mean(np.array(strengths) > 0) < 0.65
