"""A classifier over a data set: faces cropped as in a video, predictions in the classes of the data set."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ConfigError
from fercli.learn.datasets.classes import lost, relabelled
from fercli.learn.datasets.faces import DatasetSplits, FaceSet, Labelling, middle_frames
from fercli.learn.datasets.images import SIDE, Packing
from fercli.learn.datasets.samples import SPLITS
from fercli.learn.evaluation.classification import Scores, score
from fercli.learn.evaluation.ratings import rating_scores
from fercli.models.classifier import EmotionClassifier, FaceView
from fercli.models.devices import pick_device
from fercli.models.registry import find_classifier
from fercli.models.weights import MAX_PRIOR_POWER, read_header
from fercli.progress import Reporter

BATCH = 64


def packing_for(model: str) -> Packing:
    """How a data set is packed for a classifier: in its colour, and not smaller than its input.

    Raises:
        ModelError: the classifier cannot be used.
    """
    header = read_header(find_classifier(model)[1])
    wanted = math.ceil(header.input_size / header.view_scale)
    return Packing(max(SIDE, wanted), colour=False) if header.colour == "grey" else Packing(wanted=wanted)


def evaluate(
    model: str, data: DatasetSplits, split: str, device: str, reporter: Reporter, prior: float | None = None
) -> tuple[Scores, dict[str, str]]:
    """Score a classifier on one split of a data set.

    Args:
        model: a name from the registry, or a file of `fercli train`.
        data: the data set; its main labels are the truth, in the classes of the network if it has others.
        split: `train`, `valid`, `test`, `all`, or empty: `test` if the set has its own splits, otherwise `all`.
        device: `auto`, `cpu` or `cuda`.
        reporter: callback for progress, and for a warning if the classifier was trained on these faces.
        prior: as for `EmotionClassifier.probabilities`.

    Returns:
        The scores, with those of its ratings if both have any; and their `split` and the `head` of the classifier.

    Raises:
        ConfigError: no such split, or a prior out of range.
        DatasetError: no face of it has a label.
        ModelError: the classifier cannot be used.
    """
    split = split or ("test" if data.official else "all")
    if split not in (*SPLITS, "all"):
        raise ConfigError(f"unknown split {split!r}", hint=f"known: {', '.join(SPLITS)}, all", code="name-unknown")
    if prior is not None and not 0 <= prior <= MAX_PRIOR_POWER:
        raise ConfigError(
            f"prior is {prior}", hint=f"use a value from 0 to {MAX_PRIOR_POWER:g}", code="option-out-of-range"
        )
    _, path = find_classifier(model)
    name = next(iter(data.train.labellings))
    header = read_header(path)
    trained_on_it = name in {head.name for head in header.heads}
    warn_if_seen(model, data, split, reporter)
    classifier = EmotionClassifier(path, pick_device(device), name if trained_on_it else "")
    faces = data.part(split)
    truth = faces.main
    if header.mapping:
        truth = relabelled(truth, classifier.head.labels, header.mapping)
        for label, count in lost(faces.main, truth).items():
            reporter.note(f"left out: {count} faces labelled {label!r}, a class that {path} does not have")
    _, columns = header.head(classifier.head.name)
    answers = outputs(classifier, faces, data.face_scale, "evaluate", reporter)
    probabilities = in_classes_of(truth, classifier, answers[..., columns], prior)
    scores = score(probabilities, truth.labels, truth.classes, faces.subjects)
    if header.ratings and faces.ratings is not None:
        rated = answers[..., header.n_outputs - len(header.ratings) :].mean(axis=0)
        scores = replace(scores, ratings=rating_scores(rated, faces.ratings))
    return scores, {"split": split, "head": classifier.head.name}


def warn_if_seen(model: str, data: DatasetSplits, split: str, reporter: Reporter) -> None:
    """Warn if a classifier was trained on faces of a split whose set does not define its splits."""
    _, path = find_classifier(model)
    name = next(iter(data.train.labellings))
    if name in {head.name for head in read_header(path).heads} and not data.official and split in ("train", "all"):
        unseen = "test" if len(data.test) else "valid"
        reporter.warn(f"{path} was trained on some of these faces of {name}; add --split {unseen} for the others")


def outputs(
    classifier: EmotionClassifier, faces: FaceSet, face_scale: float, label: str, reporter: Reporter
) -> NDArray[np.float32]:
    """(2, N, K) outputs of all heads for the faces and their mirror images.

    Args:
        classifier: the network.
        faces: stills, which are repeated to a clip, or clips, from which the network's number of frames is taken.
        face_scale: face scale of the data set, see `DatasetSplits`.
        label, reporter: title and callback of the progress.
    """
    view, n_frames = FaceView(classifier.header, face_scale), classifier.header.n_frames
    parts = [np.zeros((2, 0, classifier.header.n_outputs), np.float32)]
    chosen = middle_frames(faces.images.shape[1], n_frames)
    with reporter.task(label, len(faces), "face") as task:
        for start in range(0, len(faces), BATCH):
            images = faces.images[start : start + BATCH]
            clips = [[view(image) for image in clip] for clip in images]
            parts.append(classifier.outputs(np.asarray(clips, dtype=np.uint8)[:, chosen]))
            task.advance(len(images))
    return np.concatenate(parts, axis=1)


def in_classes_of(
    labelling: Labelling, classifier: EmotionClassifier, logits: NDArray[np.float32], prior: float | None = None
) -> NDArray[np.float32]:
    """(N, C) calibrated probabilities over the classes of a labelling.

    The head that was trained on these labels is used. Another head is mapped by class name: classes that the labels do
    not have are removed and the rest scaled to sum to 1; a class that the head does not have gets 0, so its faces count
    as wrong.

    Args:
        labelling: the truth, which defines the classes.
        classifier: opened with the head to use.
        logits: (2, N, C') outputs of that head.
        prior: as for `EmotionClassifier.probabilities`.
    """
    known = classifier.probabilities(logits, prior)
    answers = np.zeros((known.shape[0], len(labelling.classes)), np.float32)
    for column, name in enumerate(labelling.classes):
        if name in classifier.head.labels:
            answers[:, column] = known[:, classifier.head.labels.index(name)]
    total = answers.sum(axis=1, keepdims=True)
    scaled: NDArray[np.float32] = np.divide(
        answers, total, out=np.full_like(answers, 1 / answers.shape[1]), where=total > 0
    )
    return scaled
