"""Losses for labels that people disagree about.

`targets` are label distributions throughout: (N, C) float, rows summing to 1. A row of zeros is a face that has no
label for this head; it is not counted. A loss is the mean over the rows that are counted and 0, still with a gradient,
where none is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fercli.errors import ConfigError, DatasetError

EFFECTIVE_BETA = 0.9999
"""The largest of the values that Cui et al. try: a class of 10,000 samples counts for 6,300 of its own."""

BRANCH_WIDTH = 64
BRANCH_DROPOUT = 0.4


def soft_cross_entropy(logits: Tensor, targets: Tensor, class_weights: Tensor | None = None) -> Tensor:
    """Cross entropy against distributions, and so label distribution learning.

    Of one row: `-sum_c w_c t_c log softmax(logits)_c`. Unweighted it is KL(targets || softmax) plus the entropy of the
    targets, which no gradient sees: minimising it learns the distribution. Geng 2016 (arXiv 1408.6027); on the votes of
    FER+, Barsoum et al. 2016 (arXiv 1608.01041).

    Args:
        logits: (N, C) float.
        targets: (N, C) distributions or rows of zeros.
        class_weights: (C,) weights, see `class_balance`; None weighs all classes alike.

    Returns:
        () at least 0.
    """
    weighted = targets if class_weights is None else targets * class_weights
    return _mean_of_labelled(-(weighted * F.log_softmax(logits, dim=1)).sum(dim=1), targets)


def smooth(targets: Tensor, epsilon: float) -> Tensor:
    """Label smoothing: `(1 - epsilon) t + epsilon / C` (Szegedy et al. 2016, arXiv 1512.00567, section 7).

    Args:
        targets: (N, C) distributions or rows of zeros, which stay zero.
        epsilon: share of the mass spread evenly over all classes, in [0, 1).

    Returns:
        (N, C).

    Raises:
        ConfigError: epsilon is out of range.
    """
    if not 0 <= epsilon < 1:
        raise ConfigError(
            f"label smoothing must lie in [0, 1), not {epsilon}", hint="0.1 is usual", code="option-out-of-range"
        )
    return (1 - epsilon) * targets + epsilon / targets.shape[1] * targets.sum(dim=1, keepdim=True)


def class_balance(targets: Tensor) -> Tensor:
    """Weights that count rare classes more: the inverse effective number (Cui et al. 2019, arXiv 1901.05555).

    `w_c ~ (1 - b) / (1 - b ** n_c)` with b = EFFECTIVE_BETA and n_c the class's share of all targets, in samples. Close
    to the inverse frequency for small classes; large ones level off.

    Args:
        targets: (N, C) distributions or rows of zeros, of the whole training split.

    Returns:
        (C,) float32. The mean over the classes that occur is 1; a class that never does weighs 0.

    Raises:
        DatasetError: no row has a target.
    """
    counts = targets.sum(dim=0, dtype=torch.float64)
    occurs = counts > 0
    if not occurs.any():
        raise DatasetError("class weights need labels, and no sample has one", code="labels-missing")
    # One sample is the least a class has, were it only a few votes: otherwise those would outweigh all else.
    volume = -torch.expm1(counts.clamp(min=1) * math.log(EFFECTIVE_BETA)) / (1 - EFFECTIVE_BETA)
    weights = occurs / volume
    return (weights / weights[occurs].mean()).float()


def neutral_balance(targets: Tensor, classes: Sequence[str]) -> Tensor:
    """Weights with which neutral and all other classes together count alike, as in most films most faces are neutral.

    Args:
        targets: (N, C) distributions or rows of zeros, of the whole training split.
        classes: C names.

    Returns:
        (C,) float32: `1 / (2 share)` of neutral and of the others.

    Raises:
        DatasetError: neutral, or everything else, has no sample.
    """
    shares = targets.sum(dim=0, dtype=torch.float64)
    is_neutral = torch.tensor([name == "neutral" for name in classes])
    neutral, others = shares[is_neutral].sum(), shares[~is_neutral].sum()
    if not (neutral > 0 and others > 0):
        raise DatasetError(
            f"--balance-neutral needs faces that are neutral and others; the classes are {', '.join(classes)}",
            hint="leave it out",
            code="labels-missing",
        )
    total = neutral + others
    return torch.where(is_neutral, total / (2 * neutral), total / (2 * others)).float()


def concordance(predicted: Tensor, truth: Tensor) -> Tensor:
    """Concordance correlation coefficient of each column (Lin 1989): `2 s_pt / (s_p^2 + s_t^2 + (m_p - m_t)^2)`.

    Args:
        predicted, truth: (N, D) float, N at least 2.

    Returns:
        (D,) in [-1, 1]; 0 where nothing varies.
    """
    p, t = predicted - predicted.mean(dim=0), truth - truth.mean(dim=0)
    apart = (predicted.mean(dim=0) - truth.mean(dim=0)) ** 2
    spread = (p**2).mean(dim=0) + (t**2).mean(dim=0) + apart
    return 2 * (p * t).mean(dim=0) / spread.clamp(min=1e-8)


def rating_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """`1 - CCC + MSE`, mean over valence and arousal (the CCC of the batch).

    Args:
        outputs: (N, 2) float.
        targets: (N, 3) valence, arousal, and 1 if they are known, or a row of zeros.

    Returns:
        () at least 0; 0, still with a gradient, where nothing is known.
    """
    known = targets[:, 2] > 0
    predicted, truth = outputs[known], targets[known, :2]
    if not len(truth):
        return outputs.sum() * 0
    error = ((predicted - truth) ** 2).mean()
    return error if len(truth) < 2 else error + (1 - concordance(predicted, truth)).mean()


def word_cosine_loss(projected: Tensor, vectors: Tensor, targets: Tensor) -> Tensor:
    """Distance to the word that names the class: `sum_c t_c (1 - cos(projected, vector_c))` of one row.

    A confusion costs less the nearer the two words are, so the loss knows about emotions what the word vectors know,
    and no more: see `fercli.learn.training.word_vectors`. With certain labels it is the cosine loss on semantic
    embeddings of Barz and Denzler 2020 (arXiv 1901.09054), an idea of Frome et al. 2013 (DeViSE); with distributions,
    its expectation over the votes.

    Args:
        projected: (N, D) features of the network, projected into the space of the words.
        vectors: (C, D) word vectors of the classes, see `learn.training.word_vectors`; their lengths do not matter.
        targets: (N, C) distributions or rows of zeros.

    Returns:
        () in [0, 2].
    """
    cosines = F.cosine_similarity(projected[:, None], vectors[None], dim=2)
    return _mean_of_labelled((targets * (1 - cosines)).sum(dim=1), targets)


class UncertaintyBranch(nn.Module):
    """How uncertain each face is, relative to the others of its batch; needed while training only.

    `u = mean(exp(branch(features)))`, the branch as in the authors' code (see `mix_by_uncertainty`): batch norm without
    parameters, dropout, a linear layer, batch norm. Theirs reads the 7 x 7 feature map, this one the pooled features,
    so that a face of any size will do.

    Args:
        n_features: width of the features, 512 in a ResNet-18.
    """

    def __init__(self, n_features: int = 512) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm1d(n_features, eps=2e-5, affine=False),
            nn.Dropout(BRANCH_DROPOUT),
            nn.Linear(n_features, BRANCH_WIDTH),
            nn.BatchNorm1d(BRANCH_WIDTH, eps=2e-5),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(N, n_features) -> (N, 1), above 0."""
        if self.training and len(features) == 1:  # batch norm cannot, and there is nothing to be relative to
            return features.new_ones(1, 1)
        uncertainty: Tensor = self.layers(features).exp().mean(dim=1, keepdim=True)
        return uncertainty


def mix_by_uncertainty(features: Tensor, uncertainty: Tensor, partners: Tensor) -> Tensor:
    """Relative uncertainty learning: each face mixed with another, the less certain one taking the larger share.

    `(u_i f_i + u_j f_j) / (u_i + u_j)`; both labels are then asked for alike, whatever the shares (the authors' add-up
    loss), which a mix can only answer if more of it shows the harder face. So the uncertainties are learnt without
    labels of their own. Zhang, Wang, Deng 2021 (NeurIPS; github.com/zyh-uaiaaaa/Relative-Uncertainty-Learning). The
    authors mix a 64-wide layer in front of the classifier; here it is the network's own features, so that the
    classifier stays as it is.

    Args:
        features: (N, D).
        uncertainty: (N, 1) above 0, from `UncertaintyBranch`.
        partners: (N,) int64 index of the face that each is mixed with, a random permutation.

    Returns:
        (N, D), for the classifier's last layer.
    """
    share = uncertainty / (uncertainty + uncertainty[partners])
    return share * features + (1 - share) * features[partners]


def class_attention_maps(feature_map: Tensor, fc_weight: Tensor) -> Tensor:
    """How much each place speaks for each class: `M_c = sum_d w_cd F_d` (Zhou et al. 2016, arXiv 1512.04150).

    Args:
        feature_map: (N, D, h, w) in front of the pooling.
        fc_weight: (C, D) of the last layer.

    Returns:
        (N, C, h, w); the mean over h and w is the logits without their bias.
    """
    return torch.einsum("ndhw,cd->nchw", feature_map, fc_weight)


def flip_attention_consistency(feature_map: Tensor, mirrored_feature_map: Tensor, fc_weight: Tensor) -> Tensor:
    """A face and its mirror image should be judged by the same places: mean squared difference of their attention maps.

    `mean((M(image) - mirror(M(mirrored image))) ** 2)`, of Erasing Attention Consistency (Zhang et al. 2022, arXiv
    2207.10299). To be added to the classification loss of the unmirrored image alone, times 5 in the authors' code; the
    images should have random erasing. As there, the last layer's weights get no gradient from it.

    Args:
        feature_map: (N, D, h, w) of the images, in front of the pooling.
        mirrored_feature_map: (N, D, h, w) of the same images mirrored left to right.
        fc_weight: (C, D) of the last layer.

    Returns:
        () at least 0.
    """
    weight = fc_weight.detach()
    mirrored_back = class_attention_maps(mirrored_feature_map, weight).flip(-1)
    return F.mse_loss(class_attention_maps(feature_map, weight), mirrored_back)


def _mean_of_labelled(losses: Tensor, targets: Tensor) -> Tensor:
    """Mean of the (N,) losses over the rows that have a target; the losses of the others are 0 already."""
    labelled = (targets.sum(dim=1) > 0).sum()
    return losses.sum() / labelled.clamp(min=1)
