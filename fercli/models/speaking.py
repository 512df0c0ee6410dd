"""Whether the mouth of a face and the sound belong together, beside what LR-ASD says.

As a mouth opens it becomes dark, and the sound, above all from 1.5 to 3.8 kHz, becomes louder about then
(Chandrasekaran et al. 2009, PLoS Computational Biology 5(7)).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fercli.models.lr_asd import FPS

BAND_HZ = (1500, 3800)
WINDOW_S = 3.0
"""Over which mouth and sound are compared."""
LATE = 5
"""Pictures by which the sound may be late, from 0: mouths move first, and some films are out of step."""
_RATE = 16_000
SYLLABLES_HZ = (1, 8)
"""What is slower or faster does not count: without this limit the sound of another moment fits as well."""
_SHORTEST = 20
"""Pictures below which nothing is known."""
_FLOOR = 1e-3
CHANCE = 0.17
"""Mean of `follows` for sound of another moment (panel4, three seconds, the best of LATE delays)."""
GAIN = 3.0
"""Score of LR-ASD that a correlation of 1 is worth."""
MIDDLE, SLOPE = 0.5, 1.3
"""Score at which a face talks with a probability of one half, and log odds for each score above."""


def darkness(views: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(N, SIDE, SIDE) views of a mouth -> (N,) how dark its darkest twentieth is, 0 to 255."""
    middle = views[:, 45:105, 26:86].reshape(len(views), -1)
    return 255.0 - np.percentile(middle, 5, axis=1)


def loudness(samples: NDArray[np.float32], pictures: int) -> NDArray[np.float64]:
    """Log of the loudness in BAND_HZ around each picture.

    Args:
        samples: (n,) in [-1, 1] at 16 kHz from the first picture on; shorter sound is followed by silence.
        pictures: their number N.

    Returns:
        (N,).
    """
    step = _RATE // FPS
    signal = np.zeros((pictures + 1) * step)
    signal[: min(len(signal), len(samples))] = samples[: len(signal)]
    spectrum = np.fft.rfft(signal)
    hertz = np.fft.rfftfreq(len(signal), 1 / _RATE)
    spectrum[(hertz < BAND_HZ[0]) | (hertz > BAND_HZ[1])] = 0
    power = np.fft.irfft(spectrum, len(signal)) ** 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(power, (step // 2, 0)), 2 * step)[::step][:pictures]
    return np.asarray(np.log(np.sqrt(windows.mean(axis=1)) + _FLOOR))


def follows(mouth: NDArray[np.float64], sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """How well the sound follows a mouth around each picture: the highest correlation of up to LATE pictures of delay.

    Args:
        mouth, sound: (N,) the openings, and the loudness.

    Returns:
        (N,) in [-1, 1]; CHANCE where nothing changes.
    """
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import butter, sosfiltfilt

    window = min(round(WINDOW_S * FPS), len(mouth))

    def local(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(uniform_filter1d(values, window, mode="nearest"))

    if len(mouth) < _SHORTEST:
        return np.full(len(mouth), CHANCE)
    band = butter(2, SYLLABLES_HZ, "band", fs=FPS, output="sos")
    opened, sounded = sosfiltfilt(band, mouth), sosfiltfilt(band, sound)
    found = np.full(len(mouth), -1.0)
    for late in range(LATE):
        heard = np.concatenate((sounded[late:], np.repeat(sounded[-1:], late)))[: len(opened)]
        product = local(opened * heard) - local(opened) * local(heard)
        spread = (local(opened**2) - local(opened) ** 2) * (local(heard**2) - local(heard) ** 2)
        known = spread > 1e-9
        found = np.maximum(found, np.where(known, product / np.sqrt(np.where(known, spread, 1)), CHANCE))
    return np.asarray(np.clip(found, -1, 1), np.float64)


def probability(scores: NDArray[np.float32], together: NDArray[np.float64]) -> NDArray[np.float32]:
    """(N,) scores of LR-ASD and results of `follows` -> (N,) probability that the face is heard talking."""
    odds = SLOPE * (scores + GAIN * (together - CHANCE) - MIDDLE)
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)
