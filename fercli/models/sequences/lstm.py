"""LSTM with local attention: the baseline of SEND (Ong et al. 2019, arXiv 1912.05008).

The LSTM (Gers et al. 2000) reads the features step by step; the output of a step is computed from a weighted mean of
its last WINDOW hidden states, with weights that a small network computes from the present and each of these states.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fercli.models.sequences.parts import Answer, MixedNetwork

WINDOW = 5
"""Steps that the attention sees, the present one included."""


class Lstm(MixedNetwork):
    """See above.

    Args:
        sizes: length of the vectors of each modality.
        outputs: values of each step.
        hidden: width.
        dropout: probability, in training.
    """

    def __init__(self, sizes: Sequence[int], outputs: int, hidden: int, dropout: float) -> None:
        super().__init__(sizes, hidden, dropout)
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.score = nn.Linear(2 * hidden, 1)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, outputs)

    def finish(self, encoded: Tensor, inside: Tensor) -> Answer:
        steps, _ = self.lstm(encoded.relu())
        attended = self._attend(steps)
        return Answer(attended, self.output(self.dropout(attended))[None])

    def _attend(self, steps: Tensor) -> Tensor:
        """(B, T, H) hidden states -> the mean of the last WINDOW of each, weighted."""
        n_steps = steps.shape[1]
        past, scores = [], []
        for back in range(min(WINDOW, n_steps)):
            shifted = nn.functional.pad(steps, (0, 0, back, 0))[:, :n_steps]
            score = self.score(torch.cat([steps, shifted], dim=-1))[..., 0]
            score[:, :back] = -torch.inf  # before the start
            past.append(shifted)
            scores.append(score)
        weights = torch.stack(scores, dim=-1).softmax(dim=-1)
        return torch.einsum("btw,btwh->bth", weights, torch.stack(past, dim=-2))
