"""AutoAugment (Cubuk et al. 2019, arXiv 1805.09501): the policy that its search found on ImageNet, for clips of faces.

A clip gets one of 25 pairs of operations, each with its own probability and magnitude; ranges are those of the paper's
table 6. The pairs are the authors', also those that no camera does to a face: they invert, solarize and change the
colour, which grey pictures do not have. `randaugment` leaves these out.
"""

from __future__ import annotations

import torch
from torch import Tensor

from fercli.learn.training.augment import LUMA, random_views
from fercli.learn.training.randaugment import LIGHT, OPERATIONS, Operation

STEPS = 9
"""Largest magnitude of the paper's scale."""
ENHANCED = 0.9
"""End of the range of colour and contrast: factors are 1 -+ this."""


def _invert(clips: Tensor, _: Tensor) -> Tensor:
    return 1 - clips


def _solarize(clips: Tensor, strength: Tensor) -> Tensor:
    """What is at least as bright as 1 less the strength is inverted."""
    limit = (1 - strength.abs() - 1e-5).view(-1, 1, 1, 1, 1)  # a level that equals it in 255ths is as bright
    return torch.where(clips >= limit, 1 - clips, clips)


def _colour(clips: Tensor, strength: Tensor) -> Tensor:
    """Away from or towards the grey picture; grey clips stay as they are."""
    if clips.shape[2] == 1:
        return clips
    grey = (clips * torch.tensor(LUMA)[:, None, None]).sum(dim=2, keepdim=True)
    return (grey + (clips - grey) * (1 + ENHANCED * strength).view(-1, 1, 1, 1, 1)).clamp(0, 1)


def _contrast(clips: Tensor, strength: Tensor) -> Tensor:
    return OPERATIONS["contrast"](clips, strength * ENHANCED / LIGHT)


USED: dict[str, Operation] = {
    **{name: OPERATIONS[name] for name in ("autocontrast", "equalize", "rotate", "posterize", "sharpness", "shear-x")},
    "contrast": _contrast,
    "colour": _colour,
    "invert": _invert,
    "solarize": _solarize,
}
"""The operations of the policy, at strengths in [-1, 1]."""
Step = tuple[str, float, int]
"""Operation, probability, and magnitude from 0 to STEPS."""
POLICY: list[tuple[Step, Step]] = [
    (("posterize", 0.4, 8), ("rotate", 0.6, 9)),
    (("solarize", 0.6, 5), ("autocontrast", 0.6, 0)),
    (("equalize", 0.8, 0), ("equalize", 0.6, 0)),
    (("posterize", 0.6, 7), ("posterize", 0.6, 6)),
    (("equalize", 0.4, 0), ("solarize", 0.2, 4)),
    (("equalize", 0.4, 0), ("rotate", 0.8, 8)),
    (("solarize", 0.6, 3), ("equalize", 0.6, 0)),
    (("posterize", 0.8, 5), ("equalize", 1.0, 0)),
    (("rotate", 0.2, 3), ("solarize", 0.6, 8)),
    (("equalize", 0.6, 0), ("posterize", 0.4, 6)),
    (("rotate", 0.8, 8), ("colour", 0.4, 0)),
    (("rotate", 0.4, 9), ("equalize", 0.6, 0)),
    (("equalize", 0.0, 0), ("equalize", 0.8, 0)),
    (("invert", 0.6, 0), ("equalize", 1.0, 0)),
    (("colour", 0.6, 4), ("contrast", 1.0, 8)),
    (("rotate", 0.8, 8), ("colour", 1.0, 2)),
    (("colour", 0.8, 8), ("solarize", 0.8, 7)),
    (("sharpness", 0.4, 7), ("invert", 0.6, 0)),
    (("shear-x", 0.6, 5), ("equalize", 1.0, 0)),
    (("colour", 0.4, 0), ("equalize", 0.6, 0)),
    (("equalize", 0.4, 0), ("solarize", 0.2, 4)),
    (("solarize", 0.6, 5), ("autocontrast", 0.6, 0)),
    (("invert", 0.6, 0), ("equalize", 1.0, 0)),
    (("colour", 0.6, 4), ("contrast", 1.0, 8)),
    (("equalize", 0.8, 0), ("equalize", 0.6, 0)),
]


def autoaugment_views(images: Tensor, n_frames: int, size: int, generator: torch.Generator) -> Tensor:
    """As `augment.random_views`, with the policy after it. The generator is the only source of randomness."""
    return autoaugment(random_views(images, n_frames, size, generator), generator)


def autoaugment(views: Tensor, generator: torch.Generator) -> Tensor:
    """Apply to each clip one pair of POLICY, all drawn evenly, the same to all of its frames.

    Args:
        views: (N, T, C, S, S) float32 in [0, 1]; C is 1 or 3.
        generator: the only source of randomness.

    Returns:
        As `views`, which stay as they are.
    """
    views = views.clone()
    drawn = torch.randint(len(POLICY), (len(views),), generator=generator)
    chance = torch.rand((len(views), 2), generator=generator)
    sign = torch.randint(2, (len(views), 2), generator=generator) * 2.0 - 1
    for number, pair in enumerate(POLICY):
        for place, (name, probability, magnitude) in enumerate(pair):
            clips = torch.nonzero((drawn == number) & (chance[:, place] < probability))[:, 0]
            if len(clips):
                views[clips] = USED[name](views[clips], sign[clips, place] * magnitude / STEPS)
    return views
