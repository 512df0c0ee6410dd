"""dlib's face recognition network (`dlib_face_recognition_resnet_model_v1`, CC0), run by torch.

The prebuilt dlib has no BLAS and takes 74 ms a face on one core; torch takes 6 (`benchmarks/embedder.py`), uses a GPU
where there is one, and gives the same numbers to 1e-6. Alignment stays dlib's own. Architecture: dlib's example
`dnn_face_recognition_ex.cpp`, a ResNet of 29 convolutions whose affine layers are folded into the convolutions here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fercli.errors import WeightsError
from fercli.hashing import sha256_file
from fercli.models.tsm import temporal_shift

if TYPE_CHECKING:
    import dlib

DIMENSIONS = 128

_CHIP_SIZE = 150
_CHIP_PADDING = 0.25
_MEAN_RGB = (122.782, 117.001, 104.298)
GREY_MEAN, GREY_STD = 0.45, 1.0
"""How a classifier on this trunk centres and scales pixels in [0, 1]: about as dlib does, so its weights stay alike."""
SMALLEST = 103
"""Side below which the last level has nothing left to look at, pixels."""
_LEVELS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Channels, blocks, whether the first block halves the picture; from input to output."""

_PREDICTOR = "shape_predictor_5_face_landmarks.dat"
_PREDICTOR_SHA256 = "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888"
_BATCH = 16
_HINT = "pip install --force-reinstall face_recognition_models"


class DlibTrunk(nn.Module):
    """The network without its last layer: faces in, feature maps or pooled features out.

    Args:
        n_frames: faces of a clip, adjacent in the batch; with 1 nothing is shifted, as in dlib.
        fold_div: see `tsm.temporal_shift`.
    """

    n_features = _LEVELS[-1][0]

    def __init__(self, n_frames: int = 1, fold_div: int = 8) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 7, stride=2)
        channels = 32
        blocks = []
        for width, count, halve in _LEVELS:
            for number in range(count):
                blocks.append(_Block(channels, width, n_frames, fold_div, halve=halve and number == 0))
                channels = width
        self.blocks = nn.Sequential(*blocks)

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


class DlibEmbedder:
    """Aligns faces as dlib does and embeds them."""

    def __init__(self, network: DlibResNet, predictor: dlib.shape_predictor, device: str) -> None:
        self._network = network.to(device)
        self._predictor = predictor
        self._device = device

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
        chip: NDArray[np.uint8] = dlib.get_face_chip(crop, shape, size=_CHIP_SIZE, padding=_CHIP_PADDING)
        return chip

    def run(self, chips: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """The network alone: (N, 128) of (150, 150, 3) faces."""
        with torch.inference_mode():
            pixels = torch.from_numpy(np.stack(chips)).to(self._device).float()
            normal = (pixels - torch.tensor(_MEAN_RGB, device=self._device)) / 256
            # Channels stay last in memory, as chips come: 15 % faster than contiguous.
            result: NDArray[np.float32] = self._network(normal.permute(0, 3, 1, 2)).cpu().numpy()
        return result


def load(weights: Path, device: str) -> DlibEmbedder:
    """Read the network, and the landmark predictor that lies beside it.

    Args:
        weights: dlib's file.
        device: `cpu` or `cuda`.

    Raises:
        WeightsError: one of the two files is missing, altered or another network.
    """
    predictor = load_predictor(weights.parent)
    return DlibEmbedder(read_network(weights), predictor, device)


def load_predictor(directory: Path) -> dlib.shape_predictor:
    """dlib's five landmarks: outer and inner corner of the eye to the right in the picture, the same of the other,
    base of the nose.

    Raises:
        WeightsError: it is not in the directory, or altered.
    """
    import dlib

    path = directory / _PREDICTOR
    if not path.is_file() or sha256_file(path) != _PREDICTOR_SHA256:
        raise WeightsError(f"{path} is missing or altered", hint=_HINT, code="weights-altered")
    return dlib.shape_predictor(str(path))


def read_network(path: Path) -> DlibResNet:
    """The network from dlib's own file format.

    Raises:
        WeightsError: the file cannot be read or holds another network.
    """
    network = DlibResNet()
    shapes = [shape for layer in _convolutions(network) for shape in _stored_shapes(layer)]
    try:
        stored = _tensors(path.read_bytes(), [*shapes, (network.head.in_features, DIMENSIONS)])
        state = iter(list(stored))
    except OSError as error:
        raise WeightsError(
            f"cannot read weights {path}: {error.strerror}", hint=_HINT, code="file-unreadable"
        ) from error
    except ValueError as error:
        raise WeightsError(f"{path} is not dlib_face_recognition_resnet_model_v1: {error}", hint=_HINT) from error
    with torch.no_grad():
        for layer in _convolutions(network):
            n = layer.out_channels
            convolution, affine = next(state), next(state)
            scale, shift = affine[:n], affine[n:]
            layer.weight.copy_(convolution[:-n].view_as(layer.weight) * scale[:, None, None, None])
            layer.bias.copy_(convolution[-n:] * scale + shift)  # type: ignore[union-attr]
        network.head.weight.copy_(next(state).T)
    return network.eval()


def trunk_state(path: Path) -> dict[str, Tensor]:
    """The trunk of dlib's file, to start a `TsmDlibResNet` from: the same features of a grey face, to rounding.

    Its first layer takes pixels as that classifier does instead of dlib's; it does not pad, so that is exact.

    Raises:
        WeightsError: as `read_network`.
    """
    state = {name: tensor for name, tensor in read_network(path).state_dict().items() if not name.startswith("head.")}
    weight = state["stem.weight"]
    offset = (255 * GREY_MEAN - torch.tensor(_MEAN_RGB)) / 256
    state["stem.bias"] = state["stem.bias"] + (weight.sum(dim=(2, 3)) * offset).sum(dim=1)
    state["stem.weight"] = weight * (255 * GREY_STD / 256)
    return state


def _convolutions(network: DlibTrunk) -> list[nn.Conv2d]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]


def _stored_shapes(layer: nn.Conv2d) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What dlib stores of a convolution and the affine layer behind it: filters and biases, scales and shifts."""
    return (layer.weight.numel() + layer.out_channels,), (2 * layer.out_channels,)


def _tensors(data: bytes, shapes: Sequence[tuple[int, ...]]) -> Iterator[Tensor]:
    """Tensors of known shapes, in order. dlib writes a tensor as format version 2, four dimensions, float32 values.

    Raises:
        ValueError: one is not there.
    """
    place = 0
    for shape in shapes:
        header = b"".join(_dlib_integer(value) for value in (2, *shape, *[1] * (4 - len(shape))))
        count = int(np.prod(shape))
        start = data.index(header, place) + len(header)
        place = start + 4 * count
        # Read-only bytes: torch wants memory it may write to.
        yield torch.from_numpy(np.frombuffer(data, dtype="<f4", count=count, offset=start).copy()).view(shape)


def _dlib_integer(value: int) -> bytes:
    """dlib's serialisation of a positive integer: how many bytes, then the bytes, lowest first."""
    length = (value.bit_length() + 7) // 8
    return bytes([length]) + value.to_bytes(length, "little")


def _filled(x: Tensor, shape: Sequence[int]) -> Tensor:
    """(N, C, H, W) with zeros behind and below until it has the (C, H, W) wanted."""
    more = [wanted - there for wanted, there in zip(shape, x.shape[1:], strict=True)]
    return functional.pad(x, (0, more[2], 0, more[1], 0, more[0]))
