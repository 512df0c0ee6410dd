"""Time: how long a sampled frame stands for, and how a moment is written for people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def frame_ends(pts_s: NDArray[np.float64], shot_ends_s: NDArray[np.float64], interval_s: float) -> NDArray[np.float64]:
    """When each sampled frame no longer stands for what is on screen.

    That is when the next one is shown, or its shot ends, or after the usual interval: a frame does not stand for long
    where the next one is far away.

    Args:
        pts_s: (N,) presentation timestamps, ascending, seconds.
        shot_ends_s: (N,) end of the shot, or of what is looked at, that each lies in, seconds.
        interval_s: between one sampled frame and the next as a rule, seconds.

    Returns:
        (N,) seconds, none before its own timestamp.
    """
    following = np.append(pts_s[1:], np.inf)[: len(pts_s)]
    ends: NDArray[np.float64] = np.minimum(np.minimum(pts_s + interval_s, following), shot_ends_s)
    return np.maximum(ends, pts_s, out=ends)


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
