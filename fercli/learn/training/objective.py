"""What training minimises: the loss of every labelling, and the extra terms a run asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from fercli.config import TrainConfig
from fercli.errors import ConfigError
from fercli.learn.datasets import Labelling
from fercli.learn.training import losses
from fercli.learn.training.word_vectors import read_vectors, shipped_vectors
from fercli.models.networks import Network

CONSISTENCY_WEIGHT = 5.0
"""Of flip attention, as in the authors' code."""


RATED = " ratings"
"""Key of valence and arousal among the targets: no labelling has such a name."""


def targets_of(labellings: dict[str, Labelling], config: TrainConfig) -> dict[str, Tensor]:
    """(N, C) targets of each labelling as the run wants them: the votes, or only the class with most; smoothed."""
    targets = {}
    for name, labelling in labellings.items():
        wanted = torch.from_numpy(labelling.targets)
        if config.targets == "label":
            chosen = F.one_hot(wanted.argmax(dim=1), len(labelling.classes)).float()
            wanted = chosen * wanted.any(dim=1, keepdim=True)
        targets[name] = losses.smooth(wanted, config.smoothing)
    return targets


def rating_targets(ratings: NDArray[np.float32]) -> Tensor:
    """(N, 2) ratings, NaN if unknown -> (N, 3) targets of `losses.rating_loss`."""
    rows = torch.from_numpy(ratings)
    known = torch.isfinite(rows).all(dim=1, keepdim=True)
    return torch.cat([torch.where(known, rows, 0.0), known.float()], dim=1)


class Objective(nn.Module):
    """A network with all that is needed to train it; only the network is kept afterwards.

    The outputs of the network are read labelling by labelling, side by side. The loss is the mean over the labellings
    of the cross entropy (`losses.soft_cross_entropy`), plus that of the ratings, plus the extras, each computed on the
    features in front of the last layer.

    Args:
        network: its last outputs are the ratings, if `targets` has any.
        labellings, targets: of the training split.
        config: parameters.
        shifts: name of a labelling -> (C,) what is added to the outputs while training; see `sampling`.
    """

    def __init__(
        self,
        network: Network,
        labellings: dict[str, Labelling],
        targets: dict[str, Tensor],
        config: TrainConfig,
        shifts: dict[str, Tensor] | None = None,
    ) -> None:
        super().__init__()
        if "flip-attention" in config.extras and network.fc.in_features != network.n_features:
            raise ConfigError(
                f"flip-attention needs the weights of the features, which {config.model} does not have",
                hint="leave it out, or choose another --model",
                code="option-conflict",
            )
        self.network = network
        self.sizes = {name: len(labelling.classes) for name, labelling in labellings.items()}
        self.extras = nn.ModuleDict()
        for name in config.extras:
            self.extras[name] = EXTRAS[name](labellings, config.word_vectors, network.n_features)
        self.rating_weight = config.ratings
        for number, (name, labelling) in enumerate(labellings.items()):
            balance = _balance(targets[name], labelling, config)
            self.register_buffer(f"balance_{number}", balance, persistent=False)
            shift = shifts[name] if shifts else torch.zeros(len(labelling.classes))
            self.register_buffer(f"shift_{number}", shift, persistent=False)

    def forward(self, clips: Tensor, targets: dict[str, Tensor]) -> Tensor:
        """Loss of a batch.

        Args:
            clips: (N, T, 3, H, W) normalised.
            targets: name of each labelling -> (N, C) distributions or rows of zeros.

        Returns:
            () loss, float32.
        """
        if not self.extras:
            return self.classification(self.network(clips), targets)
        frames = clips.flatten(0, 1)
        maps = self.network.maps(frames)
        features = maps.mean(dim=(2, 3))
        loss = self.classification(self.network.classify(features, len(clips)), targets)
        for extra in self.extras.values():
            loss = loss + extra(self, frames, maps, features, targets)
        return loss

    def classification(self, outputs: Tensor, targets: dict[str, Tensor]) -> Tensor:
        """Mean over the labellings of the cross entropy of (N, K) outputs, plus the weighted loss of the ratings."""
        outputs, n_classes = outputs.float(), sum(self.sizes.values())
        parts = torch.split(outputs[:, :n_classes], list(self.sizes.values()), dim=1)
        terms = []
        for number, (name, part) in enumerate(zip(self.sizes, parts, strict=True)):
            shifted = part + self.get_buffer(f"shift_{number}")
            terms.append(losses.soft_cross_entropy(shifted, targets[name], getattr(self, f"balance_{number}")))
        loss = torch.stack(terms).mean()
        if RATED in targets:
            loss = loss + self.rating_weight * losses.rating_loss(outputs[:, n_classes:], targets[RATED])
        return loss


def _balance(targets: Tensor, labelling: Labelling, config: TrainConfig) -> Tensor | None:
    """(C,) weights of the classes in the loss."""
    if config.balance_neutral:
        return losses.neutral_balance(targets, labelling.classes)
    return losses.class_balance(targets) if config.balanced else None


class WordCosine(nn.Module):
    """The features, projected into the space of words, should point to the word of the class."""

    def __init__(self, labellings: dict[str, Labelling], words: Path | None, width: int) -> None:
        super().__init__()
        self.names = tuple(labellings)
        for number, labelling in enumerate(labellings.values()):
            vectors = shipped_vectors(labelling.classes) if words is None else read_vectors(words, labelling.classes)
            self.register_buffer(f"words_{number}", torch.from_numpy(vectors), persistent=False)
        self.project = nn.Linear(width, vectors.shape[1])

    def forward(
        self, objective: Objective, frames: Tensor, maps: Tensor, features: Tensor, targets: dict[str, Tensor]
    ) -> Tensor:
        """() mean of `losses.word_cosine_loss` over the labellings."""
        n_clips = len(next(iter(targets.values())))
        projected = self.project(features.float().view(n_clips, -1, features.shape[1]).mean(dim=1))
        terms = [
            losses.word_cosine_loss(projected, self.get_buffer(f"words_{number}"), targets[name])
            for number, name in enumerate(self.names)
        ]
        return torch.stack(terms).mean()


class RelativeUncertainty(nn.Module):
    """Faces are mixed in pairs; the one that is harder to tell must take the larger share."""

    def __init__(self, labellings: dict[str, Labelling], words: Path | None, width: int) -> None:
        super().__init__()
        self.branch = losses.UncertaintyBranch(width)

    def forward(
        self, objective: Objective, frames: Tensor, maps: Tensor, features: Tensor, targets: dict[str, Tensor]
    ) -> Tensor:
        """() half the loss to each face's own targets and half to its partner's, of random pairs of the batch."""
        n_clips = len(next(iter(targets.values())))
        clips = features.float().view(n_clips, -1, features.shape[1]).mean(dim=1)
        partners = torch.randperm(n_clips, device=clips.device)
        outputs = objective.network.classify(losses.mix_by_uncertainty(clips, self.branch(clips), partners), n_clips)
        theirs = {name: wanted[partners] for name, wanted in targets.items()}
        return (objective.classification(outputs, targets) + objective.classification(outputs, theirs)) / 2


class FlipAttention(nn.Module):
    """A face and its mirror image must be judged by the same places."""

    def __init__(self, labellings: dict[str, Labelling], words: Path | None, width: int) -> None:
        super().__init__()

    def forward(
        self, objective: Objective, frames: Tensor, maps: Tensor, features: Tensor, targets: dict[str, Tensor]
    ) -> Tensor:
        """() `losses.flip_attention_consistency` between the frames and their mirror images, weighted."""
        mirrored = objective.network.maps(frames.flip(-1))
        weight = objective.network.fc.weight
        return CONSISTENCY_WEIGHT * losses.flip_attention_consistency(maps.float(), mirrored.float(), weight)


EXTRAS: dict[str, Callable[[dict[str, Labelling], Path | None, int], nn.Module]] = {
    "word-cosine": WordCosine,
    "relative-uncertainty": RelativeUncertainty,
    "flip-attention": FlipAttention,
}
"""Further terms of the loss by name, made for labellings, word vectors and the number of features of a network."""
