"""Channel attention against its formula in numpy, and the ResNet-18 that has it against the one that has not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from fercli.models.networks import build_network
from fercli.models.rca import ChannelAttention
from fercli.models.tsm import BasicBlock, TsmResNet18


def randomised(network: torch.nn.Module, seed: int) -> None:
    """Give batch norm something to do: after initialisation it is the identity."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.weight.data, module.running_var):
                assert tensor is not None
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)


def set_gates(network: torch.nn.Module, bias: float) -> None:
    """Make every attention weight sigmoid(bias), whatever the input."""
    for module in network.modules():
        if isinstance(module, ChannelAttention):
            module.up.weight.data.zero_()
            assert module.up.bias is not None
            module.up.bias.data.fill_(bias)


def test_attention_is_its_formula() -> None:
    torch.manual_seed(0)
    attention = ChannelAttention(32)
    x = torch.randn(2, 32, 3, 5)
    down, b_down, up, b_up = (p.detach().double().numpy() for p in attention.parameters())
    mean = x.double().numpy().mean(axis=(2, 3))
    hidden = np.maximum(mean @ down[:, :, 0, 0].T + b_down, 0)
    weights = 1 / (1 + np.exp(-(hidden @ up[:, :, 0, 0].T + b_up)))
    expected = x.numpy() * weights[:, :, None, None]
    assert down.shape == (2, 32, 1, 1) and up.shape == (32, 2, 1, 1)
    np.testing.assert_allclose(attention(x).detach().numpy(), expected, rtol=1e-4, atol=1e-6)


def test_attention_weighs_the_residual_and_not_the_shortcut() -> None:
    torch.manual_seed(1)
    block = BasicBlock(32, 32, 1, 1, 8, attention=ChannelAttention).eval()
    plain = BasicBlock(32, 32, 1, 1, 8).eval()
    plain.load_state_dict({name: t for name, t in block.state_dict().items() if "attention" not in name})
    x = torch.randn(2, 32, 6, 6)
    set_gates(block, float(np.log(1 / 3)))  # every weight is a quarter
    plain.bn2.weight.data.fill_(0.25)
    with torch.inference_mode():
        torch.testing.assert_close(block(x), plain(x))
        set_gates(block, -1e4)
        torch.testing.assert_close(block(x), x.relu())


def test_with_all_gates_open_it_is_the_ordinary_resnet18() -> None:
    torch.manual_seed(2)
    network = build_network("resnet18-rca", 5).eval()
    randomised(network, 3)
    set_gates(network, 1e4)
    plain = TsmResNet18(5, 1).eval()
    plain.load_state_dict({name: t for name, t in network.state_dict().items() if "attention" not in name})
    images = torch.randn(2, 1, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(network(images), plain(images), rtol=1e-4, atol=1e-4)
        set_gates(network, 0.0)
        assert not torch.allclose(network(images), plain(images), rtol=0.01)


def common(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: t for name, t in state.items() if not name.startswith("fc.")}


def test_public_weights_load_into_all_but_the_attention() -> None:
    network = build_network("resnet18-rca", 7)
    imagenet = TsmResNet18(1000, 1).state_dict()
    missing, unexpected = network.load_state_dict(common(imagenet), strict=False)
    assert unexpected == []
    blocks = [f"layer{stage}.{block}" for stage in range(1, 5) for block in range(2)]
    parts = ("down.weight", "down.bias", "up.weight", "up.bias")
    assert missing == [f"{block}.attention.{part}" for block in blocks for part in parts] + ["fc.weight", "fc.bias"]
    own = network.state_dict()
    assert all(torch.equal(own[name], tensor) for name, tensor in common(imagenet).items())


def test_attention_costs_89080_parameters() -> None:
    with_it, without = (
        sum(p.numel() for p in build_network(name, 7).parameters()) for name in ("resnet18-rca", "resnet18")
    )
    assert with_it - without == 2 * sum(2 * c * c // 16 + c // 16 + c for c in (64, 128, 256, 512)) == 89_080


@pytest.mark.parametrize("channels", [64, 512])
def test_attention_learns(channels: int) -> None:
    torch.manual_seed(4)
    attention = ChannelAttention(channels)
    torch.autograd.backward(attention(torch.randn(4, channels, 2, 2)).square().sum())
    assert all(p.grad is not None and p.grad.any() for p in attention.parameters())
