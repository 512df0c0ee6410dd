"""LR-ASD: whether a face talks, from its mouth region and the sound (Liao et al. 2025, IJCV).

https://github.com/Junhua-Liao/LR-ASD (MIT). Pictures at 25 a second, 112 x 112 grey, and 13 MFCCs at 100 a second pass
through two encoders of separable convolutions; a gate joins both, a GRU in each direction and a second gate give a
score for each picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.models.graphs import Run, open_graph
from fercli.models.weights import load_arrays

FPS = 25
"""Pictures a second."""
SIDE = 112
"""Side of a picture, pixels."""
MFCC_PER_PICTURE = 4
COEFFICIENTS = 13
MEAN, STD = 0.4161, 0.1688
"""Of the pixels in [0, 1]."""
BLOCKS = ("block1", "block2", "block3")
PARTS = {"see": ("visualEncoder.",), "hear": ("audioEncoder.",), "talks": ("fusion.", "detector.", "head.")}
"""Part of the network -> beginnings of the names of its weights."""


@dataclass(frozen=True)
class SpeakerNetwork:
    """The network in its three parts. What the first two give is for the third; it can be cut along axis 1.

    Attributes:
        see: (N, SIDE, SIDE) uint8 grey pictures at FPS -> (1, N, 128).
        hear: (4 N, COEFFICIENTS) float32 as `mfcc` gives it -> (1, N, 128).
        talks: what `see` and `hear` gave, of the same length -> (N,) float32 score of each picture, above 0 if it
            talks.
    """

    see: Callable[[NDArray[np.uint8]], Any]
    hear: Callable[[NDArray[np.float32]], Any]
    talks: Callable[[Any, Any], NDArray[np.float32]]


def load(weights: Path, device: str) -> SpeakerNetwork:
    """Build the network; onnxruntime computes on the CPU, torch elsewhere.

    Raises:
        WeightsError: the file cannot be read, or is of another network.
    """
    from fercli.models.devices import pick_device

    picked = pick_device(device)
    if picked != "cpu":
        from fercli.models.lr_asd_net import read_network

        network = read_network(weights, picked)
        return SpeakerNetwork(network.see, network.hear, network.talks)
    tensors = load_arrays(weights)

    def part(name: str) -> Run:
        own = {key: values for key, values in tensors.items() if key.startswith(PARTS[name])}
        return open_graph(f"lr-asd-{name}", own, weights)

    return SpeakerNetwork(part("see"), part("hear"), part("talks"))


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
