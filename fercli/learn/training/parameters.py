"""Parameters of a run that cannot be meant, refused before anything is read."""

from __future__ import annotations

import math
from collections.abc import Collection

from fercli.config import TrainConfig
from fercli.errors import ConfigError
from fercli.learn.datasets import DATASETS, require_known
from fercli.learn.datasets.images import SIDE
from fercli.learn.training.mixing import MIXERS
from fercli.learn.training.objective import EXTRAS
from fercli.learn.training.randaugment import MAX_MAGNITUDE
from fercli.learn.training.strong import STRENGTHS
from fercli.models.networks import ARCHITECTURES
from fercli.models.weights import COLOURS, MAX_INPUT

CHOICES: dict[str, Collection[str]] = {
    "dataset": DATASETS,
    "model": ARCHITECTURES,
    "augment": STRENGTHS,
    "colour": ("auto", *COLOURS),
    "targets": ("distribution", "label"),
    "mix": ("none", *MIXERS),
    "precision": ("auto", "float32", "bfloat16"),
}


def check_parameters(config: TrainConfig) -> None:
    """Compare each with what is known or possible.

    Raises:
        ConfigError: the first that is neither.
    """
    for name, known in CHOICES.items():
        if getattr(config, name) not in known:
            raise ConfigError(
                f"unknown {name} {getattr(config, name)!r}", hint=f"known: {', '.join(known)}", code="name-unknown"
            )
    for source in (*config.beside, *([config.valid] if config.valid else [])):
        require_known(source.dataset)
    if any(not 0 < source.weight < math.inf for source in config.sources):
        raise ConfigError("a --weight must be above 0", hint="leave out the data set", code="option-out-of-range")
    if config.valid and config.valid.root.resolve() in {source.root.resolve() for source in config.sources}:
        raise ConfigError(
            f"--valid {config.valid.dataset} is trained on: {config.valid.root} is also the root of a --dataset",
            hint="leave --valid out: a part of each set that is not trained on chooses the best",
            code="option-conflict",
        )
    for extra in config.extras:
        if extra not in EXTRAS:
            raise ConfigError(f"unknown extra {extra!r}", hint=f"known: {', '.join(EXTRAS)}", code="name-unknown")
    for name in ("epochs", "batch", "lr"):
        if not getattr(config, name) > 0:
            raise ConfigError(f"--{name} must be above 0, not {getattr(config, name)}", code="option-out-of-range")
    for name in ("weight_decay", "limit", "patience"):
        if not getattr(config, name) >= 0:
            raise ConfigError(
                f"--{name.replace('_', '-')} must not be below 0, it is {getattr(config, name)}",
                code="option-out-of-range",
            )
    if config.balanced and config.balance_neutral:
        raise ConfigError(
            "--balanced and --balance-neutral weigh the same loss", hint="give one of them", code="option-conflict"
        )
    if not (0 <= config.oversample <= 1 and 0 <= config.ratings < math.inf and 0 < config.teacher_share <= 1):
        raise ConfigError(
            f"--oversample is {config.oversample}, --ratings {config.ratings}, --teacher-share {config.teacher_share}",
            hint="the first is from 0 to 1, the second 0 or more, the third above 0 up to 1",
            code="option-out-of-range",
        )
    if config.pack_size and not SIDE <= config.pack_size <= MAX_INPUT:
        raise ConfigError(
            f"--pack-size is {config.pack_size}", hint=f"give {SIDE} to {MAX_INPUT}", code="option-out-of-range"
        )
    if config.fold_div < 2:
        raise ConfigError(f"--fold-div must be at least 2, it is {config.fold_div}", code="option-out-of-range")
    if not config.sizes or min(config.sizes) < 1 or list(config.sizes) != sorted(config.sizes):
        raise ConfigError(
            f"--sizes must rise from 1, they are {', '.join(map(str, config.sizes))}", code="option-out-of-range"
        )
    smallest = ARCHITECTURES[config.model].smallest
    if min(config.sizes) < smallest:
        raise ConfigError(
            f"{config.model} takes faces of {smallest} pixels or more, --sizes says {min(config.sizes)}",
            hint=f"give --sizes {max(112, smallest)}",
            code="option-out-of-range",
        )
    if not 0 <= config.ema < 1:
        raise ConfigError(f"--ema must be in [0, 1), it is {config.ema}", code="option-out-of-range")
    if not 0 <= config.smoothing < 1:
        raise ConfigError(f"--smoothing must be in [0, 1), it is {config.smoothing}", code="option-out-of-range")
    if not 0 <= config.randaugment <= MAX_MAGNITUDE:
        raise ConfigError(
            f"--randaugment must be from 0 to {MAX_MAGNITUDE}, it is {config.randaugment}", code="option-out-of-range"
        )
