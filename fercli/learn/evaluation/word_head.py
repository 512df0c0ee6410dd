"""Classification by the nearest word vector, beside the network's own softmax.

The features of the network are mapped linearly to the word vectors of the classes, and the class is the word that the
mapped features point to most (DeViSE, Frome et al. 2013; Sharma et al. 2021 for expressions). The map is the ridge
regression on the training split, in closed form, so every network has such a head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ConfigError, DatasetError
from fercli.learn.datasets.faces import DatasetSplits, FaceSet, middle_frames
from fercli.learn.evaluation import metrics
from fercli.models.classifier import EmotionClassifier, FaceView
from fercli.progress import Reporter

MOST_FITTED = 5000
"""Faces of the training split that the map is fitted to, evenly."""
RIDGE = 0.01
"""Weight of the squared map, in features of unit variance, for each face."""
BATCH = 64


@dataclass(frozen=True)
class WordHead:
    """Figures of the head in [0, 1], on the labelled faces of a split.

    Attributes:
        accuracy, uar: see `metrics`. interval: 95 % bootstrap interval of the accuracy.
        n, fitted: faces scored, and faces the map was fitted to.
    """

    accuracy: float
    uar: float
    interval: tuple[float, float]
    n: int
    fitted: int


def score_word_head(
    classifier: EmotionClassifier,
    data: DatasetSplits,
    split: str,
    vectors: NDArray[np.float32],
    reporter: Reporter,
) -> WordHead:
    """Fit the map on the training split and score it on another.

    Args:
        classifier: the network whose features are used.
        data: the set; its main labels are the truth.
        split: the one to score.
        vectors: (C, D) word vectors of the main classes.
        reporter: gets progress.

    Raises:
        ConfigError: the training split is to be scored.
        DatasetError: a split has no labels.
    """
    if split in ("train", "all"):
        raise ConfigError(
            "the nearest word vector is fitted on the training split, which cannot also score it",
            hint="add --split test or --split valid",
            code="option-conflict",
        )
    train, tested = data.train, data.part(split)
    fit, score = _labelled(train, MOST_FITTED), _labelled(tested, 0)
    if not len(fit) or not len(score):
        raise DatasetError(f"no labels in the training split or in {split} of {data.name}", code="labels-missing")
    features = [
        _features(classifier, part, rows, data.face_scale, reporter) for part, rows in ((train, fit), (tested, score))
    ]
    predicted = nearest_words(features[0], train.main.labels[fit], features[1], vectors)
    truth = tested.main.labels[score]
    matrix = metrics.confusion(truth, predicted, len(vectors))
    interval = metrics.bootstrap(metrics.accuracy, truth, predicted, len(vectors))
    return WordHead(metrics.accuracy(matrix), metrics.uar(matrix), interval, len(score), len(fit))


def nearest_words(
    known: NDArray[np.float32], labels: NDArray[np.int64], asked: NDArray[np.float32], vectors: NDArray[np.float32]
) -> NDArray[np.int64]:
    """(M,) class of each row of (M, F) `asked`, by a map fitted to (N, F) `known` with (N,) labels.

    Args:
        vectors: (C, D) word vectors. Their mean is taken out first: words of emotions have most of their direction in
            common.
    """
    words = vectors.astype(np.float64) - vectors.mean(axis=0)
    words /= np.linalg.norm(words, axis=1, keepdims=True)
    middle, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    inputs = np.column_stack([(known - middle) / spread, np.ones(len(known))]).astype(np.float64)
    square = inputs.T @ inputs + RIDGE * len(inputs) * np.eye(inputs.shape[1])
    weights = np.linalg.solve(square, inputs.T @ words[labels])
    mapped = np.column_stack([(asked - middle) / spread, np.ones(len(asked))]) @ weights
    return np.asarray((mapped @ words.T).argmax(axis=1), np.int64)


def _labelled(faces: FaceSet, most: int) -> NDArray[np.intp]:
    rows = np.flatnonzero(faces.main.labels >= 0)
    if 0 < most < len(rows):
        rows = rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]
    return rows


def _features(
    classifier: EmotionClassifier, faces: FaceSet, rows: NDArray[np.intp], face_scale: float, reporter: Reporter
) -> NDArray[np.float32]:
    """(N, F) features of the given faces."""
    view = FaceView(classifier.header, face_scale)
    chosen = middle_frames(faces.images.shape[1], classifier.header.n_frames)
    parts = []
    with reporter.task("features", len(rows), "face") as task:
        for start in range(0, len(rows), BATCH):
            own = rows[start : start + BATCH]
            clips = np.asarray([[view(image) for image in faces.images[row]] for row in own], np.uint8)[:, chosen]
            parts.append(classifier.features(clips))
            task.advance(len(own))
    return np.concatenate(parts)
