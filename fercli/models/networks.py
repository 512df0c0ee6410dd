"""The classifiers' networks by name. All take (N, T, 3, H, W) float clips and give (N, n_classes) logits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from fercli.errors import ConfigError
from fercli.models.attention56 import Attention56
from fercli.models.dlib_resnet import GREY_MEAN, GREY_STD, SMALLEST, TsmDlibResNet
from fercli.models.lstm import ResNet18Lstm
from fercli.models.rca import ChannelAttention
from fercli.models.tsm import TsmResNet18
from fercli.models.weights import ClassifierHeader

Network: TypeAlias = TsmResNet18 | ResNet18Lstm | TsmDlibResNet | Attention56


@dataclass(frozen=True)
class Architecture:
    """How a network is made.

    Attributes:
        builder: called with n_classes, n_frames, fold_div, stem_pool and dropout.
        n_frames: frames of a clip.
        mean, std: of pixels in [0, 1]; a new network is trained on (pixel - mean) / std.
        smallest: side of the input at least, pixels.
    """

    builder: Callable[[int, int, int, bool, float], Network]
    n_frames: int
    mean: float = ClassifierHeader.mean
    std: float = ClassifierHeader.std
    smallest: int = 1


def _lstm(n_classes: int, n_frames: int, fold_div: int, stem_pool: bool, dropout: float) -> ResNet18Lstm:
    return ResNet18Lstm(n_classes, stem_pool, dropout)  # it shifts nothing, and counts the frames itself


def _attention(
    n_classes: int, n_frames: int, fold_div: int, stem_pool: bool, dropout: float, *, small: bool = False
) -> Attention56:
    return Attention56(n_classes, stem_pool, dropout, small=small)  # it shifts nothing


def _dlib(n_classes: int, n_frames: int, fold_div: int, stem_pool: bool, dropout: float) -> TsmDlibResNet:
    return TsmDlibResNet(n_classes, n_frames, fold_div, dropout)  # it always pools behind its first convolution


ARCHITECTURES = {
    "resnet18": Architecture(TsmResNet18, 1),
    "tsm-resnet18": Architecture(TsmResNet18, 4),
    "tsm-resnet18-online": Architecture(partial(TsmResNet18, causal=True), 4),
    "resnet18-lstm": Architecture(_lstm, 4),
    "resnet18-rca": Architecture(partial(TsmResNet18, attention=ChannelAttention), 1),
    "attention-56": Architecture(_attention, 1),
    "attention-56-small": Architecture(partial(_attention, small=True), 1),
    "dlib-resnet": Architecture(_dlib, 1, GREY_MEAN, GREY_STD, SMALLEST),
    "tsm-dlib-resnet": Architecture(_dlib, 4, GREY_MEAN, GREY_STD, SMALLEST),
}


def build_network(
    architecture: str, n_classes: int, fold_div: int = 8, *, stem_pool: bool = False, dropout: float = 0.0
) -> Network:
    """A network with fresh weights.

    Args:
        architecture: a key of ARCHITECTURES.
        n_classes: length of the output.
        fold_div: of temporal shifts, at least 2; see `tsm.temporal_shift`.
        stem_pool: see `tsm.ResNet18Trunk`.
        dropout: probability in front of the last layer, while training.

    Raises:
        ConfigError: no such architecture, or a share of the channels that cannot be shifted.
    """
    found = ARCHITECTURES.get(architecture)
    if found is None:
        raise ConfigError(
            f"unknown architecture {architecture!r}", hint=f"known: {', '.join(ARCHITECTURES)}", code="name-unknown"
        )
    if fold_div < 2:
        raise ConfigError(
            f"fold_div is {fold_div}: 1 / fold_div of the channels is shifted each way",
            hint="give 2 up",
            code="option-out-of-range",
        )
    return found.builder(n_classes, found.n_frames, fold_div, stem_pool, dropout)
