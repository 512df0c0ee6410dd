"""The sound of a video on the clock of the player, in pieces: mono at 16 kHz, or with rate and channels of the file.

Time 0 is that of the pictures, see `container.start_of`. Where timestamps leave a gap, the sound is silent; where they
overlap, the earlier sound is kept. Where the clock of the file jumps back, the sound goes on without a gap.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ConfigError
from fercli.media.container import open_container, start_of

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

Samples = NDArray[np.float32]

RATE = 16_000
"""Samples per second."""
PIECE_S = 30
"""Length of a piece, seconds; the last one is shorter."""
DRIFT_S = 0.04
"""Deviation of timestamps from the number of samples that is corrected and reported: a frame of 25 per second."""
DEAD_BELOW = 1e-4
"""Peak (-80 dB) below which a channel has no sound."""
_FULL_SCALE = 0.99
_JUMP_BACK_S = 1.0
_STEREO = 2


@dataclass
class SoundFacts:
    """Facts of a sound track.

    Attributes:
        track, tracks: its number, from 1, and the number of sound tracks.
        codec: ffmpeg's name of the codec.
        channels, sample_rate: of the file.
        dead: number of the channel of a stereo track that is silent throughout, from 1; 0 if none is, and if channels
            are not mixed.
        peak: largest sample of the mixed sound, from 0; complete once all pieces are read, as all that follow.
        full_scale: samples at full scale.
        damaged: packets that cannot be decoded.
        corrected: how often timestamps deviated from the number of samples by more than DRIFT_S.
        corrected_s: sum of these deviations, seconds.
    """

    track: int
    tracks: int
    codec: str
    channels: int
    sample_rate: int
    dead: int = 0
    peak: float = 0.0
    full_scale: int = 0
    damaged: int = 0
    corrected: int = 0
    corrected_s: float = 0.0


@dataclass
class Sound:
    """A sound track that is being read.

    Attributes:
        facts: facts of it.
        pieces: start in seconds and (n,) float32 samples in [-1, 1] of each piece, (n, channels) if `native`; can be
            read once.
        rate, channels: of the pieces.
    """

    facts: SoundFacts
    pieces: Iterator[tuple[float, Samples]]
    rate: int = RATE
    channels: int = 1


def read_sound(
    path: Path, track: int = 0, start_s: float = 0.0, end_s: float = 0.0, *, native: bool = False
) -> Sound | None:
    """The sound of a file; None if it has none.

    Args:
        path: the file.
        track: number of the sound track, from 1; 0 is the one that a player chooses.
        start_s, end_s: only this stretch; 0 is the start or the end of the sound.
        native: keep the rate and all channels of the file, as far as it states them, instead of mono at RATE.

    Raises:
        VideoError: as `container.open_container`.
        ConfigError: no such sound track.
    """
    with open_container(path) as container:
        streams = container.streams.audio
        if not streams:
            return None
        if track > len(streams):
            raise ConfigError(
                f"{path.name} has {len(streams)} sound track{'s' if len(streams) > 1 else ''}, not {track}",
                hint="leave --audio-track out, or give a smaller number",
                code="audio-track-unknown",
            )
        stream = streams[track - 1] if track else _chosen(container)
        number = streams.index(stream) + 1
        if stream.codec_context is None:
            return None
        facts = SoundFacts(
            number, len(streams), stream.codec_context.name, stream.channels or 0, stream.codec_context.sample_rate or 0
        )
        facts.dead = _dead_channel(container, stream) if facts.channels == _STEREO and not native else 0
        form = _form_of(facts, stream.layout.name if native else "")
    pieces = _pieces(_cut(_stretches(path, facts, form), form, start_s, end_s), form)
    return Sound(facts, pieces, form.rate, 1 if form.mixed else facts.channels)


def encode(samples: Samples) -> bytes:
    """Samples in [-1, 1] as FLAC of 16 bits, mono, RATE."""
    import av

    whole = np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream: Any = container.add_stream("flac", rate=RATE, layout="mono")
        stream.codec_context.format = "s16"
        frame = av.AudioFrame.from_ndarray(whole[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return file.getvalue()


def decode(flac: bytes) -> Samples:
    """The inverse of `encode`, (n,) float32.

    Raises:
        ValueError: it is not FLAC, mono, RATE.
    """
    import av

    try:
        with av.open(io.BytesIO(flac), format="flac") as container:
            parts = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
            rate = container.streams.audio[0].rate
    except (av.error.FFmpegError, IndexError) as error:
        raise ValueError(str(error)) from error
    if rate != RATE or any(part.dtype != np.int16 for part in parts):
        raise ValueError(f"it is not 16 bits at {RATE} Hz")
    samples: Samples = np.concatenate(parts or [np.zeros(0, np.int16)]).astype(np.float32) / np.float32(32768)
    return samples


def _chosen(container: InputContainer) -> AudioStream:
    best: Any = container.streams.best("audio")
    return best if best is not None else container.streams.audio[0]


def _frames(container: InputContainer, stream: AudioStream, facts: SoundFacts | None = None) -> Iterator[AudioFrame]:
    """Decoded frames; packets that cannot be decoded are left out and counted."""
    from av.error import FFmpegError, InvalidDataError

    packets: Iterator[Any] = itertools.chain(container.demux(stream), [None])
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except InvalidDataError:  # a truncated file
            packets = iter([None])
            continue
        if packet is not None and not packet.size:
            continue
        try:
            yield from stream.codec_context.decode(packet)
        except FFmpegError:
            if facts is not None:
                facts.damaged += 1


def _dead_channel(container: InputContainer, stream: AudioStream) -> int:
    """The silent channel of two, from 1; 0 if both have sound or none has. Stops as soon as both were heard."""
    from av.audio.resampler import AudioResampler

    planar = AudioResampler(format="fltp")
    peaks = np.zeros(_STEREO)
    for frame in _frames(container, stream):
        for part in planar.resample(frame):
            values = part.to_ndarray()
            if len(values) == _STEREO and values.size:
                peaks = np.maximum(peaks, np.abs(values).max(axis=1))
        if peaks.min() >= DEAD_BELOW:
            return 0
    return int(peaks.argmin()) + 1 if peaks.max() >= DEAD_BELOW else 0


@dataclass(frozen=True)
class _Form:
    """What the samples are converted to: rate, ffmpeg's name of the layout, and whether channels are mixed to one."""

    rate: int
    layout: str
    mixed: bool


def _form_of(facts: SoundFacts, native_layout: str) -> _Form:
    if native_layout and facts.sample_rate and facts.channels:
        return _Form(facts.sample_rate, native_layout, mixed=False)
    return _Form(RATE, "stereo" if facts.channels == _STEREO else "mono", mixed=True)


@dataclass
class _Stretch:
    """A run of frames of one kind (sample format, layout, rate) whose timestamps agree with the number of samples."""

    facts: SoundFacts
    form: _Form
    kind: tuple[str, str, int]
    resampler: Any = field(init=False)

    def __post_init__(self) -> None:
        from av.audio.resampler import AudioResampler

        self.resampler = AudioResampler(format="fltp", layout=self.form.layout, rate=self.form.rate)

    def samples(self, frame: AudioFrame | None) -> Samples:
        """The samples that are ready after a frame, or with None the rest."""
        parts = [part.to_ndarray() for part in self.resampler.resample(frame)]
        if not parts:
            return np.zeros(0, np.float32)  # of any number of channels: nothing is taken from it
        channels: Samples = np.concatenate(parts, axis=1).astype(np.float32, copy=False)
        self.facts.full_scale += int((np.abs(channels) >= _FULL_SCALE).any(axis=0).sum())
        if not self.form.mixed:
            apart: Samples = channels.T
            return apart
        dead = self.facts.dead
        mixed: Samples = channels[_STEREO - dead] if dead else channels.mean(axis=0, dtype=np.float32)
        return mixed


def _stretches(path: Path, facts: SoundFacts, form: _Form) -> Iterator[tuple[int, Samples]]:
    """Place, in samples from time 0, and samples; ascending and without overlaps."""
    with open_container(path) as container:
        stream = container.streams.audio[facts.track - 1]
        raw_start, offset = start_of(container), Fraction(0)
        run: _Stretch | None = None
        expected = Fraction(0)
        place = 0
        for frame in _frames(container, stream, facts):
            if not frame.samples or not frame.sample_rate:
                continue
            time = expected if frame.pts is None else frame.pts * (frame.time_base or 0) - raw_start + offset
            if run is not None and time < expected - Fraction(_JUMP_BACK_S):
                offset += expected - time
                time = expected
            deviation = time - expected
            kind = (frame.format.name, frame.layout.name, frame.sample_rate)
            if run is None or run.kind != kind or abs(deviation) > DRIFT_S:
                if run is not None:
                    rest = run.samples(None)
                    yield place, rest
                    facts.corrected += abs(deviation) > DRIFT_S
                    facts.corrected_s += abs(float(deviation)) if abs(deviation) > DRIFT_S else 0.0
                    place = max(place + len(rest), round(time * form.rate))
                    skip = place - round(time * form.rate)
                else:
                    place, skip = round(time * form.rate), 0
                run, expected = _Stretch(facts, form, kind), time
            frame.pts = None
            ready = run.samples(frame)
            expected += Fraction(frame.samples, frame.sample_rate)
            dropped = min(skip, len(ready))  # overlaps what came before
            skip -= dropped
            ready = ready[dropped:]
            yield place, ready
            place += len(ready)
        if run is not None:
            yield place, run.samples(None)


def _cut(
    parts: Iterator[tuple[int, Samples]], form: _Form, start_s: float, end_s: float
) -> Iterator[tuple[int, Samples]]:
    """Only the samples in a stretch."""
    first = round(start_s * form.rate) if start_s else None
    end = round(end_s * form.rate) if end_s else None
    for place, samples in parts:
        if end is not None and place >= end:
            return
        kept = samples if end is None else samples[: end - place]
        if first is not None and place < first:
            kept, place = kept[first - place :], first
        if len(kept):
            yield place, kept


def _pieces(parts: Iterator[tuple[int, Samples]], form: _Form) -> Iterator[tuple[float, Samples]]:
    """Pieces of PIECE_S without gaps, filled with silence."""
    size = PIECE_S * form.rate
    piece = np.zeros(0, np.float32)
    start: int | None = None
    filled = 0
    for place, samples in parts:
        if start is None:
            start, piece = place, np.zeros((size, *samples.shape[1:]), np.float32)
        while len(samples) or place - start > filled:
            gap = min(place - start - filled, size - filled)
            piece[filled : filled + gap] = 0
            filled += gap
            taken = min(len(samples), size - filled) if place - start == filled else 0
            piece[filled : filled + taken] = samples[:taken]
            samples, place, filled = samples[taken:], place + taken, filled + taken
            if filled == size:
                yield start / form.rate, piece.copy()
                start, filled = start + size, 0
    if start is not None and filled:
        yield start / form.rate, piece[:filled].copy()
