"""Training of a network over series, top to bottom: read, train and validate epoch by epoch, save, test.

OUT/config.json, metrics.jsonl, last.safetensors     as for every run (`training.run_directory`)
OUT/best.safetensors                                 the network with the best score on the validation part
OUT/scores.json                                      its scores on the validation and the test part
OUT/fold-.../                                        the same for each fold, with --folds
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fercli.config import SequenceConfig
from fercli.errors import ConfigError
from fercli.learn.sequences.data import SequenceData, read_data
from fercli.learn.sequences.folds import Parts, split_up
from fercli.learn.sequences.losses import VALUE_LOSSES, Truth, class_loss, intensity_loss
from fercli.learn.sequences.scores import SequenceScores, score
from fercli.learn.sequences.series import Series
from fercli.learn.training import run_directory
from fercli.learn.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from fercli.learn.training.epoch import TrainingDiverged, one_cycle
from fercli.models.devices import pick_device
from fercli.models.sequence import SequenceHeader, SequenceModel, load, save_sequence_model
from fercli.models.sequences.networks import ARCHITECTURES, build_sequence_network
from fercli.models.sequences.parts import Inputs, SequenceNetwork
from fercli.models.weights import load_state
from fercli.progress import Reporter
from fercli.writing import write_atomically, writing

LARGEST_GRADIENT = 1.0
"""Norm at which gradients are cut: a recurrent network over hundreds of steps needs it (arXiv 1211.5063)."""
WORST = -2.0
"""Below every score."""
QUANTILE = 0.9
"""Of the absolute errors on the validation part, for intervals."""


def train_sequences(config: SequenceConfig, reporter: Reporter, data: SequenceData | None = None) -> list[Path]:
    """Train, or go on with a run that was interrupted; returns the best network of each fold.

    Args:
        config: parameters.
        reporter: gets notes and progress.
        data: to train on; by default that of `config`.

    Raises:
        ConfigError: a parameter that cannot be used, or not the one the run was started with.
        DatasetError, InputError: the data cannot be read, or is too small.
        WeightsError: a checkpoint does not fit the network.
        OutputError: the run cannot be written.
        TrainingDiverged: the loss is no longer finite.
    """
    check(config)
    data = read_data(config, reporter) if data is None else data
    folds = split_up(data.series, config.folds)
    paths = []
    for parts in folds:
        own = replace(config, out=config.out / f"fold-{parts.name}") if parts.name else config
        if parts.name:
            reporter.note(f"fold {parts.name}: {len(parts.train)} series train, {len(parts.test)} test")
        paths.append(_train(own, data, parts, reporter))
    if config.folds:
        _write_folds(config, data, folds, paths, reporter)
    return paths


def check(config: SequenceConfig) -> None:
    """Raises ConfigError for parameters that cannot be used."""
    if config.model not in ARCHITECTURES:
        raise ConfigError(
            f"unknown network {config.model!r}", hint=f"known: {', '.join(ARCHITECTURES)}", code="name-unknown"
        )
    if config.loss not in VALUE_LOSSES:
        raise ConfigError(
            f"unknown loss {config.loss!r}", hint=f"known: {', '.join(VALUE_LOSSES)}", code="name-unknown"
        )
    for name in ("epochs", "batch", "lr", "hidden"):
        if not getattr(config, name) > 0:
            raise ConfigError(f"--{name} must be above 0, not {getattr(config, name)}", code="option-out-of-range")
    for name in ("weight_decay", "patience", "tmse", "rate"):
        if not getattr(config, name) >= 0:
            raise ConfigError(
                f"--{name.replace('_', '-')} must not be below 0, it is {getattr(config, name)}",
                code="option-out-of-range",
            )
    if not 0 <= config.dropout < 1:
        raise ConfigError(f"--dropout must be in [0, 1), it is {config.dropout}", code="option-out-of-range")


def _train(config: SequenceConfig, data: SequenceData, parts: Parts, reporter: Reporter) -> Path:
    last, best = config.out / "last.safetensors", config.out / "best.safetensors"
    if last.exists():
        run_directory.check_same_run(config)
    header = _header(config, data)
    device = pick_device(config.device)
    torch.manual_seed(config.seed)
    network = _network(header, config.dropout)
    _standardise(network, parts.train)
    network.to(device)
    optimizer = torch.optim.AdamW(network.parameters(), config.lr, weight_decay=config.weight_decay)
    progress = Progress(best_accuracy=WORST)
    if last.exists():
        progress = load_checkpoint(last, network, optimizer)
        reporter.note(f"going on after epoch {progress.epoch} of {config.epochs}")
    run_directory.open_run(config, progress.epoch)
    with reporter.task("train", config.epochs, "epoch") as task:
        task.advance(progress.epoch)
        for epoch in range(progress.epoch, config.epochs):
            if 0 < config.patience <= progress.epoch - progress.best_epoch:
                reporter.note(f"stopped: no better network in {config.patience} epochs")
                break
            started = time.monotonic()
            loss = _epoch(config, network, optimizer, parts.train, header, progress, device)
            progress.epoch = epoch + 1
            found = _scored(SequenceModel(header, network, device), parts.valid)
            row: dict[str, Any] = {"epoch": epoch + 1, "loss": round(loss, 5)}
            row |= {f"valid_{name}": _rounded(value) for name, value in found.figures.items()}
            row["seconds"] = round(time.monotonic() - started, 2)
            _save(config, network, optimizer, progress, header, found, row)
            task.advance(1, loss=f"{loss:.3f}", **{f"valid {found.main}": f"{found.figures[found.main]:.3f}"})
    with writing(config.out):
        _finish(best, parts, device, reporter)
    return best


def _header(config: SequenceConfig, data: SequenceData) -> SequenceHeader:
    return SequenceHeader(
        architecture=config.model,
        task=data.target.task,
        outputs=data.target.outputs,
        modalities=data.modalities,
        rate=data.target.rate,
        hidden=config.hidden,
        training_data=data.terms,
        recipe=run_directory.recipe(config),
    )


def _network(header: SequenceHeader, dropout: float) -> SequenceNetwork:
    return build_sequence_network(
        header.architecture,
        [one.size for one in header.modalities],
        header.n_outputs,
        header.hidden,
        dropout=dropout,
        classes=header.task == "classes",
    )


def _standardise(network: SequenceNetwork, series: Sequence[Series]) -> None:
    """Mean and standard deviation of the features that are not missing."""
    (inputs,) = (module for module in network.modules() if isinstance(module, Inputs))
    for number in range(len(series[0].inputs)):
        values = np.concatenate([one.inputs[number] for one in series])
        values = values[np.isfinite(values).all(axis=1)].astype(np.float64)
        if len(values):
            inputs.fit(number, torch.from_numpy(values.mean(axis=0)), torch.from_numpy(values.std(axis=0)))


def _epoch(
    config: SequenceConfig,
    network: SequenceNetwork,
    optimizer: torch.optim.Optimizer,
    series: Sequence[Series],
    header: SequenceHeader,
    progress: Progress,
    device: str,
) -> float:
    """Train for an epoch; returns the mean loss. Randomness depends on seed and epoch alone, so a run can go on."""
    own = config.seed * 10_000 + progress.epoch
    torch.manual_seed(own)
    order = np.random.default_rng(own).permutation(len(series))
    batches = np.array_split(order, math.ceil(len(series) / config.batch))
    network.train()
    total = 0.0
    for rows in batches:
        for group in optimizer.param_groups:
            group["lr"] = one_cycle(progress.step / (config.epochs * len(batches)), config.lr)
        loss = _loss(config, network, [series[row] for row in rows], header, device)
        if not torch.isfinite(loss):
            raise TrainingDiverged(f"loss is {loss.item()} in epoch {progress.epoch + 1}", config.out)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
        optimizer.step()
        progress.step += 1
        total += loss.item() * len(rows)
    network.eval()
    return total / len(series)


def _loss(
    config: SequenceConfig, network: SequenceNetwork, batch: list[Series], header: SequenceHeader, device: str
) -> Tensor:
    inputs, masks, inside = padded(batch, device)
    answer = network(inputs, masks, inside)
    present = torch.stack(masks).any(dim=0)  # nothing is predicted, so nothing is learned, where nothing is seen
    values = _stacked([one.values for one in batch], torch.nan, device)
    values[~present] = torch.nan
    labels, states = (
        _stacked([getattr(one, name) for one in batch], -1, device).where(present, torch.tensor(-1, device=device))
        for name in ("labels", "states")
    )
    losses = []
    for outputs in answer.stages:
        if header.task == "valence":
            losses.append(VALUE_LOSSES[config.loss](outputs, values))
        elif header.task == "classes":
            losses.append(class_loss(outputs, labels, config.tmse))
        else:
            losses.append(intensity_loss(answer, outputs, Truth(values, labels, states), len(header.outputs)))
    return torch.stack(losses).sum()


def padded(batch: Sequence[Series], device: str) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """Inputs and masks of each modality, and where the series have not ended; all as long as the longest."""
    inputs = [
        _stacked([one.inputs[number] for one in batch], torch.nan, device) for number in range(len(batch[0].inputs))
    ]
    masks = [values.isfinite().all(dim=-1) for values in inputs]
    lengths = torch.tensor([len(one) for one in batch], device=device)
    return inputs, masks, torch.arange(int(lengths.max()), device=device) < lengths[:, None]


def _stacked(arrays: Sequence[NDArray[Any]], filling: float, device: str) -> Tensor:
    tensors = [torch.from_numpy(array) for array in arrays]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=filling).to(device)


def predictions(model: SequenceModel, series: Sequence[Series]) -> list[NDArray[np.float32]]:
    """What a network tells of each series, (T, K) as `SequenceModel.run`."""
    names = [one.name for one in model.header.modalities]
    return [model.run(dict(zip(names, one.inputs, strict=True))) for one in series]


def _scored(model: SequenceModel, series: Sequence[Series]) -> SequenceScores:
    return score(model.header.task, model.header.outputs, series, predictions(model, series))


def _save(
    config: SequenceConfig,
    network: SequenceNetwork,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    header: SequenceHeader,
    found: SequenceScores,
    row: dict[str, Any],
) -> None:
    with writing(config.out):  # the checkpoint last: whatever it does not know of is done again
        figure = found.figures[found.main]
        figure = WORST if math.isnan(figure) else figure
        if figure > progress.best_accuracy or not (config.out / "best.safetensors").exists():
            progress.best_accuracy, progress.best_epoch = figure, progress.epoch
            save_sequence_model(config.out / "best.safetensors", network.state_dict(), header)
        run_directory.add_row(config, row)
        save_checkpoint(config.out / "last.safetensors", network, optimizer, progress)


def _finish(best: Path, parts: Parts, device: str, reporter: Reporter) -> None:
    """Store errors and figures in the header of the best network."""
    model = load(best, device)
    found = {name: _scored(model, own) for name, own in (("valid", parts.valid), ("test", parts.test)) if own}
    header = replace(
        model.header,
        error=_errors(model, parts.valid) if model.header.task == "valence" else (),
        metrics={name: {key: _rounded(value) for key, value in one.figures.items()} for name, one in found.items()},
    )
    save_sequence_model(best, load_state(best), header)
    document = {name: one.as_json() for name, one in found.items()}
    write_atomically(best.parent / "scores.json", (json.dumps(document, indent=2) + "\n").encode())
    for name, one in found.items():
        low, high = one.interval or (math.nan, math.nan)
        interval = f" (95 % over persons: {low:.3f} to {high:.3f})" if one.interval else ""
        reporter.note(f"{name}: {one.main} {one.figures[one.main]:.3f}{interval}, {one.videos} videos")


def _errors(model: SequenceModel, series: Sequence[Series]) -> tuple[float, ...]:
    """The quantile of the absolute error of each value."""
    differences = np.concatenate(
        [np.abs(ours - one.values) for ours, one in zip(predictions(model, series), series, strict=True)]
    )
    return tuple(
        round(float(np.nanquantile(column, QUANTILE)), 4) if np.isfinite(column).any() else 2.0
        for column in differences.T
    )


def _write_folds(
    config: SequenceConfig, data: SequenceData, folds: Sequence[Parts], paths: Sequence[Path], reporter: Reporter
) -> None:
    """The scores of all tested series together: each was tested once."""
    device = pick_device(config.device)
    series: list[Series] = []
    told: list[NDArray[np.float32]] = []
    for parts, path in zip(folds, paths, strict=True):
        series += parts.test
        told += predictions(load(path, device), parts.test)
    found = score(data.target.task, data.target.outputs, series, told)
    write_atomically(config.out / "scores.json", (json.dumps({"test": found.as_json()}, indent=2) + "\n").encode())
    low, high = found.interval or (math.nan, math.nan)
    reporter.note(
        f"all folds: {found.main} {found.figures[found.main]:.3f} (95 % over persons: {low:.3f} to {high:.3f}), "
        f"{found.videos} videos of {found.persons} persons"
    )


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
