"""Copies sound, subtitles and chapters of a video into another file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

from fercli.media.container import move
from fercli.media.jumps import broadcast, clock_jumped
from fercli.views.render import sound, subtitles
from fercli.views.render.encode import mux

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.subtitles.stream import SubtitleStream


class Companions:
    """All audio and subtitle tracks, written interleaved with the pictures, as containers require; and the chapters.

    Args:
        source: a separately opened source.
        target: the target, to which nothing has been written yet.
        later_s: delay of all packets, seconds.
        offsets_s: additional delay after each clock jump of the pictures, seconds.

    Attributes:
        left_out: a message for each track that cannot be kept.
    """

    def __init__(
        self, source: InputContainer, target: OutputContainer, later_s: Fraction, offsets_s: Sequence[Fraction] = ()
    ) -> None:
        self._target, self._later_s, self._offsets_s = target, later_s, (Fraction(0), *offsets_s)
        self._clocks: dict[int, _Clock] = {}
        self._ways: dict[int, _Copied | sound.Encoded | subtitles.Encoded] = {}
        self.left_out: list[str] = []
        streams: list[AudioStream | SubtitleStream] = [*source.streams.audio, *source.streams.subtitles]
        for stream in streams:
            if reason := _why_not(stream, target.format.name):
                self.left_out.append(reason)
            else:
                self._ways[stream.index] = _way(stream, target)
        self._broadcast = broadcast(source)
        target.set_chapters([_moved(chapter, later_s) for chapter in source.chapters()])
        self._packets = self._demux(source)
        self._next = next(self._packets, None)

    def write_until(self, time_s: float) -> None:
        """Write packets that begin before this time, seconds on the clock of the target.

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

    @property
    def out_of_step(self) -> list[str]:
        """A message for each track with another number of clock jumps than the pictures; call it after all is
        written."""
        jumps = len(self._offsets_s) - 1
        return [
            f"the clock of an audio track jumps {clock.jumps} times, that of the pictures {jumps} times: "
            "after the first of them it may be out of step"
            for index, clock in sorted(self._clocks.items())
            if clock.jumps != jumps and self._ways[index].stream.type == "audio"
        ]

    def _demux(self, source: InputContainer) -> Iterator[Packet[Any]]:
        """The packets in file order, with the delay, up to the end of the file, which may be truncated."""
        from av.error import InvalidDataError

        if not self._ways:
            return
        try:
            for packet in source.demux([source.streams[index] for index in self._ways]):
                if packet.size and self._set_time(packet):
                    yield packet
        except InvalidDataError:
            return

    def _set_time(self, packet: Packet[Any]) -> bool:
        """Delay a packet; returns whether it is used: packets that overlap the part before a jump are not."""
        if len(self._offsets_s) == 1:
            move(packet, round(self._later_s / packet.time_base))
            return True
        clock = self._clocks.setdefault(packet.stream_index, _Clock(packet.time_base, self._broadcast))
        part = min(clock.part_of(packet), len(self._offsets_s) - 1)
        move(packet, round((self._later_s + self._offsets_s[part]) / packet.time_base))
        return clock.goes_on(packet)


class _Clock:
    """The clock of a track in a source with clock jumps.

    Attributes:
        jumps: number of jumps so far.
    """

    def __init__(self, base: Fraction, broadcast: bool) -> None:
        self._base, self._broadcast = base, broadcast
        self._read: int | None = None
        self._written: int | None = None
        self.jumps = 0

    def part_of(self, packet: Packet[Any]) -> int:
        """Number of clock jumps up to this packet, which has not been delayed yet."""
        if packet.dts is not None:
            if self._read is not None and clock_jumped(self._read, packet.dts, self._base, broadcast=self._broadcast):
                self.jumps += 1
            self._read = packet.dts
        return self.jumps

    def goes_on(self, packet: Packet[Any]) -> bool:
        """Whether a delayed packet is later than the one before."""
        if packet.dts is None or (self._written is not None and packet.dts < self._written):
            return False
        self._written = packet.dts
        return True


def first_sound_s(source: InputContainer) -> Fraction | None:
    """Start of the earliest audible sound, seconds on the clock of the file; None if there is none."""
    begins = (
        stream.start_time * stream.time_base
        for stream in source.streams.audio
        if stream.start_time is not None and stream.time_base
    )
    return min(begins, default=None)


class _Copied:
    """Packets that are copied."""

    def __init__(self, stream: AudioStream | SubtitleStream, target: OutputContainer) -> None:
        self.stream = target.add_stream_from_template(stream)
        # An edit list of MP4 hides packets before 0, for example those a decoder needs to start. Matroska accepts only
        # as much as the codec declares, and would otherwise shift everything else.
        self._earliest = -_run_in(stream) if target.format.name == "matroska" else float("-inf")
        self._step = 1 if stream.type == "audio" else 0  # two subtitles may begin at the same time

    def through(self, packet: Packet[Any]) -> list[Packet[Any]]:
        """The packet, for its new stream."""
        # Containers refuse packets without a time or with decreasing times, which damaged files have.
        if packet.dts is None or packet.dts < self._earliest:
            return []
        self._earliest = packet.dts + self._step
        packet.stream = self.stream
        return [packet]

    def rest(self) -> list[Packet[Any]]:
        """Nothing is held back."""
        return []


def _run_in(stream: AudioStream | SubtitleStream) -> int:
    """Inaudible start of the decoded sound as declared by the codec, in units of the time base."""
    if stream.type == "subtitle" or not stream.time_base:
        return 0
    context = cast("AudioStream", stream).codec_context
    return math.ceil(Fraction(context.delay, context.sample_rate) / stream.time_base)


def _why_not(stream: AudioStream | SubtitleStream, container: str) -> str:
    """Why a track cannot be kept; empty if it can."""
    if stream.codec_context is None:
        return f"a track of {stream.type} in an unknown format is left out"
    codec = stream.codec.canonical_name
    if stream.type == "audio" and not cast("AudioStream", stream).sample_rate:
        return f"a track of {codec} sound is left out: it has no packets at the start of the file"
    if stream.type == "subtitle" and codec not in subtitles.COPIED[container] | subtitles.TEXTS:
        return f"a track of {codec} subtitles is left out: {container} cannot hold it"
    return ""


def _way(stream: AudioStream | SubtitleStream, target: OutputContainer) -> _Copied | sound.Encoded | subtitles.Encoded:
    kind = sound if stream.type == "audio" else subtitles
    copied = stream.codec.canonical_name in kind.COPIED[target.format.name]
    way = _Copied(stream, target) if copied else kind.Encoded(stream, target)
    way.stream.metadata.update({key: stream.metadata[key] for key in ("language", "title") if key in stream.metadata})
    way.stream.disposition = stream.disposition
    return way


def _moved(chapter: Any, later_s: Fraction) -> Any:
    later = round(later_s / chapter["time_base"])
    return {**chapter, "start": max(0, chapter["start"] + later), "end": max(0, chapter["end"] + later)}


def _time(packet: Packet[Any]) -> float:
    """Seconds; a packet without a time is written immediately."""
    ticks = packet.dts if packet.dts is not None else packet.pts
    return float("-inf") if ticks is None else float(ticks * packet.time_base)
