"""Changed copies of utterances, against learning one microphone, one room and two sentences by heart.

A change stands for another recording: part of the sentence, pitch and tempo of the speaker, loudness that varies less,
a room, noise, and the response of a microphone or a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from fercli.media.audio import RATE

Samples = NDArray[np.float32]
Signal = NDArray[np.float64]

_TILTED_HZ = (62.5, 8000.0)
_LOUDNESS_S = 0.025
_ORDER = 6
"""Order of the Butterworth filters that limit the band."""


@dataclass(frozen=True)
class Change:
    """What is changed; by default nothing.

    Attributes:
        start, share: the part that is kept, as shares of the length: where it starts and how long it is.
        semitones: by which the pitch, and with it the resonances, are raised.
        tempo: factor of the speed.
        levelling: exponent of the loudness over time; 1 keeps it, 0 makes it constant.
        echo_s: time in which the echo of a room decays by 60 dB, seconds; 0 is no room.
        echo_share: share of the echo in the power.
        noise_db: how far noise is below the voice, decibels; None is no noise.
        noise_slope: the power of the noise falls with this power of the frequency: 0 is white, 1 pink.
        tilt_db: decibels by which each octave is louder than the one below.
        low_hz, high_hz: limits of the band, hertz; None is no limit.
    """

    start: float = 0.0
    share: float = 1.0
    semitones: float = 0.0
    tempo: float = 1.0
    levelling: float = 1.0
    echo_s: float = 0.0
    echo_share: float = 0.5
    noise_db: float | None = None
    noise_slope: float = 1.0
    tilt_db: float = 0.0
    low_hz: float | None = None
    high_hz: float | None = None


def drawn(rng: np.random.Generator) -> Change:
    """A change at random."""
    share = rng.uniform(0.5, 1.0) if rng.random() < 0.7 else 1.0
    return Change(
        start=rng.uniform(0.0, 1.0 - share),
        share=share,
        semitones=rng.uniform(-2.0, 2.0),
        tempo=float(np.exp(rng.uniform(np.log(0.8), np.log(1.25)))),
        levelling=rng.uniform(0.6, 1.0),
        echo_s=rng.uniform(0.1, 0.6) if rng.random() < 0.4 else 0.0,
        echo_share=rng.uniform(0.1, 0.6),
        noise_db=rng.uniform(10.0, 50.0),
        noise_slope=rng.uniform(0.0, 2.0),
        tilt_db=rng.uniform(-3.0, 3.0),
        low_hz=rng.uniform(50.0, 300.0) if rng.random() < 0.5 else None,
        high_hz=rng.uniform(2500.0, 8000.0) if rng.random() < 0.5 else None,
    )


def changed(samples: Samples, change: Change, rng: np.random.Generator) -> Samples:
    """A changed copy of an utterance.

    Args:
        samples: (n,) at 16 kHz, without silence at both ends; not empty.
        rng: draws the noise and the echo.

    Returns:
        (m,) at 16 kHz.
    """
    start = round(change.start * len(samples))
    samples = samples[start : start + max(1, round(change.share * len(samples)))]
    if change.semitones or change.tempo != 1.0:
        samples = _shifted(samples, change.semitones, change.tempo)
    found = samples.astype(np.float64)
    if change.levelling != 1.0:
        found = found * _loudness(found) ** (change.levelling - 1.0)
    level = float(np.sqrt((found**2).mean()))
    if change.echo_s:
        found = _echoed(found, change.echo_s, change.echo_share, rng)
    if change.noise_db is not None:
        found = found + level * 10 ** (-change.noise_db / 20) * _noise(len(found), change.noise_slope, rng)
    return _heard_through(found, change).astype(np.float32)


def _shifted(samples: Samples, semitones: float, tempo: float) -> Samples:
    """Resampled for the pitch, and stretched by overlapping pieces for the tempo (ffmpeg's `atempo`)."""
    import av
    from av.filter import Graph

    rate = round(RATE * 2 ** (semitones / 12))
    graph = Graph()
    source = graph.add_abuffer(format="flt", sample_rate=RATE, layout="mono", time_base=Fraction(1, RATE))
    sink = graph.add("abuffersink")
    graph.link_nodes(
        source,
        graph.add("asetrate", str(rate)),
        graph.add("aresample", str(RATE)),
        graph.add("atempo", str(tempo * RATE / rate)),
        graph.add("aformat", f"sample_fmts=flt:sample_rates={RATE}"),
        sink,
    ).configure()
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None], np.float32), format="flt", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
    source.push(frame)
    source.push(None)
    pieces = []
    while True:
        try:
            found = sink.pull()
        except (av.error.EOFError, av.error.BlockingIOError):
            break
        if isinstance(found, av.AudioFrame):
            pieces.append(found.to_ndarray()[0])
    return np.concatenate(pieces) if pieces else samples


def _loudness(samples: Signal) -> Signal:
    """Root mean square around each sample, above 0."""
    from scipy.signal import oaconvolve

    window = np.full(round(_LOUDNESS_S * RATE), 1 / round(_LOUDNESS_S * RATE))
    return np.asarray(np.sqrt(np.maximum(oaconvolve(samples**2, window, "same"), 0)) + 1e-4)


def _echoed(samples: Signal, echo_s: float, share: float, rng: np.random.Generator) -> Signal:
    """In a room whose echo is noise that decays exponentially."""
    from scipy.signal import oaconvolve

    seconds = np.arange(round(echo_s * RATE)) / RATE
    response = rng.standard_normal(len(seconds)) * 10 ** (-3 * seconds / echo_s)
    response *= np.sqrt(share / (1 - share) / (response**2).sum())
    response[0] += 1
    return np.asarray(oaconvolve(samples, response))


def _noise(length: int, slope: float, rng: np.random.Generator) -> Signal:
    """(length,) of root mean square 1."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    hertz = np.maximum(np.fft.rfftfreq(length, 1 / RATE), 50.0)
    found = np.fft.irfft(spectrum * hertz ** (-slope / 2), length)
    return np.asarray(found / np.sqrt((found**2).mean()))


def _heard_through(samples: Signal, change: Change) -> Signal:
    """With the response of a microphone or a line."""
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    gain = 10 ** (change.tilt_db * np.log2(np.clip(hertz, *_TILTED_HZ) / 1000) / 20)
    if change.high_hz is not None:
        gain = gain / np.sqrt(1 + (hertz / change.high_hz) ** (2 * _ORDER))
    if change.low_hz is not None:
        gain = gain / np.sqrt(1 + (change.low_hz / np.maximum(hertz, 1e-3)) ** (2 * _ORDER))
    return np.asarray(np.fft.irfft(np.fft.rfft(samples) * gain, len(samples)))
