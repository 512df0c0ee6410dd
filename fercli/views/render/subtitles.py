"""Tracks of subtitles: which can be copied as they are, and the kind of text each container has for the others."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from fercli.views.render.encode import plain_errors

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet
    from av.subtitles.stream import SubtitleStream

COPIED = {
    "mp4": {"mov_text"},
    "mov": {"mov_text"},
    "matroska": {"subrip", "ass", "webvtt", "hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"},
}
"""Container -> codecs that players show from it."""
TEXTS = {"mov_text", "subrip", "ass", "webvtt", "text"}
"""Codecs that can be turned into each other; other ones are pictures, or rare."""
MILLISECOND = Fraction(1, 1000)
_WRITTEN = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip"}


class Encoded:
    """A track of text, written in the way of the container; italics and the like stay, ASS's places do not.

    Attributes:
        stream: of the target.
    """

    def __init__(self, stream: SubtitleStream, target: OutputContainer) -> None:
        self._source = stream.codec_context
        self._source.open()  # it has its header, which the encoder wants, only from then on
        self.stream = cast("SubtitleStream", target.add_stream(_WRITTEN[target.format.name]))
        self.stream.time_base = self.stream.codec_context.time_base = stream.time_base or MILLISECOND
        self.stream.codec_context.subtitle_header = self._source.subtitle_header

    def through(self, packet: Packet[Any]) -> list[Packet[Any]]:
        """The packet anew; nothing for one without words, with which mov_text marks pauses, or a damaged one."""
        from av.error import FFmpegError

        try:
            words = self._source.decode2(packet)
        except FFmpegError:
            return []
        if not words or packet.pts is None:
            return []
        with plain_errors():
            encoded = self.stream.codec_context.encode_subtitle(words)
        encoded.pts = encoded.dts = packet.pts
        encoded.duration, encoded.time_base, encoded.stream = packet.duration, packet.time_base, self.stream
        return [encoded]

    def rest(self) -> list[Packet[Any]]:
        """Nothing is held back."""
        return []
