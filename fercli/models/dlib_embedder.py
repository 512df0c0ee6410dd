"""dlib's face recognition network as an embedder.

The prebuilt dlib has no BLAS and takes 74 ms a face on one core. onnxruntime takes 6 (`benchmarks/embedder.py`), torch
8, which uses a GPU where there is one; both give the same numbers to 1e-6. Alignment stays dlib's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.hashing import sha256_file
from fercli.models.dlib_file import CHIP_SIZE, DIMENSIONS, HINT, read_tensors
from fercli.models.graphs import open_graph

if TYPE_CHECKING:
    import dlib

Network: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""(N, CHIP_SIZE, CHIP_SIZE, 3) RGB, as `DlibEmbedder.chip` cuts it, -> (N, DIMENSIONS)."""

_CHIP_PADDING = 0.25
_PREDICTOR = "shape_predictor_5_face_landmarks.dat"
_PREDICTOR_SHA256 = "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888"
_BATCH = 16


class DlibEmbedder:
    """Aligns faces as dlib does and embeds them."""

    def __init__(self, network: Network, predictor: dlib.shape_predictor) -> None:
        self._network = network
        self._predictor = predictor

    def embed(self, crops: Sequence[NDArray[np.uint8]], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 128) embeddings of the faces at (N, 4) boxes, each in the pixels of its own RGB crop."""
        chips = [self.chip(crop, box) for crop, box in zip(crops, boxes, strict=True)]
        parts = [self.run(chips[start : start + _BATCH]) for start in range(0, len(chips), _BATCH)]
        return np.concatenate([np.zeros((0, DIMENSIONS), dtype=np.float32), *parts])

    def chip(self, crop: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Upright (150, 150, 3) face, the corners of the eyes where the network wants them."""
        import dlib

        crop = np.ascontiguousarray(crop)
        shape = self._predictor(crop, dlib.rectangle(*(round(float(edge)) for edge in box)))
        chip: NDArray[np.uint8] = dlib.get_face_chip(crop, shape, size=CHIP_SIZE, padding=_CHIP_PADDING)
        return chip

    def run(self, chips: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """The network alone: (N, 128) of (150, 150, 3) faces."""
        return self._network(np.stack(chips))


def load(weights: Path, device: str) -> DlibEmbedder:
    """Read the network, and the landmark predictor that lies beside it.

    Args:
        weights: dlib's file.
        device: `cpu`, where onnxruntime computes, or `cuda`, where torch does.

    Raises:
        WeightsError: one of the two files is missing, altered or another network.
    """
    predictor = load_predictor(weights.parent)
    on_cpu = device == "cpu"
    network = open_graph("dlib-resnet", read_tensors(weights), weights) if on_cpu else _on_gpu(weights, device)
    return DlibEmbedder(network, predictor)


def load_predictor(directory: Path) -> dlib.shape_predictor:
    """dlib's five landmarks: outer and inner corner of the eye to the right in the picture, the same of the other,
    base of the nose.

    Raises:
        WeightsError: it is not in the directory, or altered.
    """
    import dlib

    path = directory / _PREDICTOR
    if not path.is_file() or sha256_file(path) != _PREDICTOR_SHA256:
        raise WeightsError(f"{path} is missing or altered", hint=HINT, code="weights-altered")
    return dlib.shape_predictor(str(path))


def _on_gpu(weights: Path, device: str) -> Network:
    from fercli.models.dlib_resnet import embedding, read_network

    network = read_network(weights).to(device)
    return lambda chips: embedding(network, chips)
