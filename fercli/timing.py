"""Time: how long a sampled frame stands for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def frame_ends(pts_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) when each of the (N,) sampled frames ends, seconds: with the next one, or a median interval later.

    So a frame never reaches into the next shot, and does not stand for long where the next frame is far away.
    """
    interval = float(np.median(np.diff(pts_s))) if len(pts_s) > 1 else 0.0
    ends: NDArray[np.float64] = np.minimum(pts_s + interval, np.append(pts_s[1:], np.inf))
    return ends
