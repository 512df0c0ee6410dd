"""Simple Fusion Transformer: one encoder over the modalities side by side (Wu et al. 2019, arXiv 1907.04197).

Attention reaches REACH steps to each side, with a bias that falls with the distance (ALiBi; Press et al. 2022, arXiv
2108.12409) in place of absolute positions. So a step means the same wherever it stands in a series, and long series can
be processed in pieces.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fercli.models.sequences.parts import Answer, Mixed, SequenceNetwork, present_in

HEADS, LAYERS, REACH = 4, 2, 40
"""Heads and layers of the encoder, and the steps to each side that a layer sees."""


class Encoder(nn.Module):
    """Transformer encoder with local attention (Vaswani et al. 2017, arXiv 1706.03762), normalised before each part.

    Args:
        hidden: width, a multiple of HEADS.
        dropout: probability, in training.
    """

    context = LAYERS * REACH

    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer(hidden, dropout) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(hidden)

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        """(B, T, hidden) -> the same shape; a step does not attend to those where `present` (B, T) is false."""
        bias = _bias(present)
        for layer in self.layers:
            x = layer(x, bias)
        normed: Tensor = self.norm(x)
        return normed


class _Layer(nn.Module):
    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.before_attention, self.before_feed = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.qkv, self.joined = nn.Linear(hidden, 3 * hidden), nn.Linear(hidden, hidden)
        self.feed = nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.GELU(), nn.Linear(2 * hidden, hidden))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        batch, steps, hidden = x.shape
        parts = self.qkv(self.before_attention(x)).view(batch, steps, 3, HEADS, hidden // HEADS)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        x = x + self.dropout(self.joined(attended.transpose(1, 2).reshape(batch, steps, hidden)))
        out: Tensor = x + self.dropout(self.feed(self.before_feed(x)))
        return out


def _bias(present: Tensor) -> Tensor:
    """(B, HEADS, T, T) added to the attention: minus slope times distance; minus infinity for what a step does not see.
    It always sees itself."""
    steps = torch.arange(present.shape[1], device=present.device)
    distance = (steps[:, None] - steps).abs()
    seen = (present[:, None] & (distance <= REACH)) | (distance == 0)
    slopes = 2.0 ** -(8 / HEADS * torch.arange(1, HEADS + 1, device=present.device))
    bias = -slopes[:, None, None] * distance
    return bias[None].where(seen[:, None], torch.full((), -torch.inf, device=present.device))


class Transformer(SequenceNetwork):
    """See above.

    Args:
        sizes: length of the vectors of each modality.
        outputs: values of each step.
        hidden: width, a multiple of HEADS.
        dropout: probability, in training.
    """

    context = Encoder.context

    def __init__(self, sizes: Sequence[int], outputs: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.mixed = Mixed(sizes, hidden, dropout)
        self.encoder = Encoder(hidden, dropout)
        self.output = nn.Linear(hidden, outputs)

    def encode(self, inputs: Sequence[Tensor], masks: Sequence[Tensor]) -> Tensor:
        encoded: Tensor = self.encoder(self.mixed(inputs, masks), present_in(masks))
        return encoded

    def finish(self, encoded: Tensor, inside: Tensor) -> Answer:
        return Answer(encoded, self.output(encoded)[None])
