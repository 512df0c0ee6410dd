"""Features and annotations of one person of one video, on common steps: what a network learns from.

Both are averaged onto the steps of a rate by the rules of `features.grid`. A step without features is missing, one
without annotation is not learned from.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fercli.features.file import TrackFeatures
from fercli.features.grid import average_onto, step_edges, steps_between
from fercli.learn.datasets.over_time.recordings import RATED, Recording
from fercli.models.sequence import STATES

LOW, HIGH = 0.25, 0.75
"""An expression rises or falls between these intensities; below is its onset or offset, above its apex."""


@dataclass(frozen=True)
class Series:
    """One person in one video.

    Attributes:
        video, person, split: as in `Recording`.
        start_s: (T,) start of each step, seconds.
        inputs: of each modality (T, D) float32; rows of NaN where it is missing.
        values: (T, K) float32 valence and arousal, or intensity; NaN where it is not annotated.
        labels: (T,) class of each step; -1 where it is not annotated.
        states: (T,) state of the expression, an index of STATES; -1 where it is unknown.
    """

    video: str
    person: str
    split: str
    start_s: NDArray[np.float64]
    inputs: tuple[NDArray[np.float32], ...]
    values: NDArray[np.float32]
    labels: NDArray[np.int64]
    states: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start_s)


@dataclass(frozen=True)
class Target:
    """What is learned.

    Attributes:
        task: one of `models.sequence.TASKS`.
        outputs: names of values, or of classes.
        rate: steps per second.
        bins: classes are that many equal parts of the range of valence; 0 where the set has classes of its own.
    """

    task: str
    outputs: tuple[str, ...]
    rate: float
    bins: int = 0


def join(
    recordings: Sequence[Recording], tracks: Iterable[TrackFeatures], modalities: Sequence[str], target: Target
) -> tuple[list[Series], list[str]]:
    """The series of all recordings that have features, and notes about the others.

    A video belongs to a recording if it has its name, or its name with something behind it (`ID112_vid1_small`). Of
    several persons in a video the one with the recording's name is taken, or else the one with most features.
    """
    by_video: dict[str, list[TrackFeatures]] = defaultdict(list)
    for track in tracks:
        by_video[track.video].append(track)
    series, without, several = [], [], []
    for recording in recordings:
        names = [name for name in by_video if is_name_of(name, recording.video)]
        if len(names) > 1:
            names = [name for name in names if name == recording.video] or names[:1]
        if not names:
            without.append(recording.video)
            continue
        own, others = _of_person(by_video[names[0]], recording.person)
        if others:
            several.append(recording.video)
        made = _series(recording, own, modalities, target)
        if made is not None:
            series.append(made)
    notes = [f"{len(series)} of {len(recordings)} recordings have features and annotations"]
    if without:
        notes.append(f"no features of {len(without)} recordings, such as {without[0]}")
    if several:
        notes.append(f"several persons in {len(several)} videos, such as {several[0]}: the one seen most is used")
    return series, notes


def is_name_of(name: str, video: str) -> bool:
    """Whether a name is that of a video, or begins with it and then something that is no letter or digit."""
    return re.match(re.escape(video) + r"(?![^\W_])", name) is not None


def _of_person(tracks: list[TrackFeatures], person: str) -> tuple[list[TrackFeatures], bool]:
    """The tracks of a person, and whether others had to be told apart by how much is seen of them."""
    seconds: dict[str, float] = defaultdict(float)
    for track in tracks:
        seconds[track.person] += float((track.end_s - track.start_s).sum())
    chosen = person if person in seconds else max(seconds, key=lambda name: seconds[name])
    own = sorted((track for track in tracks if track.person == chosen), key=lambda track: track.start_s[0])
    return own, len(seconds) > 1 and person not in seconds


def _series(
    recording: Recording, tracks: list[TrackFeatures], modalities: Sequence[str], target: Target
) -> Series | None:
    """None if nothing is annotated where anything was measured."""
    times, ends = recording.times_s, _ends(recording.times_s)
    edges = step_edges(steps_between(float(times[0]), float(ends[-1]), target.rate), target.rate)
    starts, stops = (np.concatenate([getattr(track, name) for track in tracks]) for name in ("start_s", "end_s"))
    order = np.argsort(starts, kind="stable")
    inputs = []
    for name in modalities:
        whole = np.concatenate([track.values[name] for track in tracks])[order]
        inputs.append(average_onto(starts[order], stops[order], whole, edges))
    values, labels, states = _annotated(recording, ends, edges, target)
    measured = np.any([np.isfinite(one).all(axis=1) for one in inputs], axis=0)
    if not (measured & (np.isfinite(values).any(axis=1) | (labels >= 0))).any():
        return None
    start_s = edges[0]
    return Series(recording.video, recording.person, recording.split, start_s, tuple(inputs), values, labels, states)


def _annotated(
    recording: Recording,
    ends: NDArray[np.float64],
    edges: tuple[NDArray[np.float64], NDArray[np.float64]],
    target: Target,
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Values, labels and states of each step."""
    unknown = np.full(len(edges[0]), -1, np.int64)
    if target.task == "intensity":
        intensity = intensity_of(recording, (edges[0] + edges[1]) / 2)
        labels = _labels(recording, ends, edges, target.outputs)
        return intensity[:, None].astype(np.float32), labels, states_of(intensity, _apex_place(recording, edges))
    names = target.outputs if target.task == "valence" else RATED[:1]
    columns = [_column(recording, name, ends, edges) for name in names]
    values = np.concatenate(columns, axis=1).astype(np.float32)
    if target.task == "valence":
        return values, unknown, unknown
    labels = binned(values[:, 0], target.bins) if target.bins else _labels(recording, ends, edges, target.outputs)
    return values, labels, unknown


def _column(
    recording: Recording, name: str, ends: NDArray[np.float64], edges: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> NDArray[np.float32]:
    if name not in recording.values:
        return np.full((len(edges[0]), 1), np.nan, np.float32)
    return average_onto(recording.times_s, ends, recording.values[name][:, None], edges)


def _labels(
    recording: Recording,
    ends: NDArray[np.float64],
    edges: tuple[NDArray[np.float64], NDArray[np.float64]],
    classes: tuple[str, ...],
) -> NDArray[np.int64]:
    """The class that takes most of each step; -1 where less than half of it has one."""
    if recording.labels is None:
        return np.full(len(edges[0]), -1, np.int64)
    shares = np.stack([recording.labels == name for name in classes], axis=1).astype(np.float64)
    shares[~shares.any(axis=1)] = np.nan
    found = average_onto(recording.times_s, ends, shares, edges)
    return np.where(np.isfinite(found).all(axis=1), np.nan_to_num(found).argmax(axis=1), -1)


def binned(values: NDArray[np.floating], bins: int) -> NDArray[np.int64]:
    """(T,) number of the equal part of [-1, 1] that holds each value; -1 for NaN."""
    places = np.clip(np.floor((np.nan_to_num(values) + 1) / 2 * bins), 0, bins - 1).astype(np.int64)
    return np.where(np.isfinite(values), places, -1)


def bin_names(bins: int) -> tuple[str, ...]:
    """Names of these parts."""
    if bins == 3:
        return ("negative", "neutral", "positive")
    edges = np.linspace(-1, 1, bins + 1)
    return tuple(f"{low:+.2f} to {high:+.2f}" for low, high in pairwise(edges.tolist()))


def intensity_of(recording: Recording, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T,) intensity in [0, 1]: 0 up to the onset, rising to 1 at the apex, falling to 0 at the offset; NaN without an
    apex. Where the clip ends with the apex, it does not fall."""
    course = recording.course
    if course is None or course.apex_s is None:
        return np.full(len(times_s), np.nan)
    places, heights = [course.onset_s, course.apex_s], [0.0, 1.0]
    if course.offset_s > course.apex_s:
        places, heights = [*places, course.offset_s], [*heights, 0.0]
    return np.interp(times_s, places, heights)


def states_of(intensity: NDArray[np.float64], apex: int) -> NDArray[np.int64]:
    """(T,) state of each step of an expression whose apex is at a step; -1 without intensity."""
    before = np.arange(len(intensity)) <= apex
    level = np.digitize(np.nan_to_num(intensity), [LOW, HIGH])  # 0, 1 or 2
    states = np.where(before, level, len(STATES) - 1 - level)
    return np.where(np.isfinite(intensity), states, -1)


def _apex_place(recording: Recording, edges: tuple[NDArray[np.float64], NDArray[np.float64]]) -> int:
    course = recording.course
    if course is None or course.apex_s is None:
        return 0
    return int(np.searchsorted(edges[1], course.apex_s, side="right"))


def _ends(times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """A value holds until the next; the last as long as is usual."""
    steps = np.diff(times_s)
    usual = float(np.median(steps)) if len(steps) else 1.0
    return np.append(times_s[1:], times_s[-1] + usual)
