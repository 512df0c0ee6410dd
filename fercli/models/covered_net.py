"""The network for covered faces in torch: for training (`benchmarks/train_covered.py`) and for a GPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fercli.errors import WeightsError
from fercli.models.covered import INPUT_SIZE, LAYERS, LIMITS, SQUEEZE
from fercli.models.weights import load_state


class CoveredNet(nn.Module):
    """(N, 1, 48, 48) luma as `network_input` gives it, to (N, 2) logits.

    Its last maps are not averaged, because positions matter.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(*[_layer(inputs, outputs, stride) for inputs, outputs, stride in LAYERS])
        self.squeeze = _layer(*SQUEEZE)
        self.head = nn.Linear(SQUEEZE[1] * (INPUT_SIZE // 8) ** 2, len(LIMITS))

    def forward(self, faces: Tensor) -> Tensor:
        logits: Tensor = self.head(self.squeeze(self.features(faces)).flatten(1))
        return logits


def network_input(faces: Tensor) -> Tensor:
    """(N, 48, 48) uint8 luma -> (N, 1, 48, 48) float32 of mean 0 and standard deviation 1 a face, within [-3, 3].

    This removes the light, which does not depend on the cover.
    """
    pixels = faces.float()
    mean = pixels.mean(dim=(1, 2), keepdim=True)
    spread = pixels.std(dim=(1, 2), keepdim=True).clamp(min=8)
    return ((pixels - mean) / spread).clamp(-3, 3)[:, None]


def probabilities(network: CoveredNet, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 48, 48) luma -> (N, 2) probabilities, computed where the network is."""
    with torch.inference_mode():
        pixels = torch.from_numpy(faces).to(network.head.weight.device)
        return np.asarray(torch.sigmoid(network(network_input(pixels))).cpu().numpy())


def read_network(weights: Path) -> CoveredNet:
    """The network of a file, ready to use.

    Raises:
        WeightsError: it cannot be read, or is of another network.
    """
    network = CoveredNet()
    try:
        network.load_state_dict(load_state(weights))
    except RuntimeError as error:
        raise WeightsError(
            f"{weights} is not the network for covered faces: {error}", hint="reinstall fercli"
        ) from error
    return network.eval()


def _layer(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )
