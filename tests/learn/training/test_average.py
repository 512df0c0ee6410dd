"""The average of the weights: against the recursion by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fercli.learn.training.average import Average


def test_it_follows_the_weights_and_soon_forgets_where_they_began() -> None:
    linear, norm = nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1)
    network = nn.Sequential(linear, norm)
    average, expected = Average(network, 0.6), 0.0
    for number in range(12):
        value = float(number**2)
        nn.init.constant_(linear.weight, value)
        nn.init.constant_(norm.get_buffer("running_mean"), -value)
        average.update()
        decay = min(0.6, (1 + number) / (10 + number))
        expected = value if number == 0 else decay * expected + (1 - decay) * value
        kept = average.model.module.state_dict()
        assert kept["0.weight"].item() == pytest.approx(expected, rel=1e-5)
        assert kept["1.running_mean"].item() == pytest.approx(-expected, rel=1e-5)
    assert linear.weight.item() == 121.0


def test_it_does_not_touch_what_it_averages() -> None:
    network = nn.Linear(2, 2)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    average = Average(network, 0.9)
    average.update()
    average.model.module.requires_grad_(False).get_parameter("weight").zero_()
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in before.items())
