"""Ratings over time and courses of expressions: the tables of `estimate-valence`."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.chain import VALENCE, needed_for
from fercli.edits.apply import Manual
from fercli.errors import MissingStage
from fercli.expressions.courses import Course
from fercli.expressions.valence import NORMS, RATE_HZ, ratings
from fercli.results.model import Column, Ratings, Segment, Signal
from fercli.table_rules import rules_of
from fercli.workspace import Digests, Workspace
from fercli.workspace.staleness import require_fresh

SERIES = {name: (name, f"{name}_low", f"{name}_high") for name in ("valence", "arousal")} | {
    "intensity": ("intensity",)
}
"""Signal -> its columns: the value, and the ends of its interval."""
_ROUNDING = 1e-6
_COURSE = ("onset_s", "apex_s", "offset_s", "peak")


def load_ratings(
    workspace: Workspace, segments: Sequence[Segment], names: Mapping[int, str], manual: Sequence[Manual] = ()
) -> tuple[Ratings | None, list[Segment], list[str]]:
    """The ratings over time, the segments with their courses, and warnings.

    Args:
        segments: of the result, in its order.
        names: track -> shown name of its person; tracks that are not in it are left out.
        manual: manual annotations, which derived valence and arousal follow.

    Returns:
        None and the segments as they are if `estimate-valence` has not run, or not since the emotions were classified
        again.

    Raises:
        CorruptTable: a table cannot be read.
    """
    receipt = workspace.receipt(VALENCE.name)
    if receipt is None:
        return None, list(segments), []
    try:
        require_fresh(workspace, needed_for(*VALENCE.writes), "valence", Digests(by_receipts=True))
    except MissingStage as error:
        return None, list(segments), [f"valence is left out: {error.message}; {error.hint}"]
    courses = tables.read_table(workspace.table("courses"), tables.COURSES)
    trained = str(receipt.counts.get("trained", "")).split(",")
    warnings = []
    if manual and any(trained):
        named = " and ".join(trained)
        warnings.append(f"{named} of your network do not follow the {len(manual)} manual annotations of emotions")
    by_person: dict[str, list[Manual]] = defaultdict(list)
    for one in manual:
        by_person[one.person].append(one)
    return lambda: _signals(workspace, names, trained, by_person), _with_courses(segments, courses), warnings


def _with_courses(segments: Sequence[Segment], courses: pa.Table) -> list[Segment]:
    """Each predicted segment with its course; what is left of one beside manual annotations only if it has the apex."""
    of_track: dict[int, list[tuple[float, Course]]] = defaultdict(list)
    for row in courses.to_pylist():
        of_track[row["track"]].append((row["start_s"], Course(**{name: row[name] for name in _COURSE})))
    return [_with_course(segment, of_track[segment.track]) for segment in segments]


def _with_course(segment: Segment, courses: list[tuple[float, Course]]) -> Segment:
    place = bisect_right(courses, segment.start_s, key=lambda row: row[0]) - 1
    if segment.source == "human" or not segment.assessed or place < 0:
        return segment
    course = courses[place][1]
    return replace(segment, course=course) if segment.start_s <= course.apex_s < segment.end_s else segment


def _signals(
    workspace: Workspace, names: Mapping[int, str], trained: Sequence[str], manual: Mapping[str, Sequence[Manual]]
) -> Iterator[Signal]:
    """The ratings of each track; one track is held at a time."""
    for part in tables.read_parts(workspace.table("valence"), tables.VALENCE):
        track = part["track"][0].as_py()
        if track not in names:
            continue
        seconds = part["seconds"].to_numpy()
        hit, own = _by_hand(seconds, manual.get(names[track], ()))
        for name, columns in SERIES.items():
            values = np.stack([part[one].to_numpy() for one in columns], axis=1)
            follows = name in own and name not in trained
            if follows:
                values[hit] = own[name]
            yield Signal(
                name=name,
                track=track,
                person=names[track],
                start_s=seconds,
                end_s=seconds + 1 / RATE_HZ,
                columns=tuple(_column(one) for one in columns),
                values=values,
                source="trained" if name in trained else "derived",
                by_hand=_stretches(seconds, hit) if follows else (),
            )


def _by_hand(
    seconds: NDArray[np.float64], manual: Sequence[Manual]
) -> tuple[NDArray[np.bool_], dict[str, NDArray[np.float64]]]:
    """Which moments have a manual annotation, and of these the ratings of its class with the ends of their intervals;
    of several classes the mean, and NaN where the annotation takes the class away."""
    hit, shares = np.zeros(len(seconds), np.bool_), np.zeros((len(seconds), len(NORMS)))
    for one in manual:
        covered = (seconds >= one.start_ms / 1000 - _ROUNDING) & (seconds < one.end_ms / 1000 - _ROUNDING)
        hit |= covered
        if one.emotion in NORMS:
            shares[covered, list(NORMS).index(one.emotion)] += 1
    total = shares[hit].sum(axis=1, keepdims=True)
    classes = np.divide(shares[hit], total, out=np.full((int(hit.sum()), len(NORMS)), np.nan), where=total > 0)
    found = zip(("valence", "arousal"), ratings(classes, tuple(NORMS), np.full(len(classes), np.nan)), strict=True)
    return hit, {name: np.stack([one.values, one.low, one.high], axis=1) for name, one in found}


def _stretches(seconds: NDArray[np.float64], hit: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """Start and end of each run of moments."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], hit, [False]]).astype(np.int8)))
    return tuple(
        (round(float(seconds[first]), 3), round(float(seconds[after - 1]) + 1 / RATE_HZ, 3))
        for first, after in edges.reshape(-1, 2).tolist()
    )


def _column(name: str) -> Column:
    known = rules_of(tables.VALENCE.field(name))
    return Column(name, known["unit"], known["meaning"])
