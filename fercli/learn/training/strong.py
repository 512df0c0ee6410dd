"""Strong augmentation: what video does to faces, beside what `augment` does.

Compression by JPEG, sharpening by cameras and editing programs, other exposure, and something in front of the face. The
face is also turned, scaled and shifted further, because detectors cut less evenly than data sets do.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from fercli.learn.training.augment import random_views
from fercli.learn.training.autoaugment import autoaugment_views

REACH = 1.5
"""Factor of the ranges of rotation, scale and shift."""
JPEG_PROBABILITY = 0.15
JPEG_QUALITY = (15, 75)
SHARPEN_PROBABILITY = 0.15
SHARPEN = (0.3, 1.2)
"""How much of the difference to a smoothed copy is added."""
GAMMA_PROBABILITY = 0.3
GAMMA = 0.4
"""Brightness to the power of exp(+- GAMMA): 0.67 to 1.49."""
OCCLUDE_PROBABILITY = 0.25
OCCLUDER = (0.1, 0.4)
"""Sides of what covers the face, as shares of the side of the view."""


def strong_views(images: Tensor, n_frames: int, size: int, generator: torch.Generator) -> Tensor:
    """As `augment.random_views`, with all of the above. The generator is the only source of randomness."""
    images = sharpened(compressed(images, generator), generator)
    views = random_views(images, n_frames, size, generator, reach=REACH)
    return occluded(exposed(views, generator), generator)


STRENGTHS: dict[str, Callable[[Tensor, int, int, torch.Generator], Tensor]] = {
    "strong": strong_views,
    "light": random_views,
    "autoaugment": autoaugment_views,
}
"""Augmentations by name."""


def compressed(images: Tensor, generator: torch.Generator) -> Tensor:
    """Some of (N, T, H, W) or (N, T, H, W, 3) uint8 clips as they come out of a JPEG, one quality a clip."""
    chosen = torch.rand(len(images), generator=generator) < JPEG_PROBABILITY
    quality = torch.randint(*JPEG_QUALITY, (len(images),), generator=generator)
    images = images.clone()
    for row in torch.nonzero(chosen)[:, 0].tolist():
        for frame in range(images.shape[1]):
            images[row, frame] = torch.from_numpy(_jpeg(images[row, frame].numpy(), int(quality[row])))
    return images


def _jpeg(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    # As many channels as there were; their order does not matter, because both ways are the same.
    way = cv2.IMREAD_GRAYSCALE if picture.ndim == 2 else cv2.IMREAD_COLOR
    return np.asarray(cv2.imdecode(data, way), np.uint8)


def sharpened(images: Tensor, generator: torch.Generator) -> Tensor:
    """Some of (N, T, H, W) or (N, T, H, W, 3) uint8 clips with their edges raised (unsharp masking)."""
    chosen = torch.rand(len(images), generator=generator) < SHARPEN_PROBABILITY
    amount = _between(SHARPEN, len(images), generator)
    if not chosen.any():
        return images
    few = images[chosen].float()
    planes = (few.permute(0, 1, 4, 2, 3) if few.ndim == 5 else few[:, :, None]).flatten(1, 2)
    soft = F.avg_pool2d(F.pad(planes, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    raised = planes + amount[chosen][:, None, None, None] * (planes - soft)
    raised = raised.round().clamp(0, 255).view(len(few), images.shape[1], -1, *planes.shape[-2:])
    images = images.clone()
    images[chosen] = (raised.permute(0, 1, 3, 4, 2) if few.ndim == 5 else raised[:, :, 0]).to(torch.uint8)
    return images


def exposed(views: Tensor, generator: torch.Generator) -> Tensor:
    """Some of (N, T, C, S, S) clips in [0, 1] with another gamma."""
    chosen = torch.rand(len(views), generator=generator) < GAMMA_PROBABILITY
    power = torch.exp(_between((-GAMMA, GAMMA), len(views), generator))
    power = torch.where(chosen, power, 1.0)[:, None, None, None, None]
    return views.clamp(min=1e-3) ** power if chosen.any() else views


def occluded(views: Tensor, generator: torch.Generator) -> Tensor:
    """Some of (N, T, C, S, S) clips with a rectangle of one colour before the face, at one place in all frames."""
    n, channels, size = len(views), views.shape[2], views.shape[-1]
    chosen = torch.rand(n, generator=generator) < OCCLUDE_PROBABILITY
    sides = (_between(OCCLUDER, 2 * n, generator) * size).long().clamp(min=1).view(n, 2)
    corners = (torch.rand((n, 2), generator=generator) * (size - sides + 1)).long()
    paint = torch.rand((n, channels), generator=generator)
    ramp = torch.arange(size)
    inside = (ramp >= corners[..., None]) & (ramp < (corners + sides)[..., None])
    mask = inside[:, 0, :, None] & inside[:, 1, None, :] & chosen[:, None, None]
    return torch.where(mask[:, None, None], paint[:, None, :, None, None], views)


def _between(limits: tuple[float, float], count: int, generator: torch.Generator) -> Tensor:
    low, high = limits
    return low + (high - low) * torch.rand(count, generator=generator)
