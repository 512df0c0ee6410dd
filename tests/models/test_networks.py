"""Every architecture: that it is the network its name says, on clips of the length it declares."""

from __future__ import annotations

import pytest
import torch

from fercli.errors import ConfigError
from fercli.models.dlib_resnet import TsmDlibResNet
from fercli.models.lstm import ResNet18Lstm
from fercli.models.networks import ARCHITECTURES, build_network
from fercli.models.rca import ChannelAttention
from fercli.models.tsm import BasicBlock, TsmResNet18
from tests.failing import fails

RESNETS = {"resnet18": 1, "tsm-resnet18": 4, "tsm-resnet18-online": 4, "resnet18-lstm": 4, "resnet18-rca": 1}
DLIB = {"dlib-resnet": 1, "tsm-dlib-resnet": 4}
FRAMES = {**RESNETS, **DLIB, "attention-56": 1, "attention-56-small": 1}


def test_the_architectures_and_their_clips() -> None:
    assert {name: architecture.n_frames for name, architecture in ARCHITECTURES.items()} == FRAMES


@pytest.mark.parametrize("name", RESNETS)
@pytest.mark.parametrize("stem_pool", [False, True])
def test_clips_become_logits(name: str, stem_pool: bool) -> None:
    network = build_network(name, 6, stem_pool=stem_pool).eval()
    assert isinstance(network.maxpool, torch.nn.MaxPool2d) == stem_pool
    clips = torch.randn(3, FRAMES[name], 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        logits = network(clips)
        alone = network(clips[1:2])
    assert logits.shape == (3, 6) and logits.dtype == torch.float32
    torch.testing.assert_close(logits[1:2], alone, rtol=1e-4, atol=1e-4)
    assert logits.std(dim=0).min() > 0


@pytest.mark.parametrize("name", RESNETS)
def test_options_reach_the_network(name: str) -> None:
    network = build_network(name, 3, 4, dropout=0.25)
    blocks = [module for module in network.modules() if isinstance(module, BasicBlock)]
    assert len(blocks) == 8
    shifts = name.startswith("tsm")
    assert {block.n_frames for block in blocks} == {4 if shifts else 1}
    assert {block.causal for block in blocks} == {name == "tsm-resnet18-online"}
    assert {isinstance(block.attention, ChannelAttention) for block in blocks} == {name == "resnet18-rca"}
    assert isinstance(network, ResNet18Lstm if name == "resnet18-lstm" else TsmResNet18)
    assert network.dropout.p == 0.25
    if shifts:
        assert {block.fold_div for block in blocks} == {4}


@pytest.mark.parametrize("name", RESNETS)
def test_imagenet_weights_fit_every_trunk(name: str) -> None:
    network = build_network(name, 7)
    imagenet = {key: t for key, t in TsmResNet18(1000, 1).state_dict().items() if not key.startswith("fc.")}
    missing, unexpected = network.load_state_dict(imagenet, strict=False)
    assert unexpected == []
    assert [key for key in missing if not key.startswith(("fc.", "lstm.")) and ".attention." not in key] == []
    assert all(torch.equal(network.state_dict()[key], tensor) for key, tensor in imagenet.items())


def test_an_unknown_name() -> None:
    with fails(ConfigError, "name-unknown", "'vit-huge'") as caught:
        build_network("vit-huge", 7)
    assert all(name in caught.value.hint for name in FRAMES)


@pytest.mark.parametrize("fold_div", [1, 0, -8])
def test_a_share_that_cannot_be_shifted(fold_div: int) -> None:
    with pytest.raises(ConfigError, match=f"fold_div is {fold_div}:") as caught:
        build_network("tsm-resnet18", 7, fold_div)
    assert "2" in caught.value.hint


@pytest.mark.parametrize("name", DLIB)
def test_the_trunk_of_dlib_classifies_clips(name: str) -> None:
    network = build_network(name, 6, 4, dropout=0.25).eval()
    assert isinstance(network, TsmDlibResNet) and network.dropout.p == 0.25
    smallest = ARCHITECTURES[name].smallest
    clips = torch.randn(3, FRAMES[name], 3, smallest, smallest, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        logits = network(clips)
        torch.testing.assert_close(network(clips[1:2]), logits[1:2], rtol=1e-4, atol=1e-4)
        assert network.maps(clips.flatten(0, 1)).shape == (3 * FRAMES[name], network.n_features, 1, 1)
        with pytest.raises(RuntimeError):  # so nothing smaller is accepted
            network(clips[..., :-1, :-1])
    assert logits.shape == (3, 6) and logits.std(dim=0).min() > 0


def test_frames_of_a_clip_meet_in_the_trunk_of_dlib_only_where_they_are_shifted() -> None:
    shifted, alone = build_network("tsm-dlib-resnet", 3).eval(), build_network("dlib-resnet", 3).eval()
    alone.load_state_dict(shifted.state_dict())
    frames = torch.randn(4, 3, 112, 112, generator=torch.Generator().manual_seed(0))
    changed = frames.clone()
    changed[0] += 1
    with torch.inference_mode():
        assert not torch.allclose(shifted.features(changed)[1], shifted.features(frames)[1])
        torch.testing.assert_close(alone.features(changed)[1:], alone.features(frames)[1:])
