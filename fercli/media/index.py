"""When each frame of a video is shown, read from the container without decoding.

The times are those a player uses and ffprobe prints as `pts_time`: the stream's own start is kept, nothing is derived
from a nominal frame rate. Frames that an edit list hides are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fercli.media.container import demux, no_frame_decodes, open_video

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

DECORD_CONTAINERS = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}
DECORD_CODECS = {"h264", "mpeg4", "vp9", "av1"}
DECORD_BYTES = 256 * 2**20
"""Decoded size up to which decord is used: it decodes ahead of a slow reader without limit."""

_FALLBACK_FPS = 25


@dataclass(frozen=True)
class FrameIndex:
    """The frames of a video in presentation order.

    Attributes:
        pts_s: presentation timestamp of each frame, seconds; float64 (n,), n > 0, ascending.
        duration_s: from the first frame to the end of the last, seconds; positive. The last frame is taken to last as
            long as the others on average.
        ticks: the same timestamps in units of the stream's time base, int64 (n,), strictly ascending; None where the
            container's own cannot be used and frames are numbered by counting.
        promised: frames the header speaks of, those hidden by an edit list taken off; 0 if it says nothing.
        decord: whether decord counts the frames of this file the same way.
        warnings: what a person should know about the times.
    """

    pts_s: NDArray[np.float64]
    duration_s: float
    ticks: NDArray[np.int64] | None
    promised: int
    decord: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Packets:
    """What demuxing shows of the packets that hold a visible frame, in file order, in units of the time base."""

    pts: list[int | None]
    dts: list[int | None]
    hidden: int
    corrupt: int


@dataclass(frozen=True)
class _Times:
    """Three columns of a FrameIndex."""

    pts_s: NDArray[np.float64]
    ticks: NDArray[np.int64] | None
    warnings: tuple[str, ...]


def read_index(path: Path) -> FrameIndex:
    """Read the timestamps of all frames; takes as long as reading the file.

    Raises:
        VideoError: as `open_video`, or there is no frame.
    """
    with open_video(path) as (container, stream):
        packets = _scan(container, stream)
        if not packets.pts:
            raise no_frame_decodes(path)
        rate, base = stream.average_rate or Fraction(_FALLBACK_FPS), stream.time_base or Fraction(1, 90000)
        promised = max(0, stream.frames - packets.hidden) if stream.frames else 0
        times = _times(path, packets, base, rate, guessed=_guesses_times(container, stream))
        duration_s = _duration(times.pts_s, rate)
        ends_early = () if promised else _ends_early(path, container, float(times.pts_s[0]) + duration_s)
        return FrameIndex(
            pts_s=times.pts_s,
            duration_s=duration_s,
            ticks=times.ticks,
            promised=promised,
            decord=times.ticks is not None
            and not packets.hidden
            and not packets.corrupt
            and promised in (0, len(times.pts_s))
            and _decord_reads(container, stream, len(times.pts_s)),
            warnings=times.warnings + ends_early,
        )


def _scan(container: InputContainer, stream: VideoStream) -> _Packets:
    pts: list[int | None] = []
    dts: list[int | None] = []
    hidden = corrupt = 0
    for packet in demux(container, stream):
        corrupt += packet.is_corrupt
        if packet.is_discard:
            hidden += 1
            continue
        pts.append(packet.pts)
        dts.append(packet.dts)
    return _Packets(pts, dts, hidden, corrupt)


def _guesses_times(container: InputContainer, stream: VideoStream) -> bool:
    """AVI stores no presentation times: ffmpeg takes the order in the file, which B-frames do not keep."""
    return container.format.name == "avi" and bool(stream.codec_context.has_b_frames)


def _times(path: Path, packets: _Packets, base: Fraction, rate: Fraction, *, guessed: bool) -> _Times:
    """Times from the best source there is: presentation, else decoding timestamps, else the nominal rate."""
    if not guessed and (pts := _sorted(packets.pts)) is not None:
        own = bool((np.diff(pts) > 0).all())  # two frames at one time can only be told apart by counting
        return _Times(_seconds(pts, base), pts if own else None, ())
    if (dts := _sorted(packets.dts)) is not None:
        warning = f"{path.name} has no usable presentation timestamps: times follow the order of decoding"
        return _Times(_seconds(dts, base), None, (warning,))
    warning = f"{path.name} lacks timestamps: times are counted at {float(rate):.6g} frames a second"
    start_s = min((tick for tick in packets.pts if tick is not None), default=0) * float(base)
    return _Times(start_s + np.arange(len(packets.pts), dtype=np.float64) / float(rate), None, (warning,))


def _seconds(ticks: NDArray[np.int64], base: Fraction) -> NDArray[np.float64]:
    return (ticks * base.numerator / base.denominator).astype(np.float64)


def _sorted(ticks: list[int | None]) -> NDArray[np.int64] | None:
    """In ascending order; None if one is missing."""
    known = [tick for tick in ticks if tick is not None]
    return np.sort(np.array(known, np.int64)) if len(known) == len(ticks) else None


def _duration(pts_s: NDArray[np.float64], rate: Fraction) -> float:
    """First frame to end of the last, which is taken to last as long as the others on average."""
    span = float(pts_s[-1] - pts_s[0])
    return span * len(pts_s) / (len(pts_s) - 1) if span > 0 else len(pts_s) / float(rate)


def _ends_early(path: Path, container: InputContainer, end_s: float) -> tuple[str, ...]:
    """For containers that count no frames: a header that speaks of a much later end than the last frame's."""
    promised_s = (container.duration or 0) / 1_000_000
    if promised_s <= end_s + max(1.0, 0.02 * promised_s):
        return ()
    return (
        f"the header of {path.name} promises {promised_s:.1f} s, the last frame ends at {end_s:.1f} s; "
        "the file may be cut short",
    )


def _decord_reads(container: InputContainer, stream: VideoStream, frames: int) -> bool:
    context = stream.codec_context
    return (
        container.format.name in DECORD_CONTAINERS
        and len(container.streams.video) == 1
        and stream.codec.canonical_name in DECORD_CODECS
        and frames * context.width * context.height * 3 <= DECORD_BYTES
    )
