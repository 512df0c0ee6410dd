"""From the classified windows of a track to segments: stretches of one expression."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.config import EmotionsParams
from fercli.expressions.gates import doubt
from fercli.expressions.smoothing import UNKNOWN, Run, boundary_s, smooth
from fercli.labels import NOT_ASSESSABLE

UNCERTAIN = "uncertain"
"""Reason of a segment whose score is below `EmotionsParams.abstain`."""
_ROUNDING_S = 1e-6


def make_segments(windows: pa.Table, params: EmotionsParams) -> pa.Table:
    """Smooth each track's windows into the rows of `segments.parquet`, ordered by start and track.

    A segment ends where the face is not detected for `min_segment_s` or longer. One whose score is below
    `params.abstain` is not assessable.
    """
    labels = tables.labels_of(windows.schema)
    start, end = windows["start_s"].to_numpy(), windows["end_s"].to_numpy()
    face = windows["face"].to_numpy()
    reasons = windows["reason"].to_pylist()
    yaw, pitch = windows["yaw"].to_numpy(), windows["pitch"].to_numpy()
    probabilities = np.stack([windows[label].to_numpy() for label in labels], axis=1)

    rows = []
    for track, seen in _stretches(windows, params.min_segment_s):
        runs = smooth(
            probabilities[seen],
            start[seen],
            end[seen],
            mean_segment_s=params.mean_segment_s,
            min_segment_s=params.min_segment_s,
        )
        edges = _edges(runs, probabilities[seen], start[seen], end[seen])
        for run, begin_s, end_s in zip(runs, edges[:-1], edges[1:], strict=True):
            inside = seen[run.first : run.last]
            known = run.label != UNKNOWN
            blamed = [reasons[i] for i in inside if reasons[i]]
            score = _mean(probabilities[inside, run.label], end[inside] - start[inside]) if known else None
            if score is not None and score < params.abstain:
                known, score, blamed = False, None, [UNCERTAIN]
            seen_well = [i for i in inside if not reasons[i]]
            rows.append(
                {
                    "track": track,
                    "start_s": begin_s,
                    "end_s": end_s,
                    "class": labels[run.label] if known else NOT_ASSESSABLE,
                    "score": score,
                    "reason": "" if known else max(sorted(set(blamed)), key=blamed.count),
                    "face": _middle_face(face[inside], start[inside], end[inside]),
                    "doubtful": doubt(yaw[seen_well], pitch[seen_well], params) if known else "",
                }
            )
    rows.sort(key=lambda row: (row["start_s"], row["track"]))
    return pa.Table.from_pylist(rows, schema=tables.SEGMENTS)


def _edges(
    runs: list[Run], probabilities: NDArray[np.float32], start_s: NDArray[np.float64], end_s: NDArray[np.float64]
) -> list[float]:
    """Start of each run of a stretch, and end of the last one, in seconds."""
    edges = [float(start_s[0])]
    for before, after in itertools.pairwise(runs):
        beside = [before.last - 1, after.first]
        if UNKNOWN in (before.label, after.label):
            edges.append(float(start_s[after.first]))
        else:
            both = probabilities[np.ix_(beside, [before.label, after.label])]
            edges.append(boundary_s(both, start_s[beside], end_s[beside]))
    return [*edges, float(end_s[-1])]


def _mean(probabilities: NDArray[np.float32], seconds: NDArray[np.float64]) -> float:
    """Mean over time of the assessable windows."""
    known = np.isfinite(probabilities)
    weight = np.maximum(seconds[known], _ROUNDING_S)
    return float(np.average(probabilities[known], weights=weight))


def _stretches(windows: pa.Table, longest_gap_s: float) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Rows of the windows of each track, in order, split where the face is not detected for that long or longer."""
    start, end, face = (windows[name].to_numpy() for name in ("start_s", "end_s", "face"))
    for track, own in tables.rows_by_value(windows["track"]).items():
        index = own[np.argsort(face[own])]
        unseen_s = start[index][1:] - end[index][:-1]
        for seen in np.split(index, np.flatnonzero(unseen_s >= max(longest_gap_s, _ROUNDING_S)) + 1):
            yield track, seen


def _middle_face(face: NDArray[np.int64], start_s: NDArray[np.float64], end_s: NDArray[np.float64]) -> int:
    middle = (start_s[0] + end_s[-1]) / 2
    return int(face[np.abs(start_s - middle).argmin()])
