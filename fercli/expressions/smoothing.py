"""From a track's windows to segments: the most likely sequence of expressions, for expressions of a given mean length.

All quantities are per second and not per window, so that the segments do not depend on the sampling rate: a second of
video is the same amount of evidence for any number of windows, and a switch costs the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1
EVIDENCE_PER_S = 5.0
"""Independent observations in a second of video. Neighbouring frames show the same expression, so more windows are not
more evidence; at the default sampling rate and stride there are five windows a second."""
CONTRADICTION = 0.5
"""A label is not kept over `min_segment_s` in which another class is more probable by more than this on average."""

LONG_S = 1.2
"""A longer window is a still picture or sparsely sampled: probabilities do not change linearly over it."""


@dataclass(frozen=True)
class Run:
    """Windows [first, last) of a track that share a class; `label` is an index, or UNKNOWN for not assessable."""

    first: int
    last: int
    label: int


def smooth(
    probabilities: NDArray[np.float32],
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
    *,
    mean_segment_s: float,
    min_segment_s: float,
) -> list[Run]:
    """Segments of one track.

    Windows that could not be assessed (NaN rows) split a track, unless they last less than `min_segment_s`: then they
    are bridged as windows without evidence.

    Args:
        probabilities: (N, C), rows summing to 1, or NaN.
        start_s, end_s: (N,) windows [start, end) in order.
        mean_segment_s: expected length of a segment.
        min_segment_s: shorter segments are merged with a neighbour, if there is one and the result does not contradict
            the probabilities, see CONTRADICTION.

    Returns:
        Runs that cover all N windows in order, neighbours with different labels.
    """
    known = np.asarray(np.isfinite(probabilities).all(axis=1))
    bridged = known.copy()
    for run in _runs(known.astype(int)):
        inside = run.first > 0 and run.last < len(known)
        if run.label == 0 and inside and end_s[run.last - 1] - start_s[run.first] < min_segment_s:
            bridged[run.first : run.last] = True

    labels = np.full(len(known), UNKNOWN)
    for run in _runs(bridged.astype(int)):
        if run.label == 1:
            part = slice(run.first, run.last)
            labels[part] = _smooth_stretch(
                probabilities[part], start_s[part], end_s[part], mean_segment_s, min_segment_s
            )
    return _runs(labels)


def most_likely_path(
    evidence: NDArray[np.float32], seconds: NDArray[np.float64], mean_segment_s: float
) -> NDArray[np.int64]:
    """The Viterbi path (Viterbi 1967; Rabiner 1989, section III.B) of a Markov chain of classes.

    The score of a path is the sum of seconds * EVIDENCE_PER_S * log(evidence) of its windows, minus log(mean_segment_s
    * EVIDENCE_PER_S * (C - 1)) for each switch. With windows of 1 / EVIDENCE_PER_S seconds this is the Markov chain in
    which a class is left at the rate 1 / mean_segment_s and all others are equally likely to follow; other windows are
    weighted by their length.

    Args:
        evidence: (N, C) likelihood of each class, up to a factor per row; 0 counts as 1e-6.
        seconds: (N,) length of each window, 0 or more.
        mean_segment_s: above 0; near 0 every window is independent, at infinity all have the same class.

    Returns:
        (N,) class indices.
    """
    n, classes = evidence.shape
    weight = EVIDENCE_PER_S * seconds[:, None]
    log_evidence = weight * np.log(np.maximum(evidence.astype(np.float64), 1e-6))
    cost = max(0.0, math.log(mean_segment_s * EVIDENCE_PER_S * max(classes - 1, 1)))
    came_from = np.zeros((n, classes), dtype=np.int64)
    score = log_evidence[0]
    for i in range(1, n):
        best = int(score.argmax())
        switching = score[best] - cost
        came_from[i] = np.where(score >= switching, np.arange(classes), best)
        score = np.maximum(score, switching) + log_evidence[i]
    path = np.empty(n, dtype=np.int64)
    path[-1] = int(score.argmax())
    for i in range(n - 1, 0, -1):
        path[i - 1] = came_from[i, path[i]]
    return path


def boundary_s(probabilities: NDArray[np.float32], start_s: NDArray[np.float64], end_s: NDArray[np.float64]) -> float:
    """Time of the change from one class to another, finer than windows: where their probabilities cross between two
    centres.

    Args:
        probabilities: (2, 2) probabilities of the ending and the beginning class, in the last window of the first and
            in the first window of the second.
        start_s, end_s: (2,) of these windows, the second after the first.

    Returns:
        A time between the centres; or the edge between the windows if the probabilities do not cross or are unknown, if
        the face was not detected in between, or if a window is longer than LONG_S.
    """
    before, after = probabilities[:, 0] - probabilities[:, 1]
    if (end_s - start_s).max() > LONG_S or start_s[1] != end_s[0] or not (before >= 0 >= after and before > after):
        return float(start_s[1])
    centres = (start_s + end_s) / 2
    return float(centres[0] + (centres[1] - centres[0]) * before / (before - after))


class _Sums:
    """Mean probabilities over any span of a stretch of windows; spans are counted in seconds with evidence."""

    def __init__(self, probabilities: NDArray[np.float32], seconds: NDArray[np.float64]) -> None:
        known = np.asarray(np.isfinite(probabilities).all(axis=1))
        weight = np.where(known, seconds, 0.0)
        mass = weight[:, None] * np.where(known[:, None], probabilities, 0.0)
        self._seconds = np.concatenate([[0.0], np.cumsum(weight)])
        self._mass = np.concatenate([np.zeros((1, mass.shape[1])), np.cumsum(mass, axis=0)])

    def contradiction(self, run: Run, length_s: float) -> tuple[int, int, int] | None:
        """Where a run is contradicted most: first and end (exclusive) of the windows, and the contradicting class.

        A run is contradicted if the mean probability of its label over `length_s`, or over all of a shorter run,
        is below that of another class by more than CONTRADICTION. None if there is no such place.
        """
        begin, end = self._seconds[run.first], self._seconds[run.last]
        length = min(length_s, end - begin)
        if length <= 0:
            return None
        # The mean over a sliding span is linear between these ends, so its extremes are among them.
        edges = self._seconds[run.first : run.last + 1]
        ends = np.unique(np.clip(np.concatenate([edges, edges + length]), begin + length, end))
        means = (self._mass_at(ends) - self._mass_at(ends - length)) / length
        excess = means - means[:, [run.label]]
        place, other = np.unravel_index(excess.argmax(), excess.shape)
        if excess[place, other] <= CONTRADICTION:
            return None
        first = int(np.searchsorted(self._seconds, ends[place] - length, side="right")) - 1
        last = int(np.searchsorted(self._seconds, ends[place], side="left"))
        return max(first, run.first), min(last, run.last), int(other)

    def _mass_at(self, moments: NDArray[np.float64]) -> NDArray[np.float64]:
        """(M, C) probability of each class, integrated up to each of (M,) times, seconds."""
        index = np.clip(np.searchsorted(self._seconds, moments, side="right") - 1, 0, len(self._seconds) - 2)
        length = self._seconds[index + 1] - self._seconds[index]
        share = np.divide(moments - self._seconds[index], length, out=np.zeros_like(moments), where=length > 0)
        mass: NDArray[np.float64] = self._mass[index] + share[:, None] * (self._mass[index + 1] - self._mass[index])
        return mass


def _smooth_stretch(
    probabilities: NDArray[np.float32],
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
    mean_segment_s: float,
    min_segment_s: float,
) -> NDArray[np.int64]:
    """(N,) label of each window of a stretch in which at most single windows could not be assessed (NaN rows)."""
    known = np.asarray(np.isfinite(probabilities).all(axis=1))
    evidence = np.where(known[:, None], probabilities, 1.0)
    seconds = np.maximum(end_s - start_s, 0)
    sums = _Sums(probabilities, seconds)
    labels = most_likely_path(evidence, seconds, mean_segment_s)
    labels = _without_short_runs(labels, evidence, sums, start_s, end_s, min_segment_s)
    labels = _without_contradictions(labels, evidence, sums, min_segment_s)
    return _without_short_runs(labels, evidence, sums, start_s, end_s, min_segment_s)


def _without_short_runs(
    labels: NDArray[np.int64],
    evidence: NDArray[np.float32],
    sums: _Sums,
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
    min_segment_s: float,
) -> NDArray[np.int64]:
    """Merge short runs, the shortest first, with the neighbour that fits better, unless that is a contradiction.

    Afterwards no short run can be merged any more.
    """
    labels = labels.copy()
    runs = _runs(labels)
    while len(runs) > 1:
        lengths = [end_s[run.last - 1] - start_s[run.first] for run in runs]
        short = [place for place in np.argsort(lengths, kind="stable") if lengths[place] < min_segment_s]
        joined = next((new for place in short if (new := _join(runs, int(place), evidence, sums, min_segment_s))), None)
        if joined is None:
            return labels
        labels[joined.first : joined.last] = joined.label
        runs = _runs(labels)
    return labels


def _join(runs: list[Run], place: int, evidence: NDArray[np.float32], sums: _Sums, min_segment_s: float) -> Run | None:
    """A run merged with the neighbour that fits better, or else with the other; None if both contradict it."""
    run = runs[place]
    weight = evidence[run.first : run.last].sum(axis=0)
    beside = [runs[k] for k in (place - 1, place + 1) if 0 <= k < len(runs)]
    for neighbour in sorted(beside, key=lambda other: -weight[other.label]):
        first, last = place, place
        while first > 0 and runs[first - 1].label == neighbour.label:
            first -= 1
        while last + 1 < len(runs) and runs[last + 1].label == neighbour.label:
            last += 1
        joined = Run(runs[first].first, runs[last].last, neighbour.label)
        if sums.contradiction(joined, min_segment_s) is None:
            return joined
    return None


def _without_contradictions(
    labels: NDArray[np.int64], evidence: NDArray[np.float32], sums: _Sums, min_segment_s: float
) -> NDArray[np.int64]:
    """Where another class is clearly more probable than the label, use it as far as it is the more probable one.

    Every such change raises the summed probability of the labels, so the loop terminates.
    """
    labels, waiting = labels.copy(), _runs(labels)
    while waiting:
        changed = [new for run in waiting for new in _split(run, labels, evidence, sums, min_segment_s)]
        # A new run may continue an existing one, so the merged run is checked again.
        waiting = [run for run in _runs(labels) if any(run.first <= new.first < run.last for new in changed)]
    return labels


def _split(
    run: Run, labels: NDArray[np.int64], evidence: NDArray[np.float32], sums: _Sums, min_segment_s: float
) -> list[Run]:
    """Relabel the most contradicted windows of a run in `labels`; returns its new parts, none if nothing changed."""
    found = sums.contradiction(run, min_segment_s)
    if found is None:
        return []
    first, last, other = found
    lead = evidence[:, other] - evidence[:, run.label]
    first = last = first + int(lead[first:last].argmax())
    while first > run.first and lead[first - 1] > 0:
        first -= 1
    while last < run.last and lead[last] > 0:
        last += 1
    labels[first:last] = other
    parts = (Run(run.first, first, run.label), Run(first, last, other), Run(last, run.last, run.label))
    return [part for part in parts if part.first < part.last]


def _runs(labels: NDArray[np.int64]) -> list[Run]:
    runs, first = [], 0
    for label, group in groupby(labels.tolist()):
        last = first + len(list(group))
        runs.append(Run(first, last, int(label)))
        first = last
    return runs
