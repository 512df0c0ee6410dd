"""Random views of faces, made where the network computes: as `learn.training.strong`, for thousands of faces a second.

All of a batch is drawn with torch on one device, JPEG included (its quantisation alone, in blocks of 8 x 8 pixels).
Chance decides values, never a shape or a branch, so the work can be recorded as a CUDA graph and replayed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

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
_REDUCED = (16, 24, 34)
"""Sides in pixels, one of which a blurred face is reduced to."""
_MIXUP = 0.4
"""Both parameters of the beta distribution of the share of a picture in mixup (Zhang et al. 2018, arXiv 1710.09412)."""
_UNMIXED = 0.999
"""Share of a picture from which its target stays as it is."""


def views(faces: Tensor, frames: int, size: int) -> Tensor:
    """(N, 48, 48) uint8 -> (N, frames, size, size) float32 in [0, 1]; the frames of a face drift through its view.

    Args:
        faces: on the device of the result, whose default generator draws everything.
        frames: of a clip.
        size: side of the result, pixels.
    """
    n, device = len(faces), faces.device

    def uniform(limit: float, *shape: int) -> Tensor:
        return (torch.rand((n, *shape), device=device) * 2 - 1) * limit

    def some(share: float) -> Tensor:
        return _each(torch.rand(n, device=device) < share)

    x = faces[:, None].float() / 255
    x = torch.where(some(0.2), compressed(x), x)
    x = torch.where(some(0.2), _reduced(x), x)
    soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
    amount = _each(torch.rand(n, device=device) + 0.3)
    x = torch.where(some(0.25), (x + amount * (x - soft)).clamp(0, 1), x)
    v = _moved(x, frames, size, uniform)
    middle = v.mean((1, 2, 3), keepdim=True)
    v = ((v - middle) * _each(torch.exp(uniform(0.45))) + middle + _each(uniform(0.18))).clamp(0, 1)
    v = torch.where(some(0.3), v.clamp(min=1e-3) ** _each(torch.exp(uniform(0.45))), v)
    noise = torch.randn_like(v) * _each(torch.rand(n, device=device) * 0.06)
    v = torch.where(some(0.15), (v + noise).clamp(0, 1), v)
    covered = _rectangles(n, size, 0.1, 0.4, device)[:, None] & some(0.25)
    return torch.where(covered, _each(torch.rand(n, device=device)), v)


def compressed(x: Tensor) -> Tensor:
    """(N, 1, 48, 48) in [0, 1] as JPEG gives it back, of a quality from 15 to 75 a face."""
    n, blocks = len(x), SIDE // 8
    quality = torch.rand(n, device=x.device) * 60 + 15
    factor = torch.where(quality < 50, 50 / quality, 2 - quality / 50).view(n, 1, 1, 1, 1)
    steps = (_luminance(x.device) * factor).clamp(min=1)
    cosines = _cosines(x.device)
    tiles = (x * 255 - 128).view(n, blocks, 8, blocks, 8).transpose(2, 3)
    kept = torch.round(cosines @ tiles @ cosines.T / steps) * steps
    return (((cosines.T @ kept @ cosines).transpose(2, 3).reshape(x.shape) + 128) / 255).clamp(0, 1)


def mixed(v: Tensor, probability: float) -> tuple[Tensor, Tensor]:
    """Views mixed with those before them in the batch: half of the mixed ones by mixup, half by CutMix.

    Args:
        v: (N, T, size, size).
        probability: of a view to be mixed.

    Returns:
        The views, and (N,) the share of each that is its own picture; `mixed_targets` takes it.
    """
    n, size, device = len(v), v.shape[-1], v.device
    kind = torch.rand(n, device=device).view(n, 1, 1)
    uncut = 1 - _rectangles(n, size, 0.2, 0.75, device).float()
    table = _mixup_shares(device)
    share = table[torch.randint(0, len(table), (n,), device=device)].view(n, 1, 1).expand_as(uncut)
    own = torch.where(kind < probability, uncut, torch.ones_like(uncut))
    own = torch.where(kind < probability / 2, share, own)
    return own[:, None] * v + (1 - own[:, None]) * v.roll(1, 0), own.mean((1, 2))


def mixed_targets(targets: Tensor, own: Tensor) -> Tensor:
    """(N, C) targets mixed as `mixed` mixed the views.

    A target of zeros, which is unknown, leaves the mixture unknown.
    """
    other, share = targets.roll(1, 0), own[:, None]
    known = (targets.any(1) & other.any(1))[:, None]
    return torch.where(share > _UNMIXED, targets, (share * targets + (1 - share) * other) * known)


def _each(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)


def _reduced(x: Tensor) -> Tensor:
    """(N, 1, 48, 48) each reduced to one of a few sizes and enlarged again: all are made, because shapes are fixed."""
    which = _each(torch.randint(0, len(_REDUCED), (len(x),), device=x.device))
    result = x
    for number, low in enumerate(_REDUCED):
        small = F.interpolate(x, size=(low, low), mode="bilinear", antialias=True)
        result = torch.where(which == number, F.interpolate(small, size=(SIDE, SIDE), mode="bilinear"), result)
    return result


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


def _rectangles(n: int, size: int, low: float, high: float, device: torch.device) -> Tensor:
    """(N, size, size) whether a pixel lies in a random rectangle, whose sides are `low` to `high` of the whole."""
    sides = (torch.rand((n, 2), device=device) * (high - low) + low) * size
    corners = torch.rand((n, 2), device=device) * (size - sides)
    ramp = torch.arange(size, device=device)
    inside = (ramp >= corners[..., None]) & (ramp < (corners + sides)[..., None])
    return inside[:, 0, :, None] & inside[:, 1, None, :]


# A recorded graph cannot copy from the host: these are made in the runs before the recording, and kept.


@cache
def _luminance(device: torch.device) -> Tensor:
    return torch.tensor(_LUMINANCE, dtype=torch.float32, device=device)


@cache
def _cosines(device: torch.device) -> Tensor:
    """(8, 8) orthonormal discrete cosine transform."""
    k = torch.arange(8, dtype=torch.float32)
    table = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16) / 2
    table[0] *= math.sqrt(0.5)
    return table.to(device)


@cache
def _mixup_shares(device: torch.device) -> Tensor:
    """(65536,) draws from the beta distribution, from which mixup draws again."""
    return torch.from_numpy(np.random.default_rng(0).beta(_MIXUP, _MIXUP, 65536).astype(np.float32)).to(device)
