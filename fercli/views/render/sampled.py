"""The sampled frames, and the time for which each represents the video."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sampled:
    """The sampled frames of a video, n of them, ascending.

    Attributes:
        frame: their numbers in the video; (n,).
        pts_s: their times, seconds; float64 (n,).
        shot: the shot of each; (n,).
        ends_s: end of the time that each represents, seconds; float64 (n,).
    """

    frame: NDArray[np.int32]
    pts_s: NDArray[np.float64]
    shot: NDArray[np.int32]
    ends_s: NDArray[np.float64]

    @classmethod
    def of(cls, frames: pa.Table) -> Sampled:
        """From the table `frames`."""
        return cls(*(frames[name].to_numpy() for name in ("frame", "pts_s", "shot", "end_s")))

    @property
    def cuts_s(self) -> list[float]:
        """Times of the first sampled frame of each shot except the first, seconds."""
        cuts: list[float] = self.pts_s[1:][np.diff(self.shot) != 0].tolist()
        return cuts

    def places(self, frame: NDArray[np.int32]) -> NDArray[np.int64]:
        """Position among the sampled frames of each frame number, all of which were sampled."""
        return np.searchsorted(self.frame, frame)

    def searched(self, time_s: float, max_gap_s: float) -> bool:
        """Whether sampling was dense enough at this time to know the positions of faces.

        That is in a sampled frame, and between two that are less than `max_gap_s` apart and in the same shot or in one
        and the next: a shot without a sampled frame may show any face. It is false before the first sampled frame, and
        from `max_gap_s` after the last one on.
        """
        before = int(np.searchsorted(self.pts_s, time_s, side="right")) - 1
        if before < 0:
            return False
        if self.pts_s[before] == time_s:
            return True
        if before + 1 == len(self.pts_s):
            return bool(time_s - self.pts_s[before] < max_gap_s)
        gap_s = self.pts_s[before + 1] - self.pts_s[before]
        return bool(gap_s < max_gap_s and self.shot[before + 1] - self.shot[before] <= 1)

    def reach(self, first: int, last: int, margin_s: float) -> tuple[float, float]:
        """Longest time for which a face detected in sampled frames `first` to `last` may be on screen.

        It extends to the sampled frames before and after, in which it was not detected, and at least `margin_s` to each
        side, but not beyond a sampled frame of another shot.

        Returns:
            A half-open range, seconds.
        """
        begin, end = np.searchsorted(self.shot, [self.shot[first], self.shot[first] + 1])
        from_s, until_s = self.pts_s[first] - margin_s, max(self.pts_s[last] + margin_s, self.ends_s[last])
        if first:
            from_s = min(from_s, self.pts_s[first - 1])
        if last + 1 < len(self.pts_s):
            until_s = max(until_s, self.pts_s[last + 1])
        if begin:
            from_s = max(from_s, np.nextafter(self.pts_s[begin - 1], np.inf))
        if end < len(self.pts_s):
            until_s = min(until_s, self.pts_s[end])
        return float(from_s), float(until_s)
