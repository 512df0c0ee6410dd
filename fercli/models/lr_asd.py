"""LR-ASD: whether a face talks, from its mouth region and the sound (Liao et al. 2025, IJCV).

https://github.com/Junhua-Liao/LR-ASD (MIT). Pictures at 25 a second, 112 x 112 grey, and 13 MFCCs at 100 a second pass
through two encoders of separable convolutions; a gate joins both, a GRU in each direction and a second gate give a
score for each picture.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.models.weights import load_state

if TYPE_CHECKING:
    from torch import Tensor

FPS = 25
"""Pictures a second."""
SIDE = 112
"""Side of a picture, pixels."""
MFCC_PER_PICTURE = 4
COEFFICIENTS = 13
_MEAN, _STD = 0.4161, 0.1688
"""Of the pixels in [0, 1]."""
_BLOCKS = ("block1", "block2", "block3")


class SpeakerNetwork:
    """The network.

    Args:
        state: tensors by name, written by `benchmarks/convert_lr_asd.py`; float32.
    """

    def __init__(self, state: dict[str, Tensor], device: Any) -> None:
        import torch

        self._device = device
        self._state = {name: tensor.to(device) for name, tensor in state.items()}
        self._grus = {}
        for side in ("forward", "backward"):
            gru = torch.nn.GRU(256, 64, batch_first=True)
            prefix = f"detector.gru_{side}."
            gru.load_state_dict({key[len(prefix) :]: t for key, t in state.items() if key.startswith(prefix)})
            self._grus[side] = gru.to(device).eval()

    def see(self, pictures: NDArray[np.uint8]) -> Tensor:
        """(N, SIDE, SIDE) grey pictures at FPS -> (1, N, 128)."""
        import torch
        from torch.nn import functional

        with torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(pictures)).to(self._device).float()
            found = ((pixels / 255 - _MEAN) / _STD)[:, None].to(memory_format=torch.channels_last)
            for block in _BLOCKS:
                name = f"visualEncoder.{block}"
                if block != _BLOCKS[0]:
                    found = functional.max_pool2d(found, 3, 2, 1)
                for layer in ("s_1", "s_2"):  # the convolutions in space take each picture for itself
                    stride = 2 if (block, layer) == (_BLOCKS[0], "s_1") else 1
                    found = self._convolved(found, f"{name}.{layer}", lambda weight: weight[:, :, 0], stride)
                # Those in time take each place for itself. Channels are last in memory, so this is a view.
                n, channels, height, width = found.shape
                found = found.permute(0, 2, 3, 1).reshape(1, n, height * width, channels).permute(0, 3, 1, 2)
                for layer in ("t_1", "t_2"):
                    found = self._convolved(found, f"{name}.{layer}", lambda weight: weight[..., 0])
                found = found.permute(0, 2, 3, 1).reshape(n, height, width, channels).permute(0, 3, 1, 2)
            return found.amax(dim=(2, 3))[None]

    def hear(self, mfcc: NDArray[np.float32]) -> Tensor:
        """(4 N, COEFFICIENTS) -> (1, N, 128)."""
        import torch
        from torch.nn import functional

        with torch.inference_mode():
            found = torch.from_numpy(np.ascontiguousarray(mfcc.T)).to(self._device)[None, None]
            for block in _BLOCKS:
                if block != _BLOCKS[0]:
                    found = functional.max_pool2d(found, (1, 3), (1, 2), (0, 1))
                for layer in ("m_1", "m_2", "t_1", "t_2"):
                    found = self._convolved(found, f"audioEncoder.{block}.{layer}", lambda weight: weight)
            return found.mean(dim=2).transpose(1, 2)

    def talks(self, seen: Tensor, heard: Tensor) -> NDArray[np.float32]:
        """Score of each picture, from what `see` and `hear` return, of the same length: (N,), above 0 if it talks."""
        import torch

        with torch.inference_mode():
            joined = self._gate(torch.cat((heard, seen), 2), "fusion.attention")
            ahead, _ = self._grus["forward"](joined)
            back, _ = self._grus["backward"](joined.flip(1))
            joined = self._gate(torch.cat((ahead, back.flip(1)), 2), "detector.attention.attention")
            scores = torch.nn.functional.linear(joined[0], self._state["head.weight"], self._state["head.bias"])
            return np.asarray(scores[:, 1].cpu().numpy(), np.float32)

    def _convolved(self, values: Tensor, layer: str, kernel: Callable[[Tensor], Tensor], stride: int = 1) -> Tensor:
        """A convolution in two dimensions that keeps the size, if the stride is 1, and what is above 0 of it."""
        from torch.nn import functional

        weight = kernel(self._state[f"{layer}.weight"])
        padding = tuple(side // 2 for side in weight.shape[2:])
        return functional.relu_(functional.conv2d(values, weight, self._state[f"{layer}.bias"], stride, padding))

    def _gate(self, joined: Tensor, layer: str) -> Tensor:
        """Each channel multiplied by a share that depends on all of them."""
        from torch.nn import functional

        opened = functional.linear(joined, self._state[f"{layer}.weight"][..., 0], self._state[f"{layer}.bias"])
        return joined * opened.sigmoid()


def load(weights: Path, device: str) -> SpeakerNetwork:
    """Build the network.

    Raises:
        WeightsError: the file cannot be read, or is of another network.
    """
    from fercli.models.devices import pick_device

    try:
        return SpeakerNetwork(load_state(weights), pick_device(device))
    except (KeyError, RuntimeError) as error:
        raise WeightsError(f"{weights} is not LR-ASD: {error}", hint="reinstall fercli") from error


def mfcc(samples: NDArray[np.float32], pictures: int) -> NDArray[np.float32]:
    """Mel-frequency cepstral coefficients as those that the network was trained on.

    They are those of python_speech_features: pre-emphasis .97, windows of 25 ms each 10 ms without a taper, 26
    triangular filters up to 8 kHz, orthonormal DCT-II, liftering with 22; the first is the log of the energy of 16-bit
    samples.

    Args:
        samples: (n,) in [-1, 1] at 16 kHz, from the first picture on; shorter sound is followed by silence.
        pictures: number N of pictures.

    Returns:
        (4 N, COEFFICIENTS).
    """
    from scipy.fft import dct

    rows = MFCC_PER_PICTURE * pictures
    wanted = (rows - 1) * _STEP + _WINDOW
    signal = np.zeros(wanted, np.float64)
    signal[: min(wanted, len(samples))] = samples[:wanted] * 32768.0
    signal[1:] -= 0.97 * signal[:-1]
    windows = np.lib.stride_tricks.sliding_window_view(signal, _WINDOW)[::_STEP]
    power = np.abs(np.fft.rfft(windows, _FFT)) ** 2 / _FFT
    tiny = np.finfo(np.float64).eps
    energy = np.maximum(power.sum(axis=1), tiny)
    found = dct(np.log(np.maximum(power @ _filters().T, tiny)), type=2, axis=1, norm="ortho")[:, :COEFFICIENTS]
    found *= 1 + 11 * np.sin(np.pi * np.arange(COEFFICIENTS) / 22)
    found[:, 0] = np.log(energy)
    return np.asarray(found, np.float32)


_WINDOW, _STEP, _FFT, _FILTERS, _RATE = 400, 160, 512, 26, 16000


def _filters() -> NDArray[np.float64]:
    """(_FILTERS, _FFT / 2 + 1) triangles, evenly spaced in mel."""
    mels = np.linspace(0, 2595 * np.log10(1 + _RATE / 2 / 700), _FILTERS + 2)
    bins = np.floor((_FFT + 1) * 700 * (10 ** (mels / 2595) - 1) / _RATE)
    places = np.arange(_FFT // 2 + 1)
    filters = np.zeros((_FILTERS, len(places)))
    for row, (left, top, right) in enumerate(zip(bins, bins[1:], bins[2:], strict=False)):
        up = (places >= left) & (places < top)
        down = (places >= top) & (places < right)
        filters[row, up] = (places[up] - left) / (top - left)
        filters[row, down] = (right - places[down]) / (right - top)
    return filters
