"""Time of each frame of a video, read from the container without decoding.

Time 0 is the start in a player, see `container.start_of`; nothing is derived from a nominal frame rate. Frames hidden
by an edit list are left out. A frame is shown until the next one, the last one for the duration of its packet.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fercli.media.container import demux, no_frame_decodes, open_video, start_of
from fercli.media.jumps import Jump, Stamp, broadcast, find_jumps

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_FALLBACK_FPS = 25
_LISTED = 5
"""Largest number of jumps listed in the warning."""


@dataclass(frozen=True)
class FrameIndex:
    """The frames of a video in presentation order.

    Attributes:
        pts_s: time of each frame, seconds from the start in a player; float64 (n,), n > 0, ascending.
        duration_s: from the first frame to the end of the last, seconds; positive.
        raw_start: container time at time 0, seconds: a container timestamp is `pts_s + raw_start`, minus the offset of
            the last jump before it.
        ticks: the timestamps of the container with the offsets of the jumps, in units of the stream's time base, int64
            (n,), strictly ascending; None where they cannot be used and frames are numbered by counting.
        jumps: jumps of the container's clock, in file order.
        promised: number of frames in the header, without hidden and repeated frames; 0 if unknown.
        warnings: problems of the times, for the user.
    """

    pts_s: NDArray[np.float64]
    duration_s: float
    raw_start: Fraction
    ticks: NDArray[np.int64] | None
    jumps: tuple[Jump, ...]
    promised: int
    warnings: tuple[str, ...]

    @property
    def end_s(self) -> float:
        """When the last frame ends, seconds."""
        return float(self.pts_s[0]) + self.duration_s

    @property
    def ends_s(self) -> NDArray[np.float64]:
        """(n,) end of each frame, seconds."""
        return np.append(self.pts_s[1:], self.end_s)


@dataclass(frozen=True)
class _Packets:
    """Properties of the packets from demuxing, in file order, times in units of the time base.

    Attributes:
        visible: packets of visible frames, with the offsets of the jumps added.
        hidden: number of packets hidden by an edit list.
        jumps: clock jumps.
    """

    visible: list[Stamp]
    hidden: int
    jumps: tuple[Jump, ...]


@dataclass(frozen=True)
class _Times:
    """Times of frames, from time 0 of the container's clock.

    Attributes:
        clock: (n,) int64 ascending, in units of `base`.
        base: seconds.
        last: duration of the last frame, in units of `base`; 0 if unknown.
        ticks, warnings: columns of a FrameIndex.
    """

    clock: NDArray[np.int64]
    base: Fraction
    last: int
    ticks: NDArray[np.int64] | None
    warnings: tuple[str, ...]


def read_index(path: Path) -> FrameIndex:
    """Read the timestamps of all frames; takes as long as reading the file.

    Raises:
        VideoError: as `open_video`, or there is no frame.
    """
    with open_video(path) as (container, stream):
        raw_start, indexed = start_of(container), len(stream.index_entries)
        base = stream.time_base or Fraction(1, 90000)
        packets = _scan(container, stream, base)
        if not packets.visible:
            raise no_frame_decodes(path)
        rate = stream.average_rate or Fraction(_FALLBACK_FPS)
        promised = _promised(container, stream, packets, indexed)
        times = _times(path, packets, base, rate, guessed=_guesses_times(container, stream))
        pts_s = _seconds(times.clock, times.base, raw_start)
        duration_s = _duration(pts_s, rate, float(times.last * times.base), float(times.base))
        end_s = float(pts_s[0]) + duration_s
        ends_early = () if promised else _ends_early(path, container, end_s, raw_start)
        return FrameIndex(
            pts_s=pts_s,
            duration_s=duration_s,
            raw_start=raw_start,
            ticks=times.ticks,
            jumps=packets.jumps,
            promised=promised,
            warnings=(*times.warnings, *_about_jumps(path, packets.jumps, base), *ends_early),
        )


def _scan(container: InputContainer, stream: VideoStream, base: Fraction) -> _Packets:
    stamps: list[Stamp] = []
    for packet in demux(container, stream):
        stamps.append(Stamp(packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe, packet.is_discard))
    jumps = find_jumps(stamps, base, broadcast=broadcast(container))
    visible = [stamp for stamp in _moved(stamps, jumps) if not stamp.hidden]
    return _Packets(visible, len(stamps) - len(visible), tuple(jumps))


def _moved(stamps: list[Stamp], jumps: Sequence[Jump]) -> Iterator[Stamp]:
    """The packets as `demux` passes them to the decoder."""
    offsets = {jump.packet: jump.offset for jump in jumps}
    offset = 0
    for number, stamp in enumerate(stamps):
        offset = offsets.get(number, offset)
        yield stamp.later(offset) if offset else stamp


def _promised(container: InputContainer, stream: VideoStream, packets: _Packets, indexed: int) -> int:
    """Number of visible frames according to the header; 0 if unknown.

    Args:
        indexed: entries of libav's index when the file was opened. That of MP4 is complete, and follows the edit list.
    """
    if not stream.frames:
        return 0
    name = container.format.name
    if name.startswith("mov,") and indexed:
        return max(0, indexed - packets.hidden)
    repeated = _repeated(packets.visible) if name == "avi" else 0
    return max(0, stream.frames - packets.hidden - repeated)


def _repeated(stamps: list[Stamp]) -> int:
    """Empty packets of an AVI: it counts frames, and libav skips those that only repeat the one before."""
    counts = sorted({stamp.dts for stamp in stamps if stamp.dts is not None})
    return counts[-1] - counts[0] + 1 - len(counts) if counts else 0


def _guesses_times(container: InputContainer, stream: VideoStream) -> bool:
    """AVI stores no presentation times: ffmpeg uses the file order, which is wrong for B-frames."""
    return container.format.name == "avi" and bool(stream.codec_context.has_b_frames)


def _times(path: Path, packets: _Packets, base: Fraction, rate: Fraction, *, guessed: bool) -> _Times:
    """Times from the best available source: presentation, else decoding timestamps, else the nominal rate."""
    pts, dts = ([getattr(stamp, kind) for stamp in packets.visible] for kind in ("pts", "dts"))
    durations = [stamp.duration for stamp in packets.visible]
    if not guessed and None not in pts:
        clock = np.sort(np.array(pts, np.int64))
        own = bool((np.diff(clock) > 0).all())  # two frames at one time can only be distinguished by counting
        return _Times(clock, base, max(zip(pts, durations, strict=True))[1], clock if own else None, ())
    if None not in dts:
        warning = f"{path.name} has no usable presentation timestamps: times follow the decoding order"
        clock = np.sort(np.array(dts, np.int64))
        return _Times(clock, base, max(zip(dts, durations, strict=True))[1], None, (warning,))
    warning = f"{path.name} lacks timestamps: times are counted at {float(rate):.6g} frames a second"
    # In units that represent both the first timestamp and frames at this rate exactly.
    fine = Fraction(1, math.lcm(base.denominator, rate.numerator))
    first = min((tick for tick in pts if tick is not None), default=0) * base / fine
    clock = int(first) + np.arange(len(pts), dtype=np.int64) * int(1 / rate / fine)
    return _Times(clock, fine, 0, None, (warning,))


def _seconds(clock: NDArray[np.int64], base: Fraction, start: Fraction) -> NDArray[np.float64]:
    """Times minus the start; exact except for the final division."""
    common = math.lcm(base.denominator, start.denominator)
    ticks = clock * int(base * common) - int(start * common)
    return (ticks / common).astype(np.float64)


def _duration(pts_s: NDArray[np.float64], rate: Fraction, last_s: float, tick_s: float) -> float:
    """From the first frame to the end of the last, whose duration is that of its packet, or else the mean of the
    others.

    If both differ only by the rounding of the container, the mean is more exact.
    """
    span_s = float(pts_s[-1] - pts_s[0])
    average_s = span_s / (len(pts_s) - 1) if span_s > 0 else 1 / float(rate)
    if last_s <= 0 or abs(last_s - average_s) < min(tick_s, average_s / 10):
        last_s = average_s
    return span_s + last_s


def _about_jumps(path: Path, jumps: Sequence[Jump], base: Fraction) -> tuple[str, ...]:
    if not jumps:
        return ()
    offsets = ", ".join(f"{float(jump.offset * base):+.3f} s" for jump in jumps[:_LISTED])
    more = f" and {len(jumps) - _LISTED} more" if len(jumps) > _LISTED else ""
    times = "once" if len(jumps) == 1 else f"{len(jumps)} times"
    return (
        f"the clock of {path.name} jumps {times}, as in concatenated files: what follows is assumed to start "
        f"where the part before it ends; offset from the timestamps of the file: {offsets}{more}",
    )


def _ends_early(path: Path, container: InputContainer, end_s: float, raw_start: Fraction) -> tuple[str, ...]:
    """For containers without a frame count: whether the header declares a much later end than that of the last frame.

    Some formats store a duration there, others an end time. Packets of other streams count as well.
    """
    promised_s = (container.duration or 0) / 1_000_000
    until_s = promised_s - max(1.0, 0.02 * promised_s)
    if until_s <= max(end_s, end_s + float(raw_start)) or until_s <= _last_packet_s(path):
        return ()
    return (
        f"the header of {path.name} declares {promised_s:.1f} s, the last frame ends at {end_s:.1f} s; "
        "the file may be truncated",
    )


def _last_packet_s(path: Path) -> float:
    """When the last packet of any stream ends by the container's own clock, seconds."""
    from av.error import InvalidDataError

    end = Fraction(0)
    with open_video(path) as (container, _):
        try:
            for packet in container.demux():
                if packet.size and packet.pts is not None:
                    end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
        except InvalidDataError:
            pass
    return float(end)
