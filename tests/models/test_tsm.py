"""The temporal shift against loops over single numbers, the network against one written with plain functions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from fercli.models.tsm import TsmResNet18, temporal_shift


def shifted_by_loops(x: NDArray[np.float32], n_frames: int, fold_div: int, causal: bool = False) -> NDArray[np.float32]:
    total, channels = x.shape[:2]
    fold = channels // fold_div
    out = np.zeros_like(x)
    for row in range(total):
        clip, t = divmod(row, n_frames)
        for channel in range(channels):
            if causal:
                source = t - 1 if channel < fold else t
            else:
                source = t + 1 if channel < fold else t - 1 if channel < 2 * fold else t
            if 0 <= source < n_frames:
                out[row, channel] = x[clip * n_frames + source, channel]
    return out


SHAPES = [  # clips, frames, channels, height, width, fold_div
    (1, 4, 8, 1, 1, 8),
    (3, 4, 64, 2, 3, 8),
    (2, 2, 6, 2, 2, 3),
    (2, 3, 7, 1, 2, 2),
    (2, 8, 5, 1, 1, 8),  # fewer channels than fold_div: nothing moves
    (1, 5, 10, 2, 2, 4),
    (4, 1, 16, 2, 2, 8),
]


@pytest.mark.parametrize(("clips", "frames", "channels", "height", "width", "fold_div"), SHAPES)
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("causal", [False, True])
def test_shift_agrees_with_plain_loops(
    clips: int,
    frames: int,
    channels: int,
    height: int,
    width: int,
    fold_div: int,
    memory_format: torch.memory_format,
    causal: bool,
) -> None:
    x = torch.randn(clips * frames, channels, height, width, generator=torch.Generator().manual_seed(0))
    result = temporal_shift(x.to(memory_format=memory_format), frames, fold_div, causal=causal)
    expected = x.numpy() if frames == 1 else shifted_by_loops(x.numpy(), frames, fold_div, causal)
    np.testing.assert_array_equal(result.numpy(), expected)


def test_shift_of_one_clip_written_out() -> None:
    frames = torch.tensor([[1, 10, 100, 1000], [2, 20, 200, 2000], [3, 30, 300, 3000]])[:, :, None, None]
    shifted = temporal_shift(frames, 3, 4)[:, :, 0, 0]
    assert shifted.tolist() == [[2, 0, 100, 1000], [3, 10, 200, 2000], [0, 20, 300, 3000]]


def test_causal_shift_of_one_clip_written_out() -> None:
    frames = torch.tensor([[1, 10, 100, 1000], [2, 20, 200, 2000], [3, 30, 300, 3000]])[:, :, None, None]
    shifted = temporal_shift(frames, 3, 4, causal=True)[:, :, 0, 0]
    assert shifted.tolist() == [[0, 10, 100, 1000], [1, 20, 200, 2000], [2, 30, 300, 3000]]


@pytest.mark.parametrize("causal", [False, True])
def test_shift_leaves_its_input_alone_and_keeps_the_dtype(causal: bool) -> None:
    x = torch.arange(32, dtype=torch.float16).reshape(4, 8, 1, 1)
    before = x.clone()
    assert temporal_shift(x, 4, causal=causal).dtype == torch.float16
    assert torch.equal(x, before)


def test_one_frame_is_returned_as_it_is() -> None:
    x = torch.randn(3, 8, 2, 2)
    assert temporal_shift(x, 1) is x


def test_gradients_flow_back_to_where_the_values_came_from() -> None:
    x = torch.zeros(4, 8, 1, 1, requires_grad=True)
    weight = torch.arange(32.0).reshape(4, 8, 1, 1)
    torch.autograd.backward((temporal_shift(x, 4, 8) * weight).sum())
    assert x.grad is not None
    gradient, sent = x.grad[:, :, 0, 0], weight[:, :, 0, 0]
    assert gradient[:, 0].tolist() == [0, *sent[:3, 0].tolist()]  # frame 0's first channel goes nowhere
    assert gradient[:, 1].tolist() == [*sent[1:, 1].tolist(), 0]
    assert torch.equal(gradient[:, 2:], sent[:, 2:])


def torchvision_shapes(n_classes: int) -> dict[str, tuple[int, ...]]:
    """Names and shapes in torchvision's resnet18, in the order of its state dict."""

    def norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
        fields = {key: (width,) for key in ("weight", "bias", "running_mean", "running_var")}
        return {f"{name}.{key}": shape for key, shape in fields.items()} | {f"{name}.num_batches_tracked": ()}

    shapes: dict[str, tuple[int, ...]] = {"conv1.weight": (64, 3, 7, 7), **norm("bn1", 64)}
    before = 64
    for stage, width in enumerate((64, 128, 256, 512), start=1):
        for block in range(2):
            name = f"layer{stage}.{block}"
            shapes |= {f"{name}.conv1.weight": (width, before, 3, 3), **norm(f"{name}.bn1", width)}
            shapes |= {f"{name}.conv2.weight": (width, width, 3, 3), **norm(f"{name}.bn2", width)}
            if block == 0 and stage > 1:
                shapes |= {f"{name}.downsample.0.weight": (width, before, 1, 1)}
                shapes |= norm(f"{name}.downsample.1", width)
            before = width
    return shapes | {"fc.weight": (n_classes, 512), "fc.bias": (n_classes,)}


@pytest.mark.parametrize(("n_frames", "causal"), [(1, False), (4, False), (4, True)])
@pytest.mark.parametrize("stem_pool", [True, False])
def test_names_and_shapes_are_torchvisions(n_frames: int, causal: bool, stem_pool: bool) -> None:
    network = TsmResNet18(1000, n_frames, stem_pool=stem_pool, dropout=0.5, causal=causal)
    assert {name: tuple(t.shape) for name, t in network.state_dict().items()} == torchvision_shapes(1000)
    assert sum(parameter.numel() for parameter in network.parameters()) == 11_689_512


def test_known_names_and_shapes_spelled_out() -> None:
    state = TsmResNet18(7).state_dict()
    assert len(state) == 122
    known = {
        "conv1.weight": (64, 3, 7, 7),
        "bn1.running_var": (64,),
        "layer1.0.conv1.weight": (64, 64, 3, 3),
        "layer1.1.bn2.num_batches_tracked": (),
        "layer2.0.conv1.weight": (128, 64, 3, 3),
        "layer2.0.downsample.0.weight": (128, 64, 1, 1),
        "layer2.0.downsample.1.bias": (128,),
        "layer4.0.downsample.0.weight": (512, 256, 1, 1),
        "layer4.1.conv2.weight": (512, 512, 3, 3),
        "fc.weight": (7, 512),
    }
    assert {name: tuple(state[name].shape) for name in known} == known
    assert "layer1.0.downsample.0.weight" not in state


def plain_resnet18(state: dict[str, Tensor], images: Tensor, *, stem_pool: bool) -> Tensor:
    """ResNet-18 in evaluation mode from functions only (He et al. 2016, table 1)."""

    def norm(x: Tensor, name: str) -> Tensor:
        scale = state[f"{name}.weight"] / torch.sqrt(state[f"{name}.running_var"] + 1e-5)
        shift = state[f"{name}.bias"] - state[f"{name}.running_mean"] * scale
        return x * scale[:, None, None] + shift[:, None, None]

    x = F.relu(norm(F.conv2d(images, state["conv1.weight"], stride=2, padding=3), "bn1"))
    if stem_pool:
        x = F.max_pool2d(x, 3, 2, 1)
    for stage in range(1, 5):
        for block in range(2):
            name = f"layer{stage}.{block}"
            stride = 2 if stage > 1 and block == 0 else 1
            y = F.relu(norm(F.conv2d(x, state[f"{name}.conv1.weight"], stride=stride, padding=1), f"{name}.bn1"))
            y = norm(F.conv2d(y, state[f"{name}.conv2.weight"], padding=1), f"{name}.bn2")
            if stride == 2:
                x = norm(F.conv2d(x, state[f"{name}.downsample.0.weight"], stride=2), f"{name}.downsample.1")
            x = F.relu(x + y)
    return F.linear(x.mean(dim=(2, 3)), state["fc.weight"], state["fc.bias"])


def random_state(n_classes: int = 5) -> dict[str, Tensor]:
    """A whole state in which no tensor is at its initial value."""
    generator = torch.Generator().manual_seed(3)
    state = TsmResNet18(n_classes, 1).state_dict()
    for name, tensor in state.items():
        if name.endswith(("running_var", "bn1.weight", "bn2.weight", "downsample.1.weight")):
            state[name] = torch.rand(tensor.shape, generator=generator) + 0.5
        elif tensor.ndim == 1:
            state[name] = torch.randn(tensor.shape, generator=generator) * 0.1
    return state


@pytest.mark.parametrize("stem_pool", [True, False])
def test_one_frame_is_the_ordinary_resnet18(stem_pool: bool) -> None:
    state = random_state()
    network = TsmResNet18(5, 1, stem_pool=stem_pool).eval()
    network.load_state_dict(state)
    images = torch.randn(2, 3, 33, 33, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        expected = plain_resnet18(state, images, stem_pool=stem_pool)
        torch.testing.assert_close(network(images[:, None]), expected, rtol=1e-4, atol=1e-4)


def networks() -> tuple[TsmResNet18, TsmResNet18]:
    """A static and a temporal network with the same weights."""
    state = random_state()
    static, temporal = TsmResNet18(5, 1).eval(), TsmResNet18(5, 4).eval()
    for network in (static, temporal):
        network.load_state_dict(state, strict=True)
    return static, temporal


def test_static_and_temporal_networks_share_weights_but_only_one_looks_at_time() -> None:
    static, temporal = networks()
    clip = torch.randn(1, 4, 3, 16, 16, generator=torch.Generator().manual_seed(5))
    with torch.inference_mode():
        one_by_one = static(clip[0][:, None]).mean(dim=0)
        forwards, backwards = temporal(clip)[0], temporal(clip.flip(1))[0]
        static_backwards = static(clip.flip(1)[0][:, None]).mean(dim=0)
    torch.testing.assert_close(one_by_one, static_backwards, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(forwards, one_by_one, rtol=0.01)
    assert not torch.allclose(forwards, backwards, rtol=0.01)


def test_clips_of_a_batch_do_not_mix() -> None:
    _, temporal = networks()
    clips = torch.randn(2, 4, 3, 16, 16, generator=torch.Generator().manual_seed(6))
    with torch.inference_mode():
        together = temporal(clips)
        apart = torch.cat([temporal(clips[:1]), temporal(clips[1:])])
    assert together.shape == (2, 5)
    torch.testing.assert_close(together, apart, rtol=1e-4, atol=1e-4)


def changed_frames(network: TsmResNet18, frame: int) -> list[int]:
    """The frames of a clip whose maps change when one frame is replaced."""
    generator = torch.Generator().manual_seed(8)
    clip = torch.randn(4, 3, 16, 16, generator=generator)
    other = clip.clone()
    other[frame] = torch.randn(3, 16, 16, generator=generator)
    with torch.inference_mode():
        before, after = network.maps(clip), network.maps(other)
    return [t for t in range(4) if not torch.equal(before[t], after[t])]


def test_a_causal_network_never_sees_the_future() -> None:
    causal = TsmResNet18(5, 4, causal=True).eval()
    causal.load_state_dict(random_state(), strict=True)
    assert changed_frames(causal, 0) == [0, 1, 2, 3]
    assert changed_frames(causal, 2) == [2, 3]
    assert changed_frames(causal, 3) == [3]


def test_networks_that_are_not_causal_see_all_frames_or_one() -> None:
    static, temporal = networks()
    assert changed_frames(temporal, 3) == [0, 1, 2, 3]
    assert changed_frames(static, 2) == [2]


def test_a_causal_network_knows_no_less_when_a_clip_ends_early() -> None:
    long, short = TsmResNet18(5, 4, causal=True).eval(), TsmResNet18(5, 2, causal=True).eval()
    short.load_state_dict(long.state_dict())
    clip = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(9))
    with torch.inference_mode():
        torch.testing.assert_close(long.maps(clip)[:2], short.maps(clip[:2]), rtol=1e-4, atol=1e-4)


def test_the_share_of_shifted_channels_matters_to_the_network() -> None:
    clip = torch.randn(1, 4, 3, 16, 16, generator=torch.Generator().manual_seed(10))
    usual, wider = TsmResNet18(5, 4, 8).eval(), TsmResNet18(5, 4, 4).eval()
    wider.load_state_dict(usual.state_dict())
    with torch.inference_mode():
        assert not torch.allclose(usual(clip), wider(clip), rtol=0.01)


@pytest.mark.parametrize(("stem_pool", "side"), [(False, 3), (True, 2)])
def test_logits_come_from_features_and_features_from_maps(stem_pool: bool, side: int) -> None:
    network = TsmResNet18(5, 4, stem_pool=stem_pool).eval()
    network.load_state_dict(random_state())
    clips = torch.randn(2, 4, 3, 48, 48, generator=torch.Generator().manual_seed(11))
    with torch.inference_mode():
        maps = network.maps(clips.flatten(0, 1))
        features = network.features(clips.flatten(0, 1))
        assert maps.shape == (8, 512, side, side) and maps.min() == 0
        torch.testing.assert_close(features, maps.sum(dim=(2, 3)) / side**2)
        by_hand = (features @ network.fc.weight.T + network.fc.bias).reshape(2, 4, 5).sum(dim=1) / 4
        torch.testing.assert_close(network(clips), by_hand)


def test_every_parameter_learns() -> None:
    network = TsmResNet18(3, 2)
    network(torch.randn(2, 2, 3, 32, 32, generator=torch.Generator().manual_seed(7))).square().sum().backward()
    silent = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


def test_dropout_acts_only_while_training() -> None:
    network = TsmResNet18(3, 1, dropout=0.5)
    clip = torch.randn(4, 1, 3, 16, 16)
    network.eval()
    with torch.inference_mode():
        assert torch.equal(network(clip), network(clip))
        for norm in network.modules():
            if isinstance(norm, torch.nn.BatchNorm2d):
                norm.momentum = 0.0
        network.train()
        assert not torch.equal(network(clip), network(clip))
