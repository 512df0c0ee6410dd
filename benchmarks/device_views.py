"""Random views of faces, made where the network computes: as `learn.training.strong`, for thousands of faces a second.

All of a batch is drawn with torch on one device, JPEG included (its quantisation alone, in blocks of 8 x 8 pixels).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from fercli.learn.training.augment import VIEW

SIDE = 48
"""Of the faces of FER2013, pixels."""
_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Quantisation of luminance at quality 50: ITU-T T.81, table K.1."""


def views(faces: Tensor, frames: int, size: int, generator: np.random.Generator) -> Tensor:
    """(N, 48, 48) uint8 -> (N, frames, size, size) float32 in [0, 1]; the frames of a face drift through its view.

    Args:
        faces: on the device of the result, whose default generator draws what differs from face to face.
        frames: of a clip.
        size: side of the result, pixels.
        generator: draws what is common to the batch.
    """
    n, device = len(faces), faces.device

    def uniform(limit: float, *shape: int) -> Tensor:
        return (torch.rand((n, *shape), device=device) * 2 - 1) * limit

    def some(share: float) -> Tensor:
        return (torch.rand(n, device=device) < share).view(n, 1, 1, 1)

    def each(values: Tensor) -> Tensor:
        return values.view(n, 1, 1, 1)

    x = faces[:, None].float() / 255
    x = torch.where(some(0.2), compressed(x), x)
    low = int(generator.integers(14, 44))
    small = F.interpolate(x, size=(low, low), mode="bilinear", antialias=True)
    x = torch.where(some(0.2), F.interpolate(small, size=(SIDE, SIDE), mode="bilinear"), x)
    soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
    amount = each(torch.rand(n, device=device) + 0.3)
    x = torch.where(some(0.25), (x + amount * (x - soft)).clamp(0, 1), x)
    v = _moved(x, frames, size, uniform)
    middle = v.mean((1, 2, 3), keepdim=True)
    v = ((v - middle) * each(torch.exp(uniform(0.45))) + middle + each(uniform(0.18))).clamp(0, 1)
    v = torch.where(some(0.3), v.clamp(min=1e-3) ** each(torch.exp(uniform(0.45))), v)
    noise = torch.randn_like(v) * each(torch.rand(n, device=device) * 0.06)
    v = torch.where(some(0.15), (v + noise).clamp(0, 1), v)
    return torch.where(_rectangles(n, size, device) & some(0.25), each(torch.rand(n, device=device)), v)


def compressed(x: Tensor) -> Tensor:
    """(N, 1, 48, 48) in [0, 1] as JPEG gives it back, of a quality from 15 to 75 a face."""
    n, blocks = len(x), SIDE // 8
    quality = torch.rand(n, device=x.device) * 60 + 15
    factor = torch.where(quality < 50, 50 / quality, 2 - quality / 50).view(n, 1, 1, 1, 1)
    steps = (torch.tensor(_LUMINANCE, dtype=torch.float32, device=x.device) * factor).clamp(min=1)
    cosines = _cosines(x.device)
    tiles = (x * 255 - 128).view(n, blocks, 8, blocks, 8).transpose(2, 3)
    kept = torch.round(cosines @ tiles @ cosines.T / steps) * steps
    return (((cosines.T @ kept @ cosines).transpose(2, 3).reshape(x.shape) + 128) / 255).clamp(0, 1)


def mixed(v: Tensor, generator: np.random.Generator, probability: float) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """A batch mixed with itself, by mixup or CutMix, and the function that mixes its targets alike.

    A target of zeros, which is unknown, leaves the mixture unknown.
    """
    if generator.random() >= probability:
        return v, lambda targets: targets
    other = torch.randperm(len(v), device=v.device)
    share = float(generator.beta(0.4, 0.4))
    if generator.random() < 0.5:
        v = share * v + (1 - share) * v[other]
    else:
        size = v.shape[-1]
        side = int(size * math.sqrt(1 - share))
        top, left = (int(place) for place in generator.integers(0, size - side + 1, 2))
        patch = v[other][..., top : top + side, left : left + side]
        v = v.clone()
        v[..., top : top + side, left : left + side] = patch
        share = 1 - side * side / size**2

    def mix(targets: Tensor) -> Tensor:
        known = (targets.any(1) & targets[other].any(1))[:, None]
        return (share * targets + (1 - share) * targets[other]) * known

    return v, mix


def _moved(x: Tensor, frames: int, size: int, uniform: Callable[..., Tensor]) -> Tensor:
    n, device = len(x), x.device
    time = torch.linspace(-0.5, 0.5, frames, device=device) if frames > 1 else torch.zeros(1, device=device)

    def path(limit: float) -> Tensor:
        return uniform(limit, 1) + uniform(limit * 0.35, 1) * time

    flip = torch.where(torch.rand((n, 1), device=device) < 0.5, -1.0, 1.0)
    stretch = torch.exp(uniform(0.06, 1))
    angle, scale = path(0.22), VIEW * torch.exp(path(0.15))
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    rows = [
        torch.stack([cos * flip * stretch, -sin, path(0.16)], -1),
        torch.stack([sin * flip * stretch, cos, path(0.16)], -1),
    ]
    matrices = torch.stack(rows, -2).flatten(0, 1)
    grid = F.affine_grid(matrices, [n * frames, 1, size, size], align_corners=False)
    moved = F.grid_sample(x.repeat_interleave(frames, 0), grid, padding_mode="border", align_corners=False)
    return moved.view(n, frames, size, size)


def _rectangles(n: int, size: int, device: torch.device) -> Tensor:
    """(N, 1, size, size) whether a pixel lies in a random rectangle of .1 to .4 of the side."""
    sides = (torch.rand((n, 2), device=device) * 0.3 + 0.1) * size
    corners = torch.rand((n, 2), device=device) * (size - sides)
    ramp = torch.arange(size, device=device)
    inside = (ramp >= corners[..., None]) & (ramp < (corners + sides)[..., None])
    return (inside[:, 0, :, None] & inside[:, 1, None, :])[:, None]


def _cosines(device: torch.device) -> Tensor:
    """(8, 8) orthonormal discrete cosine transform."""
    k = torch.arange(8, dtype=torch.float32)
    table = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16) / 2
    table[0] *= math.sqrt(0.5)
    return table.to(device)
