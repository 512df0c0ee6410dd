"""Time: which time a sampled frame represents, and times as text."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def frame_ends(
    pts_s: NDArray[np.float64], due_s: NDArray[np.float64], shot_ends_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """End of the time that each sampled frame represents.

    This is the time of the next sampled frame or the end of the shot; or, if frames cannot be decoded, the time at
    which the next one should have been shown.

    Args:
        pts_s: (N,) presentation timestamps, ascending, seconds.
        due_s: (N,) latest time of the next sampled frame after each, seconds. A still picture has no frame until then.
        shot_ends_s: (N,) end of the shot, or of the analysed stretch, of each frame, seconds.

    Returns:
        (N,) seconds, none before its own timestamp.
    """
    following = np.append(pts_s[1:], np.inf)[: len(pts_s)]
    ends: NDArray[np.float64] = np.minimum(np.minimum(due_s, following), shot_ends_s)
    return np.maximum(ends, pts_s, out=ends)


def seen_until(pts_s: NDArray[np.float64], ends_s: NDArray[np.float64], interval_s: float) -> NDArray[np.float64]:
    """Last time at which each frame would have been sampled, if a still picture were sampled repeatedly.

    So there is no gap between a still picture of ten seconds and the next frame.

    Args:
        pts_s, ends_s: (N,) sampled frames represent [pts_s, ends_s), seconds.
        interval_s: result of `usual_interval`. Below 1.5 intervals a frame is not a still picture, because the spacing
            is uneven.

    Returns:
        (N,) seconds, none before the frame's own timestamp.
    """
    return np.where(ends_s - pts_s > 1.5 * interval_s, ends_s - interval_s, pts_s)


def usual_interval(pts_s: NDArray[np.float64]) -> float:
    """Usual sampling interval, seconds: the median; 0 for less than two frames."""
    return float(np.median(np.diff(pts_s))) if len(pts_s) > 1 else 0.0


def outside(start: float, end: float, holes: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The parts of [start, end) outside the holes, in order."""
    left = []
    for hole_start, hole_end in sorted(holes):
        if hole_start < end and start < hole_end:
            if start < hole_start:
                left.append((start, hole_start))
            start = max(start, hole_end)
    return [*left, (start, end)] if start < end else left


def clock(time_s: float, *, tenths: bool = False) -> str:
    """`m:ss`, from an hour on `h:mm:ss`, as in a player: seconds are rounded down.

    Args:
        tenths: rounded to a tenth of a second, `m:ss.s`.
    """
    ticks = round(abs(time_s) * 10) if tenths else int(abs(time_s)) * 10
    minutes, ticks = divmod(ticks, 600)
    hours, minutes = divmod(minutes, 60)
    front = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    seconds = f"{ticks / 10:04.1f}" if tenths else f"{ticks // 10:02d}"
    return f"{'-' if time_s < 0 else ''}{front}:{seconds}"


def parse_time(text: str) -> float:
    """Seconds from `90`, `1:30` or `1:02:03`.

    Raises:
        ValueError: anything else.
    """
    parts = [float(part) for part in text.split(":")]
    if len(parts) > 3 or any(not 0 <= part < float("inf") for part in parts):
        raise ValueError(text)
    seconds = 0.0
    for part in parts:
        seconds = seconds * 60 + part
    return seconds
