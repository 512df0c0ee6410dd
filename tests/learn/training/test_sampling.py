"""Which faces an epoch draws, and how the loss is corrected for it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fercli.learn.datasets import FaceSet, Labelling
from fercli.learn.training.sampling import sampling

CLASSES = ("anger", "happiness", "neutral")


def faces(counts: tuple[int, ...], weights: list[float] | None = None, unlabelled: int = 0) -> FaceSet:
    labels = np.repeat(np.arange(len(counts)), counts)
    targets = np.eye(3, dtype=np.float32)[labels]
    targets[:unlabelled] = 0
    n = len(labels)
    return FaceSet(
        np.zeros((n, 1, 4, 4), np.uint8),
        {"mine": Labelling(CLASSES, targets, labels)},
        ("",) * n,
        ("",) * n,
        weights=None if weights is None else np.asarray(weights, np.float64),
    )


def targets(of: FaceSet) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(labelling.targets) for name, labelling in of.labellings.items()}


def drawn_shares(of: FaceSet, oversample: float) -> list[float]:
    found = sampling(of, targets(of), oversample)
    rows = found.draw(len(of), 20000, torch.Generator().manual_seed(0))
    return [float((of.main.labels[rows.numpy()] == c).mean()) for c in range(3)]


def test_without_weights_each_face_is_drawn_once() -> None:
    some = faces((5, 3, 2))
    found = sampling(some, targets(some), 0.0)
    rows = found.draw(10, 10, torch.Generator().manual_seed(0))
    assert sorted(rows.tolist()) == list(range(10)) and found.weights is None
    assert found.shifts["mine"].abs().max() == 0


@pytest.mark.parametrize("oversample", [0.5, 1.0])
def test_rare_classes_are_drawn_more_often_and_the_outputs_shifted_by_as_much(oversample: float) -> None:
    some = faces((10, 190, 800))
    natural = np.array([0.01, 0.19, 0.8])
    expected = natural ** (1 - oversample) / (natural ** (1 - oversample)).sum()
    assert drawn_shares(some, oversample) == pytest.approx(expected.tolist(), abs=0.02)
    shift = sampling(some, targets(some), oversample).shifts["mine"].numpy()
    np.testing.assert_allclose(shift, np.log(expected / natural), atol=1e-5)


def test_a_set_of_half_the_weight_is_drawn_half_as_often_without_a_correction() -> None:
    some = faces((100, 100, 0), weights=[1.0] * 100 + [0.5] * 100)
    assert drawn_shares(some, 0.0) == pytest.approx([2 / 3, 1 / 3, 0], abs=0.02)
    assert sampling(some, targets(some), 0.0).shifts["mine"].abs().max() == pytest.approx(0, abs=1e-6)


def test_faces_without_a_label_are_drawn_as_the_average_face() -> None:
    some = faces((100, 100, 0), unlabelled=50)
    weights = sampling(some, targets(some), 1.0).weights
    assert weights is not None and torch.isfinite(weights).all()
    labelled = weights[50:]
    assert weights[0] == pytest.approx(float(labelled.mean()), rel=1e-6)
    assert weights[60] == pytest.approx(2 * float(weights[150]), rel=1e-6)
