"""Calibration of a finished run: temperature, prior and figures, on answers that are known beforehand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.learn.datasets.faces import DatasetSplits, FaceSet, Labelling
from fercli.learn.training import finish as finishing
from fercli.models.weights import Head, read_header
from fercli.progress import Silent
from tests.models.tiny import write_tiny_classifier

CLASSES = ("anger", "neutral")
SHARES = np.array([0.1, 0.9])


def faces(labels: NDArray[np.int64], classes: tuple[str, ...] = CLASSES) -> FaceSet:
    n = len(labels)
    return FaceSet(
        np.zeros((n, 1, 16, 16), np.uint8), {"x": Labelling.of_indices(classes, labels)}, ("",) * n, ("",) * n
    )


def drawn(n: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Labels by SHARES, and logits of a perfect observer of one number that tells them apart somewhat."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(2, n, p=SHARES)
    seen = rng.normal(2.0 * labels - 1, 1.0)
    logits = np.stack([np.log(SHARES[0]) - (seen + 1) ** 2 / 2, np.log(SHARES[1]) - (seen - 1) ** 2 / 2], axis=-1)
    return labels, np.stack([logits, logits]).astype(np.float32)


def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, train: FaceSet) -> Head:
    path = tmp_path / "best.safetensors"
    write_tiny_classifier(path, heads=(Head("x", train.main.classes),))
    (valid, valid_logits), (test, test_logits) = drawn(2000, 0), drawn(1000, 1)
    data = DatasetSplits("x", "", 1.0, train, faces(valid, train.main.classes), faces(test, train.main.classes))
    answers = {"calibrate": valid_logits, "test": test_logits}
    monkeypatch.setattr(finishing, "outputs", lambda classifier, part, scale, label, reporter: answers[label])
    header = finishing.finish(path, data, "cpu", Silent())
    assert read_header(path) == header
    (head,) = header.heads
    figures = header.metrics["x"]
    assert figures["test_n"] == 1000
    if head.prior_power == 0:
        assert figures["test_accuracy"] == figures["test_accuracy_with_prior"]
    else:
        assert figures["test_uar"] > figures["test_uar_with_prior"]
        assert figures["valid_accuracy"] > figures["valid_accuracy_with_prior"] - 0.012  # two standard errors of 2000
        assert figures["test_ece_with_prior"] < 0.03
    return head


def test_the_prior_is_that_of_training_and_rare_classes_gain_what_accuracy_does_not_lose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = finished(tmp_path, monkeypatch, faces(np.array([0] * 10 + [1] * 90)))
    assert head.prior == pytest.approx(tuple(SHARES))
    assert head.temperature == pytest.approx(1.0, abs=0.1)
    # All of it would cost several points of accuracy here, none of it would leave rare classes as they are.
    assert 0 < head.prior_power < 0.8


def test_without_an_example_of_a_class_there_is_no_prior(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = finished(tmp_path, monkeypatch, faces(np.ones(20, np.int64)))
    assert (head.prior, head.prior_power) == ((), 0.0)


def test_a_power_that_spoils_the_calibration_is_taken_only_if_all_do(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, logits = drawn(4000, 2)
    answers = np.exp(logits[0]) / np.exp(logits[0]).sum(axis=1, keepdims=True)
    prior = tuple(SHARES.tolist())
    chosen = finishing._best_power(answers, labels, prior)
    worse = [power for power in finishing.POWERS if power > chosen]
    monkeypatch.setattr(finishing, "MAX_ECE", 0.0)
    anyway = finishing._best_power(answers, labels, prior)
    assert anyway in worse
    monkeypatch.setattr(finishing, "MAX_ECE", 1.0)
    assert finishing._best_power(answers, labels, prior) == anyway
