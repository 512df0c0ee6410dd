"""Time: how long a sampled frame stands for, and how a moment is written for people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def frame_ends(pts_s: NDArray[np.float64], video_end_s: float) -> NDArray[np.float64]:
    """(N,) when each of the (N,) sampled frames ends, seconds: with the next one, or a median interval later.

    So a frame never reaches into the next shot or past the end of the video, and does not stand for long where the
    next frame is far away.
    """
    interval = float(np.median(np.diff(pts_s))) if len(pts_s) > 1 else np.inf
    following = np.append(pts_s[1:], max(video_end_s, float(pts_s[-1]))) if len(pts_s) else pts_s
    ends: NDArray[np.float64] = np.minimum(pts_s + interval, following)
    return ends


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
