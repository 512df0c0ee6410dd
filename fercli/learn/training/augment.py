"""Random views of faces, a batch at a time, straight from uint8 to what the network takes.

A still image becomes a clip by drifting slowly through its own view, as a face crop does when the detector's box moves.
The frames of a real clip move by themselves, so one transform serves them all.

Frames of a clip are chosen as in temporal segment networks (Wang et al. 2016, arXiv 1608.00859): the clip is cut into
equal parts, one for each frame wanted, and each gives one. Here all parts of a clip give the frame at the same place,
so that the steps between frames stay even; a part shorter than a frame repeats its neighbour's.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from fercli.learn.datasets.faces import middle_frames
from fercli.models.weights import ClassifierHeader

VIEW = 0.9
"""Share of a data-set image's side that the network sees: the borders hold little but background."""
ROTATION = math.radians(8)
SCALE = 0.1
SHIFT = 0.05
CONTRAST = 0.3
BRIGHTNESS = 0.12
DRIFT = 0.35
"""Share of the geometric ranges a still may drift through between its first and last frame."""
BLUR_PROBABILITY = 0.1
ERASE_PROBABILITY = 0.05
GREY_PROBABILITY = 0.25
"""Of a picture in colour."""
LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in the luma that grey networks see (ITU-R BT.601)."""
SHRINKS = 2.0
"""Factor by which a view shrinks a picture beyond which it is averaged first: interpolation would skip pixels."""


def random_views(images: Tensor, n_frames: int, size: int, generator: torch.Generator, *, reach: float = 1.0) -> Tensor:
    """Augment a batch.

    Args:
        images: (N, T, H, W) uint8 grey or (N, T, H, W, 3) RGB; T is 1 for stills, above 1 for clips.
        n_frames: frames a clip; of a still under one slowly drifting transform, of a clip evenly spaced from a random
            start and under the same transform.
        size: side of the output.
        generator: the only source of randomness.
        reach: factor of the ranges of rotation, scale and shift.

    Returns:
        (N, n_frames, C, size, size) float32 in [0, 1]; C is 1 for grey and 3 for RGB, which may have lost its colour.
    """
    n, length = images.shape[:2]
    transforms = n_frames if length == 1 else 1
    if length > 1:
        images = _evenly(images, n_frames, torch.rand((n, 1), generator=generator))
    pixels = _random_blur(_shrunk(channels_first(images), size), generator)
    pixels = _random_grey(pixels, generator).flatten(1, 2)
    matrices = _random_affine(n, transforms, generator, reach)
    grid = F.affine_grid(matrices, [n * transforms, 1, size, size], align_corners=False)
    frames = pixels.repeat_interleave(transforms, dim=0)
    views = F.grid_sample(frames, grid, padding_mode="border", align_corners=False)
    views = views.view(n, n_frames, -1, size, size)
    return _random_erase(_random_light(views, generator), generator)


def plain_views(images: Tensor, n_frames: int, size: int) -> Tensor:
    """The same without randomness: the middle of the image, a still standing still. Shapes as `random_views`.

    Of a clip the middle of each of `n_frames` equal parts is taken, so one frame alone is the middle of the expression.
    """
    n, length = images.shape[:2]
    if length > 1:
        images = images[:, middle_frames(length, n_frames)]
    pixels = _shrunk(channels_first(images), size)
    grid = F.affine_grid(torch.tensor([[[VIEW, 0, 0], [0, VIEW, 0]]]), [1, 1, size, size], align_corners=False)
    views = F.grid_sample(pixels.flatten(1, 2), grid.expand(n, -1, -1, -1), align_corners=False)
    return views.view(n, *pixels.shape[1:3], size, size).expand(-1, n_frames, -1, -1, -1)


def channels_first(images: Tensor) -> Tensor:
    """(N, T, H, W) or (N, T, H, W, 3) uint8 -> (N, T, 1, H, W) or (N, T, 3, H, W) float32 in [0, 1]."""
    pixels = images.float() / 255
    return pixels.permute(0, 1, 4, 2, 3) if pixels.ndim == 5 else pixels[:, :, None]


def _shrunk(pixels: Tensor, size: int) -> Tensor:
    """Pictures that the view would shrink much are averaged down first, because fine detail would alias."""
    side = round(size / VIEW)
    if pixels.shape[-1] <= SHRINKS * side:
        return pixels
    small = F.interpolate(pixels.flatten(1, 2), size=(side, side), mode="bilinear", antialias=True)
    return small.view(*pixels.shape[:3], side, side)


def normalise(views: Tensor, mean: float = ClassifierHeader.mean, std: float = ClassifierHeader.std) -> Tensor:
    """(N, T, 1, H, W) grey or (N, T, 3, H, W) RGB in [0, 1] -> (N, T, 3, H, W), centred and scaled, grey repeated."""
    return ((views - mean) / std).expand(-1, -1, 3, -1, -1)


def _evenly(clips: Tensor, n_frames: int, place: Tensor) -> Tensor:
    """(N, n_frames, H, W): of each of `n_frames` equal parts of a clip the frame at `place`, (N, 1) in [0, 1)."""
    n, length = clips.shape[:2]
    chosen = ((torch.arange(n_frames) + place) * length / n_frames).long()
    chosen = chosen.clamp(max=length - 1)  # the sum may round up to the end
    return clips[torch.arange(n)[:, None], chosen]


def _uniform(shape: tuple[int, ...], limit: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(shape, generator=generator) * 2 - 1) * limit


def _random_affine(n: int, n_frames: int, generator: torch.Generator, reach: float) -> Tensor:
    """(N * n_frames, 2, 3) matrices, those of one clip drifting, from output to input coordinates."""
    time = torch.linspace(-0.5, 0.5, n_frames) if n_frames > 1 else torch.zeros(1)

    def path(limit: float) -> Tensor:
        start = _uniform((n, 1), limit, generator)
        drift = _uniform((n, 1), limit * DRIFT, generator) if n_frames > 1 else 0.0
        return start + drift * time

    angle, scale = path(reach * ROTATION), VIEW * (1 + path(reach * SCALE))
    x, y = path(reach * 2 * SHIFT), path(reach * 2 * SHIFT)
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
    """Some clips of (N, T, C, H, W) lose detail, down to about 20 pixels a side, as small faces in video."""
    blurred = torch.rand(len(pixels), generator=generator) < BLUR_PROBABILITY
    low = int(torch.randint(20, max(21, pixels.shape[-1]), (1,), generator=generator))
    if not blurred.any():
        return pixels
    few = pixels[blurred].flatten(1, 2)
    small = F.interpolate(few, size=(low, low), mode="bilinear", antialias=True)
    pixels = pixels.clone()
    pixels[blurred] = F.interpolate(small, size=pixels.shape[-2:], mode="bilinear").view(-1, *pixels.shape[1:])
    return pixels


def _random_grey(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Some clips of (N, T, 3, H, W) lose their colour, as in old films; grey ones stay as they are."""
    if pixels.shape[2] == 1:
        return pixels
    grey = (pixels * torch.tensor(LUMA)[:, None, None]).sum(dim=2, keepdim=True).expand_as(pixels)
    without = torch.rand(len(pixels), generator=generator) < GREY_PROBABILITY
    return torch.where(without[:, None, None, None, None], grey, pixels)


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
