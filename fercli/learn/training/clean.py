"""Labels that networks which did not learn from them contradict.

The training split is cut into folds. For each a network learns from the others, and its calibrated probabilities for
the fold are compared with the labels. A label is doubted as in confident learning (Northcutt et al. 2021, arXiv
1911.00068): another class is the most probable and at least as probable as that class is, on average, for the faces
that have its label; and the own class is less probable than it is on average for its faces.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from fercli.config import TrainConfig
from fercli.errors import ConfigError, DatasetError
from fercli.learn.datasets import DatasetSplits, FaceSet, Labelling
from fercli.learn.datasets.check import difference_hash
from fercli.learn.datasets.suspects import Suspect, source_key
from fercli.learn.evaluation.predictions import in_classes_of, outputs
from fercli.learn.training.loop import train
from fercli.learn.training.parameters import check_parameters
from fercli.learn.training.splits import read_splits
from fercli.models.classifier import EmotionClassifier
from fercli.models.devices import pick_device
from fercli.progress import Reporter

MOST_FOLDS = 20


def find_suspects(
    config: TrainConfig, folds: int, reporter: Reporter, *, reweigh: bool = False
) -> tuple[list[Suspect], int]:
    """Train one network a fold, and list the labels that are doubted, the clearest first; and the number of labels.

    Args:
        config: a run on one data set; `out` gets a run for each fold, which goes on if it was interrupted.
        folds: number of folds, 2 to MOST_FOLDS.
        reporter: gets notes and progress.
        reweigh: whether doubted faces get a weight, see `weighted`, instead of being left out.

    Raises:
        As `train`; ConfigError if there is no such number of folds.
    """
    if not 2 <= folds <= MOST_FOLDS:
        raise ConfigError(f"--folds is {folds}", hint=f"give 2 to {MOST_FOLDS}; 5 is usual", code="option-out-of-range")
    check_parameters(config)
    data = read_splits(config, reporter)
    fold_of = assign_folds(data.train, folds)
    main = data.train.main
    probabilities = np.zeros((len(data.train), len(main.classes)), np.float32)
    for fold in range(folds):
        held_out = np.flatnonzero(fold_of == fold)
        if len(held_out) in (0, len(data.train)):
            raise DatasetError(f"{config.root} has too few faces for {folds} folds", hint="give fewer --folds")
        reporter.note(f"fold {fold + 1} of {folds}: {len(held_out)} faces held out")
        probabilities[held_out] = _predict(config, data, fold, folds, held_out, reporter)
    keys = [source_key(source, config.root) for source in data.train.sources]
    suspects = doubted(probabilities, main, keys)
    return [weighted(one) for one in suspects] if reweigh else suspects, int((main.labels >= 0).sum())


def weighted(suspect: Suspect) -> Suspect:
    """A suspect that is drawn the less often the surer the networks are of the other class.

    Its weight is the probability of its label among those of the two classes, doubled: 1 where both are as probable,
    0.01 at least.
    """
    both = suspect.p_label + suspect.p_predicted
    return replace(suspect, weight=round(float(np.clip(2 * suspect.p_label / max(both, 1e-6), 0.01, 1)), 3))


def assign_folds(faces: FaceSet, folds: int) -> NDArray[np.int64]:
    """(N,) fold of each face. Faces of a person, or pictures that look alike, are in one, or they would give each other
    away."""
    fold_of = np.zeros(len(faces), np.int64)
    for row, subject in enumerate(faces.subjects):
        key = subject.encode() if subject else difference_hash(faces.images[row : row + 1][0, -1])
        fold_of[row] = int.from_bytes(sha256(key).digest()[:8], "big") % folds
    return fold_of


def doubted(probabilities: NDArray[np.float32], labelling: Labelling, keys: list[str]) -> list[Suspect]:
    """The labels that are doubted.

    Args:
        probabilities: (N, C), each row by a network that did not learn from the face.
        labelling: labels of the N faces.
        keys: N sources.
    """
    known = np.flatnonzero(labelling.labels >= 0)
    labels, own = labelling.labels[known], probabilities[known]
    usual = np.array(
        [own[labels == column, column].mean() if (labels == column).any() else np.inf for column in range(own.shape[1])]
    )
    suspects = []
    for row, label, answer in zip(known, labels, own, strict=True):
        other = int(answer.argmax())
        if other != label and answer[other] >= usual[other] and answer[label] < usual[label]:
            suspects.append(_suspect(keys[row], labelling.classes, label, other, answer, usual))
    return sorted(suspects, key=lambda one: one.p_label - one.p_predicted)


def _suspect(
    key: str,
    classes: tuple[str, ...],
    label: int,
    other: int,
    answer: NDArray[np.float32],
    usual: NDArray[np.float64],
) -> Suspect:
    ours, theirs = float(answer[other]), float(answer[label])
    reason = (
        f"{classes[other]} {ours:.2f}, usual for its faces {usual[other]:.2f}; "
        f"{classes[label]} {theirs:.2f}, usual {usual[label]:.2f}"
    )
    return Suspect(key, classes[label], classes[other], round(theirs, 4), round(ours, 4), reason)


def _predict(
    config: TrainConfig,
    data: DatasetSplits,
    fold: int,
    folds: int,
    held_out: NDArray[np.intp],
    reporter: Reporter,
) -> NDArray[np.float32]:
    """(n, C) probabilities of the held-out faces, by a network trained on the others."""
    others = np.setdiff1d(np.arange(len(data.train)), held_out)
    faces = data.train.take(held_out)
    own = replace(data, train=data.train.take(others), test=faces)
    best = train(replace(config, out=config.out / f"fold-{fold + 1}-of-{folds}"), reporter, own)
    classifier = EmotionClassifier(best, pick_device(config.device))
    _, columns = classifier.header.head(classifier.head.name)
    logits = outputs(classifier, faces, data.face_scale, "compare", reporter)[..., columns]
    return in_classes_of(faces.main, classifier, logits, 0.0)
