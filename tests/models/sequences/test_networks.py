"""All networks over series: what is masked changes nothing, and pieces give the same as the whole."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch
from torch import Tensor

from fercli.errors import ConfigError
from fercli.models.sequence import outputs_of
from fercli.models.sequences.networks import ARCHITECTURES, build_sequence_network
from fercli.models.sequences.parts import Inputs, SequenceNetwork

pytestmark = pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in ARCHITECTURES])
SIZES = (5, 3)


def _network(name: str, classes: bool = False) -> SequenceNetwork:
    torch.manual_seed(0)
    network = build_sequence_network(name, SIZES, 2, 16, dropout=0.5, classes=classes).eval()
    for parameter in network.parameters():  # biases and vectors of what is missing begin at zero, where faults hide
        torch.nn.init.normal_(parameter, std=0.1)
    return network


def _series(steps: int, batch: int = 1) -> tuple[list[Tensor], list[Tensor]]:
    generator = torch.Generator().manual_seed(1)
    inputs = [torch.randn(batch, steps, size, generator=generator) for size in SIZES]
    masks = [torch.rand(batch, steps, generator=generator) > 0.3 for _ in SIZES]
    return inputs, masks


@pytest.mark.parametrize("classes", [False, True], ids=["values", "classes"])
def test_what_is_masked_may_be_anything(name: str, classes: bool) -> None:
    network, (inputs, masks) = _network(name, classes), _series(30)
    other = [one.where(mask[..., None], torch.tensor(torch.nan)) for one, mask in zip(inputs, masks, strict=True)]
    assert torch.equal(network(inputs, masks).stages, network(other, masks).stages)


@pytest.mark.parametrize("classes", [False, True], ids=["values", "classes"])
def test_a_batch_of_longer_series_changes_nothing(name: str, classes: bool) -> None:
    network, (inputs, masks) = _network(name, classes), _series(25)
    alone = network(inputs, masks).stages
    padded = [torch.cat([one, torch.full((1, 15, one.shape[2]), 7.0)], dim=1) for one in inputs]
    longer = [torch.cat([mask, torch.zeros(1, 15, dtype=torch.bool)], dim=1) for mask in masks]
    inside = torch.arange(40)[None] < 25
    torch.testing.assert_close(network(padded, longer, inside).stages[:, :, :25], alone, atol=1e-5, rtol=1e-5)


def test_a_gap_is_not_a_zero(name: str) -> None:
    network, (inputs, _) = _network(name), _series(30)
    everything = [torch.ones(1, 30, dtype=torch.bool) for _ in SIZES]
    gap = [mask.clone() for mask in everything]
    gap[0][:, 10:12] = False
    zeros = [inputs[0].clone(), inputs[1]]
    zeros[0][:, 10:12] = 0
    assert not torch.allclose(network(inputs, gap).stages, network(zeros, everything).stages)


def test_pieces_give_the_same_as_the_whole(name: str) -> None:
    network, (inputs, masks) = _network(name), _series(300)
    with torch.inference_mode():
        whole = network(inputs, masks).stages[-1]
        pieces = outputs_of(network, inputs, masks, piece=37)
    torch.testing.assert_close(pieces, whole, atol=1e-5, rtol=1e-5)


def test_what_is_missing_of_one_modality_changes_nothing_where_it_is_not_seen(name: str) -> None:
    network, (inputs, _) = _network(name), _series(400)
    everything = [torch.ones(1, 400, dtype=torch.bool) for _ in SIZES]
    without = [everything[0], everything[1].clone()]
    without[1][:, 300:] = False
    with torch.inference_mode():
        whole, cut = (network(inputs, masks).stages[-1] for masks in (everything, without))
    reach = {"tcn": 62, "ms-tcn": 4 * 63}.get(name, network.context)  # steps that an output sees after it
    assert torch.equal(whole[:, : 300 - reach], cut[:, : 300 - reach])
    assert not torch.allclose(whole[:, 300:], cut[:, 300:])


def test_a_series_without_a_modality_changes_nothing_of_the_others_in_a_batch(name: str) -> None:
    network, (inputs, masks) = _network(name), _series(30, batch=3)
    without = [masks[0], masks[1].clone()]
    without[1][1] = False
    with torch.inference_mode():
        whole, cut = (network(inputs, one).stages[-1] for one in (masks, without))
    assert torch.equal(whole[[0, 2]], cut[[0, 2]])
    assert not torch.allclose(whole[1], cut[1])


def test_features_are_standardised(name: str) -> None:
    network, (inputs, masks) = _network(name), _series(30)
    before = network(inputs, masks).stages
    (entrance,) = (module for module in network.modules() if isinstance(module, Inputs))
    for number, size in enumerate(SIZES):
        entrance.fit(number, torch.full((size,), 5.0), torch.full((size,), 2.0))
    scaled = [2 * one + 5 for one in inputs]
    torch.testing.assert_close(network(scaled, masks).stages, before, atol=1e-5, rtol=1e-5)


def test_each_is_short(name: str) -> None:
    file = Path(inspect.getfile(ARCHITECTURES[name]))
    assert len(file.read_text(encoding="utf-8").splitlines()) < 200


def test_unknown_names_and_widths(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_sequence_network(f"{name}-2", SIZES, 1, 16)
    assert caught.value.code == "name-unknown"
    with pytest.raises(ConfigError) as caught:
        build_sequence_network(name, SIZES, 1, 0)
    assert caught.value.code == "option-out-of-range"
