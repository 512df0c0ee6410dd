"""The data of a run: one data set or several, and whether they have what training takes."""

from __future__ import annotations

import math
from dataclasses import replace

from fercli.config import DataSource, TrainConfig
from fercli.errors import DatasetError, command
from fercli.learn.datasets import DatasetSplits, Packing, read_dataset
from fercli.learn.datasets.check import contradictions
from fercli.learn.datasets.classes import read_classes
from fercli.learn.datasets.join import join
from fercli.learn.datasets.suspects import read_suspects, without
from fercli.learn.training.augment import VIEW
from fercli.progress import Reporter

ENLARGED = 1.3
"""Enlarging a view by more than this is worth a warning: FER2013's 48 pixels give 56 with less."""


def read_splits(config: TrainConfig, reporter: Reporter) -> DatasetSplits:
    """Read the data of a run and say what is in it.

    Raises:
        ConfigError: the file of classes cannot be used.
        DatasetError: a set cannot be read, nothing is left to train on, or nothing with a label to choose the best by.
    """
    mapping = read_classes(config.classes) if config.classes else None
    listed = read_suspects(config.without) if config.without else {}
    sets = [_read(source, config, reporter) for source in config.sources]
    valid = _read(config.valid, config, reporter) if config.valid else None
    if len(sets) == 1 and valid is None and mapping is None:
        data = sets[0]
    else:
        data = join(sets, [source.weight for source in config.sources], valid, mapping)
    for note in data.notes:
        reporter.note(note)
    if config.without:
        data = _cleaned(data, listed, config, reporter)
    _require_faces(data, config, reporter)
    _warn_of_enlarging(data, config, reporter)
    if not len(data.test):
        reporter.warn(f"{config.root} has nothing for test: the only figures are of valid, by which the best is chosen")
    return data


def _read(source: DataSource, config: TrainConfig, reporter: Reporter) -> DatasetSplits:
    """Read one set, with a warning for what is wrong in it."""
    data = read_dataset(source.dataset, source.root, reporter, strict=config.strict, packing=packing_of(config))
    if data.problems:
        reporter.warn(f"{len(data.problems)} samples could not be used, the first: {data.problems[0]}")
    twice = contradictions(data)
    if twice:
        check = command("dataset", "check", source.dataset, "--root", source.root)
        first = twice[0]
        reporter.warn(
            f"{len(twice)} pictures are in more than one class, the first: {first.first} ({first.first_label}) = "
            f"{first.second} ({first.second_label}); {check} lists them"
        )
    return data


def packing_of(config: TrainConfig) -> Packing:
    """How the data sets of a run are packed."""
    colour = None if config.colour == "auto" else config.colour == "rgb"
    return Packing(config.pack_size, math.ceil(config.input_size / VIEW), colour)


def _cleaned(data: DatasetSplits, listed: dict[str, float], config: TrainConfig, reporter: Reporter) -> DatasetSplits:
    assert config.without is not None
    roots = [source.root for source in config.sources]
    train = without(data.train, listed, roots, config.without)
    reporter.note(f"left out: {len(data.train) - len(train)} faces listed in {config.without}")
    weighted = sum(weight > 0 for weight in listed.values())
    if weighted:
        reporter.note(f"drawn less often: {weighted} faces listed there with a weight")
    return replace(data, train=train)


def _require_faces(data: DatasetSplits, config: TrainConfig, reporter: Reporter) -> None:
    for name, part in (("train", data.train), ("valid", data.valid)):
        if not len(part):
            raise _nothing_for(name, config, data)
        sets = ", ".join(f"{key} {len(labelling.classes)} classes" for key, labelling in part.labellings.items())
        reporter.note(f"{name}: {len(part)} {part.kind}s, {sets}")
    if (data.valid.main.labels < 0).all():
        raise DatasetError(
            f"nothing of {config.root} that is for valid has a label",
            hint=command("dataset", "check", config.dataset, "--root", config.root),
            code="labels-missing",
        )


def _warn_of_enlarging(data: DatasetSplits, config: TrainConfig, reporter: Reporter) -> None:
    shown = data.train.images.shape[2] * VIEW
    if config.input_size > ENLARGED * shown:
        reporter.warn(
            f"--sizes {config.input_size}: of each packed face {shown:.0f} pixels are shown and enlarged to "
            f"{config.input_size}, which adds no detail; larger pictures or --pack-size would"
        )


def _nothing_for(split: str, config: TrainConfig, data: DatasetSplits) -> DatasetError:
    whole = data.part("all")
    nothing = f"{config.root} has no {whole.kind} for {split}"
    persons = set(whole.subjects) - {""}
    if len(persons) == 1 and not data.official:
        return DatasetError(
            f"{nothing}: nobody is on two sides of a split, and all it shows is {persons.pop()}",
            hint="training takes at least two persons, and a third to test on",
            code="labels-missing",
        )
    check = command("dataset", "check", config.dataset, "--root", config.root)
    return DatasetError(nothing, hint=f"{check} shows its splits", code="labels-missing")
