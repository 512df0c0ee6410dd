"""dlib's face recognition network (`dlib_file`) in torch: for a GPU, and as the trunk of a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fercli.models import dlib_file
from fercli.models.dlib_file import DIMENSIONS, LEVELS, MEAN_RGB, SCALE, read_tensors
from fercli.models.tsm import temporal_shift

GREY_MEAN, GREY_STD = 0.45, 1.0
"""How a classifier on this trunk centres and scales pixels in [0, 1]: about as dlib does, so its weights stay alike."""
SMALLEST = 103
"""Side below which the last level has nothing left to look at, pixels."""


class DlibTrunk(nn.Module):
    """The network without its last layer: faces in, feature maps or pooled features out.

    Args:
        n_frames: faces of a clip, adjacent in the batch; with 1 nothing is shifted, as in dlib.
        fold_div: see `tsm.temporal_shift`.
    """

    n_features = LEVELS[-1][0]

    def __init__(self, n_frames: int = 1, fold_div: int = 8) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, stride=2)
        self.blocks = nn.Sequential(
            *(_Block(before, after, n_frames, fold_div, halve=halve) for before, after, halve in dlib_file.blocks())
        )

    def maps(self, frames: Tensor) -> Tensor:
        """(N, 3, H, W), at least SMALLEST pixels a side -> (N, n_features, h, w), not negative, before pooling."""
        stem = functional.max_pool2d(functional.relu(self.stem(frames)), 3, stride=2)
        maps: Tensor = self.blocks(stem)
        return maps

    def features(self, frames: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, n_features), the mean of each map."""
        return self.maps(frames).mean(dim=(2, 3))


class DlibResNet(DlibTrunk):
    """The network: (N, 3, 150, 150) RGB, `(pixel - mean) / 256`, to (N, 128); one person lies within 0.6."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(self.n_features, DIMENSIONS, bias=False)

    def forward(self, chips: Tensor) -> Tensor:
        embeddings: Tensor = self.head(self.features(chips))
        return embeddings


class TsmDlibResNet(DlibTrunk):
    """A classifier on this trunk, over clips of `n_frames` faces that the Temporal Shift Module connects.

    Grey is repeated three times, as for the other classifiers; pixels are centred on GREY_MEAN and scaled by GREY_STD.

    Args:
        n_classes: length of the output.
        n_frames, fold_div: see `DlibTrunk`.
        dropout: probability in front of the last layer, while training.
    """

    def __init__(self, n_classes: int, n_frames: int = 1, fold_div: int = 8, dropout: float = 0.0) -> None:
        super().__init__(n_frames, fold_div)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(self.n_features, n_classes)
        for layer in _convolutions(self):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, clips: Tensor) -> Tensor:
        """(N, n_frames, 3, H, W) float, normalised -> (N, n_classes) logits, the mean over the clip's frames."""
        return self.classify(self.features(clips.flatten(0, 1)), len(clips))

    def classify(self, features: Tensor, n_clips: int) -> Tensor:
        """(n_clips * T, n_features), as `features` gives them -> (n_clips, n_classes) logits."""
        logits: Tensor = self.fc(self.dropout(features))
        return logits.view(n_clips, -1, logits.shape[1]).mean(dim=1)

    def by_frame(self, clips: Tensor) -> Tensor:
        """As `forward` -> (N, T, n_classes), before the mean over the clip's frames."""
        logits: Tensor = self.fc(self.features(clips.flatten(0, 1)))
        return logits.view(*clips.shape[:2], -1)


class _Block(nn.Module):
    """Residual block. dlib's strided convolutions do not pad, and its sums fill whatever one side lacks with zeros.

    The shift over time, which dlib does not have, acts in front of the first convolution, inside the residual branch.
    """

    def __init__(self, inputs: int, outputs: int, n_frames: int, fold_div: int, *, halve: bool) -> None:
        super().__init__()
        self.halve, self.n_frames, self.fold_div = halve, n_frames, fold_div
        self.first = nn.Conv2d(inputs, outputs, 3, stride=2 if halve else 1, padding=0 if halve else 1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        shifted = temporal_shift(x, self.n_frames, self.fold_div)
        y: Tensor = self.second(functional.relu(self.first(shifted)))
        shortcut = functional.avg_pool2d(x, 2) if self.halve else x
        shape = [max(sides) for sides in zip(shortcut.shape[1:], y.shape[1:], strict=True)]
        return functional.relu(_filled(shortcut, shape) + _filled(y, shape))


def read_network(path: Path) -> DlibResNet:
    """The network from dlib's own file.

    Raises:
        WeightsError: the file cannot be read or holds another network.
    """
    network = DlibResNet()
    # Copied: torch wants memory it may write to.
    network.load_state_dict({name: torch.tensor(values) for name, values in read_tensors(path).items()})
    return network.eval()


def embedding(network: DlibResNet, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 128) of (N, 150, 150, 3) RGB faces, computed where the network is."""
    device = network.head.weight.device
    with torch.inference_mode():
        pixels = torch.from_numpy(chips).to(device).float()
        normal = (pixels - torch.tensor(MEAN_RGB, device=device)) / SCALE
        # Channels stay last in memory, as chips come: 15 % faster than contiguous.
        result: NDArray[np.float32] = network(normal.permute(0, 3, 1, 2)).cpu().numpy()
    return result


def trunk_state(path: Path) -> dict[str, Tensor]:
    """The trunk of dlib's file, to start a `TsmDlibResNet` from: the same features of a grey face, to rounding.

    Its first layer takes pixels as that classifier does instead of dlib's; it does not pad, so that is exact.

    Raises:
        WeightsError: as `read_network`.
    """
    state = {name: tensor for name, tensor in read_network(path).state_dict().items() if not name.startswith("head.")}
    weight = state["stem.weight"]
    offset = (255 * GREY_MEAN - torch.tensor(MEAN_RGB)) / SCALE
    state["stem.bias"] = state["stem.bias"] + (weight.sum(dim=(2, 3)) * offset).sum(dim=1)
    state["stem.weight"] = weight * (255 * GREY_STD / SCALE)
    return state


def _convolutions(network: DlibTrunk) -> list[nn.Conv2d]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]


def _filled(x: Tensor, shape: Sequence[int]) -> Tensor:
    """(N, C, H, W) with zeros behind and below until it has the (C, H, W) wanted."""
    more = [wanted - there for wanted, there in zip(shape, x.shape[1:], strict=True)]
    return functional.pad(x, (0, more[2], 0, more[1], 0, more[0]))
