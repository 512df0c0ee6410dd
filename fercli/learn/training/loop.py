"""Training, top to bottom: read, train and validate epoch by epoch, save. Each step of it has its own file beside this.

What a run leaves behind is in `run_directory`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fercli.config import TrainConfig
from fercli.labels import canonical
from fercli.learn.datasets import DatasetSplits
from fercli.learn.datasets.classes import read_classes
from fercli.learn.training import run_directory
from fercli.learn.training.augment import VIEW
from fercli.learn.training.average import Average
from fercli.learn.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from fercli.learn.training.epoch import Trainer, validate
from fercli.learn.training.finish import finish
from fercli.learn.training.initial import read_initial, start_from
from fercli.learn.training.objective import RATED, Objective, rating_targets, targets_of
from fercli.learn.training.parameters import check_parameters
from fercli.learn.training.processes import Processes, joined
from fercli.learn.training.sampling import sampling
from fercli.learn.training.splits import read_splits
from fercli.learn.training.teachers import taught
from fercli.models.devices import pick_device
from fercli.models.networks import ARCHITECTURES, Network, build_network
from fercli.models.weights import RATINGS, ClassifierHeader, Head, save_classifier
from fercli.progress import Reporter, Silent
from fercli.writing import writing

MOMENTUM = 0.9
DROPOUT = 0.1
"""In front of the last layer."""


def train(config: TrainConfig, reporter: Reporter, data: DatasetSplits | None = None) -> Path:
    """Train, or go on with a run that was interrupted, then calibrate and test; returns the best classifier's path.

    Args:
        config: parameters.
        reporter: gets notes and progress.
        data: faces to train on; by default those of the data sets of `config`.

    Raises:
        ConfigError: a parameter that cannot be used, or not the one the run was started with.
        DatasetError: the data set cannot be read, or is too small.
        WeightsError: `init` or the checkpoint does not fit the network.
        OutputError: the run cannot be written.
        TrainingDiverged: the loss is no longer finite.
    """
    check_parameters(config)
    if (config.out / "last.safetensors").exists():
        run_directory.check_same_run(config)
    with joined(pick_device(config.device)) as processes:
        return _train(config, processes, reporter if processes.first else Silent(), data)


def _train(config: TrainConfig, processes: Processes, reporter: Reporter, data: DatasetSplits | None) -> Path:
    last, best = config.out / "last.safetensors", config.out / "best.safetensors"
    initial = read_initial(config.init) if config.init is not None and not last.exists() else None
    data = read_splits(config, reporter) if data is None else data
    torch.manual_seed(config.seed)
    network = build_network(config.model, _n_outputs(config, data), config.fold_div, dropout=DROPOUT)
    targets = targets_of(data.train.labellings, config)
    if config.teachers:
        teachers, share = config.teachers, config.teacher_share
        targets = taught(targets, data, teachers, share, processes.device.type, reporter)
    drawing = sampling(data.train, targets, config.oversample)
    objective = Objective(network, data.train.labellings, targets, config, drawing.shifts)
    if _rates(config, data):
        assert data.train.ratings is not None  # as _rates says
        targets[RATED] = rating_targets(data.train.ratings)
    objective.to(processes.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # stubs
    optimizer = torch.optim.SGD(
        _parameter_groups(objective, config.weight_decay), config.lr, MOMENTUM, nesterov=True, fused=True
    )
    if config.init is not None and initial is not None:
        start_from(network, initial, config.init, config.model)
    average = Average(network, config.ema) if config.ema else None
    averaged = average.model if average else None
    judged: Network = average.model.module if average else network  # type: ignore[assignment]  # a copy of it
    progress = Progress()
    if last.exists():
        progress = load_checkpoint(last, objective, optimizer, averaged)
        reporter.note(f"going on after epoch {progress.epoch} of {config.epochs}")
    processes.wait()  # nobody writes before everybody has read
    if processes.first:
        run_directory.open_run(config, progress.epoch)

    step = nn.parallel.DistributedDataParallel(objective) if processes.count > 1 else objective
    trainer = Trainer(config, step, optimizer, data.train, targets, drawing, processes, reporter, average)
    for epoch in range(progress.epoch, config.epochs):
        if processes.agree(0 < config.patience <= progress.epoch - progress.best_epoch):
            reporter.note(f"stopped: no better validation accuracy in {config.patience} epochs")
            break
        started = time.monotonic()
        loss = trainer.train_epoch(epoch, progress)
        progress.epoch = epoch + 1
        if processes.first:
            row: dict[str, Any] = {"epoch": epoch + 1, "size": config.size_in(epoch), "loss": round(loss, 4)}
            row |= validate(judged, data.valid, config, epoch)
            row["seconds"] = round(time.monotonic() - started, 1)
            reporter.note(" ".join(f"{key} {value}" for key, value in row.items()))
            _save(config, data, judged, objective, optimizer, progress, row, averaged)
    if processes.first:
        with writing(config.out):
            finish(best, data, processes.device.type, reporter)
    return best


def _save(
    config: TrainConfig,
    data: DatasetSplits,
    judged: nn.Module,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    row: dict[str, Any],
    averaged: nn.Module | None,
) -> None:
    with writing(config.out):  # the checkpoint last: whatever it does not know of is done again
        if row["valid_accuracy"] >= progress.best_accuracy:
            progress.best_accuracy, progress.best_epoch = float(row["valid_accuracy"]), progress.epoch
            save_classifier(config.out / "best.safetensors", judged.state_dict(), _header(config, data, progress.epoch))
        run_directory.add_row(config, row)
        save_checkpoint(config.out / "last.safetensors", objective, optimizer, progress, averaged)


def _header(config: TrainConfig, data: DatasetSplits, epoch: int) -> ClassifierHeader:
    architecture = ARCHITECTURES[config.model]
    return ClassifierHeader(
        architecture=config.model,
        heads=tuple(Head(name, labelling.classes) for name, labelling in data.train.labellings.items()),
        input_size=config.size_in(epoch - 1),
        n_frames=architecture.n_frames,
        fold_div=config.fold_div,
        colour="rgb" if data.train.colour else "grey",
        mean=architecture.mean,
        std=architecture.std,
        view_scale=round(data.face_scale * VIEW, 4),
        own_classes=any(canonical(name) != name for heads in data.train.labellings.values() for name in heads.classes),
        mapping=dict(read_classes(config.classes)) if config.classes else {},
        ratings=RATINGS if _rates(config, data) else (),
        training_data=data.terms,
        recipe={**run_directory.recipe(config), "epoch": epoch},
    )


def _n_outputs(config: TrainConfig, data: DatasetSplits) -> int:
    classes = sum(len(labelling.classes) for labelling in data.train.labellings.values())
    return classes + (len(RATINGS) if _rates(config, data) else 0)


def _rates(config: TrainConfig, data: DatasetSplits) -> bool:
    """Whether the network also learns valence and arousal."""
    return config.ratings > 0 and data.train.ratings is not None


def _parameter_groups(objective: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Weight decay on the weights of convolutions and the last layer only, not on biases and batch norm."""
    decayed = [p for p in objective.parameters() if p.ndim > 1]
    plain = [p for p in objective.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]
