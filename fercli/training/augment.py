"""Random views of face images, a batch at a time, straight from uint8 to what the network takes.

A still image becomes a clip by drifting slowly through its own view, as a face crop does when the detector's box moves.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

VIEW = 0.9
"""Share of a data-set image's side that the network sees: the borders hold little but background."""
ROTATION = math.radians(8)
SCALE = 0.1
SHIFT = 0.05
CONTRAST = 0.25
BRIGHTNESS = 0.1
DRIFT = 0.35
"""Share of the geometric ranges a clip may drift through between its first and last frame."""
BLUR_PROBABILITY = 0.1
ERASE_PROBABILITY = 0.05


def random_views(images: Tensor, n_frames: int, size: int, generator: torch.Generator) -> Tensor:
    """Augment a batch.

    Args:
        images: (N, H, W) uint8 grey.
        n_frames: frames a clip; all of one image, under one slowly drifting transform.
        size: side of the output.
        generator: the only source of randomness.

    Returns:
        (N, n_frames, 1, size, size) float32 in [0, 1].
    """
    n = len(images)
    pixels = _random_blur(images[:, None].float() / 255, generator)
    grid = F.affine_grid(_random_affine(n, n_frames, generator), [n * n_frames, 1, size, size], align_corners=False)
    frames = pixels.repeat_interleave(n_frames, dim=0)
    views = F.grid_sample(frames, grid, padding_mode="border", align_corners=False)
    views = views.view(n, n_frames, 1, size, size)
    return _random_erase(_random_light(views, generator), generator)


def plain_views(images: Tensor, n_frames: int, size: int) -> Tensor:
    """The same without randomness: the middle of the image, the clip standing still. Shapes as `random_views`."""
    grid = F.affine_grid(torch.tensor([[[VIEW, 0, 0], [0, VIEW, 0]]]), [1, 1, size, size], align_corners=False)
    pixels = images[:, None].float() / 255
    views = F.grid_sample(pixels, grid.expand(len(images), -1, -1, -1), align_corners=False)
    return views[:, None].expand(-1, n_frames, -1, -1, -1)


def _uniform(shape: tuple[int, ...], limit: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(shape, generator=generator) * 2 - 1) * limit


def _random_affine(n: int, n_frames: int, generator: torch.Generator) -> Tensor:
    """(N * n_frames, 2, 3) matrices from output to input coordinates."""
    time = torch.linspace(-0.5, 0.5, n_frames) if n_frames > 1 else torch.zeros(1)

    def path(limit: float) -> Tensor:
        start = _uniform((n, 1), limit, generator)
        drift = _uniform((n, 1), limit * DRIFT, generator) if n_frames > 1 else 0.0
        return start + drift * time

    angle, scale = path(ROTATION), VIEW * (1 + path(SCALE))
    x, y = path(2 * SHIFT), path(2 * SHIFT)
    flip = torch.where(torch.rand((n, 1), generator=generator) < 0.5, -1.0, 1.0)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = [torch.stack([cos * flip, -sin, x], dim=-1), torch.stack([sin * flip, cos, y], dim=-1)]
    return torch.stack(rows, dim=-2).flatten(0, 1)


def _random_light(views: Tensor, generator: torch.Generator) -> Tensor:
    shape = (len(views), 1, 1, 1, 1)
    contrast = 1 + _uniform(shape, CONTRAST, generator)
    brightness = _uniform(shape, BRIGHTNESS, generator)
    middle = views.mean(dim=(1, 2, 3, 4), keepdim=True)
    return ((views - middle) * contrast + middle + brightness).clamp(0, 1)


def _random_blur(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Some images lose detail, down to about 20 pixels a side: small faces in video look like that."""
    blurred = torch.rand(len(pixels), generator=generator) < BLUR_PROBABILITY
    low = int(torch.randint(20, pixels.shape[-1], (1,), generator=generator))
    if not blurred.any():
        return pixels
    small = F.interpolate(pixels[blurred], size=(low, low), mode="bilinear", antialias=True)
    pixels = pixels.clone()
    pixels[blurred] = F.interpolate(small, size=pixels.shape[-2:], mode="bilinear")
    return pixels


def _random_erase(views: Tensor, generator: torch.Generator) -> Tensor:
    """Random erasing (Zhong et al. 2017, arXiv 1708.04896), one rectangle a clip, filled with the clip's mean."""
    n, size = len(views), views.shape[-1]
    side = torch.randint(size // 8, size // 3 + 1, (n, 2), generator=generator)
    corner = (torch.rand((n, 2), generator=generator) * (size - side + 1)).long()
    on = torch.rand(n, generator=generator) < ERASE_PROBABILITY
    ramp = torch.arange(size)
    inside = (ramp >= corner[..., None]) & (ramp < (corner + side)[..., None])
    mask = inside[:, 0, :, None] & inside[:, 1, None, :] & on[:, None, None]
    return torch.where(mask[:, None, None], views.mean(dim=(1, 2, 3, 4), keepdim=True), views)
