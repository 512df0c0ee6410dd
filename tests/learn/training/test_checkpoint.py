"""Checkpoints: all of a run's state goes in and comes out, and nothing else is accepted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from fercli.errors import OutputError, WeightsError
from fercli.learn.training.average import Average
from fercli.learn.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from fercli.models.weights import ClassifierHeader, Head, save_classifier
from tests.failing import fails


def small(width: int = 4) -> nn.Sequential:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.LazyLinear(2))
    network(torch.zeros(2, 3, 6, 6))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def step(network: nn.Module, optimizer: torch.optim.Optimizer, seed: int) -> None:
    torch.manual_seed(seed)
    optimizer.zero_grad()
    network(torch.randn(5, 3, 6, 6)).square().mean().backward()
    optimizer.step()


def adam(network: nn.Module) -> torch.optim.AdamW:
    return torch.optim.AdamW(network.parameters(), lr=0.01)


def state(network: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    moments = {
        f"{name}.{key}": value for name, p in network.named_parameters() for key, value in optimizer.state[p].items()
    }
    return {**network.state_dict(), **moments}


def test_going_on_from_a_file_equals_never_having_stopped(tmp_path: Path) -> None:
    network = small()
    optimizer = adam(network)
    for seed in range(3):
        step(network, optimizer, seed)
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, network, optimizer, Progress(3, 30, 0.5))

    restored = small()
    restored_optimizer = adam(restored)
    assert load_checkpoint(path, restored, restored_optimizer) == Progress(3, 30, 0.5)
    for seed in range(3, 6):
        step(network, optimizer, seed)
        step(restored, restored_optimizer, seed)
    expected, found = state(network, optimizer), state(restored, restored_optimizer)
    assert expected.keys() == found.keys()
    assert len(expected) == 9 + 6 * 3  # tensors of the network; step and two moments a parameter
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert all(expected[name].stride() == found[name].stride() for name in expected)


def test_a_checkpoint_before_the_first_step(tmp_path: Path) -> None:
    network = small()
    save_checkpoint(tmp_path / "c", network, adam(network), Progress())
    optimizer = adam(network)
    assert load_checkpoint(tmp_path / "c", network, optimizer) == Progress(0, 0, 0.0, 0)
    assert not optimizer.state


def test_a_failed_write_leaves_the_old_checkpoint_alone(tmp_path: Path, fill_disk: Callable[[], None]) -> None:
    network = small()
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, network, adam(network), Progress(1))
    before = path.read_bytes()

    fill_disk()
    with fails(OutputError, "disk-full"):
        save_checkpoint(path, network, adam(network), Progress(2))
    assert [item.name for item in tmp_path.iterdir()] == ["last.safetensors"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", ["other network", "missing", "text", "cut short", "classifier"])
def test_what_is_no_checkpoint_of_this_network(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "last.safetensors"
    network = small()
    save_checkpoint(path, small(width=5) if kind == "other network" else network, adam(network), Progress(1))
    if kind == "missing":
        path.unlink()
    elif kind == "text":
        path.write_text("no tensors here")
    elif kind == "cut short":
        path.write_bytes(path.read_bytes()[:-40])
    elif kind == "classifier":
        save_classifier(path, network.state_dict(), ClassifierHeader("x", (Head("y", ("a",)),), 8, 1))
    with pytest.raises(WeightsError, match=r"last\.safetensors") as caught:
        load_checkpoint(path, network, adam(network))
    assert "--out" in caught.value.hint


def test_a_checkpoint_without_moments_or_with_broken_ones_is_refused_with_the_way_on(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    save_checkpoint(tmp_path / "good", model, optimizer, Progress(1, 1))
    tensors = load_file(tmp_path / "good")
    moment = "optimizer.exp_avg.0.weight"
    harm = {
        "none": {name: tensor for name, tensor in tensors.items() if not name.startswith("optimizer.")},
        "another shape": tensors | {moment: torch.zeros(3)},
        "of nothing": tensors | {"optimizer.exp_avg.9.weight": torch.zeros(3)},
        "NaN": tensors | {moment: torch.full((8, 4), torch.nan)},
    }
    for what, content in harm.items():
        save_file(content, tmp_path / what, {"progress": '{"epoch": 1, "step": 1}'})
        with pytest.raises(WeightsError) as found:
            load_checkpoint(tmp_path / what, model, torch.optim.AdamW(model.parameters()))
        assert "--out" in found.value.hint
    save_file(tensors, tmp_path / "text", {"progress": '{"epoch": "1"}'})
    with pytest.raises(WeightsError):
        load_checkpoint(tmp_path / "text", model, torch.optim.AdamW(model.parameters()))


def test_the_average_goes_on_as_well(tmp_path: Path) -> None:
    network, path = small(), tmp_path / "last.safetensors"
    optimizer, average = adam(network), Average(network, 0.9)
    for seed in range(3):
        step(network, optimizer, seed)
        average.update()
    save_checkpoint(path, network, optimizer, Progress(3, 3), average.model)
    restored = small()
    restored_optimizer, restored_average = adam(restored), Average(restored, 0.9)
    load_checkpoint(path, restored, restored_optimizer, restored_average.model)
    for one, its_optimizer, its_average in (
        (network, optimizer, average),
        (restored, restored_optimizer, restored_average),
    ):
        step(one, its_optimizer, 3)
        its_average.update()
    found, expected = restored_average.model.state_dict(), average.model.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())
    assert not torch.equal(found["module.0.weight"], network.state_dict()["0.weight"])


def test_a_run_without_an_average_cannot_go_on_with_one(tmp_path: Path) -> None:
    network, path = small(), tmp_path / "last.safetensors"
    save_checkpoint(path, network, adam(network), Progress())
    with fails(WeightsError, "checkpoint-unusable", "last.safetensors"):
        load_checkpoint(path, network, adam(network), Average(network, 0.9).model)
