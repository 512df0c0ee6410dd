"""The loss of a batch: labellings side by side, and the extra terms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from fercli.config import TrainConfig
from fercli.errors import ConfigError
from fercli.labels import EMOTIONS, EMOTIONS_8
from fercli.learn.datasets import Labelling
from fercli.learn.training.losses import class_balance, mix_by_uncertainty
from fercli.learn.training.objective import EXTRAS, Objective, targets_of
from fercli.models.networks import build_network

CLIPS = torch.randn(4, 1, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def config(**changes: Any) -> TrainConfig:
    return TrainConfig("x", Path(), Path(), model=changes.pop("model", "resnet18"), **changes)


def labellings() -> dict[str, Labelling]:
    votes = np.array([[0.5, 0.5, 0, 0, 0, 0, 0, 0], [0] * 8, [0, 0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 0.2, 0, 0, 0.8, 0]])
    return {
        "votes": Labelling(EMOTIONS_8, votes.astype(np.float32), np.array([-1, -1, 3, 6])),
        "label": Labelling.of_indices(EMOTIONS, np.array([0, 1, 3, 6])),
    }


def batch(settings: TrainConfig) -> dict[str, torch.Tensor]:
    return targets_of(labellings(), settings)


def objective(settings: TrainConfig) -> Objective:
    torch.manual_seed(0)
    return Objective(build_network(settings.model, 15), labellings(), batch(settings), settings).eval()


def test_targets_as_the_run_wants_them() -> None:
    as_voted = batch(config())
    np.testing.assert_array_equal(as_voted["votes"], labellings()["votes"].targets)
    chosen = batch(config(targets="label"))["votes"]
    assert chosen.argmax(dim=1).tolist() == [0, 0, 3, 6] and chosen.sum(dim=1).tolist() == [1, 0, 1, 1]
    smoothed = batch(config(smoothing=0.1))["label"]
    np.testing.assert_allclose(smoothed[0], [0.9 + 0.1 / 7, *[0.1 / 7] * 6], rtol=1e-6)


def test_the_loss_is_the_mean_over_labellings_of_the_cross_entropy_of_their_outputs() -> None:
    whole, targets = objective(config()), batch(config())
    with torch.no_grad():
        outputs = whole.network(CLIPS)
        votes = -(targets["votes"] * outputs[:, :8].log_softmax(1)).sum(1)[[0, 2, 3]].mean()  # the second has none
        label = F.cross_entropy(outputs[:, 8:], torch.tensor([0, 1, 3, 6]))
        assert whole(CLIPS, targets).item() == pytest.approx((votes + label).item() / 2, rel=1e-5)


def test_rare_classes_weigh_more_when_balanced() -> None:
    plain, balanced = objective(config()), objective(config(balanced=True))
    with torch.no_grad():
        assert plain(CLIPS, batch(config())) != balanced(CLIPS, batch(config(balanced=True)))


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("model", ["resnet18", "tsm-resnet18", "resnet18-lstm"])
def test_each_extra_adds_to_the_loss_and_reaches_the_network(extra: str, model: str) -> None:
    settings = config(extras=(extra,), model=model)
    if (extra, model) == ("flip-attention", "resnet18-lstm"):
        with pytest.raises(ConfigError, match="flip-attention needs"):
            objective(settings)
        return
    clips = CLIPS if model == "resnet18" else CLIPS.repeat(1, 4, 1, 1, 1)
    with_extra, without = objective(settings), objective(config(model=model))
    with_extra.network.load_state_dict(without.network.state_dict())
    targets = batch(settings)
    loss = with_extra(clips, targets)
    assert loss.item() > without(clips, targets).item()
    loss.backward()
    missing = [name for name, p in with_extra.named_parameters() if p.grad is None]
    assert missing == []
    assert all(torch.isfinite(p.grad).all() for p in with_extra.parameters() if p.grad is not None)


def test_a_mix_by_uncertainty_is_asked_for_the_labels_of_both_faces_alike() -> None:
    settings = config(extras=("relative-uncertainty",), balanced=True)
    whole, targets = objective(settings), batch(settings)
    with torch.no_grad():
        frames = CLIPS.flatten(0, 1)
        maps = whole.network.maps(frames)
        features = maps.mean((2, 3))
        torch.manual_seed(5)
        partners = torch.randperm(4)
        branch = whole.extras["relative-uncertainty"].branch
        outputs = whole.network.classify(mix_by_uncertainty(features, branch(features), partners), 4)  # type: ignore[operator]
        torch.manual_seed(5)
        loss = whole.extras["relative-uncertainty"](whole, frames, maps, features, targets)
    assert sorted(partners.tolist()) != partners.tolist()
    weights = class_balance(targets["votes"]), class_balance(targets["label"])
    votes, label = targets["votes"], torch.tensor([0, 1, 3, 6])
    terms = [
        F.cross_entropy(outputs[voted, :8], votes[order][voted], weight=weights[0]) / 4
        + (F.cross_entropy(outputs[:, 8:], label[order], weight=weights[1], reduction="none")).mean() / 4
        for order in (torch.arange(4), partners)
        for voted in [votes[order].any(1)]  # one has no vote
    ]
    assert loss.item() == pytest.approx(sum(terms).item(), rel=1e-5)  # type: ignore[union-attr]


def test_a_network_that_does_not_tell_left_from_right_has_nothing_to_add_for_flip_attention() -> None:
    settings = config(extras=("flip-attention",))
    whole = objective(settings)
    frames = torch.cat([CLIPS, CLIPS.flip(0), CLIPS[..., :1]], dim=-1).flatten(0, 1)  # 33 wide: odd after each stride

    def added() -> float:
        with torch.no_grad():
            maps = whole.network.maps(frames)
            loss = whole.extras["flip-attention"](whole, frames, maps, maps.mean((2, 3)), batch(settings))
        return float(loss.item())

    assert added() > 1e-3
    for module in whole.network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.weight.data = (module.weight.data + module.weight.data.flip(-1)) / 2
    assert added() == pytest.approx(0, abs=1e-6)


def test_only_the_network_is_left_of_it() -> None:
    whole = objective(config(extras=tuple(EXTRAS), balanced=True))
    assert set(whole.network.state_dict()) == set(build_network("resnet18", 15).state_dict())
    assert not any(name.startswith("balance") for name in whole.state_dict())
