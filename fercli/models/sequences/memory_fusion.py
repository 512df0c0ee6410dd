"""Memory Fusion Transformer: an encoder for each modality, fused by a memory (Wu et al. 2019, arXiv 1907.04197).

The memory is that of Zadeh et al. 2018 (arXiv 1802.00927): attention over the encoded modalities of this step and the
one before it gives c, from which come what is to be remembered, and how much of it and of the old memory is kept:

    u_t = retain(c_t) * u_(t-1) + update(c_t) * tanh(new(c_t))
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fercli.models.sequences.parts import Answer, Inputs, SequenceNetwork
from fercli.models.sequences.transformer import Encoder


class MemoryFusion(SequenceNetwork):
    """See above.

    Args:
        sizes: length of the vectors of each modality.
        outputs: values of each step.
        hidden: width of each modality and of the memory, a multiple of 4.
        dropout: probability, in training.
    """

    context = Encoder.context

    def __init__(self, sizes: Sequence[int], outputs: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.inputs = Inputs(sizes, hidden, dropout)
        self.encoders = nn.ModuleList(Encoder(hidden, dropout) for _ in sizes)
        width = hidden * len(sizes)

        def small(before: int, after: int) -> nn.Sequential:
            return nn.Sequential(nn.Linear(before, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, after))

        self.attention = small(2 * width, 2 * width)
        self.new, self.retain, self.update = (small(2 * width, hidden) for _ in range(3))
        self.output = small(width + hidden, outputs)

    def encode(self, inputs: Sequence[Tensor], masks: Sequence[Tensor]) -> Tensor:
        parts = zip(self.encoders, self.inputs(inputs, masks), masks, strict=True)
        return torch.cat([encoder(x, mask) for encoder, x, mask in parts], dim=-1)

    def finish(self, encoded: Tensor, inside: Tensor) -> Answer:
        before = nn.functional.pad(encoded, (0, 0, 1, 0))[:, :-1]
        both = torch.cat([before, encoded], dim=-1)
        attended = self.attention(both).softmax(dim=-1) * both
        retain, update = self.retain(attended).sigmoid(), self.update(attended).sigmoid()
        added = update * self.new(attended).tanh()
        memory = torch.zeros_like(added[:, 0])
        steps = []
        for kept, more in zip(retain.unbind(1), added.unbind(1), strict=True):
            memory = kept * memory + more
            steps.append(memory)
        hidden = torch.cat([encoded, torch.stack(steps, dim=1)], dim=-1)
        return Answer(hidden, self.output(hidden)[None])
