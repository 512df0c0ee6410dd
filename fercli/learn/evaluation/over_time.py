"""Scores of classes over time: not only each moment, but whole segments and their order.

A segment is a run of moments of one class. Without a class (-1), a moment belongs to none. Lea et al. 2017, "Temporal
Convolutional Networks for Action Segmentation and Detection", arXiv 1611.05267, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.learn.evaluation import metrics

OVERLAPS = (0.10, 0.25, 0.50)
Labels = NDArray[np.int64]
Runs = list[tuple[int, int, int]]
"""Class, start and end of each segment, [start, end)."""


@dataclass(frozen=True)
class ClassScores:
    """Scores over some videos.

    Attributes:
        n: moments that have a class.
        accuracy, macro_f1, weighted_f1: of the moments, in [0, 1]; see `metrics`.
        segment_f1: F1 of the segments at each of OVERLAPS, in [0, 1].
        edit: mean over the videos of the edit score of the order of segments, in [0, 1].
    """

    n: int
    accuracy: float
    macro_f1: float
    weighted_f1: float
    segment_f1: tuple[float, ...]
    edit: float


def class_scores(pairs: Sequence[tuple[Labels, Labels]], n_classes: int) -> ClassScores:
    """Scores of the (T,) predicted and (T,) true classes of each video.

    Raises:
        ValueError: no moment has a class.
    """
    pairs = [_known(*pair) for pair in pairs]
    pairs = [pair for pair in pairs if len(pair[1])]
    if not pairs:
        raise ValueError("no moment has a class")
    predicted, truth = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    matrix = metrics.confusion(truth, predicted, n_classes)
    return ClassScores(
        len(truth),
        metrics.accuracy(matrix),
        metrics.macro_f1(matrix),
        metrics.weighted_f1(matrix),
        tuple(segment_f1(pairs, overlap) for overlap in OVERLAPS),
        float(np.mean([edit_score(*pair) for pair in pairs])),
    )


def segments_of(labels: Labels) -> Runs:
    """The runs of (T,) classes."""
    if not len(labels):
        return []
    edges = np.flatnonzero(np.diff(labels)) + 1
    starts, ends = [0, *edges.tolist()], [*edges.tolist(), len(labels)]
    return [(int(labels[start]), start, end) for start, end in zip(starts, ends, strict=True)]


def segment_f1(pairs: Sequence[tuple[Labels, Labels]], overlap: float) -> float:
    """2 TP / (2 TP + FP + FN) over the segments of all videos, in [0, 1].

    A predicted segment is a true positive if it overlaps a true one of its class by at least `overlap`, intersection
    over union, that no other has taken.

    Args:
        pairs: (T,) predicted and (T,) true classes of each video.
    """
    hits = predicted_count = true_count = 0
    for predicted, truth in pairs:
        found, wanted = segments_of(predicted), segments_of(truth)
        predicted_count, true_count = predicted_count + len(found), true_count + len(wanted)
        taken: set[int] = set()
        for segment in found:
            overlaps = [_overlap(segment, other) for other in wanted]
            best = int(np.argmax(overlaps))
            if overlaps[best] >= overlap and best not in taken:
                taken.add(best)
                hits += 1
    return 2 * hits / (predicted_count + true_count)


def edit_score(predicted: Labels, truth: Labels) -> float:
    """1 - edits / number of segments of the longer one, in [0, 1]: how well the order of the classes fits.

    Edits are those that turn one order into the other: a segment more, less, or of another class (Levenshtein).
    """
    one, other = ([label for label, _, _ in segments_of(labels)] for labels in (predicted, truth))
    costs = list(range(len(other) + 1))
    for row, label in enumerate(one, start=1):
        before, costs = costs, [row]
        for column, wanted in enumerate(other, start=1):
            costs.append(min(before[column] + 1, costs[-1] + 1, before[column - 1] + (label != wanted)))
    return 1 - costs[-1] / max(len(one), len(other), 1)


def _overlap(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Intersection over union of two segments; 0 if their classes differ."""
    if one[0] != other[0]:
        return 0.0
    shared = max(0, min(one[2], other[2]) - max(one[1], other[1]))
    return shared / (max(one[2], other[2]) - min(one[1], other[1])) if shared else 0.0


def _known(predicted: Labels, truth: Labels) -> tuple[Labels, Labels]:
    known = truth >= 0
    return predicted[known], truth[known]
