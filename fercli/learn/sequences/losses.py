"""Losses over series, of moments that are annotated.

Of all stages of a network the sum is taken, as MS-TCN does.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from fercli.models.sequence import STATES
from fercli.models.sequences.parts import Answer

LARGEST_STEP = 4.0
"""Larger differences of log probabilities of neighbouring steps are not punished more (Farha and Gall 2019, eq. 7)."""
COMPACT, CONTINUOUS = 0.05, 0.05
"""Weights of the objectives on features beside those on classes."""
_LEAST_VARIANCE = 1e-6


@dataclass(frozen=True)
class Truth:
    """What a batch should be: (B, T, K) values, NaN where unknown, (B, T) labels and states, -1 where unknown."""

    values: Tensor
    labels: Tensor
    states: Tensor


def concordance_loss(predicted: Tensor, truth: Tensor) -> Tensor:
    """1 - CCC over all moments of the batch, the mean over the values, in [0, 2].

    Args:
        predicted, truth: (B, T, K); NaN in the truth is left out.
    """
    losses = []
    for ours, theirs in zip(predicted.unbind(-1), truth.unbind(-1), strict=True):
        known = theirs.isfinite()
        if known.sum() < 2:
            continue
        a, b = ours[known], theirs[known]
        around, beside = a - a.mean(), b - b.mean()
        spread = (around**2).mean() + (beside**2).mean() + (a.mean() - b.mean()) ** 2
        losses.append(1 - 2 * (around * beside).mean() / (spread + _LEAST_VARIANCE))
    return torch.stack(losses).mean() if losses else 0 * predicted.sum()


def squared_loss(predicted: Tensor, truth: Tensor) -> Tensor:
    """Mean squared difference; arguments as `concordance_loss`."""
    known = truth.isfinite()
    return F.mse_loss(predicted[known], truth[known]) if known.any() else 0 * predicted.sum()


VALUE_LOSSES = {"ccc": concordance_loss, "mse": squared_loss}


def class_loss(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Cross entropy, plus `smoothing` times the truncated mean squared error of neighbouring log probabilities.

    Args:
        logits: (B, T, C). labels: (B, T), -1 is left out.
        smoothing: weight of the second part; the paper takes 0.15.
    """
    known = labels >= 0
    if not known.any():
        return 0 * logits.sum()
    loss = F.cross_entropy(logits[known], labels[known])
    both = known[:, 1:] & known[:, :-1]
    if smoothing and both.any():
        shares = logits.log_softmax(dim=-1)
        steps = (shares[:, 1:] - shares[:, :-1].detach()).abs().clamp(max=LARGEST_STEP)
        loss = loss + smoothing * (steps[both] ** 2).mean()
    return loss


def intensity_loss(answer: Answer, outputs: Tensor, truth: Truth, n_classes: int) -> Tensor:
    """Five objectives of Kim, Baddar and Ro 2017 (doi 10.1109/TAFFC.2017.2695999), for features of every step.

    Of the class, and of the state of the expression: cross entropy. Of the features of a class, and of a class in one
    state: small variation around their mean. Of neighbouring states of a class: means that lie near each other.

    Args:
        answer: of the network. outputs: (B, T, n_classes + states) of one stage.
        truth: with labels and states.
    """
    classes, states = outputs[..., :n_classes], outputs[..., n_classes:]
    loss = class_loss(classes, truth.labels, 0.0) + class_loss(states, truth.states, 0.0)
    known = (truth.labels >= 0) & (truth.states >= 0)
    if not known.any():
        return loss
    features = F.normalize(answer.hidden[known], dim=-1)
    labels, state = truth.labels[known], truth.states[known]
    compact = _variation(features, labels) + _variation(features, labels * len(STATES) + state)
    return loss + COMPACT * compact + CONTINUOUS * _continuity(features, labels, state)


def _variation(features: Tensor, groups: Tensor) -> Tensor:
    """Mean squared distance from the mean of each group."""
    _, place = torch.unique(groups, return_inverse=True)
    return ((features - _means(features, place)[place]) ** 2).sum(dim=-1).mean()


def _means(features: Tensor, place: Tensor) -> Tensor:
    sums = features.new_zeros(int(place.max()) + 1, features.shape[1]).index_add(0, place, features)
    return sums / place.bincount()[:, None]


def _continuity(features: Tensor, labels: Tensor, states: Tensor) -> Tensor:
    """Mean squared distance of the means of neighbouring states of a class."""
    groups, place = torch.unique(labels * len(STATES) + states, return_inverse=True)
    means = _means(features, place)
    follows = (groups[1:] - groups[:-1] == 1) & (groups[1:] % len(STATES) > 0)
    distances = ((means[1:] - means[:-1]) ** 2).sum(dim=-1)[follows]
    return distances.mean() if follows.any() else 0 * features.sum()
