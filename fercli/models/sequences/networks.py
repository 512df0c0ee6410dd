"""The networks over series by name."""

from __future__ import annotations

from collections.abc import Sequence

from fercli.errors import ConfigError
from fercli.models.sequences.gru import Gru
from fercli.models.sequences.lstm import Lstm
from fercli.models.sequences.memory_fusion import MemoryFusion
from fercli.models.sequences.ms_tcn import MsTcn
from fercli.models.sequences.parts import SequenceNetwork
from fercli.models.sequences.tcn import Tcn
from fercli.models.sequences.transformer import HEADS, Transformer

ARCHITECTURES: dict[str, type[SequenceNetwork]] = {
    "lstm": Lstm,
    "gru": Gru,
    "transformer": Transformer,
    "memory-fusion": MemoryFusion,
    "tcn": Tcn,
    "ms-tcn": MsTcn,
}


def build_sequence_network(
    name: str, sizes: Sequence[int], outputs: int, hidden: int, *, dropout: float = 0.0, classes: bool = False
) -> SequenceNetwork:
    """A network with fresh weights.

    Args:
        name: a key of ARCHITECTURES.
        sizes: length of the vectors of each modality, at least one.
        outputs: values of each step.
        hidden: width; for the transformers a multiple of HEADS.
        dropout: probability, in training.
        classes: whether the outputs are logits of classes.

    Raises:
        ConfigError: no such network, or a width that cannot be used.
    """
    made = ARCHITECTURES.get(name)
    if made is None:
        raise ConfigError(f"unknown network {name!r}", hint=f"known: {', '.join(ARCHITECTURES)}", code="name-unknown")
    if hidden < 1 or (made in (Transformer, MemoryFusion) and hidden % HEADS):
        raise ConfigError(
            f"the width of {name} is {hidden}", hint=f"give a multiple of {HEADS}", code="option-out-of-range"
        )
    if made is MsTcn:
        return MsTcn(sizes, outputs, hidden, dropout, classes=classes)
    network: SequenceNetwork = made(sizes, outputs, hidden, dropout)
    return network
