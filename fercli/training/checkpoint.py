"""The state of a run on disk: tensors in safetensors, numbers in its header, replaced in one step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from fercli.errors import WeightsError


@dataclass
class Progress:
    """Where a run stands after `epoch` whole epochs."""

    epoch: int = 0
    step: int = 0
    best_accuracy: float = 0.0


def save_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.SGD, progress: Progress) -> None:
    """Everything needed to go on exactly: weights, momentum, counters. Randomness is derived from the epoch."""
    tensors = {f"model.{name}": t.contiguous() for name, t in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        momentum = optimizer.state[parameter].get("momentum_buffer")
        if momentum is not None:
            tensors[f"momentum.{name}"] = momentum.contiguous()
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(save(tensors, metadata={"progress": json.dumps(vars(progress))}))
    temporary.replace(path)


def load_checkpoint(path: Path, model: nn.Module, optimizer: torch.optim.SGD) -> Progress:
    """Put a saved state back.

    Raises:
        WeightsError: unreadable, or of another network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            progress = Progress(**json.loads(file.metadata()["progress"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
        model.load_state_dict(
            {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"cannot resume from {path}: {error}", hint="start again with --restart, or choose another --out"
        ) from error
    for name, parameter in model.named_parameters():
        if f"momentum.{name}" in tensors:
            momentum = tensors[f"momentum.{name}"].to(parameter.device)
            optimizer.state[parameter]["momentum_buffer"] = momentum.to(memory_format=torch.preserve_format)
    return progress
