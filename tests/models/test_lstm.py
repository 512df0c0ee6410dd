"""The recurrent network against an LSTM written gate by gate in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from fercli.models.lstm import N_HIDDEN, ResNet18Lstm
from fercli.models.tsm import TsmResNet18


@pytest.fixture(scope="module")
def network() -> ResNet18Lstm:
    torch.manual_seed(0)
    return ResNet18Lstm(5).eval()


def clips(n: int, frames: int, seed: int = 1) -> Tensor:
    return torch.randn(n, frames, 3, 16, 16, generator=torch.Generator().manual_seed(seed))


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-x))


def by_gates(network: ResNet18Lstm, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, 512) features of one clip -> (n_classes,) logits; the gates in PyTorch's order: input, forget, cell, out."""
    state = {name: t.double().numpy() for name, t in network.state_dict().items()}
    hidden, cell = np.zeros(N_HIDDEN), np.zeros(N_HIDDEN)
    for frame in features:
        sums = state["lstm.weight_ih_l0"] @ frame + state["lstm.bias_ih_l0"]
        sums = sums + state["lstm.weight_hh_l0"] @ hidden + state["lstm.bias_hh_l0"]
        enter, keep, new, leave = sums.reshape(4, N_HIDDEN)
        cell = sigmoid(keep) * cell + sigmoid(enter) * np.tanh(new)
        hidden = sigmoid(leave) * np.tanh(cell)
    return np.asarray(state["fc.weight"] @ hidden + state["fc.bias"])


@pytest.mark.parametrize("frames", [1, 4, 6])
def test_logits_agree_with_an_lstm_written_out(network: ResNet18Lstm, frames: int) -> None:
    pictures = clips(2, frames)
    with torch.inference_mode():
        found = network(pictures).numpy()
        features = [network.features(clip).double().numpy() for clip in pictures]
    assert N_HIDDEN == 256
    np.testing.assert_allclose(found, [by_gates(network, clip) for clip in features], rtol=1e-4, atol=1e-5)


def test_features_are_those_of_the_ordinary_resnet18(network: ResNet18Lstm) -> None:
    static = TsmResNet18(5, 1).eval()
    own = network.state_dict()
    static.load_state_dict({name: own[name] for name in static.state_dict() if name in own and "fc" not in name}, False)
    frames = clips(1, 4)[0]
    with torch.inference_mode():
        one_by_one = torch.cat([static.features(frame[None]) for frame in frames])
        torch.testing.assert_close(network.features(frames), one_by_one, rtol=1e-4, atol=1e-5)


def test_every_frame_counts_and_so_does_their_order(network: ResNet18Lstm) -> None:
    clip = clips(1, 4)
    with torch.inference_mode():
        usual = network(clip)
        assert not torch.allclose(network(clip.flip(1)), usual, rtol=1e-3)
        for frame in range(4):
            other = clip.clone()
            other[:, frame] = clips(1, 1, seed=2)[:, 0]
            assert not torch.allclose(network(other), usual, rtol=1e-3), frame


def test_public_weights_load_into_all_but_the_lstm() -> None:
    network = ResNet18Lstm(7)
    imagenet = {name: t for name, t in TsmResNet18(1000, 1).state_dict().items() if not name.startswith("fc.")}
    missing, unexpected = network.load_state_dict(imagenet, strict=False)
    recurrent = [f"lstm.{kind}_{part}_l0" for kind in ("weight", "bias") for part in ("ih", "hh")]
    assert unexpected == []
    assert missing == [*recurrent, "fc.weight", "fc.bias"]


def test_every_parameter_learns() -> None:
    torch.manual_seed(3)
    network = ResNet18Lstm(3, dropout=0.1)
    network(torch.randn(2, 3, 3, 32, 32)).square().sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []
