"""The probabilities behind the label of a segment, smoothed: what is drawn beside the label.

The label of a segment is decided on all of its windows, and the most probable class of a single window may be another
one. So the windows around a moment are averaged, as far as they lie in the segment.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli.results.details import Details
from fercli.results.model import Segment
from fercli.tables import rows_by_value

AROUND_S = 1.0
"""Windows up to this far from a moment are averaged: together the default mean length of a segment."""


class SmoothedProbabilities:
    """Means over time of the probabilities of each track.

    Args:
        details: its windows.
    """

    def __init__(self, details: Details) -> None:
        self._labels = details.labels
        self._of_track = {
            track: _Windows(details.windows.take(rows), details.labels)
            for track, rows in rows_by_value(details.windows["track"]).items()
        }

    def at(self, segment: Segment, time_s: float) -> NDArray[np.float32] | None:
        """The probabilities beside the label of a predicted segment.

        Returns:
            (C,) mean around the moment; of the whole segment where another class than its label would have most. None
            if there is no such window, or the label is a manual annotation.
        """
        windows = self._of_track.get(segment.track)
        if windows is None or segment.source == "human":
            return None
        begin_s, end_s = max(segment.start_s, time_s - AROUND_S), min(segment.end_s, time_s + AROUND_S)
        near = windows.mean(begin_s, end_s)
        if near is None or self._labels[int(near.argmax())] == segment.emotion:
            return near
        return windows.mean(segment.start_s, segment.end_s)

    def of_windows(self, windows: pa.Table, segments: Sequence[Segment]) -> NDArray[np.float64]:
        """(N, C) probabilities beside the label in the middle of each window; NaN rows where there are none.

        Args:
            windows: as `Details.windows`.
            segments: of all tracks, in any order.
        """
        own: dict[int, list[Segment]] = defaultdict(list)
        for segment in sorted(segments, key=lambda segment: segment.start_s):
            if segment.assessed:
                own[segment.track].append(segment)
        found = np.full((windows.num_rows, len(self._labels)), np.nan)
        middles = (windows["start_s"].to_numpy() + windows["end_s"].to_numpy()) / 2
        for row, (track, middle) in enumerate(zip(windows["track"].to_pylist(), middles.tolist(), strict=True)):
            place = bisect_right(own[track], middle, key=lambda segment: segment.start_s) - 1
            if place >= 0 and middle < own[track][place].end_s:
                beside = self.at(own[track][place], middle)
                found[row] = np.nan if beside is None else beside
        return found


class _Windows:
    """The assessable windows of a track, and their probabilities summed up over time."""

    def __init__(self, windows: pa.Table, labels: tuple[str, ...]) -> None:
        values = np.stack([windows[label].to_numpy() for label in labels], axis=1).astype(np.float64)
        start, end = windows["start_s"].to_numpy(), windows["end_s"].to_numpy()
        known = np.isfinite(values).all(axis=1)
        weights = np.maximum(end - start, 1e-6)[known, None]
        sums = np.cumsum(np.hstack([values[known] * weights, weights]), axis=0)
        self._centres: list[float] = ((start + end) / 2)[known].tolist()
        self._sums = np.concatenate([np.zeros((1, sums.shape[1])), sums])

    def mean(self, begin_s: float, end_s: float) -> NDArray[np.float32] | None:
        """Of the windows whose centres lie in a range, else of the one nearest to its middle; None if there is none."""
        if not self._centres:
            return None
        first, last = bisect_left(self._centres, begin_s), bisect_right(self._centres, end_s)
        if first >= last:
            before, middle = max(first - 1, 0), (begin_s + end_s) / 2
            after = min(first, len(self._centres) - 1)
            first = min(before, after, key=lambda place: abs(self._centres[place] - middle))
            last = first + 1
        total = self._sums[last] - self._sums[first]
        mean: NDArray[np.float32] = (total[:-1] / total[-1]).astype(np.float32)
        return mean
