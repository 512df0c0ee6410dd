"""The last step of a run: calibrate the chosen classifier on the validation split, then look at the test split once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fercli.calibration import fit_temperature, probabilities
from fercli.datasets import DatasetSplits, FaceSet
from fercli.evaluation import metrics
from fercli.models.classifier import EmotionClassifier
from fercli.models.weights import ClassifierHeader, load_state, save_classifier
from fercli.progress import Reporter
from fercli.training.augment import plain_views

BATCH = 128


def finish(path: Path, data: DatasetSplits, device: str, reporter: Reporter) -> ClassifierHeader:
    """Store temperature and test figures in the header of a classifier, measured the way it is used on video.

    Raises:
        WeightsError: the file is not a classifier.
        OSError: it cannot be written.
    """
    classifier = EmotionClassifier(path, device)
    valid = _logits(classifier, data.valid, "calibrate", reporter)
    temperature = round(fit_temperature(valid, data.valid.labels), 4)
    test = _logits(classifier, data.test, "test", reporter)
    figures = {
        **classifier.header.metrics,
        **_figures("valid", probabilities(valid, temperature), data.valid),
        **_figures("test", probabilities(test, temperature), data.test),
        "test_ece_uncalibrated": _ece(probabilities(test, 1.0), data.test),
    }
    header = replace(classifier.header, temperature=temperature, metrics=figures)
    save_classifier(path, load_state(path), header)
    reporter.note(f"test accuracy {figures['test_accuracy']}, UAR {figures['test_uar']}, ECE {figures['test_ece']}")
    return header


def _logits(classifier: EmotionClassifier, faces: FaceSet, label: str, reporter: Reporter) -> NDArray[np.float32]:
    """(2, N, C) logits of the faces and their mirror images, each standing still for a clip."""
    header, parts = classifier.header, []
    with reporter.task(label, len(faces), "image") as task:
        for start in range(0, len(faces), BATCH):
            images = torch.from_numpy(faces.images[start : start + BATCH])
            views = plain_views(images, header.n_frames, header.input_size)[:, :, 0]
            parts.append(classifier.logits((views * 255).round().to(torch.uint8).numpy()))
            task.advance(len(images))
    return np.concatenate(parts, axis=1)


def _figures(split: str, predicted: NDArray[np.float32], faces: FaceSet) -> dict[str, Any]:
    matrix = metrics.confusion(faces.labels, predicted.argmax(axis=1), len(faces.classes))
    return {
        f"{split}_n": len(faces),
        f"{split}_accuracy": round(metrics.accuracy(matrix), 4),
        f"{split}_uar": round(metrics.uar(matrix), 4),
        f"{split}_macro_f1": round(metrics.macro_f1(matrix), 4),
        f"{split}_ece": _ece(predicted, faces),
        f"{split}_confusion": matrix.tolist(),
    }


def _ece(predicted: NDArray[np.float32], faces: FaceSet) -> float:
    return round(metrics.expected_calibration_error(predicted, faces.labels), 4)
