"""Parts of all networks over series: the input of the modalities, and the form of what comes out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

FURTHEST = 10.0
"""Standardised features beyond this many standard deviations are cut: one broken value must not move a whole series."""


class Answer(NamedTuple):
    """What a network says of a batch of series.

    Attributes:
        hidden: (B, T, H) features that the outputs are computed from.
        stages: (S, B, T, K) outputs of each stage; the last is the answer. All networks but MS-TCN have one stage.
    """

    hidden: Tensor
    stages: Tensor


class SequenceNetwork(nn.Module, ABC):
    """A network over series, in two steps, so that series of any length can be processed.

    `encode` sees at most `context` steps to each side, so it can be done in pieces that overlap; `finish` is done over
    the whole series, and needs memory for nothing but a constant number of values a step.

    Attributes:
        context: steps to each side that `encode` depends on.
    """

    context: int = 0

    @abstractmethod
    def encode(self, inputs: Sequence[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """Features of each step.

        Args:
            inputs: of each modality (B, T, D) float32; what is masked may be anything.
            masks: of each modality (B, T) bool, whether it is there.

        Returns:
            (B, T, E).
        """

    @abstractmethod
    def finish(self, encoded: Tensor, inside: Tensor) -> Answer:
        """The answer to (B, T, E) encoded features; `inside` (B, T) is false where a series of the batch has ended."""

    def forward(self, inputs: Sequence[Tensor], masks: Sequence[Tensor], inside: Tensor | None = None) -> Answer:
        """Both steps at once; arguments as those of the two. Without `inside`, all series are equally long."""
        encoded = self.encode(inputs, masks)
        return self.finish(encoded, torch.ones_like(masks[0]) if inside is None else inside)


class Inputs(nn.Module):
    """Standardises each modality and projects it to one width; where it is missing, a learned vector takes its place.

    Args:
        sizes: length of the vectors of each modality.
        hidden: width.
        dropout: probability, in training.
    """

    def __init__(self, sizes: Sequence[int], hidden: int, dropout: float) -> None:
        super().__init__()
        for number, size in enumerate(sizes):
            self.register_buffer(f"mean_{number}", torch.zeros(size))
            self.register_buffer(f"std_{number}", torch.ones(size))
        self.layers = nn.ModuleList(nn.Linear(size, hidden) for size in sizes)
        self.missing = nn.ParameterList(nn.Parameter(torch.zeros(hidden)) for _ in sizes)
        self.dropout = nn.Dropout(dropout)

    def fit(self, number: int, mean: Tensor, std: Tensor) -> None:
        """Set mean and standard deviation, (D,) each, of a modality; a constant feature is only centred."""
        self.get_buffer(f"mean_{number}").copy_(mean)
        self.get_buffer(f"std_{number}").copy_(std.where(std > 1e-6, torch.ones_like(std)))

    def forward(self, inputs: Sequence[Tensor], masks: Sequence[Tensor]) -> list[Tensor]:
        """(B, T, D) and (B, T) of each modality -> (B, T, hidden) of each."""
        made = []
        for number, (values, mask) in enumerate(zip(inputs, masks, strict=True)):
            known = values.where(mask[..., None], torch.zeros_like(values))
            scaled = (known - self.get_buffer(f"mean_{number}")) / self.get_buffer(f"std_{number}")
            projected = self.layers[number](self.dropout(scaled.clamp(-FURTHEST, FURTHEST)))
            made.append(projected.where(mask[..., None], self.missing[number].expand_as(projected)))
        return made


class Mixed(nn.Module):
    """`Inputs`, with the modalities of a step side by side and projected to one vector."""

    def __init__(self, sizes: Sequence[int], hidden: int, dropout: float) -> None:
        super().__init__()
        self.inputs = Inputs(sizes, hidden, dropout)
        self.mix = nn.Linear(hidden * len(sizes), hidden) if len(sizes) > 1 else nn.Identity()

    def forward(self, inputs: Sequence[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """(B, T, D) and (B, T) of each modality -> (B, T, hidden)."""
        mixed: Tensor = self.mix(torch.cat(self.inputs(inputs, masks), dim=-1))
        return mixed


class MixedNetwork(SequenceNetwork):
    """A network that takes the modalities of a step as one vector: `encode` mixes them and does nothing else.

    Args:
        sizes: length of the vectors of each modality.
        hidden: width.
        dropout: probability, in training.
    """

    def __init__(self, sizes: Sequence[int], hidden: int, dropout: float) -> None:
        super().__init__()
        self.mixed = Mixed(sizes, hidden, dropout)

    def encode(self, inputs: Sequence[Tensor], masks: Sequence[Tensor]) -> Tensor:
        mixed: Tensor = self.mixed(inputs, masks)
        return mixed


def present_in(masks: Sequence[Tensor]) -> Tensor:
    """(B, T) whether any modality is there."""
    return torch.stack(list(masks)).any(dim=0)
