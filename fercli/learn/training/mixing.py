"""CutMix and Mixup: a batch mixed with a permutation of itself, clip by clip, targets in proportion.

Both draw a share a clip, where the papers' own programs draw one a batch; the distribution is the same.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def mixup(views: Tensor, alpha: float, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """x' = share x + (1 - share) x[permutation], share ~ Beta(alpha, alpha) (Zhang et al. 2018, arXiv 1710.09412).

    Args:
        views: (N, T, C, S, S) float32 in [0, 1].
        alpha: above 0; the larger, the closer the shares are to a half.
        generator: the only source of randomness.

    Returns:
        The mixed views, as `views`; the (N,) int64 permutation; the (N,) float32 share each clip keeps of its own.
    """
    permutation = torch.randperm(len(views), generator=generator)
    share = _beta(len(views), alpha, generator)
    own = share.view(-1, 1, 1, 1, 1)
    return own * views + (1 - own) * views[permutation], permutation, share


def cutmix(views: Tensor, alpha: float, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """A box of each clip is filled from another, at the same place in all frames (Yun et al. 2019, arXiv 1905.04899).

    The sides of the box are sqrt(1 - l) of the view's, l ~ Beta(alpha, alpha). Its centre lies anywhere in the view,
    what sticks out is lost, and the share returned is that of the pixels kept, not l. Arguments and results are those
    of `mixup`.
    """
    n, size = len(views), views.shape[-1]
    permutation = torch.randperm(n, generator=generator)
    half = (size * (1 - _beta(n, alpha, generator)).sqrt() / 2).round()[:, None]
    centre = torch.randint(size + 1, (n, 2), generator=generator)
    ramp = torch.arange(size)
    inside = (ramp >= (centre - half)[..., None]) & (ramp < (centre + half)[..., None])
    box = inside[:, 0, :, None] & inside[:, 1, None, :]
    mixed = torch.where(box[:, None, None], views[permutation], views)
    return mixed, permutation, 1 - box.float().mean(dim=(1, 2))


def mix_targets(targets: dict[str, Tensor], permutation: Tensor, share: Tensor) -> dict[str, Tensor]:
    """The targets of a batch that `mixup` or `cutmix` mixed.

    A row of zeros says that a face has no label. Where it takes part in a mixture, the mixture has none either: what is
    known of the other face is no distribution over what the mixture shows, and stretching it to sum to 1 would call
    pixels by a label that they do not have. A share of exactly 0 or 1 is no mixture.

    Args:
        targets: name of a labelling -> (N, C) float distributions or rows of zeros.
        permutation: (N,) int64.
        share: (N,) float in [0, 1] that each row keeps of its own.

    Returns:
        The same names, shapes and types.
    """
    return {name: _mix(own, own[permutation], share[:, None]) for name, own in targets.items()}


def _mix(own: Tensor, other: Tensor, share: Tensor) -> Tensor:
    known = (_labelled(own) | (share == 0)) & (_labelled(other) | (share == 1))
    return (share * own + (1 - share) * other) * known


def _labelled(targets: Tensor) -> Tensor:
    return targets.any(dim=1, keepdim=True)


def _beta(n: int, alpha: float, generator: torch.Generator) -> Tensor:
    """(n,) float32 draws of Beta(alpha, alpha); by numpy, for torch draws no Beta from a given generator."""
    seed = int(torch.randint(2**62, (1,), generator=generator))
    return torch.from_numpy(np.random.default_rng(seed).beta(alpha, alpha, n)).float()


MIXERS = {"cutmix": (cutmix, 1.0), "mixup": (mixup, 0.2)}
"""Name -> function and its alpha, the papers' own."""
