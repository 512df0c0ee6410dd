"""Time: how long a sampled frame stands for, and how a moment is written for people."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def frame_ends(
    pts_s: NDArray[np.float64], due_s: NDArray[np.float64], shot_ends_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """When each sampled frame no longer stands for what is on screen.

    That is when the next one is shown, or its shot ends; or when the next one should have been shown, if frames that
    the video has cannot be decoded.

    Args:
        pts_s: (N,) presentation timestamps, ascending, seconds.
        due_s: (N,) when the video shows the first frame that is to be sampled after each at the latest, seconds. A
            frame that is held for long is followed by nothing until then.
        shot_ends_s: (N,) end of the shot, or of what is looked at, that each lies in, seconds.

    Returns:
        (N,) seconds, none before its own timestamp.
    """
    following = np.append(pts_s[1:], np.inf)[: len(pts_s)]
    ends: NDArray[np.float64] = np.minimum(np.minimum(due_s, following), shot_ends_s)
    return np.maximum(ends, pts_s, out=ends)


def seen_until(pts_s: NDArray[np.float64], ends_s: NDArray[np.float64], interval_s: float) -> NDArray[np.float64]:
    """When each frame would have been sampled for the last time, if one that is held were sampled again while it lasts.

    So the next frame follows a picture that stood for ten seconds, and there is no gap between them.

    Args:
        pts_s, ends_s: (N,) sampled frames stand for [pts_s, ends_s), seconds.
        interval_s: as `usual_interval` gives it. What stands less than half as long again is not held: frames lie
            unevenly.

    Returns:
        (N,) seconds, none before the frame's own timestamp.
    """
    return np.where(ends_s - pts_s > 1.5 * interval_s, ends_s - interval_s, pts_s)


def usual_interval(pts_s: NDArray[np.float64]) -> float:
    """From one sampled frame to the next as a rule, seconds: the median; 0 if there is only one, or none."""
    return float(np.median(np.diff(pts_s))) if len(pts_s) > 1 else 0.0


def outside(start: float, end: float, holes: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """What is left of [start, end) outside the holes, in order."""
    left = []
    for hole_start, hole_end in sorted(holes):
        if hole_start < end and start < hole_end:
            if start < hole_start:
                left.append((start, hole_start))
            start = max(start, hole_end)
    return [*left, (start, end)] if start < end else left


def clock(time_s: float, *, tenths: bool = False) -> str:
    """`m:ss`, from an hour on `h:mm:ss`, as a player shows it: a second is counted when it is over.

    Args:
        tenths: rounded to a tenth of a second and written with it, `m:ss.s`.
    """
    ticks = round(abs(time_s) * 10) if tenths else int(abs(time_s)) * 10
    minutes, ticks = divmod(ticks, 600)
    hours, minutes = divmod(minutes, 60)
    front = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    seconds = f"{ticks / 10:04.1f}" if tenths else f"{ticks // 10:02d}"
    return f"{'-' if time_s < 0 else ''}{front}:{seconds}"
