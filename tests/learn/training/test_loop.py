"""The training loop: what it writes, that it resumes exactly, and what stops it."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from fercli import writing
from fercli.config import TrainConfig
from fercli.errors import ConfigError, DatasetError, OutputError, WeightsError
from fercli.labels import EMOTIONS, EMOTIONS_8
from fercli.learn.datasets import DatasetSplits, Listing, Sample, read_dataset
from fercli.learn.datasets.pack import pack
from fercli.learn.evaluation import metrics
from fercli.learn.training import augment, epoch, loop, splits, strong
from fercli.learn.training.augment import normalise
from fercli.learn.training.epoch import TrainingDiverged, one_cycle
from fercli.learn.training.initial import read_initial, start_from
from fercli.learn.training.loop import train
from fercli.models.classifier import EmotionClassifier
from fercli.models.dlib_resnet import trunk_state
from fercli.models.networks import ARCHITECTURES, build_network
from fercli.models.registry import find_model, find_weights, packaged_weights
from fercli.models.tsm import temporal_shift
from fercli.models.weights import ClassifierHeader, Head, load_state, read_header, save_classifier
from fercli.progress import Silent, Task
from tests.failing import fails
from tests.learn.datasets.faces import npz_arrays, write_npz

COUNTS = (48, 21, 7)
STEPS_PER_EPOCH = 3


class SmallNetwork(nn.Module):
    """Stands in for ResNet-18: a shift, batch norm, dropout and a last layer called `fc`, but only 8 channels."""

    def __init__(self, n_classes: int, n_frames: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_frames = n_frames
        self.conv1 = nn.Conv2d(3, 8, 5, stride=2)
        self.bn1 = nn.BatchNorm2d(8)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(8, n_classes)

    def forward(self, clips: Tensor) -> Tensor:
        frames = self.bn1(self.conv1(clips.flatten(0, 1))).relu()
        pooled = temporal_shift(frames, self.n_frames, 4).mean(dim=(2, 3))
        logits: Tensor = self.fc(self.dropout(pooled))
        return logits.view(len(clips), self.n_frames, -1).mean(dim=1)


def small_network(architecture: str, n_classes: int, fold_div: int, *, dropout: float) -> SmallNetwork:
    return SmallNetwork(n_classes, ARCHITECTURES[architecture].n_frames, dropout)


class Talk(Silent):
    """Keeps notes, and interrupts in an epoch (from 1) after its first batch."""

    def __init__(self, interrupt_in: int | None = None) -> None:
        super().__init__()
        self.notes: list[str] = []
        self.totals: list[int | None] = []
        self.units: list[str] = []
        self.interrupt_in = interrupt_in

    @contextmanager
    def task(self, label: str, total: int | None, unit: str) -> Iterator[Task]:
        self.totals.append(total)
        self.units.append(unit)
        yield Interruptible(self.interrupt_in is not None and label.startswith(f"epoch {self.interrupt_in}/"))

    def note(self, message: str) -> None:
        self.notes.append(message)


class Interruptible:
    def __init__(self, interrupt: bool) -> None:
        self.interrupt = interrupt

    def advance(self, steps: int = 1, **figures: str) -> None:
        if self.interrupt:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_npz(tmp_path_factory.mktemp("data") / "fer2013.npz", npz_arrays(COUNTS))


@pytest.fixture
def config(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainConfig:
    """Four short epochs of the small network; the size grows from 12 to 16.

    What `finish` does at the end needs the real network and is left to the test that has it.
    """
    monkeypatch.setattr(loop, "build_network", small_network)
    monkeypatch.setattr(loop, "finish", lambda best, data, device, reporter: reporter.note(f"finished {best.name}"))
    return settings(root, tmp_path / "run", sizes=(12, 16))


def settings(root: Path, out: Path, **changes: Any) -> TrainConfig:
    small = {"batch": 16, "sizes": (16,), "lr": 1e-2, "precision": "float32"}
    values: dict[str, Any] = {"model": "resnet18", "epochs": 4, "device": "cpu", **small, **changes}
    return TrainConfig(dataset="fer2013", root=root, out=out, **values)


def rows(out: Path) -> list[dict[str, Any]]:
    """metrics.jsonl without the seconds, which differ from run to run."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert all(line.pop("seconds") >= 0 for line in lines)
    return lines


def files(out: Path) -> dict[str, bytes]:
    return {name: (out / f"{name}.safetensors").read_bytes() for name in ("last", "best")}


def test_a_run_leaves_its_parameters_a_row_an_epoch_a_checkpoint_and_the_best_classifier(config: TrainConfig) -> None:
    talk = Talk()
    assert train(config, talk) == config.out / "best.safetensors"
    assert sorted(path.name for path in config.out.iterdir()) == [
        "best.safetensors",
        "config.json",
        "last.safetensors",
        "metrics.jsonl",
    ]
    written = json.loads((config.out / "config.json").read_text())
    assert (written["epochs"], written["lr"], written["root"]) == (4, 1e-2, str(config.root))
    assert set(written) == set(vars(config))
    found = rows(config.out)
    assert [row["epoch"] for row in found] == [1, 2, 3, 4]
    assert [row["size"] for row in found] == [config.size_in(number) for number in range(4)]
    assert found[0]["size"] < found[-1]["size"] == 16
    assert all(set(row) == {"epoch", "size", "loss", "valid_accuracy", "valid_uar"} for row in found)
    best = max(row["valid_accuracy"] for row in found)
    header = read_header(config.out / "best.safetensors")
    best_epoch = max(row["epoch"] for row in found if row["valid_accuracy"] == best)
    assert header.recipe["epoch"] == best_epoch
    assert header.input_size == config.size_in(best_epoch - 1)
    assert (header.heads, header.architecture, header.n_frames) == ((Head("fer2013", EMOTIONS),), "resnet18", 1)
    assert header.recipe["lr"] == 1e-2 and "root" not in header.recipe and "FER2013" in header.training_data
    assert talk.totals == [48] * 4
    assert talk.notes[-1] == "finished best.safetensors"
    assert "train: 48 images, fer2013 7 classes" in talk.notes and "valid: 21 images, fer2013 7 classes" in talk.notes


@pytest.mark.parametrize("model", ["resnet18", "tsm-resnet18"])
def test_stopping_and_going_on_equals_never_having_stopped(config: TrainConfig, model: str) -> None:
    whole = replace(config, model=model)
    parts = replace(whole, out=config.out.parent / "parts")
    torch.rand(7)  # chance outside the run must not matter
    train(whole, Talk())
    with pytest.raises(KeyboardInterrupt):
        train(parts, Talk(interrupt_in=3))
    assert [row["epoch"] for row in rows(parts.out)] == [1, 2]
    talk = Talk()
    train(parts, talk)
    assert "going on after epoch 2 of 4" in talk.notes
    assert files(parts.out)["last"] == files(whole.out)["last"]
    assert rows(parts.out) == rows(whole.out)
    expected, found = load_file(whole.out / "best.safetensors"), load_file(parts.out / "best.safetensors")
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_finished_run_is_not_trained_again(config: TrainConfig) -> None:
    config = replace(config, epochs=1)
    train(config, Talk())
    before = files(config.out)
    talk = Talk()
    assert train(config, talk) == config.out / "best.safetensors"
    assert talk.totals == [] and files(config.out) == before and len(rows(config.out)) == 1


def test_the_seed_decides_the_run_and_another_one_changes_it(config: TrainConfig) -> None:
    losses = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.rand(3)
        train(replace(config, epochs=1, seed=seed, out=config.out / name), Talk())
        losses.append(load_file(config.out / name / "last.safetensors")["model.network.fc.weight"])
    assert torch.equal(losses[0], losses[1])
    assert not torch.equal(losses[0], losses[2])


def test_it_learns(config: TrainConfig) -> None:
    train(replace(config, epochs=12, lr=0.5, sizes=(16,)), Talk())
    found = rows(config.out)
    assert found[-1]["loss"] < 0.9 * found[0]["loss"]
    assert max(row["valid_accuracy"] for row in found) > 0.3  # a guess is right in one of seven


def test_limit_draws_so_many_images_and_never_more_than_there_are(config: TrainConfig) -> None:
    for limit, drawn in ((20, 20), (1000, 48)):
        talk = Talk()
        out = config.out / str(limit)
        train(replace(config, epochs=2, limit=limit, out=out), talk)
        assert talk.totals == [drawn] * 2
        with safe_open(out / "last.safetensors", framework="pt") as file:
            progress = json.loads(file.metadata()["progress"])
        assert progress["step"] == 2 * math.ceil(drawn / 16)


def test_all_batches_of_an_epoch_are_about_as_large(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """48 in batches of 47 are not 47 and 1: batch norm has nothing to compare in a batch of one."""
    sizes: list[int] = []
    random_views = augment.random_views

    def noted(images: Tensor, *arguments: Any) -> Tensor:
        sizes.append(len(images))
        return random_views(images, *arguments)

    monkeypatch.setitem(strong.STRENGTHS, "strong", noted)
    train(replace(config, epochs=1, batch=47), Talk())
    assert sizes == [24, 24]


def test_the_learning_rate_reaches_its_end_with_the_last_step(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares: list[float] = []

    def noted(share: float, peak: float) -> float:
        shares.append(share)
        return one_cycle(share, peak)

    monkeypatch.setattr(epoch, "one_cycle", noted)
    train(replace(config, epochs=2, limit=1000), Talk())
    np.testing.assert_allclose(shares, np.repeat(np.arange(6) / 6, 2))  # two groups of parameters


def test_one_cycle_rises_to_the_peak_and_falls_to_nothing() -> None:
    assert one_cycle(0.0, 2.0) == pytest.approx(0.08)
    assert one_cycle(0.05, 2.0) == pytest.approx(2.0 * 0.52)
    assert one_cycle(0.1, 2.0) == pytest.approx(2.0)
    assert one_cycle(0.55, 2.0) == pytest.approx(1.0)
    assert one_cycle(1.0, 2.0) == pytest.approx(0.0)
    falling = [one_cycle(share, 1.0) for share in np.linspace(0.1, 1, 50)]
    assert falling == sorted(falling, reverse=True)


def test_weight_decay_spares_biases_and_batch_norm(config: TrainConfig) -> None:
    network = SmallNetwork(7)
    decayed, plain = loop._parameter_groups(network, 0.05)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.05, 0.0)
    assert {names[id(p)] for p in decayed["params"]} == {"conv1.weight", "fc.weight"}  # type: ignore[attr-defined]
    assert {names[id(p)] for p in plain["params"]} == {"conv1.bias", "bn1.weight", "bn1.bias", "fc.bias"}  # type: ignore[attr-defined]


def started(config: TrainConfig, epochs: int = 2) -> dict[str, bytes]:
    """A run stopped after so many epochs; returns its files."""
    with pytest.raises(KeyboardInterrupt):
        train(config, Talk(interrupt_in=epochs + 1))
    return files(config.out)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_checkpoint(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = started(config)
    with monkeypatch.context() as patch:
        patch.setattr(epoch, "one_cycle", lambda share, peak: 1e30)
        with pytest.raises(TrainingDiverged, match=r"epoch 3, step [78]") as caught:
            train(config, Talk())
    assert (caught.value.exit_code, str(config.out) in caught.value.hint) == (5, True)
    assert files(config.out) == before
    assert [row["epoch"] for row in rows(config.out)] == [1, 2]
    train(config, Talk())
    assert [row["epoch"] for row in rows(config.out)] == [1, 2, 3, 4]


def test_weights_spoilt_by_the_last_step_of_an_epoch_are_not_saved(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = started(config)
    last_step = 3 * STEPS_PER_EPOCH - 1
    monkeypatch.setattr(
        epoch, "one_cycle", lambda share, peak: math.nan if round(share * 4 * STEPS_PER_EPOCH) == last_step else 1e-3
    )
    with pytest.raises(TrainingDiverged, match="epoch 3"):
        train(config, Talk())
    assert files(config.out) == before


def test_a_start_from_weights_that_are_no_numbers(config: TrainConfig) -> None:
    state = SmallNetwork(7).state_dict() | {"fc.bias": torch.full((7,), math.nan)}
    save_file(state, config.out.parent / "nan.safetensors")
    with fails(WeightsError, "weights-not-finite", "nan.safetensors", "fc.bias"):
        train(replace(config, init=config.out.parent / "nan.safetensors"), Talk())
    assert not (config.out / "last.safetensors").exists()
    assert not (config.out / "best.safetensors").exists()


def test_an_absurd_learning_rate_diverges(config: TrainConfig) -> None:
    with pytest.raises(TrainingDiverged):
        train(replace(config, lr=1e32), Talk())


def test_starting_from_a_static_network_takes_over_its_weights(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(replace(config, epochs=1), Talk())
    monkeypatch.setattr(epoch, "one_cycle", lambda share, peak: 0.0)
    given = config.out / "best.safetensors"
    temporal = replace(config, epochs=1, model="tsm-resnet18", init=given, out=config.out / "temporal")
    train(temporal, Talk())
    expected, found = load_file(given), load_file(temporal.out / "last.safetensors")
    for name in ("conv1.weight", "fc.weight"):
        assert torch.equal(found[f"model.network.{name}"], expected[name].float())
    assert read_header(temporal.out / "best.safetensors").n_frames == 4


def test_init_of_other_classes_keeps_all_but_the_last_layer(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epoch, "one_cycle", lambda share, peak: 0.0)
    other = SmallNetwork(1000).state_dict()
    save_file(other, config.out.parent / "init.safetensors")
    train(replace(config, epochs=1, init=config.out.parent / "init.safetensors"), Talk())
    found = load_file(config.out / "last.safetensors")
    assert torch.equal(found["model.network.conv1.weight"], other["conv1.weight"])
    assert found["model.network.fc.weight"].shape == (7, 8)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("shape", r"does not fit --model resnet18: its conv1\.weight is 9 x 3 x 5 x 5, not 8 x 3 x 5 x 5"),
        ("missing", r"does not fit --model resnet18: it has no bn1\.weight"),
        ("extra", r"does not fit --model resnet18: it has a layer9\.weight"),
        ("extra beside the last layer", r"does not fit --model resnet18: it has a fc2\.weight"),
        ("no file", "no file of weights at"),
        ("folder", "no file of weights at"),
        ("text", "cannot read weights"),
    ],
)
def test_init_that_does_not_fit_is_refused_before_the_data_are_looked_at(
    config: TrainConfig, kind: str, reason: str
) -> None:
    state = SmallNetwork(7).state_dict()
    path = config.out.parent / "init.safetensors"
    if kind == "shape":
        state["conv1.weight"] = torch.zeros(9, 3, 5, 5)
    elif kind == "missing":
        del state["bn1.weight"]
    elif kind == "extra":
        state["layer9.weight"] = torch.zeros(1)
    elif kind == "extra beside the last layer":
        state["fc2.weight"] = torch.zeros(1)
    if kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text("these are no weights, only some words")
    elif kind != "no file":
        save_file(state, path)
    talk = Talk()
    with pytest.raises(WeightsError, match=reason) as caught:
        train(replace(config, init=path), talk)
    assert "init.safetensors" in caught.value.message and "--init" in caught.value.hint
    assert "does not fit" in reason or not talk.notes
    assert not config.out.exists()


def test_pictures_too_small_for_a_network_are_refused_before_anything_is_read(config: TrainConfig) -> None:
    config = replace(config, root=Path("nowhere.npz"), model="dlib-resnet", sizes=(96, 112))
    with fails(ConfigError, "option-out-of-range", "dlib-resnet", "96") as caught:
        train(config, Talk())
    assert caught.value.hint == "give --sizes 112"


@pytest.mark.parametrize(("name", "model"), [("resnet18", "resnet18"), ("resnet18", "tsm-resnet18")])
def test_init_takes_a_shipped_network_by_its_name(name: str, model: str) -> None:
    network = build_network(model, 15)
    start_from(network, read_initial(Path(name)), Path(name), model)
    shipped = load_state(packaged_weights() / "resnet18-fer2013.safetensors")
    assert all(torch.equal(network.state_dict()[key], tensor) for key, tensor in shipped.items())


def test_init_takes_the_trunk_of_the_recognition_network_by_its_name() -> None:
    network = build_network("tsm-dlib-resnet", 7)
    head = network.fc.weight.clone()
    start_from(network, read_initial(Path("dlib-resnet")), Path("dlib-resnet"), "tsm-dlib-resnet")
    expected = trunk_state(Path(str(find_weights(find_model("dlib-resnet", "embedder")))))
    assert all(torch.equal(network.state_dict()[key], tensor) for key, tensor in expected.items())
    assert torch.equal(network.fc.weight, head)
    with fails(WeightsError, "weights-do-not-fit", "stem"):
        start_from(build_network("resnet18", 7), read_initial(Path("dlib-resnet")), Path("dlib-resnet"), "resnet18")


def test_the_average_of_the_weights_is_what_is_validated_and_kept(config: TrainConfig) -> None:
    """With one step an epoch the average after two is worked out from the networks of the two steps."""
    config = replace(config, ema=0.5, epochs=2, limit=16)
    train(config, Talk())
    last = load_file(config.out / "last.safetensors")
    averaged, kept = last["average.module.fc.weight"], load_state(config.out / "best.safetensors")["fc.weight"]
    assert not torch.equal(averaged, last["model.network.fc.weight"])
    if rows(config.out)[1]["valid_accuracy"] >= rows(config.out)[0]["valid_accuracy"]:
        torch.testing.assert_close(kept, averaged.half().float())


def test_going_on_with_an_average_equals_never_having_stopped(config: TrainConfig) -> None:
    config = replace(config, ema=0.9)
    train(config, Talk())
    other = replace(config, out=config.out.parent / "other")
    with pytest.raises(KeyboardInterrupt):
        train(other, Talk(interrupt_in=3))
    train(other, Talk())
    assert rows(other.out) == rows(config.out)
    assert load_file(other.out / "last.safetensors").keys() == load_file(config.out / "last.safetensors").keys()
    for name, tensor in load_file(config.out / "last.safetensors").items():
        assert torch.equal(load_file(other.out / "last.safetensors")[name], tensor), name


@pytest.mark.slow
def test_a_network_on_the_trunk_of_dlib_is_trained_and_used(root: Path, tmp_path: Path) -> None:
    config = settings(root, tmp_path / "run", model="dlib-resnet", init=Path("dlib-resnet"), sizes=(104,), epochs=1)
    classifier = EmotionClassifier(train(config, Talk()), "cpu")
    header = classifier.header
    assert (header.architecture, header.input_size, header.n_frames) == ("dlib-resnet", 104, 1)
    assert (header.mean, header.std) == (0.45, 1.0)
    answers = classifier.classify(np.random.default_rng(0).integers(0, 256, (2, 1, 104, 104), dtype=np.uint8))
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.slow
def test_a_network_of_residual_attention_is_trained_and_used(root: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = settings(root, tmp_path / "run", model="attention-56-small", sizes=(24,), epochs=3)
    classifier = EmotionClassifier(train(config, Talk()), "cpu")
    header = classifier.header
    assert (header.architecture, header.input_size, header.n_frames) == ("attention-56-small", 24, 1)
    faces = np.random.default_rng(0).integers(0, 256, (2, 1, 24, 24), dtype=np.uint8)
    np.testing.assert_allclose(classifier.classify(faces).sum(axis=1), 1, rtol=1e-5)
    assert classifier.features(faces).shape == (2, 1024)
    assert rows(config.out)[-1]["loss"] < rows(config.out)[0]["loss"]


def test_init_of_another_architecture_says_which_one_it_is(config: TrainConfig) -> None:
    path = config.out.parent / "init.safetensors"
    state = SmallNetwork(7).state_dict() | {"lstm.weight": torch.zeros(1)}
    save_classifier(path, state, ClassifierHeader("resnet18-lstm", (Head("x", EMOTIONS),), 16, 4))
    with fails(WeightsError, "weights-do-not-fit", "lstm.weight") as caught:
        train(replace(config, init=path), Talk())
    assert caught.value.hint == "it is a resnet18-lstm: give --model resnet18-lstm, or leave --init out"


def test_going_on_does_not_need_the_weights_it_started_from(config: TrainConfig) -> None:
    path = config.out.parent / "init.safetensors"
    save_file(SmallNetwork(7).state_dict(), path)
    config = replace(config, init=path)
    started(config, epochs=1)
    path.unlink()
    train(config, Talk())
    assert len(rows(config.out)) == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", "tsm-resnet18"),
        ("ema", 0.9),
        ("batch", 8),
        ("lr", 0.5),
        ("weight_decay", 0.0),
        ("seed", 1),
        ("sizes", (16,)),
        ("fold_div", 4),
        ("targets", "label"),
        ("smoothing", 0.1),
        ("balanced", True),
        ("mix", "cutmix"),
        ("randaugment", 3),
        ("precision", "bfloat16"),
        ("limit", 20),
        ("init", Path("other.safetensors")),
    ],
)
def test_a_run_goes_on_only_under_its_own_parameters(config: TrainConfig, name: str, value: object) -> None:
    before = started(config, epochs=1)
    settings_before = (config.out / "config.json").read_bytes()
    with pytest.raises(ConfigError, match=f"started with {name} ") as caught:
        train(replace(config, **{name: value}), Talk())  # type: ignore[arg-type]
    assert "--out" in caught.value.hint
    assert files(config.out) == before and (config.out / "config.json").read_bytes() == settings_before


def test_a_run_is_not_gone_on_with_on_another_data_set(config: TrainConfig) -> None:
    started(config, epochs=1)
    with fails(ConfigError, "run-differs", "'fer2013'", "'raf'"):
        train(replace(config, dataset="raf"), Talk())


def test_epochs_device_and_places_may_change(config: TrainConfig) -> None:
    train(replace(config, epochs=1), Talk())
    moved = config.out.rename(config.out.parent / "moved")
    root = write_npz(config.out.parent / "fer2013_copy.npz", npz_arrays(COUNTS))
    train(replace(config, epochs=2, out=moved, root=root, device="auto"), Talk())
    assert [row["epoch"] for row in rows(moved)] == [1, 2]
    assert json.loads((moved / "config.json").read_text())["epochs"] == 2


@pytest.mark.parametrize("content", [None, "{", "[1]"])
def test_a_checkpoint_without_its_parameters_is_not_gone_on_with(config: TrainConfig, content: str | None) -> None:
    started(config, epochs=1)
    path = config.out / "config.json"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(ConfigError, match=r"config\.json") as caught:
        train(config, Talk())
    assert "--out" in caught.value.hint


def test_a_checkpoint_of_another_architecture(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    started(config, epochs=1)

    def wider(architecture: str, n_classes: int, fold_div: int, *, dropout: float) -> SmallNetwork:
        network = small_network(architecture, n_classes, fold_div, dropout=dropout)
        network.conv1 = nn.Conv2d(3, 8, 7, stride=2)
        return network

    monkeypatch.setattr(loop, "build_network", wider)
    with fails(WeightsError, "checkpoint-unusable", "last.safetensors"):
        train(config, Talk())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", "resnet19"),
        ("dataset", "fer2014"),
        ("device", "tpu"),
        *((name, bad) for name in ("epochs", "batch", "fold_div") for bad in (0, -1)),
        ("fold_div", 1),
        ("sizes", ()),
        ("sizes", (0, 16)),
        ("sizes", (16, 12)),
        ("ema", 1.0),
        ("ema", -0.1),
        ("smoothing", 1.0),
        ("smoothing", -0.1),
        ("randaugment", 11),
        ("randaugment", -1),
        ("patience", -1),
        ("mix", "stir"),
        ("targets", "guess"),
        ("precision", "int8"),
        ("extras", ("more",)),
        ("lr", 0.0),
        ("lr", math.nan),
        ("weight_decay", -0.1),
        ("limit", -1),
    ],
)
def test_parameters_that_cannot_be_used(config: TrainConfig, name: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        train(replace(config, **{name: value}), Talk())  # type: ignore[arg-type]
    assert name.replace("_", "-") in caught.value.message or str(value) in caught.value.message or name == "extras"
    assert not config.out.exists()


def test_a_data_set_that_is_not_there_leaves_nothing_behind(config: TrainConfig) -> None:
    with pytest.raises(DatasetError):
        train(replace(config, root=config.out / "nowhere"), Talk())
    assert not config.out.exists()


def persons(names: Sequence[str], clip: int = 1) -> DatasetSplits:
    """Twelve pictures of noise, or clips, of each person, dealt out as `pack` does it."""

    def noise(path: Path) -> NDArray[np.uint8]:
        return np.random.default_rng(int(path.stem)).integers(0, 256, (20, 20, 3), dtype=np.uint8)

    samples = [Sample((Path(f"{n}.png"),) * clip, EMOTIONS[n % 7], subject=name) for name in names for n in range(12)]
    return pack(Listing("mine", "", EMOTIONS, tuple(samples), read_picture=noise), face_scale=1.0)


@pytest.mark.parametrize(("clip", "what"), [(1, "image"), (3, "clip")])
def test_one_person_cannot_be_on_two_sides(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch, clip: int, what: str
) -> None:
    monkeypatch.setattr(splits, "read_dataset", lambda *_, **__: persons(["Ross"], clip))
    with pytest.raises(DatasetError) as caught:
        train(config, Talk())
    assert caught.value.message == (
        f"{config.root} has no {what} for valid: nobody is on two sides of a split, and all it shows is Ross"
    )
    assert caught.value.hint == "training takes at least two persons, and a third to test on"
    assert not config.out.exists()


def test_two_persons_are_trained_on_with_a_warning_that_no_person_is_left_to_test_on(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(splits, "read_dataset", lambda *_, **__: persons(["Ross", "Rachel"], clip=2))
    talk = Talk()
    train(replace(config, epochs=1), talk)
    assert "train: 12 clips, mine 7 classes" in talk.notes and talk.units == ["clip"]
    (warning,) = talk.warnings
    assert warning.startswith(f"{config.root} has nothing for test")


def test_a_set_of_its_own_splits_that_lacks_one_names_the_command_that_shows_them(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = read_dataset("fer2013", config.root)
    empty = replace(data, valid=data.valid.take(np.arange(0)))
    monkeypatch.setattr(splits, "read_dataset", lambda *_, **__: empty)
    with pytest.raises(DatasetError, match=r"has no image for valid$") as caught:
        train(replace(config, root=Path("my faces")), Talk())
    assert caught.value.hint == "fercli dataset check fer2013 --root 'my faces' shows its splits"


def test_a_validation_split_without_a_label_cannot_choose_the_best(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = read_dataset("fer2013", config.root)
    data.valid.main.labels[:] = -1
    monkeypatch.setattr(splits, "read_dataset", lambda *_, **__: data)
    with pytest.raises(DatasetError, match=r"nothing of .* that is for valid has a label"):
        train(config, Talk())


def test_samples_that_cannot_be_used_are_reported(config: TrainConfig) -> None:
    arrays = npz_arrays(COUNTS, votes=True)
    arrays["match_sim"][:3] = 0.5
    arrays["ferplus_votes"][:, 0] = [0, 0, 0, *[5] * (sum(COUNTS) - 3)]
    talk = Talk()
    train(replace(config, epochs=1, root=write_npz(config.out.parent / "fer2013_votes.npz", arrays)), talk)
    (warning,) = talk.warnings
    assert warning.startswith("3 samples could not be used, the first:") and "fer2013_votes.npz" in warning
    assert talk.totals == [45]


@pytest.mark.parametrize("victim", ["last.safetensors", "best.safetensors"])
def test_a_full_disk_leaves_the_last_checkpoint_whole_and_the_run_goes_on_later(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch, victim: str
) -> None:
    whole = replace(config, out=config.out.parent / "whole")
    train(whole, Talk())
    before = started(config)
    fill = writing._fill

    def full(file: int, content: bytes) -> None:
        if Path(os.readlink(f"/proc/self/fd/{file}")).name.startswith(f".{victim}"):
            fill(file, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fill(file, content)

    monkeypatch.setattr(epoch, "one_cycle", one_cycle)
    with monkeypatch.context() as patch:
        patch.setattr(writing, "_fill", full)
        patch.setattr(metrics, "accuracy", lambda matrix: 0.99)  # so that the epoch is the best
        with fails(OutputError, "disk-full") as caught:
            train(config, Talk())
    assert "free some space" in caught.value.hint
    assert files(config.out)["last"] == before["last"]
    assert not list(config.out.glob(".*"))
    train(config, Talk())
    assert files(config.out)["last"] == files(whole.out)["last"]
    assert rows(config.out) == rows(whole.out)


def test_a_row_cut_short_by_a_kill_is_written_again(config: TrainConfig) -> None:
    started(config)
    with (config.out / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 3, "size"')
    train(config, Talk())
    assert [row["epoch"] for row in rows(config.out)] == [1, 2, 3, 4]


def test_rows_of_a_deleted_run_do_not_stay(config: TrainConfig) -> None:
    started(config)
    (config.out / "last.safetensors").unlink()
    train(replace(config, epochs=1), Talk())
    assert [row["epoch"] for row in rows(config.out)] == [1]


def test_a_place_that_cannot_be_written(config: TrainConfig) -> None:
    config.out.write_text("a file where the run should go")
    with pytest.raises(OutputError, match=str(config.out)):
        train(config, Talk())


def test_normalised_clips_have_three_equal_channels_around_zero() -> None:
    views = torch.tensor([0.0, 0.5, 1.0]).view(1, 1, 1, 1, 3)
    clips = normalise(views)
    assert clips.shape == (1, 1, 3, 1, 3)
    assert clips[0, 0].tolist() == [[[-2, 0, 2]]] * 3
    assert (ClassifierHeader.mean, ClassifierHeader.std) == (0.5, 0.25)


def test_predictions_come_in_order_and_do_not_depend_on_the_batch(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = read_dataset("fer2013", root)
    torch.manual_seed(0)
    network = SmallNetwork(7, dropout=0.5).train()
    whole = epoch.predict(network, data.valid, ARCHITECTURES["tsm-resnet18"], 16)  # type: ignore[arg-type]
    assert whole.shape == (21, 7)
    monkeypatch.setattr(epoch, "VALIDATION_BATCH", 4)
    again = epoch.predict(network, data.valid, ARCHITECTURES["tsm-resnet18"], 16)  # type: ignore[arg-type]
    np.testing.assert_allclose(whole, again, atol=1e-5)


def test_two_labellings_are_learnt_side_by_side(config: TrainConfig) -> None:
    arrays = npz_arrays(COUNTS, votes=True)
    arrays["ferplus_votes"][np.arange(sum(COUNTS)), np.arange(sum(COUNTS)) % 8] = 9
    root = write_npz(config.out.parent / "fer2013_votes.npz", arrays)
    train(replace(config, dataset="ferplus", root=root, epochs=1), Talk())
    assert read_header(config.out / "best.safetensors").heads == (
        Head("ferplus", EMOTIONS_8),
        Head("fer2013", EMOTIONS),
    )
    (row,) = rows(config.out)
    assert {"valid_accuracy", "valid_uar", "fer2013_accuracy", "fer2013_uar"} <= set(row)
    assert load_file(config.out / "best.safetensors")["fc.weight"].shape == (15, 8)


def test_the_size_grows_in_steps_that_cost_about_the_same() -> None:
    config = TrainConfig("fer2013", Path(), Path(), epochs=36, sizes=(40, 48, 56))
    sizes = [config.size_in(number) for number in range(36)]
    assert sizes == sorted(sizes) and set(sizes) == {40, 48, 56}
    costs = [sizes.count(size) * size**2 for size in (40, 48, 56)]
    assert max(costs) < 1.15 * min(costs)
    assert {TrainConfig("", Path(), Path(), epochs=1, sizes=(40, 56)).size_in(0)} == {56}


def test_training_stops_when_nothing_gets_better(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    accuracies = iter([0.3, 0.5, 0.4, 0.45, 0.9])
    monkeypatch.setattr(metrics, "accuracy", lambda matrix: next(accuracies))
    talk = Talk()
    train(replace(config, epochs=5, patience=2), talk)
    assert [row["valid_accuracy"] for row in rows(config.out)] == [0.3, 0.5, 0.4, 0.45]
    assert "stopped: no better validation accuracy in 2 epochs" in talk.notes
    assert talk.notes[-1] == "finished best.safetensors"
    train(replace(config, epochs=5, patience=2), talk)
    assert len(rows(config.out)) == 4  # to start it again is no reason to go on


@pytest.mark.parametrize(
    "changes",
    [
        {"mix": "cutmix"},
        {"mix": "mixup"},
        {"randaugment": 5},
        {"balanced": True, "smoothing": 0.1},
        {"precision": "bfloat16"},
    ],
)
def test_every_ingredient_learns_and_changes_the_run(config: TrainConfig, changes: dict[str, Any]) -> None:
    plain = replace(config, epochs=6, lr=0.3, sizes=(16,))
    train(plain, Talk())
    train(replace(plain, out=config.out.parent / "changed", **changes), Talk())
    before, after = rows(plain.out), rows(config.out.parent / "changed")
    assert after[-1]["loss"] < after[0]["loss"]
    assert [row["loss"] for row in after] != [row["loss"] for row in before]


@pytest.mark.slow
def test_the_real_network_resumes_exactly_and_its_best_file_classifies(tmp_path: Path) -> None:
    root = write_npz(tmp_path / "fer2013.npz", npz_arrays((8, 7, 7)))
    whole = settings(root, tmp_path / "whole", model="tsm-resnet18", epochs=2, batch=4)
    parts = replace(whole, out=tmp_path / "parts")
    train(whole, Talk())
    with pytest.raises(KeyboardInterrupt):
        train(parts, Talk(interrupt_in=2))
    best = train(parts, Talk())
    expected, found = load_file(whole.out / "last.safetensors"), load_file(parts.out / "last.safetensors")
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert files(parts.out)["best"] == files(whole.out)["best"]
    classifier = EmotionClassifier(best, "cpu")
    assert (classifier.header.n_frames, classifier.header.metrics["fer2013"]["test_n"]) == (4, 7)
    clips = np.random.default_rng(0).integers(0, 256, (2, 4, 16, 16), dtype=np.uint8)
    np.testing.assert_allclose(classifier.classify(clips).sum(axis=1), [1, 1], rtol=1e-5)
    for path in tmp_path.rglob("*.safetensors"):
        path.unlink()  # hundreds of megabytes
