"""The sound of a video on its way into another file: as it is where players take it from there, as AAC otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from fercli.render.encode import mux, plain_errors

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet

_MPEG4 = {"aac", "mp3", "ac3", "eac3", "alac"}
COPIED = {
    "mp4": _MPEG4 | {"opus", "flac"},
    "mov": _MPEG4 | {"pcm_s16le", "pcm_s24le"},
    "matroska": _MPEG4 | {"opus", "flac", "vorbis", "mp2", "dts", "pcm_s16le", "pcm_s24le"},
}
"""Container -> codecs that players play from it."""
AAC_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}
"""Channels -> their layout in AAC. Many files give none; other numbers of channels are mixed down to two."""
AAC_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
"""Sample rates that any AAC player takes, Hz."""

BITS_A_CHANNEL = 96_000
"""A second; generous for AAC, because the source was compressed once already."""


class Sound:
    """All sound tracks of a video, written a stretch at a time, because a container wants sound beside its pictures.

    Args:
        source: opened for this alone.
        target: where they go.
    """

    def __init__(self, source: InputContainer, target: OutputContainer) -> None:
        self._target = target
        copied = COPIED[target.format.name]
        streams = [stream for stream in source.streams.audio if stream.codec_context is not None]
        self._ways: dict[int, _Copied | _Encoded] = {
            stream.index: _Copied(stream, target) if stream.codec.canonical_name in copied else _Encoded(stream, target)
            for stream in streams
        }
        self._packets = _demux(source, streams)
        self._next = next(self._packets, None)

    def write_until(self, time_s: float) -> None:
        """Write what sounds before this time, seconds.

        Raises:
            OSError: it cannot be written.
        """
        while (packet := self._next) is not None and _time(packet) < time_s:
            mux(self._target, self._ways[packet.stream_index].through(packet))
            self._next = next(self._packets, None)

    def finish(self) -> None:
        """Write the rest; errors as `write_until`."""
        self.write_until(float("inf"))
        for way in self._ways.values():
            mux(self._target, way.rest())


class _Copied:
    """Packets as they are."""

    def __init__(self, stream: AudioStream, target: OutputContainer) -> None:
        self._stream = target.add_stream_from_template(stream)
        _name_language(stream, self._stream)
        self._last: int | None = None

    def through(self, packet: Packet[AudioStream]) -> list[Packet[Any]]:
        # No container takes packets that have no time or go back in time, as damaged files have them.
        if packet.dts is None or (self._last is not None and packet.dts <= self._last):
            return []
        self._last = packet.dts
        packet.stream = self._stream
        return [packet]

    def rest(self) -> list[Packet[Any]]:
        return []


class _Encoded:
    """Decoded, and encoded as AAC."""

    def __init__(self, stream: AudioStream, target: OutputContainer) -> None:
        context = stream.codec_context
        rate = context.sample_rate if context.sample_rate in AAC_RATES else AAC_RATES[0]
        self._source = context
        layout = AAC_LAYOUTS.get(context.channels, "stereo")
        self._stream = target.add_stream("aac", rate, layout=layout, bit_rate=BITS_A_CHANNEL * context.channels)
        _name_language(stream, self._stream)

    def through(self, packet: Packet[AudioStream] | None) -> list[Packet[Any]]:
        from av.error import FFmpegError

        try:
            frames = self._source.decode(packet)
        except FFmpegError:  # a damaged stretch stays silent
            return []
        with plain_errors():
            return [encoded for frame in frames for encoded in self._stream.encode(frame)]

    def rest(self) -> list[Packet[Any]]:
        return [*self.through(None), *self._stream.encode(None)]


def _demux(source: InputContainer, streams: list[AudioStream]) -> Iterator[Packet[AudioStream]]:
    """The packets of some streams in the order of the file, up to its end or to where it breaks off."""
    from av.error import InvalidDataError

    if not streams:
        return
    try:
        packets = cast("Iterator[Packet[AudioStream]]", source.demux(*streams))
        yield from (packet for packet in packets if packet.size)
    except InvalidDataError:
        return


def _time(packet: Packet[AudioStream]) -> float:
    """Seconds; a packet without a time is due at once."""
    ticks = packet.dts if packet.dts is not None else packet.pts
    return float("-inf") if ticks is None else float(ticks * packet.time_base)


def _name_language(source: AudioStream, target: AudioStream) -> None:
    if "language" in source.metadata:
        target.metadata["language"] = source.metadata["language"]
