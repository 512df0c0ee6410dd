"""GRU (Cho et al. 2014, arXiv 1406.1078), in one direction: every output is computed from the past alone."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from fercli.models.sequences.parts import Answer, MixedNetwork


class Gru(MixedNetwork):
    """See above.

    Args:
        sizes: length of the vectors of each modality.
        outputs: values of each step.
        hidden: width.
        dropout: probability, in training.
    """

    def __init__(self, sizes: Sequence[int], outputs: int, hidden: int, dropout: float) -> None:
        super().__init__(sizes, hidden, dropout)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, outputs)

    def finish(self, encoded: Tensor, inside: Tensor) -> Answer:
        steps, _ = self.gru(encoded.relu())
        return Answer(steps, self.output(self.dropout(steps))[None])
