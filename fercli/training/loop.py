"""Training, top to bottom: read, augment, step, validate, save. What a run leaves behind is in `run_directory`."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fercli.config import TrainConfig
from fercli.datasets import DATASETS, DatasetSplits, FaceSet, read_dataset
from fercli.errors import ConfigError, DatasetError, FercliError, WeightsError
from fercli.evaluation import metrics
from fercli.models.devices import pick_device
from fercli.models.networks import ARCHITECTURES, Network, build_network
from fercli.models.weights import ClassifierHeader, Head, load_state, save_classifier
from fercli.progress import Reporter, Silent
from fercli.training import run_directory
from fercli.training.augment import VIEW, plain_views, random_views
from fercli.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from fercli.training.finish import finish
from fercli.training.mixing import cutmix, mix_targets, mixup
from fercli.training.objective import EXTRAS, Objective, targets_of
from fercli.training.processes import Processes, joined
from fercli.training.randaugment import MAX_MAGNITUDE, randaugment
from fercli.training.schedule import one_cycle
from fercli.workspace import writing

MOMENTUM = 0.9
RANDAUGMENT_OPERATIONS = 2
DROPOUT = 0.1
"""In front of the last layer."""


MIXERS = {"cutmix": (cutmix, 1.0), "mixup": (mixup, 0.2)}
"""Function and its alpha, the papers' own."""


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
    _check(config)
    if (config.out / "last.safetensors").exists():
        run_directory.check_same_run(config)
    with joined(pick_device(config.device)) as processes:
        return _train(config, processes, reporter if processes.first else Silent())


def _train(config: TrainConfig, processes: Processes, reporter: Reporter) -> Path:
    last, best = config.out / "last.safetensors", config.out / "best.safetensors"
    data = _read(config, reporter)
    torch.manual_seed(config.seed)
    network = build_network(config.model, _n_outputs(data), config.fold_div, dropout=DROPOUT)
    targets = targets_of(data.train.labellings, config)
    objective = Objective(network, data.train.labellings, targets, config)
    objective.to(processes.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stubs
    optimizer = torch.optim.SGD(
        _parameter_groups(objective, config.weight_decay), config.lr, MOMENTUM, nesterov=True, fused=True
    )
    progress = Progress()
    if last.exists():
        progress = load_checkpoint(last, objective, optimizer)
        reporter.note(f"going on after epoch {progress.epoch} of {config.epochs}")
    elif config.init is not None:
        _start_from(config.init, network)
    processes.wait()  # nobody writes before everybody has read
    if processes.first:
        run_directory.open_run(config, progress.epoch)

    step = nn.parallel.DistributedDataParallel(objective) if processes.count > 1 else objective
    for epoch in range(progress.epoch, config.epochs):
        started = time.monotonic()
        loss = _train_epoch(step, optimizer, data.train, targets, config, epoch, progress, processes, reporter)
        progress.epoch = epoch + 1
        if processes.first:
            row: dict[str, Any] = {"epoch": epoch + 1, "size": config.size_in(epoch), "loss": round(loss, 4)}
            row |= _validate(network, data.valid, config, epoch)
            row["seconds"] = round(time.monotonic() - started, 1)
            reporter.note(" ".join(f"{key} {value}" for key, value in row.items()))
            _save(config, data, objective, optimizer, progress, row)
        if processes.agree(0 < config.patience <= progress.epoch - progress.best_epoch):
            reporter.note(f"stopped: no better validation accuracy in {config.patience} epochs")
            break
    if processes.first:
        with writing(config.out):
            finish(best, data, processes.device.type, reporter)
    return best


def _read(config: TrainConfig, reporter: Reporter) -> DatasetSplits:
    data = read_dataset(config.dataset, config.root, reporter, strict=config.strict)
    for name, part in (("train", data.train), ("valid", data.valid)):
        if not len(part):
            raise DatasetError(f"{config.root} has no image for {name}", hint="fercli dataset check shows its splits")
        sets = ", ".join(f"{key} {len(labelling.classes)} classes" for key, labelling in part.labellings.items())
        reporter.note(f"{name}: {len(part)} images, {sets}")
    if data.problems:
        reporter.warn(f"{len(data.problems)} samples could not be used, the first: {data.problems[0]}")
    return data


def _train_epoch(
    step: nn.Module,
    optimizer: torch.optim.Optimizer,
    faces: FaceSet,
    targets: dict[str, Tensor],
    config: TrainConfig,
    epoch: int,
    progress: Progress,
    processes: Processes,
    reporter: Reporter,
) -> float:
    order_of = torch.Generator().manual_seed(config.seed * 10_000 + epoch)
    own = config.seed * 10_000 + epoch + 1_000_003 * processes.rank
    generator = torch.Generator().manual_seed(own)
    torch.manual_seed(own)
    n_frames, size, count = (
        ARCHITECTURES[config.model].n_frames,
        config.size_in(epoch),
        _images_per_epoch(config, faces),
    )
    total_steps = config.epochs * math.ceil(count / config.batch)
    step.train()
    total_loss, seen = 0.0, 0
    with reporter.task(f"epoch {epoch + 1}/{config.epochs}", count, "image") as task:
        for rows in _batches(len(faces), count, config.batch, order_of):
            for group in optimizer.param_groups:
                group["lr"] = one_cycle(progress.step / total_steps, config.lr)
            mine = rows[processes.rank :: processes.count]
            views = random_views(torch.from_numpy(faces.images[mine.numpy()]), n_frames, size, generator)
            if config.randaugment:
                views = randaugment(views, RANDAUGMENT_OPERATIONS, config.randaugment, generator)
            views, wanted = _mixed(config, views, {name: t[mine] for name, t in targets.items()}, generator)
            clips = normalise(views).to(processes.device)
            wanted = {name: t.to(processes.device) for name, t in wanted.items()}
            with torch.autocast(processes.device.type, torch.bfloat16, enabled=_in_bfloat16(config, processes.device)):
                loss = step(clips, wanted)
            if not torch.isfinite(loss):
                raise _diverged(config, f"loss is {loss.item()} in epoch {epoch + 1}, step {progress.step}")
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            progress.step += 1
            total_loss += loss.item() * len(rows)
            seen += len(rows)
            task.advance(len(rows), loss=f"{total_loss / seen:.3f}")
    return total_loss / seen


def _mixed(
    config: TrainConfig, views: Tensor, targets: dict[str, Tensor], generator: torch.Generator
) -> tuple[Tensor, dict[str, Tensor]]:
    if config.mix == "none":
        return views, targets
    mixer, alpha = MIXERS[config.mix]
    views, permutation, share = mixer(views, alpha, generator)
    return views, mix_targets(targets, permutation, share)


def _validate(network: Network, faces: FaceSet, config: TrainConfig, epoch: int) -> dict[str, float]:
    """Figures of the row of an epoch, at the size of the epoch; the first labelling's without its name."""
    outputs = predict(network, faces, ARCHITECTURES[config.model].n_frames, config.size_in(epoch))
    if not np.isfinite(outputs).all():
        raise _diverged(config, f"the network's output is no longer finite after epoch {epoch + 1}")
    figures, start = {}, 0
    for number, (name, labelling) in enumerate(faces.labellings.items()):
        logits = outputs[:, start : start + len(labelling.classes)]
        start += len(labelling.classes)
        known = labelling.labels >= 0
        if not known.any():
            continue
        matrix = metrics.confusion(labelling.labels[known], logits[known].argmax(1), len(labelling.classes))
        prefix = "valid" if number == 0 else name
        figures[f"{prefix}_accuracy"] = round(metrics.accuracy(matrix), 4)
        figures[f"{prefix}_uar"] = round(metrics.uar(matrix), 4)
    return figures


def predict(network: Network, faces: FaceSet, n_frames: int, size: int, *, batch: int = 128) -> NDArray[np.float32]:
    """(N, K) outputs for the plain views of a split."""
    device = next(network.parameters()).device
    network.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(faces), batch):
            images = torch.from_numpy(faces.images[start : start + batch])
            parts.append(network(normalise(plain_views(images, n_frames, size)).to(device)).float().cpu().numpy())
    return np.concatenate(parts)


def normalise(views: Tensor, mean: float = ClassifierHeader.mean, std: float = ClassifierHeader.std) -> Tensor:
    """(N, T, 1, H, W) grey in [0, 1] -> (N, T, 3, H, W), centred and scaled, the grey repeated."""
    return ((views - mean) / std).expand(-1, -1, 3, -1, -1)


def _save(
    config: TrainConfig,
    data: DatasetSplits,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    row: dict[str, Any],
) -> None:
    with writing(config.out):  # the checkpoint last: whatever it does not know of is done again
        if row["valid_accuracy"] >= progress.best_accuracy:
            progress.best_accuracy, progress.best_epoch = float(row["valid_accuracy"]), progress.epoch
            save_classifier(
                config.out / "best.safetensors", objective.network.state_dict(), _header(config, data, progress.epoch)
            )
        run_directory.add_row(config, row)
        save_checkpoint(config.out / "last.safetensors", objective, optimizer, progress)


def _header(config: TrainConfig, data: DatasetSplits, epoch: int) -> ClassifierHeader:
    return ClassifierHeader(
        architecture=config.model,
        heads=tuple(Head(name, labelling.classes) for name, labelling in data.train.labellings.items()),
        input_size=config.size_in(epoch - 1),
        n_frames=ARCHITECTURES[config.model].n_frames,
        fold_div=config.fold_div,
        view_scale=round(data.face_scale * VIEW, 4),
        training_data=data.terms,
        recipe={**run_directory.recipe(config), "epoch": epoch},
    )


def _diverged(config: TrainConfig, message: str) -> TrainingDiverged:
    return TrainingDiverged(
        message, hint=f"what was good so far is kept in {config.out}; start again with a lower --lr and another --out"
    )


def _n_outputs(data: DatasetSplits) -> int:
    return sum(len(labelling.classes) for labelling in data.train.labellings.values())


def _images_per_epoch(config: TrainConfig, faces: FaceSet) -> int:
    return min(config.limit or len(faces), len(faces))


def _batches(total: int, count: int, batch: int, generator: torch.Generator) -> Iterator[Tensor]:
    order = torch.randperm(total, generator=generator)[:count]
    for start in range(0, count, batch):
        yield order[start : start + batch]


def _in_bfloat16(config: TrainConfig, device: torch.device) -> bool:
    """Half of the bits where the hardware computes in them: emulated they would be slower than all."""
    if config.precision != "auto":
        return config.precision == "bfloat16"
    if device.type == "cuda":
        return True
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _parameter_groups(objective: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Weight decay on the weights of convolutions and the last layer only, not on biases and batch norm."""
    decayed = [p for p in objective.parameters() if p.ndim > 1]
    plain = [p for p in objective.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]


def _start_from(path: Path, network: Network) -> None:
    state = load_state(path)
    own = network.state_dict()
    state = {name: t for name, t in state.items() if not name.startswith("fc.") or t.shape == own[name].shape}
    kind = type(network).__name__
    try:
        missing, unexpected = network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit {kind}: {error}", hint="check --init and --model") from error
    if unexpected or any(not name.startswith(("fc.", "lstm.")) and ".attention." not in name for name in missing):
        raise WeightsError(
            f"{path} does not fit {kind}: {missing[:3]} {unexpected[:3]}", hint="check --init and --model"
        )


CHOICES: dict[str, Collection[str]] = {
    "dataset": DATASETS,
    "model": ARCHITECTURES,
    "targets": ("distribution", "label"),
    "mix": ("none", *MIXERS),
    "precision": ("auto", "float32", "bfloat16"),
}


def _check(config: TrainConfig) -> None:
    for name, known in CHOICES.items():
        if getattr(config, name) not in known:
            raise ConfigError(f"unknown {name} {getattr(config, name)!r}", hint=f"known: {', '.join(known)}")
    for extra in config.extras:
        if extra not in EXTRAS:
            raise ConfigError(f"unknown extra {extra!r}", hint=f"known: {', '.join(EXTRAS)}")
    for name in ("epochs", "batch", "lr", "fold_div"):
        if not getattr(config, name) > 0:
            raise ConfigError(f"--{name.replace('_', '-')} must be above 0, not {getattr(config, name)}")
    for name in ("weight_decay", "limit", "patience"):
        if not getattr(config, name) >= 0:
            raise ConfigError(f"--{name.replace('_', '-')} must not be below 0, it is {getattr(config, name)}")
    if not config.sizes or min(config.sizes) < 1 or list(config.sizes) != sorted(config.sizes):
        raise ConfigError(f"--sizes must rise from 1, they are {', '.join(map(str, config.sizes))}")
    if not 0 <= config.smoothing < 1:
        raise ConfigError(f"--smoothing must be in [0, 1), it is {config.smoothing}")
    if not 0 <= config.randaugment <= MAX_MAGNITUDE:
        raise ConfigError(f"--randaugment must be from 0 to {MAX_MAGNITUDE}, it is {config.randaugment}")
