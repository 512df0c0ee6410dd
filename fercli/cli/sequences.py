"""`fercli train --task` and `fercli evaluate` of a network over series."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fercli.cli.console import ConsoleReporter
from fercli.config import ConfigFile, SequenceConfig
from fercli.errors import ConfigError, command

if TYPE_CHECKING:
    from fercli.learn.sequences.scores import SequenceScores

SERIES = "Series: with --task"
"""Heading of the help for the options of networks over series."""
SHARED = frozenset(
    ("dataset", "root", "out", "model", "epochs", "batch", "lr", "weight_decay", "patience", "seed", "device", "strict")
)
"""Options of both kinds of training; defaults of series are those of SequenceConfig."""
OWN = ("features", "modality", "rate", "bins", "hidden", "dropout", "loss", "tmse", "folds")
"""Options of series alone."""
ALWAYS = frozenset(("task", "config", "quiet", "help"))


def train_over_series(context: typer.Context, config: ConfigFile | None, *, quiet: bool) -> None:
    """`fercli train --task`: the options that were given, and defaults of their own for the rest.

    Raises:
        ConfigError: an option that is for pictures only; or as `train_sequences`.
    """
    from fercli.learn.datasets.roots import find_root
    from fercli.learn.sequences.loop import train_sequences

    given = given_options(context)
    unfit = sorted(set(given) - SHARED - set(OWN) - ALWAYS)
    if unfit:
        raise ConfigError(
            f"--{unfit[0].replace('_', '-')} is for training on pictures, not for --task {given['task']}",
            hint="leave it out, or leave out --task",
            code="option-conflict",
        )
    values = {name: value for name, value in given.items() if name not in (*ALWAYS, "dataset", "root", "modality")}
    values["task"] = given["task"]
    dataset, root = _one(given, "dataset"), _one(given, "root")
    if "out" not in values:
        values["out"] = context.params["out"]
    parameters = SequenceConfig(
        dataset=dataset,
        root=find_root(dataset, root),
        modalities=tuple(given.get("modality") or ()),
        config=config,
        **values,
    )
    reporter = ConsoleReporter(quiet=quiet)
    paths = train_sequences(parameters, reporter)
    if len(paths) == 1:
        used: list[Any] = ["--features", parameters.features] if parameters.features else []
        words = ["evaluate", paths[0], "--dataset", dataset, "--root", parameters.root, *used]
        reporter.note(f"next: {command(*words)}")


def refuse_series_options(context: typer.Context) -> None:
    """Raises ConfigError for an option of series without --task."""
    given = [name for name in OWN if name in given_options(context)]
    if given:
        raise ConfigError(
            f"--{given[0].replace('_', '-')} is for networks over series",
            hint="add --task valence, classes or intensity; or leave it out",
            code="option-conflict",
        )


def evaluate_over_series(
    path: Path,
    dataset: str,
    root: Path | None,
    split: str,
    features: Path | None,
    figures: Path | None,
    *,
    as_json: bool,
    device: str,
    strict: bool,
    quiet: bool,
) -> None:
    """Scores of a network over series on a part of a set, by default `test`, as a table by person; and its pictures.

    Raises:
        ConfigError: no set is given, or no part of that name.
        DatasetError, InputError: the set or the features cannot be read.
    """
    from fercli.cli.outputs import json_to_stdout
    from fercli.learn.datasets.roots import find_root
    from fercli.learn.sequences.evaluate import evaluate_sequences

    if not dataset:
        raise ConfigError(
            f"to score {path}, name a data set", hint="add --dataset send, or another one", code="option-missing"
        )
    reporter = ConsoleReporter(quiet=quiet)
    config = SequenceConfig(
        dataset, find_root(dataset, root), path.parent, features=features, device=device, strict=strict
    )
    found = evaluate_sequences(path, config, split or "test", figures, reporter)
    if as_json:
        json_to_stdout(found.as_json())
    else:
        _show(found)


def _show(found: SequenceScores) -> None:
    from fercli.cli import layout

    console = layout.console(at_least=100)
    names = list(found.figures)
    table = layout.table("person", numbers=tuple(name.replace("_", " ") for name in names))
    for person, figures in found.by_person.items():
        table.add_row(person, *(_number(figures.get(name, math.nan)) for name in names))
    table.add_row("all", *(_number(found.figures[name]) for name in names))
    console.print(table)
    if found.interval:
        low, high = found.interval
        console.print(f"{found.main}: 95 % interval over persons {low:.3f} to {high:.3f}; {found.videos} videos")


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def given_options(context: typer.Context) -> dict[str, Any]:
    """The options that the command line or a file gives."""
    found = {}
    for name, value in context.params.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name not in ("DEFAULT",):
            found[name] = value
    return found


def _one(given: dict[str, Any], name: str) -> Any:
    values = given.get(name) or [None]
    if len(values) > 1:
        raise ConfigError(
            f"--{name} is given {len(values)} times; series are trained on one data set",
            hint="give one",
            code="option-conflict",
        )
    return values[0]
