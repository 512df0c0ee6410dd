"""Attention-56 against the figures of its paper (arXiv 1704.06904, table 2), and the parts against their formulas."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from fercli.models.attention56 import Attention56, AttentionModule, ResidualUnit, SoftMask
from fercli.models.networks import build_network
from tests.models.test_rca import randomised


def shapes_of(network: nn.Module, wanted: type[nn.Module], side: int) -> list[tuple[int, int]]:
    """(channels, side) of what each module of a kind gives for pictures of a side; computed without numbers."""
    found: list[tuple[int, int]] = []

    def note(module: nn.Module, inputs: object, output: Tensor) -> None:
        found.append((output.shape[1], output.shape[2]))

    for module in network.modules():
        if isinstance(module, wanted):
            module.register_forward_hook(note)
    network(torch.empty(1, 1, 3, side, side, device="meta"))
    return found


def paper() -> Attention56:
    """The network of the paper, without numbers."""
    with torch.device("meta"):
        return Attention56(1000, stem_pool=True).eval()


def test_it_has_the_31_9_million_parameters_of_the_paper() -> None:
    network = paper()
    learned = sum(parameter.numel() for parameter in network.parameters())
    means_and_variances = sum(buffer.numel() for buffer in network.buffers() if buffer.ndim)
    assert learned == 31_810_728
    assert round((learned + means_and_variances) / 1e6, 1) == 31.9  # Caffe counts all four numbers of a batch norm


def test_its_trunk_is_56_layers_deep() -> None:
    names = [name for name, module in paper().named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert len([name for name in names if ".mask." not in name and "shortcut" not in name]) == 56


def test_the_stages_have_the_sizes_of_the_paper() -> None:
    assert shapes_of(paper(), AttentionModule, 224) == [(256, 56), (512, 28), (1024, 14)]
    assert paper().maps(torch.empty(1, 3, 224, 224, device="meta")).shape == (1, 2048, 7, 7)


def test_masks_come_down_to_7_pixels() -> None:
    network, found = paper(), []

    def note(module: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        found.append(output.shape[-1])

    for module in network.modules():
        if isinstance(module, SoftMask):
            module.lowest.register_forward_hook(note)
    network(torch.empty(1, 1, 3, 224, 224, device="meta"))
    assert found == [7, 7, 7]


def test_it_multiplies_as_often_as_the_paper_says() -> None:
    network, total = paper(), 0

    def count(module: nn.Conv2d, inputs: tuple[Tensor], output: Tensor) -> None:
        nonlocal total
        total += output[0].numel() * module.weight[0].numel()

    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    network(torch.empty(1, 1, 3, 224, 224, device="meta"))
    assert total / 1e9 == pytest.approx(6.2, rel=0.05)


@pytest.mark.parametrize(("small", "lowest"), [(False, [3, 3, 3]), (True, [6, 6, 6])])
def test_faces_of_48_pixels_keep_resolution(small: bool, lowest: list[int]) -> None:
    with torch.device("meta"):
        network = Attention56(7, small=small).eval()
    widths = (128, 256, 512) if small else (256, 512, 1024)
    assert shapes_of(network, AttentionModule, 48) == list(zip(widths, (24, 12, 6), strict=True))
    found: list[int] = []
    for module in network.modules():
        if isinstance(module, SoftMask):
            module.lowest.register_forward_hook(lambda _, inputs, output: found.append(output.shape[-1]))
    network(torch.empty(1, 1, 3, 48, 48, device="meta"))
    assert found == lowest


def test_a_unit_is_its_formula() -> None:
    torch.manual_seed(0)
    unit = ResidualUnit(8, 16, 2).eval()
    randomised(unit, 1)
    x = torch.randn(2, 8, 6, 6)
    act = partial(nn.functional.batch_norm, training=False)

    def active(bn: nn.BatchNorm2d, values: Tensor) -> Tensor:
        return act(values, bn.running_mean, bn.running_var, bn.weight, bn.bias).clamp(min=0)

    first = nn.functional.conv2d(active(unit.bn1, x), unit.conv1.weight)
    second = nn.functional.conv2d(active(unit.bn2, first), unit.conv2.weight, stride=2, padding=1)
    third = nn.functional.conv2d(active(unit.bn3, second), unit.conv3.weight)
    assert unit.shortcut is not None
    shortcut = nn.functional.conv2d(active(unit.bn1, x), unit.shortcut.weight, stride=2)
    torch.testing.assert_close(unit(x), third + shortcut, rtol=1e-4, atol=1e-4)


def test_the_mask_strengthens_the_trunk_and_never_takes_it_away() -> None:
    torch.manual_seed(2)
    module = AttentionModule(16, 2).eval()
    x = torch.randn(2, 16, 9, 7)
    last = module.mask.weigh[-1]
    assert isinstance(last, nn.Conv2d)
    entered = module.before(x)
    with torch.inference_mode():
        mask = module.mask(entered)
        assert mask.shape == x.shape
        assert 0 < mask.min() < mask.max() < 1
        torch.testing.assert_close(module(x), module.after(module.trunk(entered) * (mask + 1)))
        last.weight.data.zero_()  # every weight is a half
        torch.testing.assert_close(module(x), module.after(1.5 * module.trunk(entered)))


@pytest.mark.parametrize("halvings", [0, 1, 2, 3])
def test_the_mask_sees_far_and_all_of_it_learns(halvings: int) -> None:
    torch.manual_seed(3)
    mask = SoftMask(16, halvings).eval()  # in training batch norm sees all of the picture anyway
    x = torch.randn(2, 16, 16, 16, requires_grad=True)
    mask(x)[:, :, 0, 0].sum().backward()
    assert x.grad is not None
    reached = x.grad.abs().sum(dim=(0, 1)) > 0
    assert bool(reached[0, 15]) == (halvings >= 2)
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in mask.parameters())


@pytest.mark.parametrize(("name", "features"), [("attention-56", 2048), ("attention-56-small", 1024)])
@pytest.mark.parametrize("side", [16, 47])
def test_clips_become_logits(name: str, features: int, side: int) -> None:
    torch.manual_seed(4)
    network = build_network(name, 6, dropout=0.25).eval()
    assert isinstance(network, Attention56)
    assert (network.dropout.p, network.n_features) == (0.25, features)
    clips = torch.randn(3, 2, 3, side, side)
    with torch.inference_mode():
        logits = network(clips)
        torch.testing.assert_close(network(clips[1:2]), logits[1:2], rtol=1e-3, atol=1e-3)
        maps = network.maps(clips.flatten(0, 1))
        assert maps.min() >= 0
        pooled = network.features(clips.flatten(0, 1))
        torch.testing.assert_close(pooled, maps.mean(dim=(2, 3)))
        alone = network.fc(pooled).view(3, 2, 6).mean(dim=1)
    torch.testing.assert_close(logits, alone)
    assert logits.std(dim=0).min() > 0
