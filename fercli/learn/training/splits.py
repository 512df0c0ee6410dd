"""The data set of a run, and whether it has what training takes."""

from __future__ import annotations

from fercli.config import TrainConfig
from fercli.errors import DatasetError, command
from fercli.learn.datasets import DatasetSplits, read_dataset
from fercli.learn.datasets.check import contradictions
from fercli.progress import Reporter


def read_splits(config: TrainConfig, reporter: Reporter) -> DatasetSplits:
    """Read the data set of a run and say what is in it.

    Raises:
        DatasetError: it cannot be read, nothing is left to train on, or nothing with a label to choose the best by.
    """
    data = read_dataset(config.dataset, config.root, reporter, strict=config.strict)
    for note in data.notes:
        reporter.note(note)
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
    if data.problems:
        reporter.warn(f"{len(data.problems)} samples could not be used, the first: {data.problems[0]}")
    twice = contradictions(data)
    if twice:
        check = command("dataset", "check", config.dataset, "--root", config.root)
        first = twice[0]
        reporter.warn(
            f"{len(twice)} pictures are in more than one class, the first: {first.first} ({first.first_label}) = "
            f"{first.second} ({first.second_label}); {check} lists them"
        )
    if not len(data.test):
        reporter.warn(f"{config.root} has nothing for test: the only figures are of valid, by which the best is chosen")
    return data


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
