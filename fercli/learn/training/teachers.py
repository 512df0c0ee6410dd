"""Self-distillation: what trained classifiers think of the training faces, mixed into the targets.

The probabilities of several networks, averaged, say more than a label: which faces are clear, and what the others look
like (Hinton et al. 2015, arXiv 1503.02531; born-again networks, Furlanello et al. 2018, arXiv 1805.04770).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fercli.errors import WeightsError
from fercli.learn.datasets import DatasetSplits, Labelling
from fercli.learn.evaluation.predictions import in_classes_of, outputs
from fercli.models.classifier import EmotionClassifier
from fercli.models.registry import find_classifier
from fercli.progress import Reporter


def taught(
    targets: dict[str, Tensor],
    data: DatasetSplits,
    teachers: Sequence[str],
    share: float,
    device: str,
    reporter: Reporter,
) -> dict[str, Tensor]:
    """The targets of the training split, `share` of each from the teachers.

    A face without a label stays without one. Each teacher answers with its calibrated probabilities, the prior left in,
    averaged over the face and its mirror image.

    Args:
        targets: name of each labelling -> (N, C).
        data: the data set; its training split is shown to the teachers.
        teachers: names of classifiers, or files.
        share: in (0, 1].
        device: `cpu` or `cuda`.
        reporter: gets progress.

    Raises:
        ModelError: a teacher cannot be used, or has none of the classes.
    """
    sums = {name: np.zeros(rows.shape, np.float32) for name, rows in targets.items()}
    for teacher in teachers:
        for name, labelling in data.train.labellings.items():
            sums[name] += _answers(teacher, name, labelling, data, device, reporter)
    mixed = {}
    for name, rows in targets.items():
        soft = torch.from_numpy(sums[name] / len(teachers))
        mixed[name] = torch.where(rows.any(dim=1, keepdim=True), (1 - share) * rows + share * soft, rows)
    return mixed


def _answers(
    teacher: str, name: str, labelling: Labelling, data: DatasetSplits, device: str, reporter: Reporter
) -> NDArray[np.float32]:
    """(N, C) probabilities of a teacher in the classes of a labelling, by its head of that name if it has one."""
    _, path = find_classifier(teacher)
    classifier = EmotionClassifier(path, device)
    if any(head.name == name for head in classifier.header.heads):
        classifier = EmotionClassifier(path, device, name)
    if not set(classifier.head.labels) & set(labelling.classes):
        raise WeightsError(
            f"{path} tells {', '.join(classifier.head.labels)}, none of the classes trained on",
            hint="give a --teacher of the same classes",
            code="weights-do-not-fit",
        )
    _, columns = classifier.header.head(classifier.head.name)
    logits = outputs(classifier, data.train, data.face_scale, f"ask {path.name}", reporter)[..., columns]
    return in_classes_of(labelling, classifier, logits, 0.0)
