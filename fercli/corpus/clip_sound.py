"""The sound of clips: wave files with exactly their samples, and the same in AAC beside the pictures."""

from __future__ import annotations

import wave
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from fercli.corpus.manifest import Clip
from fercli.media.audio import RATE, Samples, read_sound
from fercli.views.render.encode import plain_errors
from fercli.writing import new_file, writing

SOUND = "sound"
_AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)
_AAC_RATE = 48_000
"""Where AAC does not have the rate of the source."""
_BIT_RATE = 96_000
"""Of a channel."""
_BITS_PER_SAMPLE = 6
"""Most that AAC can use."""


def sound_of(video: Path) -> tuple[int, int]:
    """Samples per second and channels of a video, as far as it states them; 0, 0 without sound."""
    sound = read_sound(video, native=True)
    return (sound.rate, sound.channels) if sound else (0, 0)


def write_sounds(video: Path, clips: Sequence[Clip], folder: Path) -> None:
    """Write the wave files of clips of one video, in one pass over its sound.

    Where the sound begins late or ends early, clips are silent. Memory holds the sound of clips that overlap.

    Raises:
        VideoError: the video cannot be read.
        OutputError: a file cannot be written.
    """
    waiting = sorted(clips, key=lambda clip: clip.first_sample)
    active: list[tuple[Clip, Samples]] = []
    for first, samples in _pieces(video, waiting[0]) if waiting else ():
        while waiting and waiting[0].first_sample < first + len(samples):
            clip = waiting.pop(0)
            active.append((clip, _silence(clip)))
        left = []
        for clip, own in active:
            begin, end = max(clip.first_sample, first), min(clip.first_sample + clip.samples, first + len(samples))
            if begin < end:
                own[begin - clip.first_sample : end - clip.first_sample] = samples[begin - first : end - first]
            if clip.first_sample + clip.samples <= first + len(samples):
                _write_wave(folder / SOUND / f"{clip.id}.wav", own, clip.rate)
            else:
                left.append((clip, own))
        active = left
    for clip, own in [*active, *((clip, _silence(clip)) for clip in waiting)]:
        _write_wave(folder / SOUND / f"{clip.id}.wav", own, clip.rate)


def add_sound(container: Any, clip: Clip) -> Any:
    """A stream for the sound of a clip in an MP4 file; more than two channels are mixed to two."""
    rate = clip.rate if clip.rate in _AAC_RATES else _AAC_RATE
    channels = min(clip.channels, 2)
    bits = min(_BIT_RATE, _BITS_PER_SAMPLE * rate) * channels
    return container.add_stream("aac", rate, layout=_layout(channels), bit_rate=bits)


def encoded_sound(stream: Any, folder: Path, clip: Clip) -> Iterator[Any]:
    """Packets of the wave file of a clip."""
    from av.audio.frame import AudioFrame

    with wave.open(str(folder / SOUND / f"{clip.id}.wav"), "rb") as file:
        for start in range(0, file.getnframes(), clip.rate):
            samples = np.frombuffer(file.readframes(clip.rate), "<i2").astype(np.int16)
            frame = AudioFrame.from_ndarray(samples[None], "s16", _layout(clip.channels))
            frame.sample_rate, frame.pts, frame.time_base = clip.rate, start, Fraction(1, clip.rate)
            with plain_errors():
                packets = list(stream.encode(frame))
            yield from packets
    with plain_errors():
        rest = list(stream.encode(None))
    yield from rest


def _layout(channels: int) -> str:
    """The usual layout of so many channels, as ffmpeg has it."""
    from av.audio.layout import AudioLayout

    return AudioLayout(f"{channels}c").name


def _pieces(video: Path, clip: Clip) -> Iterator[tuple[int, Samples]]:
    """Number of the first sample, and (n, channels) samples, in the rate and channels of a clip."""
    sound = read_sound(video, native=(clip.rate, clip.channels) != (RATE, 1))
    for start_s, samples in sound.pieces if sound else ():
        yield round(start_s * clip.rate), samples.reshape(len(samples), -1)


def _silence(clip: Clip) -> Samples:
    return np.zeros((clip.samples, clip.channels), np.float32)


def _write_wave(path: Path, samples: Samples, rate: int) -> None:
    whole = np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2")
    with writing(path), new_file(path, private=True) as temporary, wave.open(str(temporary), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(whole.tobytes())
