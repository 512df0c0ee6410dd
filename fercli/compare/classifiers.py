"""Classifiers side by side on the same faces: scores with intervals, and whether two differ by more than chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ConfigError, DatasetError
from fercli.learn.datasets.classes import lost, relabelled
from fercli.learn.datasets.faces import DatasetSplits, FaceSet, Labelling
from fercli.learn.datasets.images import SIDE, Packing
from fercli.learn.evaluation import metrics
from fercli.learn.evaluation.classification import INTERVALS, persons_of
from fercli.learn.evaluation.predictions import in_classes_of, outputs, packing_for, warn_if_seen
from fercli.models.classifier import EmotionClassifier
from fercli.models.registry import find_classifier
from fercli.models.weights import read_header
from fercli.progress import Reporter

DRAWS = 1000
OTHER = "(other)"
"""Predictions of classes that the set does not have."""


@dataclass(frozen=True)
class Answers:
    """What one classifier says of N faces.

    Attributes:
        model: its name or file.
        predicted: (N,) index into the classes of the set; their number for a class that the set does not have.
        confidence: (N,) probability of the prediction, in [0, 1].
        names: (N,) the class predicted.
    """

    model: str
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float32]
    names: tuple[str, ...]


@dataclass(frozen=True)
class ClassifierScore:
    """One classifier on a set; figures in [0, 1].

    Attributes:
        n: faces with a label.
        accuracy, uar, macro_f1: as in `learn.evaluation.metrics`.
        intervals: figure -> 95 % bootstrap interval; whole persons are drawn where all are known.
        other: share of predictions that are classes the set does not have; 0 if restricted to its classes.
    """

    model: str
    n: int
    accuracy: float
    uar: float
    macro_f1: float
    intervals: dict[str, tuple[float, float]]
    other: float

    def as_row(self) -> dict[str, Any]:
        """A flat row, for tables and CSV."""
        row = {key: value for key, value in vars(self).items() if key != "intervals"}
        for name, (low, high) in self.intervals.items():
            row |= {f"{name}_low": low, f"{name}_high": high}
        return row


@dataclass(frozen=True)
class Pair:
    """Two classifiers on the same faces.

    Attributes:
        first, second: their names.
        only_first, only_second: faces that only one of them has right.
        difference: accuracy of the first less that of the second.
        low, high: 95 % bootstrap interval of it, paired by face; whole persons are drawn where all are known.
        p: of McNemar's test, exact and two-sided: whether the two numbers could be halves of their sum (McNemar 1947,
            doi 10.1007/BF02295996). It takes the faces as independent.
        p_holm: the same, corrected for the number of pairs (Holm 1979).
    """

    first: str
    second: str
    only_first: int
    only_second: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float = 1.0


@dataclass(frozen=True)
class ClassifierComparison:
    """All classifiers on the labelled faces of a split.

    Attributes:
        faces: those that have a label.
        truth: their labels.
        restricted: whether only classes of the set can be predicted.
        answers, scores: in the order of the classifiers.
        pairs: every two of them.
    """

    faces: FaceSet
    truth: Labelling
    restricted: bool
    answers: list[Answers]
    scores: list[ClassifierScore]
    pairs: list[Pair]


def packing_of(models: Sequence[str]) -> Packing:
    """How a set is packed for several classifiers: in colour if one needs it, and as large as the largest input.

    Raises:
        ModelError: a classifier cannot be used.
    """
    packings = [packing_for(model) for model in models]
    if all(packing.colour is False for packing in packings):
        return Packing(max(packing.side for packing in packings), colour=False)
    return Packing(wanted=max(max(packing.side, packing.wanted, SIDE) for packing in packings))


def compare_classifiers(
    models: Sequence[str],
    data: DatasetSplits,
    split: str,
    device: str,
    reporter: Reporter,
    *,
    restricted: bool = True,
    limit: int = 0,
) -> ClassifierComparison:
    """Run all classifiers on the same faces.

    Args:
        models: names of the registry, or files of `fercli train`.
        data: the set; its main labels are the truth.
        split: of the set, or `all`.
        device: `cpu` or `cuda`.
        reporter: gets progress, and a warning for a classifier that was trained on these faces.
        restricted: whether probabilities of classes that the set does not have are removed, as in `evaluate`;
            otherwise such predictions are wrong.
        limit: at most so many faces, evenly over the split; 0 takes all.

    Raises:
        ConfigError: classifiers with different classes of their own.
        DatasetError: no face has a label.
        ModelError: a classifier cannot be used.
    """
    headers = [read_header(find_classifier(model)[1]) for model in models]
    mappings = {tuple(sorted(header.mapping.items())) if header.mapping else () for header in headers}
    if len(mappings) > 1:
        raise ConfigError(
            "the classifiers were trained with different --classes, so their truth differs",
            hint="compare those with the same classes",
            code="option-conflict",
        )
    faces, truth = data.part(split), data.part(split).main
    if headers[0].mapping:
        truth = relabelled(truth, headers[0].heads[0].labels, headers[0].mapping)
        for label, count in lost(faces.main, truth).items():
            reporter.note(f"left out: {count} faces labelled {label!r}, a class that the classifiers do not have")
    rows = np.flatnonzero(truth.labels >= 0)
    if not len(rows):
        raise DatasetError(f"no face of {data.name} ({split}) has a label", code="labels-missing")
    if 0 < limit < len(rows):
        rows = rows[np.linspace(0, len(rows) - 1, limit).round().astype(int)]
    faces = faces.take(rows)
    truth = Labelling(truth.classes, truth.targets[rows], truth.labels[rows])
    answers = [answers_of(model, data, faces, truth, device, reporter, restricted=restricted) for model in models]
    for model in models:
        warn_if_seen(model, data, split, reporter)
    persons = persons_of(np.asarray(faces.subjects))
    scores = [_score(one, truth, persons) for one in answers]
    return ClassifierComparison(faces, truth, restricted, answers, scores, paired(answers, truth.labels, persons))


def answers_of(
    model: str,
    data: DatasetSplits,
    faces: FaceSet,
    truth: Labelling,
    device: str,
    reporter: Reporter,
    *,
    restricted: bool,
    changed: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] | None = None,
) -> Answers:
    """Run one classifier; `changed` is applied to each (H, W) or (H, W, 3) picture first."""
    _, path = find_classifier(model)
    own = next(iter(data.train.labellings))
    header = read_header(path)
    classifier = EmotionClassifier(path, device, own if own in {head.name for head in header.heads} else "")
    if changed is not None:
        faces = _changed(faces, changed)
    _, columns = header.head(classifier.head.name)
    logits = outputs(classifier, faces, data.face_scale, model, reporter)[..., columns]
    if restricted:
        probabilities = in_classes_of(truth, classifier, logits)
        predicted = probabilities.argmax(axis=1)
        names = tuple(truth.classes[label] for label in predicted)
    else:
        probabilities = classifier.probabilities(logits)
        names = tuple(classifier.head.labels[label] for label in probabilities.argmax(axis=1))
        places = {name: place for place, name in enumerate(truth.classes)}
        predicted = np.array([places.get(name, len(places)) for name in names])
    return Answers(model, predicted.astype(np.int64), probabilities.max(axis=1), names)


def paired(answers: Sequence[Answers], labels: NDArray[np.int64], persons: NDArray[np.int64] | None) -> list[Pair]:
    """Every two classifiers, with corrected p values."""
    pairs = [_pair(one, other, labels, persons) for one, other in combinations(answers, 2)]
    corrected = holm([pair.p for pair in pairs])
    return [Pair(**{**vars(pair), "p_holm": p}) for pair, p in zip(pairs, corrected, strict=True)]


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p of McNemar's test; 1 if the two never differ."""
    from scipy.stats import binomtest

    n = only_first + only_second
    return float(binomtest(only_first, n, 0.5).pvalue) if n else 1.0


def holm(values: Sequence[float]) -> list[float]:
    """p values corrected by Holm's step-down method, in the same order."""
    corrected, highest = [0.0] * len(values), 0.0
    for rank, place in enumerate(np.argsort(values, kind="stable")):
        highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
        corrected[place] = highest
    return corrected


def _pair(one: Answers, other: Answers, labels: NDArray[np.int64], persons: NDArray[np.int64] | None) -> Pair:
    first, second = one.predicted == labels, other.predicted == labels
    gain = first.astype(np.int64) - second
    low, high = _interval(gain, persons)
    only_first, only_second = int((gain > 0).sum()), int((gain < 0).sum())
    p = mcnemar(only_first, only_second)
    return Pair(one.model, other.model, only_first, only_second, float(gain.mean()), low, high, p)


def _interval(gain: NDArray[np.int64], persons: NDArray[np.int64] | None) -> tuple[float, float]:
    """95 % percentile interval of the mean of (N,) gains in -1, 0, 1."""
    rng = np.random.default_rng(0)
    if persons is None:
        share = np.bincount(gain + 1, minlength=3) / len(gain)
        drawn = rng.multinomial(len(gain), share, size=DRAWS)
        means = (drawn[:, 2] - drawn[:, 0]) / len(gain)
    else:
        sizes, sums = np.bincount(persons), np.bincount(persons, weights=gain)
        times = rng.multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=DRAWS)
        means = times @ sums / (times @ sizes)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _score(answers: Answers, truth: Labelling, persons: NDArray[np.int64] | None) -> ClassifierScore:
    n_classes = len(truth.classes) + 1  # the last is a class that the set does not have
    matrix = metrics.confusion(truth.labels, answers.predicted, n_classes)
    return ClassifierScore(
        answers.model,
        len(truth.labels),
        metrics.accuracy(matrix),
        metrics.uar(matrix),
        metrics.macro_f1(matrix),
        {
            name: metrics.bootstrap(statistic, truth.labels, answers.predicted, n_classes, persons, n=DRAWS)
            for name, statistic in INTERVALS.items()
        },
        float((answers.predicted == n_classes - 1).mean()),
    )


def _changed(faces: FaceSet, change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> FaceSet:
    images = np.array([[change(image) for image in clip] for clip in faces.images[:]], np.uint8)
    return FaceSet(images, faces.labellings, faces.subjects, faces.sources)
