"""RandAugment (Cubuk et al. 2020, arXiv 1909.13719) for clips of faces.

Of the paper's fourteen operations two are left out: colour, of which grey faces have none, and solarize, which turns
bright skin dark: no camera does that, and where light and shadow lie is what an expression is read from. Ranges are
those of the authors' program (tensorflow/tpu, models/official/efficientnet/autoaugment.py) but for three. Translation
ends at 0.15 of the side, not at nearly half, which pushes mouth or brows out of a view that a face fills. Contrast and
brightness end at 1 -+ 0.6, not 0.9, where a face is nearly flat, black or white. As in torchvision, a larger magnitude
always means a larger change.

All frames of a clip go through the same operations, those that measure the picture measuring the whole clip.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Operation = Callable[[Tensor, Tensor], Tensor]
"""What is done to (N, T, C, S, S) clips in [0, 1] at (N,) strengths in [-1, 1]."""

MAX_MAGNITUDE = 10
"""End of the paper's scale."""
ROTATION = math.radians(30)
SHEAR = 0.3
TRANSLATION = 0.15
LIGHT = 0.6
SHARPNESS = 0.9
LOST_BITS = 4
"""Of eight, at most."""


def randaugment(views: Tensor, n_operations: int, magnitude: float, generator: torch.Generator) -> Tensor:
    """Apply to each clip `n_operations` of OPERATIONS, drawn evenly and with replacement, one after the other.

    Args:
        views: (N, T, C, S, S) float32 in [0, 1]; C is 1 or 3.
        n_operations: how many a clip.
        magnitude: in [0, MAX_MAGNITUDE]; share of each operation's range, of random sign where it has two directions.
        generator: the only source of randomness.

    Returns:
        As `views`, which stay as they are.
    """
    views = views.clone()
    for _ in range(n_operations):
        drawn = torch.randint(len(OPERATIONS), (len(views),), generator=generator)
        sign = torch.randint(2, (len(views),), generator=generator) * 2.0 - 1
        strength = sign * magnitude / MAX_MAGNITUDE
        for number, operation in enumerate(OPERATIONS.values()):
            clips = torch.nonzero(drawn == number)[:, 0]
            if len(clips):
                views[clips] = operation(views[clips], strength[clips])
    return views


def _identity(clips: Tensor, _: Tensor) -> Tensor:
    return clips


def _autocontrast(clips: Tensor, _: Tensor) -> Tensor:
    """The darkest pixel becomes 0, the brightest 1."""
    low, high = clips.flatten(1).amin(1), clips.flatten(1).amax(1)
    width = torch.where(high > low, high - low, 1)
    low = torch.where(high > low, low, 0)
    return (clips - _each(low)) / _each(width)


def _equalize(clips: Tensor, _: Tensor) -> Tensor:
    """Each of 256 grey levels becomes the share of pixels at or below it, the darkest level's pixels not counted."""
    levels = _levels(clips).flatten(1)
    histogram = torch.zeros(len(clips), 256).scatter_add_(1, levels, torch.ones(levels.shape))
    up_to = histogram.cumsum(1)
    darkest = histogram.gather(1, levels.amin(1, keepdim=True))
    rest = levels.shape[1] - darkest
    shares = ((up_to - darkest) / rest.clamp(min=1)).gather(1, levels)
    return torch.where(rest > 0, shares, clips.flatten(1)).view_as(clips)


def _posterize(clips: Tensor, strength: Tensor) -> Tensor:
    """The lowest of eight bits become zero."""
    step = 2 ** (LOST_BITS * strength.abs()).round()
    return (_levels(clips) / _each(step)).floor() * _each(step) / 255


def _contrast(clips: Tensor, strength: Tensor) -> Tensor:
    mean = clips.mean(dim=(1, 2, 3, 4), keepdim=True)
    return (mean + (clips - mean) * _each(1 + LIGHT * strength)).clamp(0, 1)


def _brightness(clips: Tensor, strength: Tensor) -> Tensor:
    return (clips * _each(1 + LIGHT * strength)).clamp(0, 1)


def _sharpness(clips: Tensor, strength: Tensor) -> Tensor:
    """Away from or towards a copy smoothed by Pillow's kernel, 1 around a 5, which leaves the outermost pixels."""
    kernel = torch.ones(1, 1, 3, 3)
    kernel[..., 1, 1] = 5
    smooth = clips.clone()
    planes = clips.flatten(0, 2)[:, None]
    smooth[..., 1:-1, 1:-1] = F.conv2d(planes, kernel / 13).view_as(clips[..., 1:-1, 1:-1])
    return (smooth + (clips - smooth) * _each(1 + SHARPNESS * strength)).clamp(0, 1)


def _rotate(clips: Tensor, strength: Tensor) -> Tensor:
    cos, sin = torch.cos(ROTATION * strength), torch.sin(ROTATION * strength)
    matrices = _identities(len(clips))
    matrices[:, 0, :2] = torch.stack([cos, -sin], dim=1)
    matrices[:, 1, :2] = torch.stack([sin, cos], dim=1)
    return _move(clips, matrices)


def _sliding(row: int, column: int, end: float) -> Operation:
    """The operation that moves one entry of the identity by up to `end`."""

    def slide(clips: Tensor, strength: Tensor) -> Tensor:
        matrices = _identities(len(clips))
        matrices[:, row, column] += end * strength
        return _move(clips, matrices)

    return slide


def _identities(n: int) -> Tensor:
    return torch.eye(2, 3).repeat(n, 1, 1)


def _move(clips: Tensor, matrices: Tensor) -> Tensor:
    """Each pixel shows what lay where its clip's (2, 3) matrix sends it, coordinates from -1 to 1 across the view."""
    frames = clips.flatten(1, 2)
    grid = F.affine_grid(matrices, list(frames.shape), align_corners=False)
    return F.grid_sample(frames, grid, padding_mode="border", align_corners=False).view_as(clips)


def _levels(clips: Tensor) -> Tensor:
    return (clips * 255).round().long()


def _each(values: Tensor) -> Tensor:
    """(N,) -> (N, 1, 1, 1, 1), to go with clips."""
    return values.view(-1, 1, 1, 1, 1)


OPERATIONS: dict[str, Operation] = {
    "identity": _identity,
    "autocontrast": _autocontrast,
    "equalize": _equalize,
    "rotate": _rotate,
    "posterize": _posterize,
    "contrast": _contrast,
    "brightness": _brightness,
    "sharpness": _sharpness,
    "shear-x": _sliding(0, 1, SHEAR),
    "shear-y": _sliding(1, 0, SHEAR),
    "translate-x": _sliding(0, 2, 2 * TRANSLATION),
    "translate-y": _sliding(1, 2, 2 * TRANSLATION),
}
