"""The encoder of Whisper (Radford et al. 2022, arXiv 2212.04356), for what its middle layers know of a voice.

CTranslate2 gives only the last layer, which is about words. The tensors are read from the same `model.bin`, so no
further network is needed.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fercli.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

LONGEST_S = 30.0
"""Length of the input, seconds."""
_TYPES = (np.float32, np.int8, np.int16, np.int32, np.float16)
"""Numbers of CTranslate2's types of tensors, by number."""
_PREFIX = "encoder/"


class WhisperEncoder:
    """The first layers of the encoder.

    Args:
        tensors: by CTranslate2's names without `encoder/`, float32.
        heads: number of attention heads.
        layers: number of layers that are computed.
    """

    def __init__(self, tensors: dict[str, Tensor], heads: int, layers: int) -> None:
        from faster_whisper.feature_extractor import FeatureExtractor

        self._tensors, self._heads, self._layers = tensors, heads, layers
        self._spectrum = FeatureExtractor()

    def states(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The states after the last computed layer, as `all_states` returns them."""
        return self.all_states(samples)[-1]

    def all_states(self, samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The states after each computed layer.

        Args:
            samples: (n,) at 16 kHz, up to LONGEST_S; it is not padded to that.

        Returns:
            Of each layer (T, width), 50 a second.
        """
        import torch
        from torch.nn import functional

        with torch.inference_mode():
            spectrum = self._spectrum(samples)[:, : round(LONGEST_S * 100)]
            found = torch.from_numpy(np.asarray(spectrum, np.float32))[None]
            for stride, layer in ((1, "conv1"), (2, "conv2")):
                weight, bias = self._of(layer)
                found = functional.gelu(functional.conv1d(found, weight, bias, stride, 1))
            states = found[0].T
            states = states + self._tensors["position_encodings/encodings"][: len(states)]
            after = []
            for number in range(self._layers):
                states = states + self._attended(states, f"layer_{number}/self_attention")
                hidden = self._normed(states, f"layer_{number}/ffn")
                hidden = functional.gelu(functional.linear(hidden, *self._of(f"layer_{number}/ffn/linear_0")))
                states = states + functional.linear(hidden, *self._of(f"layer_{number}/ffn/linear_1"))
                after.append(np.asarray(states.numpy(), np.float32))
            return after

    def _attended(self, states: Tensor, layer: str) -> Tensor:
        from torch.nn import functional

        joined = functional.linear(self._normed(states, layer), *self._of(f"{layer}/linear_0"))
        query, key, value = (
            part.reshape(len(states), self._heads, -1).transpose(0, 1) for part in joined.chunk(3, dim=-1)
        )
        found = functional.scaled_dot_product_attention(query, key, value).transpose(0, 1).reshape(len(states), -1)
        return functional.linear(found, *self._of(f"{layer}/linear_1"))

    def _normed(self, states: Tensor, layer: str) -> Tensor:
        from torch.nn import functional

        scale, shift = (self._tensors[f"{layer}/layer_norm/{name}"] for name in ("gamma", "beta"))
        return functional.layer_norm(states, states.shape[-1:], scale, shift)

    def _of(self, layer: str) -> tuple[Tensor, Tensor]:
        return self._tensors[f"{layer}/weight"], self._tensors[f"{layer}/bias"]


def load_encoder(weights: Path, layers: int) -> WhisperEncoder:
    """Build the first layers from a `model.bin` of CTranslate2 with tensors of float16 or float32.

    Raises:
        WeightsError: the file is something else, or has fewer layers.
    """
    import torch

    try:
        with weights.open("rb") as file:
            tensors = _read(file)
        heads = int(tensors.pop("num_heads"))
        encoder = WhisperEncoder(
            {name: torch.from_numpy(value.astype(np.float32)) for name, value in tensors.items()}, heads, layers
        )
        encoder.states(np.zeros(1600, np.float32))
    except (OSError, ValueError, KeyError, IndexError, struct.error, RuntimeError) as error:
        raise WeightsError(
            f"{weights} is not a Whisper model for CTranslate2 whose encoder can be read: {error}",
            hint="get it with: fercli models fetch whisper-base",
        ) from error
    return encoder


def _read(file: BinaryIO) -> dict[str, NDArray[np.generic]]:
    """The tensors of the encoder. The layout: version; name; revision; number of tensors; of each its name, number of
    dimensions, dimensions, type, number of bytes, and the bytes (ctranslate2/specs/model_spec.py)."""
    file.seek(4)
    _name(file)
    _, count = struct.unpack("<II", file.read(8))
    found = {}
    for _ in range(count):
        name = _name(file)
        (rank,) = struct.unpack("<B", file.read(1))
        shape = struct.unpack(f"<{rank}I", file.read(4 * rank))
        kind, size = struct.unpack("<BI", file.read(5))
        if name.startswith(_PREFIX):
            found[name.removeprefix(_PREFIX)] = np.frombuffer(file.read(size), _TYPES[kind]).reshape(shape)
        else:
            file.seek(size, 1)
    return found


def _name(file: BinaryIO) -> str:
    """A text with its length before it and a zero at its end."""
    (length,) = struct.unpack("<H", file.read(2))
    return file.read(length)[:-1].decode()
