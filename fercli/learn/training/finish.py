"""The last step of a run: calibrate the chosen classifier on the validation split, then look at the test split once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.calibration import fit_temperature, probabilities
from fercli.learn.datasets import DatasetSplits, Labelling
from fercli.learn.evaluation import metrics
from fercli.learn.evaluation.predictions import outputs
from fercli.models.classifier import EmotionClassifier
from fercli.models.weights import ClassifierHeader, Head, load_state, save_classifier
from fercli.progress import Reporter


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
        heads.append(_calibrated(head, valid[..., columns], data.valid.labellings[head.name]))
        figures[head.name] = {
            **_figures("valid", valid[..., columns], heads[-1].temperature, data.valid.labellings[head.name]),
            **_figures("test", test[..., columns], heads[-1].temperature, data.test.labellings[head.name]),
        }
    header = replace(classifier.header, heads=tuple(heads), metrics=figures)
    save_classifier(path, load_state(path), header)
    for name, values in figures.items():
        if "test_n" in values:
            accuracy, uar, ece = (values[f"test_{figure}"] for figure in ("accuracy", "uar", "ece"))
            reporter.note(f"test on {name}: accuracy {accuracy}, UAR {uar}, ECE {ece}")
    return header


def _calibrated(head: Head, logits: NDArray[np.float32], labelling: Labelling) -> Head:
    known = labelling.labels >= 0
    if not known.any():
        return head
    return replace(head, temperature=round(fit_temperature(logits[:, known], labelling.labels[known]), 4))


def _figures(split: str, logits: NDArray[np.float32], temperature: float, labelling: Labelling) -> dict[str, Any]:
    known = labelling.labels >= 0
    if not known.any():
        return {}
    truth, predicted = labelling.labels[known], probabilities(logits[:, known], temperature)
    raw = probabilities(logits[:, known], 1.0)
    matrix = metrics.confusion(truth, predicted.argmax(axis=1), len(labelling.classes))
    return {
        f"{split}_n": int(known.sum()),
        f"{split}_accuracy": round(metrics.accuracy(matrix), 4),
        f"{split}_uar": round(metrics.uar(matrix), 4),
        f"{split}_macro_f1": round(metrics.macro_f1(matrix), 4),
        f"{split}_ece": round(metrics.expected_calibration_error(predicted, truth), 4),
        f"{split}_ece_uncalibrated": round(metrics.expected_calibration_error(raw, truth), 4),
        f"{split}_confusion": matrix.tolist(),
    }
