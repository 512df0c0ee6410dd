"""The last step of a run: calibrate the chosen classifier on the validation split, then look at the test split once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.calibration import fit_temperature, probabilities, without_prior
from fercli.learn.datasets import DatasetSplits, FaceSet, Labelling
from fercli.learn.evaluation import metrics
from fercli.learn.evaluation.predictions import outputs
from fercli.learn.evaluation.ratings import rating_figures
from fercli.learn.training.sampling import class_shares
from fercli.models.classifier import EmotionClassifier
from fercli.models.weights import ClassifierHeader, Head, load_state, save_classifier
from fercli.progress import Reporter

POWERS = tuple(round(0.1 * step, 1) for step in range(11))
"""Powers of the prior that are tried; of equals the first is taken."""
MAX_ECE = 0.02
"""Expected calibration error up to which a power is preferred: dividing out the prior lowers confidence as well."""
_RAREST = 1e-6
"""A class with a smaller share has no prior to speak of."""


def finish(path: Path, data: DatasetSplits, device: str, reporter: Reporter) -> ClassifierHeader:
    """Store temperatures and test figures in the header of a classifier, measured the way it is used on video.

    Raises:
        WeightsError: the file is not a classifier.
        OSError: it cannot be written.
    """
    classifier = EmotionClassifier(path, device)
    valid = outputs(classifier, data.valid, data.face_scale, "calibrate", reporter)
    test = outputs(classifier, data.test, data.face_scale, "test", reporter)
    heads, figures = [], {}
    for head in classifier.header.heads:
        _, columns = classifier.header.head(head.name)
        head = replace(head, prior=_prior(data.train, head.name))
        heads.append(_calibrated(head, valid[..., columns], data.valid.labellings[head.name]))
        figures[head.name] = {
            **_figures("valid", valid[..., columns], heads[-1], data.valid.labellings[head.name]),
            **_figures("test", test[..., columns], heads[-1], data.test.labellings[head.name]),
        }
    if classifier.header.ratings:
        rated = slice(classifier.header.n_outputs - len(classifier.header.ratings), None)
        figures["ratings"] = {
            **rating_figures("valid", valid[..., rated], data.valid),
            **rating_figures("test", test[..., rated], data.test),
        }
    header = replace(classifier.header, heads=tuple(heads), metrics=figures)
    save_classifier(path, load_state(path), header)
    for name, values in figures.items():
        if "test_accuracy" in values:
            accuracy, uar, ece = (values[f"test_{figure}"] for figure in ("accuracy", "uar", "ece"))
            reporter.note(f"test on {name}: accuracy {accuracy}, UAR {uar}, ECE {ece}")
    return header


def _prior(faces: FaceSet, name: str) -> tuple[float, ...]:
    """Share of each class in the targets of the training split, as its sets are weighted; empty if a class has none."""
    shares = class_shares(faces.labellings[name].targets, faces.weights)
    return tuple(round(float(share), 6) for share in shares) if shares.min() >= _RAREST else ()


def _calibrated(head: Head, logits: NDArray[np.float32], labelling: Labelling) -> Head:
    """The head with the temperature that fits the validation split, and then with the power of the prior."""
    known = labelling.labels >= 0
    if not known.any():
        return head
    logits, truth = logits[:, known], labelling.labels[known]
    head = replace(head, temperature=round(fit_temperature(logits, truth), 4))
    if not head.prior:
        return head
    return replace(head, prior_power=_best_power(probabilities(logits, head.temperature), truth, head.prior))


def _best_power(answers: NDArray[np.float32], truth: NDArray[np.int64], prior: tuple[float, ...]) -> float:
    """The power with the highest sum of accuracy and UAR, of those whose accuracy lies within two standard errors of
    the best and whose calibration error is at most MAX_ECE, if there are any.

    So rare classes gain as long as the accuracy loses little that could be told from chance.
    """
    tried = {power: without_prior(answers, prior, power) for power in POWERS}
    matrices = {power: metrics.confusion(truth, without.argmax(axis=1), len(prior)) for power, without in tried.items()}
    best = max(metrics.accuracy(matrix) for matrix in matrices.values())
    least = best - 2 * (best * (1 - best) / len(truth)) ** 0.5
    allowed = [power for power, matrix in matrices.items() if metrics.accuracy(matrix) >= least]
    calibrated = [power for power in allowed if metrics.expected_calibration_error(tried[power], truth) <= MAX_ECE]
    return max(
        calibrated or allowed, key=lambda power: metrics.accuracy(matrices[power]) + metrics.uar(matrices[power])
    )


def _figures(split: str, logits: NDArray[np.float32], head: Head, labelling: Labelling) -> dict[str, Any]:
    """Figures of the head as it answers, with the `ece` of the same answers before temperature and prior, and
    accuracy, UAR and ECE with the temperature alone (`..._with_prior`)."""
    known = labelling.labels >= 0
    if not known.any():
        return {}
    truth, n_classes = labelling.labels[known], len(labelling.classes)
    with_prior = probabilities(logits[:, known], head.temperature)
    predicted = without_prior(with_prior, head.prior, head.prior_power)
    raw = probabilities(logits[:, known], 1.0)
    matrix, before = (
        metrics.confusion(truth, answers.argmax(axis=1), n_classes) for answers in (predicted, with_prior)
    )
    return {
        f"{split}_n": int(known.sum()),
        f"{split}_accuracy": round(metrics.accuracy(matrix), 4),
        f"{split}_uar": round(metrics.uar(matrix), 4),
        f"{split}_macro_f1": round(metrics.macro_f1(matrix), 4),
        f"{split}_ece": round(metrics.expected_calibration_error(predicted, truth), 4),
        f"{split}_ece_uncalibrated": round(metrics.expected_calibration_error(raw, truth), 4),
        f"{split}_accuracy_with_prior": round(metrics.accuracy(before), 4),
        f"{split}_uar_with_prior": round(metrics.uar(before), 4),
        f"{split}_ece_with_prior": round(metrics.expected_calibration_error(with_prior, truth), 4),
        f"{split}_confusion": matrix.tolist(),
    }
