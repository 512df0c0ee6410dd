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
from fercli.files import require_regular_file
from fercli.typed import build
from fercli.writing import write_atomically


@dataclass
class Progress:
    """Where a run stands after `epoch` whole epochs."""

    epoch: int = 0
    step: int = 0
    best_accuracy: float = 0.0
    best_epoch: int = 0


def save_checkpoint(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
    average: nn.Module | None = None,
) -> None:
    """Everything needed to go on exactly: weights, their average if there is one, the optimizer's moments, counters.

    Randomness is no part of it: every epoch derives its own from the seed.

    Raises:
        OutputError: the file cannot be written.
    """
    tensors = {f"model.{name}": t.contiguous() for name, t in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state[parameter].items():
            tensors[f"optimizer.{key}.{name}"] = value.contiguous()
    if average is not None:
        tensors |= {f"average.{name}": t.contiguous() for name, t in average.state_dict().items()}
    write_atomically(path, save(tensors, metadata={"progress": json.dumps(vars(progress))}))


def load_checkpoint(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, average: nn.Module | None = None
) -> Progress:
    """Put a saved state back.

    Raises:
        WeightsError: unreadable, of another network, without the optimizer's moments, or not finite.
    """
    require_regular_file(path, WeightsError, "begin anew with another --out, or delete that run")
    try:
        with safe_open(path, framework="pt") as file:
            progress = build(Progress, json.loads((file.metadata() or {})["progress"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
        _check(tensors, model, begun=progress.step > 0)
        model.load_state_dict(_under("model.", tensors))
        if average is not None:
            average.load_state_dict(_under("average.", tensors))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"cannot resume from {path}: {error}",
            hint="begin anew with another --out, or delete that run",
            code="checkpoint-unusable",
        ) from error
    parameters = dict(model.named_parameters())
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, key, parameter_name = name.split(".", 2)
            parameter = parameters[parameter_name]
            if key != "step":  # a moment: on the device of its parameter, and laid out like it, as it was before
                value = torch.empty_like(parameter).copy_(value)
            optimizer.state[parameter][key] = value
    return progress


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _check(tensors: dict[str, torch.Tensor], model: nn.Module, *, begun: bool) -> None:
    """Raises ValueError unless all that was trained has its moments, nothing else has, and all numbers are finite."""
    parameters = dict(model.named_parameters())
    moments = [name.split(".", 2)[1:] for name in tensors if name.startswith("optimizer.")]
    without = parameters.keys() - {name for _, name in moments}
    if begun and without:
        raise ValueError(f"it lacks the state of the optimizer, of {min(without)}")
    for key, name in moments:
        wanted = parameters[name].shape if name in parameters else None
        if wanted is None or (key != "step" and tensors[f"optimizer.{key}.{name}"].shape != wanted):
            raise ValueError(f"its {key} of {name} fits no parameter")
    broken = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
    if broken:
        raise ValueError(f"its {broken[0]} has numbers that are not finite")
