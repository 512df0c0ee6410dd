"""Temporal convolutional network (Bai et al. 2018, arXiv 1803.01271), looking to both sides: series are complete."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from fercli.models.sequences.parts import Answer, MixedNetwork

LEVELS = 5
"""Blocks; the dilation of each is twice that of the one before it."""


class _Block(nn.Module):
    """Two dilated convolutions and a shortcut."""

    def __init__(self, hidden: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv1d(hidden, hidden, 3, padding=dilation, dilation=dilation) for _ in range(2))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        inner = self.dropout(self.first(x).relu()) * inside
        out: Tensor = (x + self.dropout(self.second(inner).relu())) * inside
        return out


class Tcn(MixedNetwork):
    """See above.

    Args:
        sizes: length of the vectors of each modality.
        outputs: values of each step.
        hidden: width.
        dropout: probability, in training.
    """

    def __init__(self, sizes: Sequence[int], outputs: int, hidden: int, dropout: float) -> None:
        super().__init__(sizes, hidden, dropout)
        self.blocks = nn.ModuleList(_Block(hidden, 2**level, dropout) for level in range(LEVELS))
        self.output = nn.Linear(hidden, outputs)

    def finish(self, encoded: Tensor, inside: Tensor) -> Answer:
        there = inside[:, None].float()  # behind the end of a series is nothing, as in a batch of its own
        x = encoded.transpose(1, 2) * there
        for block in self.blocks:
            x = block(x, there)
        steps = x.transpose(1, 2)
        return Answer(steps, self.output(steps)[None])
