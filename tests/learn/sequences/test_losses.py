"""Losses, against formulas on the moments that are annotated."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from fercli.learn.evaluation.concordance import ccc
from fercli.learn.sequences.losses import (
    Truth,
    _continuity,
    _variation,
    class_loss,
    concordance_loss,
    intensity_loss,
    squared_loss,
)
from fercli.models.sequences.parts import Answer


def test_the_concordance_loss_is_one_minus_ccc() -> None:
    generator = torch.Generator().manual_seed(0)
    predicted, truth = torch.randn(2, 3, 20, 2, generator=generator)
    truth[0, 5:, 0] = torch.nan
    expected = np.mean([1 - ccc(predicted[..., k].flatten().numpy(), truth[..., k].flatten().numpy()) for k in (0, 1)])
    assert concordance_loss(predicted, truth).item() == pytest.approx(expected, abs=1e-5)
    known = truth.isfinite()
    assert squared_loss(predicted, truth).item() == pytest.approx(F.mse_loss(predicted[known], truth[known]).item())


def test_what_is_not_annotated_has_no_gradient() -> None:
    predicted = torch.randn(1, 6, 1, requires_grad=True)
    truth = torch.tensor([0.1, torch.nan, 0.3, torch.nan, -0.5, 0.2]).view(1, 6, 1)
    concordance_loss(predicted, truth).backward()  # type: ignore[no-untyped-call]
    assert predicted.grad is not None
    assert (predicted.grad[0, :, 0] == 0).tolist() == [False, True, False, True, False, False]


def test_nothing_annotated_gives_no_loss_that_breaks_a_batch() -> None:
    predicted = torch.randn(1, 4, 1, requires_grad=True)
    nothing = torch.full((1, 4, 1), torch.nan)
    unknown = torch.full((1, 4), -1)
    for loss in (
        concordance_loss(predicted, nothing),
        squared_loss(predicted, nothing),
        class_loss(predicted, unknown, 0.15),
    ):
        assert loss.item() == 0
        loss.backward()  # type: ignore[no-untyped-call]


def test_smoothing_punishes_steps_up_to_a_limit() -> None:
    labels = torch.zeros(1, 2, dtype=torch.int64)
    logits = torch.tensor([[[0.0, 0.0], [2.0, 0.0]]])
    shares = logits.log_softmax(-1)
    step = ((shares[0, 1] - shares[0, 0]) ** 2).mean().item()
    both, alone = class_loss(logits, labels, 0.15).item(), class_loss(logits, labels, 0.0).item()
    assert both - alone == pytest.approx(0.15 * step, abs=1e-6)
    far = torch.tensor([[[0.0, 0.0], [100.0, -100.0]]])
    extra = class_loss(far, labels, 1.0).item() - class_loss(far, labels, 0.0).item()
    assert extra == pytest.approx((np.log(2) ** 2 + 16) / 2, abs=1e-4)


def test_steps_over_a_gap_are_not_punished() -> None:
    logits = torch.tensor([[[0.0, 0.0], [5.0, 0.0], [0.0, 0.0]]])
    gap = torch.tensor([[0, -1, 0]])
    assert class_loss(logits, gap, 1.0).item() == pytest.approx(class_loss(logits, gap, 0.0).item())


def test_all_five_objectives_of_intensity_count() -> None:
    """Features of two classes in two states: alike within a state, or not; with the same outputs."""
    labels, states = torch.tensor([[0, 0, 0, 0, 1, 1, 1, 1]]), torch.tensor([[0, 0, 1, 1, 0, 0, 1, 1]])
    outputs = torch.zeros(1, 8, 7)
    truth = Truth(torch.zeros(1, 8, 1), labels, states)

    def loss(hidden: torch.Tensor, given: torch.Tensor = outputs) -> float:
        return intensity_loss(Answer(hidden, given[None]), given, truth, 2).item()

    alike = F.one_hot(labels * 2 + states, 4).float()
    assert loss(torch.ones(1, 8, 4)) < loss(alike)
    right = outputs.clone()
    right[..., :2] = 3 * F.one_hot(labels, 2)
    assert loss(alike, right) < loss(alike)  # class
    right[..., 2:] = 3 * F.one_hot(states, 5)
    better = loss(alike, right)
    right[..., 2:] = 0
    assert better < loss(alike, right)  # state


def test_features_vary_around_the_mean_of_their_group() -> None:
    features = torch.tensor([[0.0, 1.0], [0.0, 3.0], [5.0, 5.0]])
    assert _variation(features, torch.tensor([7, 7, 2])).item() == pytest.approx((1 + 1 + 0) / 3)


def test_neighbouring_states_of_a_class_are_compared_and_no_others() -> None:
    features = torch.tensor([[0.0], [1.0], [4.0], [9.0]])
    labels, states = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1, 4, 0])
    assert _continuity(features, labels, states).item() == pytest.approx(1.0)
    assert _continuity(features[2:], labels[2:], states[2:]).item() == 0
