"""Subtitle tracks: which can be copied, and the text codec of each container for the others."""

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
"""Container -> codecs that players support in it."""
TEXTS = {"mov_text", "subrip", "ass", "webvtt", "text"}
"""Codecs that can be converted into each other; others are pictures, or rare."""
MILLISECOND = Fraction(1, 1000)
_WRITTEN = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip"}


class Encoded:
    """A text track, converted to the codec of the container; italics and similar are kept, positions of ASS are not.

    Attributes:
        stream: stream of the target.
    """

    def __init__(self, stream: SubtitleStream, target: OutputContainer) -> None:
        self._source = stream.codec_context
        self._source.open()  # the header, which the encoder needs, exists only from here on
        self.stream = cast("SubtitleStream", target.add_stream(_WRITTEN[target.format.name]))
        self.stream.time_base = self.stream.codec_context.time_base = stream.time_base or MILLISECOND
        self.stream.codec_context.subtitle_header = self._source.subtitle_header

    def through(self, packet: Packet[Any]) -> list[Packet[Any]]:
        """The converted packet; nothing for an empty one, which mov_text uses for pauses, or a damaged one."""
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
