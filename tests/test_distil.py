"""benchmarks/distil.py, which made the shipped classifiers, on a CPU and a few made-up faces."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fercli.models.networks import build_network
from fercli.models.weights import load_state, read_header
from tests.learn.datasets.faces import npz_arrays, write_npz

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
VOTES_OF = [4, 5, 6, 1, 3, 2, 0]
"""Columns of FER+'s votes for FER2013's classes."""


@pytest.fixture
def distil(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("distil")


@pytest.fixture
def device_views(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("device_views")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """24 faces of Training, of which the first three have class 0 and the last two no vote for a class."""
    arrays = npz_arrays((24, 7, 7), votes=True)
    arrays["fer2013_label"][1:3] = 0
    for row, label in enumerate(arrays["fer2013_label"]):
        arrays["ferplus_votes"][row, 9 if row in (22, 23) else VOTES_OF[label]] = 10
    return write_npz(tmp_path / "fer2013_ferplus.npz", arrays)


def faces(n: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).integers(0, 256, (n, 48, 48)).astype(np.uint8))


def targets(n: int) -> torch.Tensor:
    return torch.eye(8)[torch.arange(n) % 8]


@pytest.mark.parametrize("frames", [1, 4])
def test_views_differ_by_chance_in_values_only(device_views: Any, frames: int) -> None:
    images = faces(1).repeat(16, 1, 1)
    found = []
    for seed in range(3):
        torch.manual_seed(seed)
        found.append(device_views.views(images, frames, 56))
    assert {tuple(v.shape) for v in found} == {(16, frames, 56, 56)}
    assert all(v.min() >= 0 and v.max() <= 1 and torch.isfinite(v).all() for v in found)
    assert not torch.equal(found[0], found[1])
    assert not torch.equal(found[0][0], found[0][1])  # each face has its own draw
    torch.manual_seed(0)
    torch.testing.assert_close(device_views.views(images, frames, 56), found[0])


def test_compression_keeps_flat_faces_and_alters_others(device_views: Any) -> None:
    flat = torch.full((4, 1, 48, 48), 128 / 255)
    torch.testing.assert_close(device_views.compressed(flat), flat, atol=1e-5, rtol=0)
    noisy = faces(4)[:, None].float() / 255
    assert (device_views.compressed(noisy) - noisy).abs().mean() > 0.02


def test_without_mixing_pictures_and_targets_stay(device_views: Any) -> None:
    v = torch.rand(8, 1, 32, 32)
    same, own = device_views.mixed(v, 0.0)
    assert torch.equal(same, v)
    assert torch.equal(own, torch.ones(8))
    assert torch.equal(device_views.mixed_targets(targets(8), own), targets(8))


def test_mixed_targets_have_the_shares_of_the_pictures(device_views: Any) -> None:
    torch.manual_seed(0)
    v = torch.arange(64.0).view(64, 1, 1, 1).expand(-1, 1, 32, 32)
    mixture, own = device_views.mixed(v, 0.5)
    expected = own * torch.arange(64.0) + (1 - own) * torch.arange(64.0).roll(1)
    torch.testing.assert_close(mixture.mean((1, 2, 3)), expected)
    assert 16 < int((own < 1).sum()) < 48
    known = targets(64)
    known[10] = 0
    found = device_views.mixed_targets(known, own)
    sums = found.sum(1)
    assert bool(((sums - 1).abs() < 1e-5).logical_or(sums == 0).all())
    whole = own > 0.999
    assert torch.equal(found[whole], known[whole])
    assert sums[10] == 0
    assert (sums[11] == 0) == (not whole[11])  # its neighbour is the unknown face
    part = int(torch.nonzero(~whole & (torch.arange(64) > 12))[0])
    assert found[part, part % 8].item() == pytest.approx(own[part].item())


def test_folded_normalisation_gives_the_same_answers(distil: Any) -> None:
    torch.manual_seed(0)
    network = build_network("tsm-resnet18", 15, 16, stem_pool=True)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for values in (module.running_mean, module.running_var, module.weight, module.bias):
                assert values is not None
                values.data.uniform_(0.5, 1.5)
    network.eval()
    folded = distil.folded(network)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())
    assert not any(parameter.requires_grad for parameter in folded.parameters())
    clips = torch.rand(2, 4, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(folded(clips), network(clips), atol=1e-4, rtol=1e-4)


def test_rare_classes_are_drawn_more_often_and_the_loss_is_corrected(distil: Any, root: Path) -> None:
    found = distil.Faces(root, "cpu")
    assert (found.sizes, len(found.images)) == ([8, 7], 24)
    for held, shares, shift in zip(found.targets, found.shares, found.shifts, strict=True):
        drawn = (held * found.weight[:, None]).sum(0)
        present = held.any(0)
        torch.testing.assert_close((shares * shift.exp())[present], (drawn / drawn.sum())[present])
    main, shares = found.targets[0], found.shares[0]
    common, rare = (int(row) for row in (main @ shares).topk(24).indices[[0, 21]])
    expected = (main[rare] @ shares / (main[common] @ shares)) ** -0.3
    torch.testing.assert_close(found.weight[rare] / found.weight[common], expected)
    assert found.shifts[0][main[rare].argmax()] > 0 > found.shifts[0][main[common].argmax()]


def test_the_learning_rate_rises_for_a_twentieth_and_falls_as_a_cosine(distil: Any) -> None:
    plan = distil.PLANS["students"]
    rates = [distil.learning_rate(plan, share) for share in (0.0, 0.025, 0.05, 0.525, 1.0)]
    assert rates == pytest.approx([0.04 * 0.06, 0.52 * 0.06, 0.06, 0.03, 0.0])


def test_the_losses_are_cross_entropies_of_known_faces(distil: Any) -> None:
    logits, shift = torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([0.0, 2.0])
    known = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    assert distil.label_loss((logits,), [known], [shift]).item() == pytest.approx(np.log(2))
    answers = torch.full((2, 2), 0.5)
    expected = (-torch.log_softmax(logits, 1).mean(1)).mean().item()
    assert distil.teacher_loss((logits,), [answers]).item() == pytest.approx(expected)


def test_a_step_leaves_the_gradients_of_its_own_batch(distil: Any, root: Path) -> None:
    plan = distil.Plan(1, {"one": distil.Design(32, init="", dropout=0.0)}, lr=0.1, mix=0.4)
    data = distil.Faces(root, "cpu")
    torch.manual_seed(0)
    network = plan.networks["one"].build(15).eval()
    step = distil.Step(plan, {"one": network}, data, None, 4)
    found = []
    for _ in range(2):
        torch.manual_seed(0)
        loss = step(torch.arange(4))
        found.append((loss.item(), network.fc.bias.grad.clone()))
    assert found[0][0] == pytest.approx(found[1][0])
    torch.testing.assert_close(found[0][1], found[1][1])  # they are not added up


@pytest.mark.slow
def test_a_trial_of_one_step_writes_four_networks(tmp_path: Path, root: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, str(BENCHMARKS / "distil.py"), str(root), "--out", str(out), "--steps", "1"]
    subprocess.run(command, check=True, cwd=BENCHMARKS.parent, env={**os.environ, "OMP_NUM_THREADS": "1"})
    for name, size, pool, model in (
        ("student-56", 56, False, "resnet18"),
        ("student-72", 72, True, "resnet18"),
        ("clips-56", 56, False, "tsm-resnet18"),
        ("clips-72", 72, True, "tsm-resnet18"),
    ):
        header = read_header(out / f"{name}.safetensors")
        assert (header.architecture, header.input_size, header.stem_pool) == (model, size, pool)
        assert (header.fold_div, header.view_scale) == (16, 0.9)
        recipe = {"dataset": "ferplus", "script": "benchmarks/distil.py", "steps": 1, "model": model}
        assert header.recipe == recipe
        assert [head.temperature != 1 for head in header.heads] == [True, True]
        assert header.metrics["ferplus"]["valid_n"] == 7
        before = torch.load(out / f"{name}.pt", weights_only=True)
        torch.testing.assert_close(
            load_state(out / f"{name}.safetensors")["fc.weight"], before["fc.weight"].half().float()
        )
