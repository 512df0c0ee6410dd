"""From a track's windows to segments: the most likely run of expressions, given that expressions last a while."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

UNKNOWN = -1


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
        min_segment_s: shorter segments are given to a neighbour, if there is one.

    Returns:
        Runs that cover all N windows in order, neighbours with different labels.
    """
    known = np.asarray(np.isfinite(probabilities).all(axis=1))
    bridged = known.copy()
    for run in _runs(known.astype(int)):
        inside = run.first > 0 and run.last < len(known)
        if run.label == 0 and inside and end_s[run.last - 1] - start_s[run.first] < min_segment_s:
            bridged[run.first : run.last] = True

    evidence = np.where(known[:, None], probabilities, 1.0)
    labels = np.full(len(known), UNKNOWN)
    for run in _runs(bridged.astype(int)):
        if run.label == 1:
            part = slice(run.first, run.last)
            path = most_likely_path(evidence[part], start_s[part], mean_segment_s)
            labels[part] = _without_short_runs(path, evidence[part], start_s[part], end_s[part], min_segment_s)
    return _runs(labels)


def most_likely_path(
    evidence: NDArray[np.float32], start_s: NDArray[np.float64], mean_segment_s: float
) -> NDArray[np.int64]:
    """The Viterbi path (Viterbi 1967; Rabiner 1989, section III.B) through classes that switch at random.

    Time is continuous: an expression ends at the rate 1 / mean_segment_s and becomes each other class equally likely.
    So after d seconds the class is the same with probability 1/C + (1 - 1/C) x, and each other one with (1 - x) / C,
    where x = exp(-d C / ((C - 1) mean_segment_s)) (Norris 1997, Markov Chains, section 2.1). The first is uniform.

    Args:
        evidence: (N, C) likelihood of each class, up to a factor a row; 0 counts as 1e-6.
        start_s: (N,) times, ascending.
        mean_segment_s: above 0; near 0 every window stands for itself, without end all share one class.

    Returns:
        (N,) class indices.
    """
    n, classes = evidence.shape
    log_evidence = np.log(np.maximum(evidence.astype(np.float64), 1e-6))
    came_from = np.zeros((n, classes), dtype=np.int64)
    score = log_evidence[0]
    for i in range(1, n):
        step = max(start_s[i] - start_s[i - 1], 1e-6) * classes / (max(classes - 1, 1) * mean_segment_s)
        best = int(score.argmax())
        staying = score + np.log((1 + (classes - 1) * np.exp(-step)) / classes)
        switching = score[best] + np.log(-np.expm1(-step) / classes)
        came_from[i] = np.where(staying >= switching, np.arange(classes), best)
        score = np.maximum(staying, switching) + log_evidence[i]
    path = np.empty(n, dtype=np.int64)
    path[-1] = int(score.argmax())
    for i in range(n - 1, 0, -1):
        path[i - 1] = came_from[i, path[i]]
    return path


def _without_short_runs(
    path: NDArray[np.int64],
    evidence: NDArray[np.float32],
    start_s: NDArray[np.float64],
    end_s: NDArray[np.float64],
    min_segment_s: float,
) -> NDArray[np.int64]:
    """Give the shortest too short run to the neighbour its windows fit better, until none is left."""
    path = path.copy()
    while True:
        runs = _runs(path)
        lengths = [end_s[run.last - 1] - start_s[run.first] for run in runs]
        shortest = int(np.argmin(lengths))
        if len(runs) == 1 or lengths[shortest] >= min_segment_s:
            return path
        run = runs[shortest]
        neighbours = [runs[i].label for i in (shortest - 1, shortest + 1) if 0 <= i < len(runs)]
        weight = evidence[run.first : run.last].sum(axis=0)
        path[run.first : run.last] = max(neighbours, key=lambda label: weight[label])


def _runs(labels: NDArray[np.int64]) -> list[Run]:
    runs, first = [], 0
    for label, group in groupby(labels.tolist()):
        last = first + len(list(group))
        runs.append(Run(first, last, int(label)))
        first = last
    return runs
