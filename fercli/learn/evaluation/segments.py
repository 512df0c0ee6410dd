"""Scores of exported segments against manual labels of the same video.

Time is cut into steps of 10 ms; a step has the label of the span at its middle. Only steps that are labelled in the
truth are scored; annotations at other times, and of persons that are not in the truth, are ignored.

A scored step without annotation, or with `not assessable`, is *missed*: it counts as wrong in the accuracy, lowers
recall and so F1 of its true class, and is a separate class in kappa, which the truth never has. The coverage is the
share that was not missed. Of overlapping segments of one annotated person, the one with the higher score is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError
from fercli.formats.annotations import LASTING_S, MOMENT_MS, Label, Video
from fercli.formats.reading import read_annotations
from fercli.labels import EMOTIONS_8
from fercli.learn.evaluation import metrics
from fercli.learn.evaluation.truth import labels_of, read_truth

STEP_MS = MOMENT_MS
OVERLAPS = (10, 25, 50)
"""Percent of intersection over union from which on a segment counts as found."""
NOTHING = -1
"""Class of a step without a label."""

Timeline = NDArray[np.int64]
"""(T,) index into the classes for each step of 10 ms; NOTHING if there is none."""
Pairs = Sequence[tuple[Timeline, Timeline]]
"""True and annotated timeline of each person, equally long."""


@dataclass(frozen=True)
class Agreement:
    """Scores over the labelled time of the truth; formulas in `fercli.learn.evaluation.metrics` and `segment_f1`.

    Attributes:
        seconds: labelled time.
        coverage: share of it in which the annotation has an emotion, in [0, 1].
        accuracy: share of it with the true emotion, in [0, 1].
        kappa: agreement beyond chance, in [-1, 1]; None if both are always the same single class.
        macro_f1: mean F1 of the true classes, in [0, 1].
        segment_f1: percent of overlap -> F1 of the segments, in [0, 1].
        confusion: (C, C + 1) seconds; row the true class, column the annotated one, the last the missed time.
    """

    seconds: float
    coverage: float
    accuracy: float
    kappa: float | None
    macro_f1: float
    segment_f1: dict[int, float]
    confusion: NDArray[np.float64]

    def as_json(self) -> dict[str, Any]:
        """As JSON types."""
        overlaps = {str(percent): score for percent, score in self.segment_f1.items()}
        return {**asdict(self), "segment_f1": overlaps, "confusion": self.confusion.tolist()}


@dataclass(frozen=True)
class PersonAgreement:
    """Scores of one person.

    Attributes:
        truth: name in the truth, empty if it names no person.
        annotated: name in the annotation; None if it has no person at the labelled time.
        matched_by: `name` if the two names are the same; else `overlap`, or empty if there is none.
        agreement: the scores.
    """

    truth: str
    annotated: str | None
    matched_by: str
    agreement: Agreement


@dataclass(frozen=True)
class SegmentScores:
    """Agreement of an annotation with the truth.

    Attributes:
        classes: classes of either, in canonical order.
        overall: scores over the steps and segments of all persons.
        persons: each person of the truth.
        unscored: annotated persons that are not in the truth.
    """

    classes: tuple[str, ...]
    overall: Agreement
    persons: tuple[PersonAgreement, ...]
    unscored: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Classes, overall scores, scores of each of the `persons`, and unscored persons."""
        persons = [
            {"truth": p.truth, "annotated": p.annotated, "matched_by": p.matched_by, **p.agreement.as_json()}
            for p in self.persons
        ]
        return {
            "classes": list(self.classes),
            **self.overall.as_json(),
            "persons": persons,
            "unscored": list(self.unscored),
        }


def score_files(
    annotations: Path, truth: Path, lasting_s: float = LASTING_S, notes: list[str] | None = None
) -> SegmentScores:
    """`score_segments` of two files.

    Args:
        annotations, truth: files; the truth may also be a workspace.
        lasting_s: longest duration of labels without an end, seconds; 0 compares only at their moments.
        notes: list to which messages about skipped or assumed parts are added.

    Raises:
        DatasetError: as `read_labels` and `read_truth`.
    """
    found = read_annotations(annotations, lasting_s=lasting_s)
    if notes is not None:
        notes += found.notes
    video = Video(found.media[0] if found.media else "", found.video_end_s)
    return score_segments(read_truth(truth, video, lasting_s, notes), labels_of(found))


def score_segments(truth: Sequence[Label], annotated: Sequence[Label]) -> SegmentScores:
    """Score an annotation, person by person.

    Persons with the same name (ignoring case) are matched. The others are assigned one to one so that the common
    labelled time is maximal and, in case of ties, the agreement (Kuhn 1955, doi 10.1002/nav.3800020109). This
    overestimates the agreement if two persons are always visible together: name them.

    Args:
        truth: at least one span, no two emotions of a person at once.
        annotated: any spans, even none.

    Raises:
        DatasetError: the truth has no labelled step.
    """
    classes = tuple(name for name in EMOTIONS_8 if any(span.emotion == name for span in (*truth, *annotated)))
    edges = [_steps(span) for span in truth]
    window = min(start for start, _ in edges), max(end for _, end in edges)
    true_lines = {name: line for name, line in _timelines(truth, classes, window).items() if (line != NOTHING).any()}
    if not true_lines:
        raise DatasetError(
            f"nothing in the truth is labelled for {STEP_MS} ms", hint="its times are in seconds", code="labels-missing"
        )
    lines = _timelines(annotated, classes, window)
    partners = _match(true_lines, lines)
    nobody = np.full(window[1] - window[0], NOTHING)
    pairs = [
        (true_lines[name], nobody if partner is None else lines[partner]) for name, (partner, _) in partners.items()
    ]
    persons = tuple(
        PersonAgreement(name, partner, matched_by, _agreement([pair], len(classes)))
        for (name, (partner, matched_by)), pair in zip(partners.items(), pairs, strict=True)
    )
    scored = {person.annotated for person in persons}
    return SegmentScores(
        classes, _agreement(pairs, len(classes)), persons, tuple(name for name in lines if name not in scored)
    )


def segment_f1(pairs: Pairs, percent: int) -> float:
    """F1@percent of temporal action segmentation, in [0, 1] (Lea et al. 2017, arXiv 1611.05267).

    A segment is a run of steps of one class. An annotated one is a true positive if the true segment of its class with
    which its intersection over union is largest reaches `percent`, and no earlier one has found that already.
    F1 = 2 TP / (true segments + annotated segments), counted over all pairs. Annotations are cut to the labelled time.
    """
    hits = segments = 0
    for true_line, line in pairs:
        true, found = _runs(true_line), _runs(np.where(true_line == NOTHING, NOTHING, line))
        hits += _hits(true, found, percent / 100)
        segments += len(true) + len(found)
    return 2 * hits / segments


def _hits(true: NDArray[np.int64], found: NDArray[np.int64], overlap: float) -> int:
    used: set[int] = set()
    for start, end, emotion in found:
        intersection = np.minimum(end, true[:, 1]) - np.maximum(start, true[:, 0])
        union = np.maximum(end, true[:, 1]) - np.minimum(start, true[:, 0])
        ratio = np.where(true[:, 2] == emotion, intersection / union, 0)
        if ratio.max() >= overlap:
            used.add(int(ratio.argmax()))
    return len(used)


def _runs(line: Timeline) -> NDArray[np.int64]:
    """(S, 3) first step, step after the last, and class of each run of a class."""
    starts = np.flatnonzero(np.diff(line, prepend=NOTHING - 1))
    ends = np.append(starts[1:], len(line))
    runs: NDArray[np.int64] = np.stack([starts, ends, line[starts]], axis=1)[line[starts] != NOTHING]
    return runs


def _agreement(pairs: Pairs, n_classes: int) -> Agreement:
    true = np.concatenate([true_line for true_line, _ in pairs])
    line = np.concatenate([line for _, line in pairs])
    labelled = true != NOTHING
    missed = n_classes
    matrix = metrics.confusion(true[labelled], np.where(line == NOTHING, missed, line)[labelled], n_classes + 1)
    return Agreement(
        seconds=int(matrix.sum()) * STEP_MS / 1000,
        coverage=float(1 - matrix[:, missed].sum() / matrix.sum()),
        accuracy=metrics.accuracy(matrix),
        kappa=metrics.none_if_undefined(metrics.cohen_kappa(matrix)),
        macro_f1=metrics.macro_f1(matrix),
        segment_f1={percent: segment_f1(pairs, percent) for percent in OVERLAPS},
        confusion=matrix[:missed] * STEP_MS / 1000,
    )


def _steps(span: Label) -> tuple[int, int]:
    """First step whose middle is in the span, and the step after the last one."""
    before_middle = STEP_MS - STEP_MS // 2 - 1
    return (span.start_ms + before_middle) // STEP_MS, (span.end_ms + before_middle) // STEP_MS


def _timelines(spans: Sequence[Label], classes: Sequence[str], window: tuple[int, int]) -> dict[str, Timeline]:
    """Person -> timeline of the steps in the window, by first appearance."""
    first, last = window
    lines = {span.person: np.full(last - first, NOTHING) for span in spans}
    for span in sorted(spans, key=lambda span: span.score):
        start, end = (min(max(step, first), last) - first for step in _steps(span))
        lines[span.person][start:end] = classes.index(span.emotion)
    return lines


def _match(true_lines: dict[str, Timeline], lines: dict[str, Timeline]) -> dict[str, tuple[str | None, str]]:
    """Person of the truth -> annotated person and kind of match, see `score_segments`."""
    from scipy.optimize import linear_sum_assignment

    partners: dict[str, tuple[str | None, str]] = dict.fromkeys(true_lines, (None, ""))
    by_name = {name.casefold(): name for name in lines if name}
    for name in true_lines:
        if name.casefold() in by_name:
            partners[name] = by_name.pop(name.casefold()), "name"
    taken = {partner for partner, _ in partners.values()}
    persons = [name for name, (partner, _) in partners.items() if partner is None]
    candidates = [name for name in lines if name not in taken]
    both = np.zeros((len(persons), len(candidates)))
    agreeing = np.zeros_like(both)
    for row, column in np.ndindex(both.shape):
        true, line = true_lines[persons[row]], lines[candidates[column]]
        both[row, column] = ((true != NOTHING) & (line != NOTHING)).sum()
        agreeing[row, column] = ((true != NOTHING) & (true == line)).sum()
    rows, columns = linear_sum_assignment(both * (agreeing.sum() + 1) + agreeing, maximize=True)
    for row, column in zip(rows, columns, strict=True):
        if both[row, column]:
            partners[persons[row]] = candidates[column], "overlap"
    return partners
