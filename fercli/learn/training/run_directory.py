"""The directory of a run.

config.json        the resolved parameters
metrics.jsonl      a line an epoch
last.safetensors   everything needed to go on
best.safetensors   the classifier with the highest validation accuracy, ready to use
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from fercli.config import SequenceConfig, TrainConfig
from fercli.errors import ConfigError
from fercli.files import require_regular_file
from fercli.writing import write_atomically, writing

PLACES = frozenset({"root", "out", "init", "device", "features"})
"""Parameters that are places on this computer."""
MAY_CHANGE = frozenset({"epochs", "device", "root", "out", "patience", "config", "features"})
"""Parameters that may differ when a run goes on."""


def open_run(config: TrainConfig | SequenceConfig, epochs_done: int) -> None:
    """Make the directory and write the parameters; rows of epochs the checkpoint does not know of go.

    Raises:
        OutputError: it cannot be written.
    """
    with writing(config.out):
        config.out.mkdir(parents=True, exist_ok=True)
        write_atomically(config.out / "config.json", (_as_json(config) + "\n").encode())
        rows = config.out / "metrics.jsonl"
        if rows.exists():
            lines = rows.read_text(encoding="utf-8").splitlines(keepends=True)
            write_atomically(rows, "".join(lines[:epochs_done]).encode())


def add_row(config: TrainConfig | SequenceConfig, row: dict[str, Any]) -> None:
    """One more epoch; raises OSError."""
    with (config.out / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def check_same_run(config: TrainConfig | SequenceConfig) -> None:
    """A run goes on only under the parameters it was started with: anything else would be neither run.

    Raises:
        ConfigError: another parameter, or none to compare with.
    """
    path = config.out / "config.json"
    hint = "choose another --out, or delete that run"
    require_regular_file(path, ConfigError, hint)
    try:
        before = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise ConfigError(
            f"cannot go on with the run in {config.out}: {path.name}: {error}", hint=hint, code="run-differs"
        ) from error
    before = _without(before, MAY_CHANGE)
    for name, value in _without(json.loads(_as_json(config)), MAY_CHANGE).items():
        if before.get(name, value) != value:
            raise ConfigError(
                f"the run in {config.out} was started with {name} {before[name]!r}, not {value!r}",
                hint=hint,
                code="run-differs",
            )


def recipe(config: TrainConfig | SequenceConfig) -> dict[str, Any]:
    """The parameters that belong into the header of a classifier: all but the places on this computer."""
    whole: dict[str, Any] = _without(json.loads(_as_json(config)), PLACES)
    return whole


def _without(values: Any, names: frozenset[str]) -> Any:
    """The same JSON without the values of some names, however deep."""
    if isinstance(values, list):
        return [_without(value, names) for value in values]
    if isinstance(values, dict):
        return {name: _without(value, names) for name, value in values.items() if name not in names}
    return values


def _as_json(config: TrainConfig | SequenceConfig) -> str:
    return json.dumps(asdict(config), indent=2, default=str)
