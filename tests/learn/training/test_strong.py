"""Strong augmentation: that each part does what it says, and that the generator is the only source of chance."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fercli.learn.training import augment, strong
from fercli.learn.training.augment import plain_views, random_views
from fercli.learn.training.strong import STRENGTHS, compressed, exposed, occluded, sharpened, strong_views

COLOURED = pytest.mark.parametrize("channels", [1, 3])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(n: int, channels: int = 1, frames: int = 1, side: int = 48) -> Tensor:
    """uint8 noise as a data set holds it."""
    shape = (n, frames, side, side, *([3] if channels == 3 else []))
    return torch.randint(0, 256, shape, generator=generator(9), dtype=torch.uint8)


def edge(n: int, channels: int = 1) -> Tensor:
    """Dark above, bright below."""
    images = torch.full_like(noise(n, channels), 80)
    images[:, :, 24:] = 170
    return images


def changed(before: Tensor, after: Tensor) -> float:
    """Share of clips that are not what they were."""
    return float((before != after).flatten(1).any(dim=1).float().mean())


@COLOURED
@pytest.mark.parametrize("frames", [1, 4])
@pytest.mark.parametrize("name", list(STRENGTHS))
def test_shape_range_and_chance(name: str, frames: int, channels: int) -> None:
    images = noise(12, channels, frames)
    first, again, other = (STRENGTHS[name](images, 4, 32, generator(seed)) for seed in (3, 3, 4))
    assert first.shape == (12, 4, channels, 32, 32) and first.dtype == torch.float32
    assert first.min() >= 0 and first.max() <= 1
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(images, noise(12, channels, frames))


@COLOURED
def test_compression_changes_some_and_coarser_the_lower_the_quality(
    monkeypatch: pytest.MonkeyPatch, channels: int
) -> None:
    images = noise(300, channels)
    assert changed(images, compressed(images, generator())) == pytest.approx(strong.JPEG_PROBABILITY, abs=0.06)
    monkeypatch.setattr(strong, "JPEG_PROBABILITY", 1.0)
    differences = []
    for quality in ((90, 91), (20, 21)):
        monkeypatch.setattr(strong, "JPEG_QUALITY", quality)
        differences.append((compressed(images[:9], generator()).float() - images[:9].float()).abs().mean())
    assert 1 < differences[0] < differences[1] / 1.2  # of colour noise the JPEG keeps little at any quality


def test_compression_keeps_the_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strong, "JPEG_PROBABILITY", 1.0)
    red = torch.zeros_like(noise(2, 3))
    red[..., 0] = 200
    assert compressed(red, generator()).float().mean(dim=(0, 1, 2, 3)).tolist() == pytest.approx([200, 0, 0], abs=8)


@COLOURED
def test_sharpening_raises_edges_and_leaves_planes(monkeypatch: pytest.MonkeyPatch, channels: int) -> None:
    assert changed(edge(300, channels), sharpened(edge(300, channels), generator())) == pytest.approx(0.15, abs=0.06)
    monkeypatch.setattr(strong, "SHARPEN_PROBABILITY", 1.0)
    after = sharpened(edge(20, channels), generator())
    assert (after[:, :, 23] < 80).all() and (after[:, :, 24] > 170).all()
    assert (after[:, :, :20] == 80).all() and (after[:, :, 28:] == 170).all()


@COLOURED
def test_gamma_keeps_black_and_white_and_goes_both_ways(channels: int) -> None:
    views = torch.full((400, 2, channels, 8, 8), 0.5)
    after = exposed(views, generator())
    assert changed(views, after) == pytest.approx(strong.GAMMA_PROBABILITY, abs=0.08)
    assert after.min() < 0.4 and after.max() > 0.6
    ends = exposed(torch.stack([torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)]), generator())
    assert ends[0].max() < 0.02 and ends[1].min() == 1


@COLOURED
def test_something_before_the_face_is_one_rectangle_of_one_colour(channels: int) -> None:
    views = torch.full((400, 2, channels, 40, 40), -1.0)
    covered = occluded(views, generator()) >= 0
    share = covered.float().mean(dim=(1, 2, 3, 4))
    assert float((share > 0).float().mean()) == pytest.approx(strong.OCCLUDE_PROBABILITY, abs=0.07)
    assert share.max() <= strong.OCCLUDER[1] ** 2 + 0.01 and share[share > 0].min() >= (4 / 40) ** 2 - 1e-6
    painted = occluded(views, generator())[share > 0]
    assert all(len(set(clip[0, 0].flatten().tolist()) - {-1.0}) == 1 for clip in painted)
    assert torch.equal(covered[:, 0], covered[:, 1])


def test_faces_are_moved_further_than_lightly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JPEG", "SHARPEN", "GAMMA", "OCCLUDE"):
        monkeypatch.setattr(strong, f"{name}_PROBABILITY", 0.0)
    for name in ("CONTRAST", "BRIGHTNESS", "BLUR_PROBABILITY", "ERASE_PROBABILITY"):
        monkeypatch.setattr(augment, name, 0.0)
    ramp = (5 * torch.arange(48, dtype=torch.uint8))[:, None].expand(300, 1, 48, 48)
    light, heavy = (
        float(views(ramp, 1, 24, generator())[:, 0, 0, 12, 12].std()) for views in (random_views, strong_views)
    )
    assert heavy == pytest.approx(strong.REACH * light, rel=0.1)


def test_some_pictures_lose_their_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    red = torch.zeros_like(noise(300, 3))
    red[..., 0] = 200
    for name in ("CONTRAST", "BRIGHTNESS", "ERASE_PROBABILITY"):
        monkeypatch.setattr(augment, name, 0.0)
    colours = random_views(red, 2, 24, generator()).mean(dim=(1, 3, 4)) * 255
    grey = (colours[:, 0] - colours[:, 2]).abs() < 1
    assert float(grey.float().mean()) == pytest.approx(augment.GREY_PROBABILITY, abs=0.08)
    torch.testing.assert_close(colours[grey], torch.full((int(grey.sum()), 3), 200 * 0.299), rtol=0, atol=0.1)
    assert (plain_views(red, 2, 24)[:, :, 0] > 0.7).all() and (plain_views(red, 2, 24)[:, :, 1:] < 0.01).all()


def test_a_view_that_shrinks_much_is_averaged_and_not_sampled() -> None:
    stripes = torch.zeros((1, 1, 224, 224), dtype=torch.uint8)
    stripes[..., ::4] = 240
    assert plain_views(stripes, 1, 40).std() < 0.05
