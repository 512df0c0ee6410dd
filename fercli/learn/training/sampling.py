"""Which faces an epoch draws: all once, or some more often, with the loss corrected for it.

If faces of rare classes are drawn more often, a network would answer as if they were frequent. So while training, the
log of how much more often each class is drawn is added to its output (logit adjustment; Menon et al. 2021, arXiv
2007.07314, there for a balanced target): what the network learns is then the probability among all faces, and the
calibration and `--prior` need not know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fercli.learn.datasets import FaceSet


@dataclass(frozen=True)
class Sampling:
    """How faces are drawn.

    Attributes:
        weights: (N,) float64 relative chance of each face; None takes each once an epoch, in random order.
        shifts: name of a labelling -> (C,) float32 to add to its outputs while training.
    """

    weights: Tensor | None
    shifts: dict[str, Tensor]

    def draw(self, n_faces: int, count: int, generator: torch.Generator) -> Tensor:
        """(count,) int64 rows."""
        if self.weights is None:
            return torch.randperm(n_faces, generator=generator)[:count]
        return torch.multinomial(self.weights, count, replacement=True, generator=generator)


def sampling(faces: FaceSet, targets: dict[str, Tensor], oversample: float) -> Sampling:
    """By the weights of the faces, and by the frequency of their main class to the power of minus `oversample`.

    Args:
        faces: the training split.
        targets: name of each labelling -> (N, C).
        oversample: 0 draws classes as they are, 1 draws all alike.
    """
    natural = np.ones(len(faces)) if faces.weights is None else faces.weights
    drawn = natural
    if oversample:
        main = targets[next(iter(faces.labellings))].numpy().astype(np.float64)
        drawn = natural * _rarity(main, natural, oversample)
    shifts = {
        name: torch.from_numpy(_shift(targets[name].numpy(), natural, drawn)).float() for name in faces.labellings
    }
    uniform = faces.weights is None and not oversample
    return Sampling(None if uniform else torch.from_numpy(drawn / drawn.sum()), shifts)


def class_shares(targets: NDArray[np.float32], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """(C,) share of each class in (N, C) targets, faces counted by (N,) weights; zeros without any target."""
    counts = targets.sum(axis=0, dtype=np.float64) if weights is None else weights @ targets.astype(np.float64)
    return np.asarray(counts / max(counts.sum(), 1e-12))


def _rarity(targets: NDArray[np.float64], natural: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    """(N,) mean of `share ** -power` over the classes of each face; faces without a label count as the average face."""
    shares = class_shares(targets.astype(np.float32), natural)
    factors = np.where(shares > 0, np.maximum(shares, 1e-6) ** -power, 0.0)
    rarity = targets @ factors
    labelled = targets.any(axis=1)
    rarity[~labelled] = np.average(rarity[labelled], weights=natural[labelled]) if labelled.any() else 1.0
    return np.asarray(rarity)


def _shift(
    targets: NDArray[np.float32], natural: NDArray[np.float64], drawn: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(C,) log of how much more often a class is drawn than it occurs; 0 for a class that never occurs."""
    before, after = class_shares(targets, natural), class_shares(targets, drawn)
    occurs = before > 0
    return np.asarray(np.log(np.divide(after, before, out=np.ones_like(after), where=occurs)))
