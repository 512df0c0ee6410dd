"""GRU (Cho et al. 2014, arXiv 1406.1078), in one direction: every output is computed from the past alone."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from fercli.models.sequences.parts import Answer, Mixed, SequenceNetwork


class Gru(SequenceNetwork):
    """See above.

    Args:
        sizes: length of the vectors of each modality.
        outputs: values of each step.
        hidden: width.
        dropout: probability, in training.
    """

    def __init__(self, sizes: Sequence[int], outputs: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.mixed = Mixed(sizes, hidden, dropout)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, outputs)

    def encode(self, inputs: Sequence[Tensor], masks: Sequence[Tensor]) -> Tensor:
        mixed: Tensor = self.mixed(inputs, masks).relu()
        return mixed

    def finish(self, encoded: Tensor, inside: Tensor) -> Answer:
        steps, _ = self.gru(encoded)
        return Answer(steps, self.output(self.dropout(steps))[None])
