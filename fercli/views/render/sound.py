"""Audio tracks: copied if players support them, otherwise encoded as AAC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fercli.views.render.encode import plain_errors

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet

_MPEG4 = {"aac", "mp3", "ac3", "eac3", "alac"}
COPIED = {
    "mp4": _MPEG4 | {"opus", "flac"},
    "mov": _MPEG4 | {"pcm_s16le", "pcm_s24le"},
    "matroska": _MPEG4 | {"opus", "flac", "vorbis", "mp2", "dts", "pcm_s16le", "pcm_s24le"},
}
"""Container -> codecs that players support in it."""
AAC_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 8: "7.1"}
"""Channels -> layout in AAC. Many files have no layout; other numbers of channels are mixed down to two."""
AAC_RATES = (48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
"""Sample rates that all AAC players support, Hz."""

BITS_A_CHANNEL = 96_000
"""Bits per second; high for AAC, because the source was compressed once already."""


class Encoded:
    """A track that is decoded and encoded as AAC.

    Attributes:
        stream: stream of the target.
    """

    def __init__(self, stream: AudioStream, target: OutputContainer) -> None:
        self._source = stream.codec_context
        rate = self._source.sample_rate if self._source.sample_rate in AAC_RATES else AAC_RATES[0]
        channels = self._source.channels if self._source.channels in AAC_LAYOUTS else 2
        self.stream = target.add_stream("aac", rate, layout=AAC_LAYOUTS[channels], bit_rate=BITS_A_CHANNEL * channels)

    def through(self, packet: Packet[Any] | None) -> list[Packet[Any]]:
        """Encoded packets after one more packet; None flushes."""
        from av.error import FFmpegError

        try:
            frames = self._source.decode(packet)
        except FFmpegError:  # a damaged stretch is silent
            return []
        with plain_errors():
            return [encoded for frame in frames for encoded in self.stream.encode(frame)]

    def rest(self) -> list[Packet[Any]]:
        """The remaining packets."""
        last = self.through(None)
        with plain_errors():
            return [*last, *self.stream.encode(None)]
