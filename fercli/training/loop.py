"""The training loop, top to bottom: read, augment, step, validate, save. One directory a run.

    run/config.json      the resolved parameters
    run/metrics.jsonl    a line an epoch
    run/last.safetensors everything needed to resume
    run/best.safetensors the classifier with the highest validation accuracy, ready to use
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from fercli.datasets import DatasetSplits, FaceSet, read_dataset
from fercli.errors import ConfigError, FercliError, WeightsError
from fercli.evaluation import metrics
from fercli.models.devices import pick_device
from fercli.models.tsm import TsmResNet18
from fercli.models.weights import ClassifierHeader, load_state, save_classifier
from fercli.progress import Reporter
from fercli.training.augment import plain_views, random_views
from fercli.training.checkpoint import Progress, load_checkpoint, save_checkpoint

ARCHITECTURES = {"resnet18": 1, "tsm-resnet18": 4}
"""Name -> frames a clip."""


class TrainingDiverged(FercliError):
    """The loss became NaN or infinite; the last good checkpoint is kept."""

    exit_code = 5


@dataclass(frozen=True)
class TrainConfig:
    """Parameters of a run; the defaults are the recipe of the shipped weights' first stage.

    Attributes:
        dataset, root: which data set, and where it lies.
        out: directory of the run.
        model: `resnet18` (one frame) or `tsm-resnet18` (clips of four).
        init: weights to start from, a static model for a temporal one for example; the last layer may differ.
        epochs, batch, lr, weight_decay: AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) under a one-cycle schedule
            with its peak at `lr`, after a warm-up over the first tenth of the steps (arXiv 1708.07120).
        input_size: side of the network's input.
        start_size: side in the first epoch; it grows to `input_size` over the first 60 % of the epochs, which costs
            less and regularises (progressive resizing; Tan and Le 2021, arXiv 2104.00298).
        limit: images a training epoch, drawn anew each time; 0 takes all.
        seed: of everything random.
        device: `auto`, `cpu` or `cuda`.
    """

    dataset: str
    root: Path
    out: Path
    model: str = "resnet18"
    init: Path | None = None
    epochs: int = 9
    batch: int = 64
    lr: float = 1e-3
    weight_decay: float = 0.05
    input_size: int = 40
    start_size: int = 28
    limit: int = 0
    seed: int = 0
    device: str = "auto"

    def size_in(self, epoch: int) -> int:
        """Side of the input in an epoch, a multiple of 4."""
        grown = min(1.0, epoch / max(1.0, 0.6 * self.epochs))
        return min(self.input_size, 4 * round((self.start_size + grown * (self.input_size - self.start_size)) / 4))


def train(config: TrainConfig, reporter: Reporter) -> Path:
    """Train, or go on with a run that was interrupted; returns the path of the best classifier.

    Raises:
        ConfigError: a parameter that cannot be used.
        DatasetError: the data set cannot be read.
        WeightsError: `init` or the checkpoint does not fit the network.
        TrainingDiverged: the loss is no longer finite.
    """
    _check(config)
    data = read_dataset(config.dataset, config.root)
    for name, part in (("train", data.train), ("valid", data.valid)):
        reporter.note(f"{name}: {len(part)} images, {len(part.classes)} classes")
    if data.problems:
        reporter.warn(f"{len(data.problems)} samples could not be used, the first: {data.problems[0]}")

    device = torch.device(pick_device(config.device))
    model = TsmResNet18(len(data.train.classes), ARCHITECTURES[config.model], dropout=0.2)
    torch.manual_seed(config.seed)
    model._initialise()
    if config.init is not None:
        _start_from(config.init, model)
    model.to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(_parameter_groups(model, config.weight_decay), lr=config.lr)
    config.out.mkdir(parents=True, exist_ok=True)
    last, best = config.out / "last.safetensors", config.out / "best.safetensors"
    progress = load_checkpoint(last, model, optimizer) if last.exists() else Progress()
    if progress.epoch:
        reporter.note(f"going on after epoch {progress.epoch} of {config.epochs}")
    _write_config(config)

    per_epoch = config.limit or len(data.train)
    total_steps = config.epochs * math.ceil(per_epoch / config.batch)
    for epoch in range(progress.epoch, config.epochs):
        started = time.monotonic()
        loss = _train_epoch(model, optimizer, data.train, config, epoch, progress, total_steps, reporter)
        probabilities = predict(model, data.valid, config.input_size)
        matrix = metrics.confusion(data.valid.labels, probabilities.argmax(1), len(data.valid.classes))
        row = {
            "epoch": epoch + 1,
            "size": config.size_in(epoch),
            "loss": round(loss, 4),
            "valid_accuracy": round(metrics.accuracy(matrix), 4),
            "valid_uar": round(metrics.uar(matrix), 4),
            "seconds": round(time.monotonic() - started, 1),
        }
        reporter.note(" ".join(f"{key} {value}" for key, value in row.items()))
        progress.epoch = epoch + 1
        if row["valid_accuracy"] >= progress.best_accuracy:
            progress.best_accuracy = float(row["valid_accuracy"])
            save_classifier(best, model.state_dict(), _header(config, data, row))
        save_checkpoint(last, model, optimizer, progress)
        with (config.out / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    return best


def predict(model: TsmResNet18, faces: FaceSet, size: int, *, batch: int = 128, flip: bool = False) -> NDArray[np.float32]:
    """(N, C) probabilities of a split, images standing still; with `flip`, the mean with the mirrored view's."""
    device = next(model.parameters()).device
    model.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(faces), batch):
            images = torch.from_numpy(faces.images[start : start + batch])
            clips = normalise(plain_views(images, model.n_frames, size)).to(device)
            result = model(clips).softmax(1)
            if flip:
                result = (result + model(clips.flip(-1)).softmax(1)) / 2
            parts.append(result.cpu().numpy())
    return np.concatenate(parts)


def normalise(views: Tensor, mean: float = ClassifierHeader.mean, std: float = ClassifierHeader.std) -> Tensor:
    """(N, T, 1, H, W) grey in [0, 1] -> (N, T, 3, H, W), centred and scaled, the grey repeated."""
    return ((views - mean) / std).expand(-1, -1, 3, -1, -1)


def _train_epoch(
    model: TsmResNet18,
    optimizer: torch.optim.AdamW,
    faces: FaceSet,
    config: TrainConfig,
    epoch: int,
    progress: Progress,
    total_steps: int,
    reporter: Reporter,
) -> float:
    generator = torch.Generator().manual_seed(config.seed * 10_000 + epoch)
    torch.manual_seed(config.seed * 10_000 + epoch)
    device = next(model.parameters()).device
    size = config.size_in(epoch)
    model.train()
    total_loss, seen = 0.0, 0
    images_per_epoch = config.limit or len(faces)
    with reporter.task(f"epoch {epoch + 1}/{config.epochs}", images_per_epoch, "image") as task:
        for images, targets in _batches(faces, images_per_epoch, config.batch, generator):
            for group in optimizer.param_groups:
                group["lr"] = one_cycle(progress.step / total_steps, config.lr)
            clips = normalise(random_views(images, model.n_frames, size, generator)).to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                loss = F.cross_entropy(model(clips), targets.to(device))
            if not torch.isfinite(loss):
                raise TrainingDiverged(
                    f"loss is {loss.item()} in epoch {epoch + 1}, step {progress.step}",
                    hint=f"the last good checkpoint is in {config.out}; lower --lr and run again",
                )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            progress.step += 1
            total_loss += loss.item() * len(images)
            seen += len(images)
            task.advance(len(images), loss=f"{total_loss / seen:.3f}")
    return total_loss / seen


def _batches(
    faces: FaceSet, count: int, batch: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    order = torch.randperm(len(faces), generator=generator)[:count].numpy()
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        yield torch.from_numpy(faces.images[rows]), torch.from_numpy(faces.targets[rows])


def one_cycle(share: float, peak: float, warmup: float = 0.1) -> float:
    """Learning rate after `share` in [0, 1] of the steps: linear up to `peak`, then a half cosine to zero."""
    if share < warmup:
        return peak * (0.04 + 0.96 * share / warmup)
    return peak * 0.5 * (1 + math.cos(math.pi * (share - warmup) / (1 - warmup)))


def _parameter_groups(model: TsmResNet18, weight_decay: float) -> list[dict[str, object]]:
    """Weight decay on the weights of convolutions and the last layer only, not on biases and batch norm."""
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]


def _start_from(path: Path, model: TsmResNet18) -> None:
    state = load_state(path)
    own = model.state_dict()
    state = {name: t for name, t in state.items() if not name.startswith("fc.") or t.shape == own[name].shape}
    try:
        missing, unexpected = model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit {type(model).__name__}: {error}") from error
    if unexpected or any(not name.startswith("fc.") for name in missing):
        raise WeightsError(f"{path} does not fit {type(model).__name__}: {missing[:3]} {unexpected[:3]}")


def _check(config: TrainConfig) -> None:
    if config.model not in ARCHITECTURES:
        raise ConfigError(f"unknown model {config.model!r}", hint=f"known: {', '.join(ARCHITECTURES)}")
    for name in ("epochs", "batch", "lr", "input_size", "start_size"):
        if getattr(config, name) <= 0:
            raise ConfigError(f"--{name.replace('_', '-')} must be above 0")


def _write_config(config: TrainConfig) -> None:
    text = json.dumps(asdict(config), indent=2, default=str)
    (config.out / "config.json").write_text(text + "\n", encoding="utf-8")


def _header(config: TrainConfig, data: DatasetSplits, row: dict[str, float]) -> ClassifierHeader:
    recipe = {key: value for key, value in asdict(config).items() if key not in ("root", "out", "init", "device")}
    return ClassifierHeader(
        architecture=config.model,
        labels=data.train.classes,
        input_size=config.input_size,
        n_frames=ARCHITECTURES[config.model],
        training_data=data.terms,
        metrics={"valid_accuracy": row["valid_accuracy"], "valid_uar": row["valid_uar"], "epoch": row["epoch"]},
        recipe=recipe,
    )
