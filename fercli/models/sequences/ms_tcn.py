"""MS-TCN: a first prediction, refined by further stages (Farha and Gall 2019, arXiv 1903.01945).

Each stage is a row of dilated convolutions with shortcuts. A refining stage sees nothing but the answer of the stage
before it: probabilities of classes, or values. So it learns what courses look like, and takes out segments that are too
short to be true. Every stage has a loss of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fercli.models.sequences.parts import Answer, MixedNetwork

STAGES, LAYERS = 4, 6
"""Stages, and layers of each; the dilation of a layer is twice that of the one before it."""


class _Layer(nn.Module):
    """x + dropout(1x1(relu(dilated(x)))), section 3.1 of the paper."""

    def __init__(self, hidden: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.dilated = nn.Conv1d(hidden, hidden, 3, padding=dilation, dilation=dilation)
        self.pointwise = nn.Conv1d(hidden, hidden, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        out: Tensor = (x + self.dropout(self.pointwise(self.dilated(x).relu()))) * inside
        return out


class _Stage(nn.Module):
    def __init__(self, size: int, outputs: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.enter = nn.Conv1d(size, hidden, 1)
        self.layers = nn.ModuleList(_Layer(hidden, 2**level, dropout) for level in range(LAYERS))
        self.leave = nn.Conv1d(hidden, outputs, 1)

    def forward(self, x: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.enter(x) * inside
        for layer in self.layers:
            hidden = layer(hidden, inside)
        return hidden, self.leave(hidden)


class MsTcn(MixedNetwork):
    """See above.

    Args:
        sizes: length of the vectors of each modality.
        outputs: values of each step, or logits of its class.
        hidden: width.
        dropout: probability, in training.
        classes: whether the outputs are logits, of which a stage hands on the probabilities.
    """

    def __init__(
        self, sizes: Sequence[int], outputs: int, hidden: int, dropout: float, *, classes: bool = False
    ) -> None:
        super().__init__(sizes, hidden, dropout)
        self.classes = classes
        first = _Stage(hidden, outputs, hidden, dropout)
        others = [_Stage(outputs, outputs, hidden, dropout) for _ in range(STAGES - 1)]
        self.stages = nn.ModuleList([first, *others])

    def finish(self, encoded: Tensor, inside: Tensor) -> Answer:
        there = inside[:, None].float()  # behind the end of a series is nothing, as in a batch of its own
        x, answers = encoded.transpose(1, 2), []
        for stage in self.stages:
            hidden, answer = stage(x, there)
            answers.append(answer.transpose(1, 2))
            x = answer.softmax(dim=1) if self.classes else answer
        return Answer(hidden.transpose(1, 2), torch.stack(answers))
