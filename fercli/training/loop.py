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
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from fercli.config import TrainConfig
from fercli.datasets import DatasetSplits, FaceSet, read_dataset
from fercli.errors import ConfigError, FercliError, WeightsError
from fercli.evaluation import metrics
from fercli.models.devices import pick_device
from fercli.models.tsm import TsmResNet18
from fercli.models.weights import ClassifierHeader, load_state, save_classifier
from fercli.progress import Reporter
from fercli.training.augment import VIEW, plain_views, random_views
from fercli.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from fercli.training.finish import finish
from fercli.workspace import write_atomically, writing

ARCHITECTURES = {"resnet18": 1, "tsm-resnet18": 4}
"""Name -> frames a clip."""

MAY_CHANGE = frozenset({"epochs", "device", "root", "out"})
"""Parameters that may differ when a run goes on."""


class TrainingDiverged(FercliError):
    """The loss became NaN or infinite; the last good checkpoint is kept."""

    exit_code = 5


def train(config: TrainConfig, reporter: Reporter) -> Path:
    """Train, or go on with a run that was interrupted, then calibrate and test; returns the best classifier's path.

    Raises:
        ConfigError: a parameter that cannot be used, or not the one the run was started with.
        DatasetError: the data set cannot be read.
        WeightsError: `init` or the checkpoint does not fit the network.
        OutputError: the run cannot be written.
        TrainingDiverged: the loss is no longer finite.
    """
    last, best = config.out / "last.safetensors", config.out / "best.safetensors"
    _check(config)
    if last.exists():
        _check_same_run(config)
    device = torch.device(pick_device(config.device))
    data = read_dataset(config.dataset, config.root)
    for name, part in (("train", data.train), ("valid", data.valid)):
        reporter.note(f"{name}: {len(part)} images, {len(part.classes)} classes")
    if data.problems:
        reporter.warn(f"{len(data.problems)} samples could not be used, the first: {data.problems[0]}")

    torch.manual_seed(config.seed)
    model = TsmResNet18(len(data.train.classes), ARCHITECTURES[config.model], dropout=0.1)
    model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in the stubs
    optimizer = torch.optim.AdamW(_parameter_groups(model, config.weight_decay), lr=config.lr)
    progress = Progress()
    if last.exists():
        progress = load_checkpoint(last, model, optimizer)
        reporter.note(f"going on after epoch {progress.epoch} of {config.epochs}")
    elif config.init is not None:
        _start_from(config.init, model)
    with writing(config.out):
        config.out.mkdir(parents=True, exist_ok=True)
        _write_config(config)
        _drop_rows_after(progress.epoch, config.out / "metrics.jsonl")

    total_steps = config.epochs * math.ceil(_images_per_epoch(config, data.train) / config.batch)
    for epoch in range(progress.epoch, config.epochs):
        started = time.monotonic()
        loss = _train_epoch(model, optimizer, data.train, config, epoch, progress, total_steps, reporter)
        probabilities = predict(model, data.valid, config.input_size)
        if not np.isfinite(probabilities).all():
            raise _diverged(config, f"the network's output is no longer finite after epoch {epoch + 1}")
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
        with writing(config.out):  # the checkpoint last: whatever it does not know of is done again
            if row["valid_accuracy"] >= progress.best_accuracy:
                progress.best_accuracy = float(row["valid_accuracy"])
                save_classifier(best, model.state_dict(), _header(config, data, row))
            with (config.out / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            save_checkpoint(last, model, optimizer, progress)
    with writing(config.out):
        finish(best, data, device.type, reporter)
    return best


def predict(
    model: TsmResNet18, faces: FaceSet, size: int, *, batch: int = 128, flip: bool = False
) -> NDArray[np.float32]:
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
    images_per_epoch = _images_per_epoch(config, faces)
    with reporter.task(f"epoch {epoch + 1}/{config.epochs}", images_per_epoch, "image") as task:
        for images, targets in _batches(faces, images_per_epoch, config.batch, generator):
            for group in optimizer.param_groups:
                group["lr"] = one_cycle(progress.step / total_steps, config.lr)
            clips = normalise(random_views(images, model.n_frames, size, generator)).to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                loss = F.cross_entropy(model(clips), targets.to(device))
            if not torch.isfinite(loss):
                raise _diverged(config, f"loss is {loss.item()} in epoch {epoch + 1}, step {progress.step}")
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]  # torch's own
            optimizer.step()
            progress.step += 1
            total_loss += loss.item() * len(images)
            seen += len(images)
            task.advance(len(images), loss=f"{total_loss / seen:.3f}")
    return total_loss / seen


def _diverged(config: TrainConfig, message: str) -> TrainingDiverged:
    return TrainingDiverged(
        message, hint=f"what was good so far is kept in {config.out}; start again with a lower --lr and another --out"
    )


def _images_per_epoch(config: TrainConfig, faces: FaceSet) -> int:
    return min(config.limit or len(faces), len(faces))


def _batches(faces: FaceSet, count: int, batch: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
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
        if not getattr(config, name) > 0:
            raise ConfigError(f"--{name.replace('_', '-')} must be above 0, not {getattr(config, name)}")
    for name in ("weight_decay", "limit"):
        if not getattr(config, name) >= 0:
            raise ConfigError(f"--{name.replace('_', '-')} must not be below 0, it is {getattr(config, name)}")


def _check_same_run(config: TrainConfig) -> None:
    """A run goes on only under the parameters it was started with: anything else would be neither run."""
    path = config.out / "config.json"
    hint = "choose another --out, or delete that run"
    try:
        before = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"cannot go on with the run in {config.out}: {path.name}: {error}", hint=hint) from error
    for name, value in json.loads(_as_json(config)).items():
        if name not in MAY_CHANGE and before.get(name, value) != value:
            raise ConfigError(
                f"the run in {config.out} was started with {name} {before[name]!r}, not {value!r}", hint=hint
            )


def _write_config(config: TrainConfig) -> None:
    write_atomically(config.out / "config.json", (_as_json(config) + "\n").encode())


def _as_json(config: TrainConfig) -> str:
    return json.dumps(asdict(config), indent=2, default=str)


def _drop_rows_after(epoch: int, path: Path) -> None:
    """Rows of epochs that the checkpoint does not know of are written again."""
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        write_atomically(path, "".join(lines[:epoch]).encode())


def _header(config: TrainConfig, data: DatasetSplits, row: dict[str, float]) -> ClassifierHeader:
    recipe = {key: value for key, value in asdict(config).items() if key not in ("root", "out", "init", "device")}
    return ClassifierHeader(
        architecture=config.model,
        labels=data.train.classes,
        input_size=config.input_size,
        n_frames=ARCHITECTURES[config.model],
        view_scale=round(data.face_scale * VIEW, 4),
        training_data=data.terms,
        metrics={"valid_accuracy": row["valid_accuracy"], "valid_uar": row["valid_uar"], "epoch": row["epoch"]},
        recipe=recipe,
    )
