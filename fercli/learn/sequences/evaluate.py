"""A trained network over series on a part of a set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fercli.config import SequenceConfig
from fercli.errors import ConfigError, DatasetError, WeightsError
from fercli.learn.sequences.data import read_data
from fercli.learn.sequences.figures import draw_figures
from fercli.learn.sequences.folds import split_up
from fercli.learn.sequences.loop import predictions
from fercli.learn.sequences.scores import SequenceScores, score
from fercli.models.devices import pick_device
from fercli.models.sequence import load
from fercli.progress import Reporter

PARTS = ("train", "valid", "test", "all")


def evaluate_sequences(
    path: Path, config: SequenceConfig, part: str, figures: Path | None, reporter: Reporter
) -> SequenceScores:
    """Scores of a network.

    Args:
        path: its file.
        config: data set, root and features; what is not about data is taken from the network.
        part: one of PARTS.
        figures: directory for pictures; None draws none.
        reporter: gets notes.

    Raises:
        ConfigError: there is no such part, or the set has no annotations for the network.
        DatasetError, InputError: the data cannot be read, or there is nothing to score.
        WeightsError: the network cannot be used, or takes other features.
    """
    if part not in PARTS:
        raise ConfigError(f"there is no part {part!r}", hint=f"known: {', '.join(PARTS)}", code="name-unknown")
    model = load(path, pick_device(config.device))
    header = model.header
    bins = int(header.recipe.get("bins", config.bins))
    own = replace(
        config, task=header.task, rate=header.rate, modalities=tuple(one.name for one in header.modalities), bins=bins
    )
    data = read_data(own, reporter)
    for wanted, given in zip(header.modalities, data.modalities, strict=True):
        if wanted.size != given.size:
            raise WeightsError(
                f"{path} takes {wanted.name} of {wanted.size} values, the features have {given.size}",
                hint="measure the features as those it was trained on",
                code="weights-do-not-fit",
            )
        if wanted.source and given.source and wanted.source != given.source:
            reporter.warn(f"{wanted.name} of the features comes from {given.source}, not from {wanted.source}")
    if data.target.outputs != header.outputs:
        raise ConfigError(
            f"{path} tells {', '.join(header.outputs)}, and {config.dataset} has {', '.join(data.target.outputs)}",
            hint="score it on the set it was trained on, or one with the same annotations",
            code="dataset-unfit",
        )
    series = data.series if part == "all" else getattr(split_up(data.series, "")[0], part)
    if not series:
        raise DatasetError(
            f"{config.dataset} has nothing for {part}", hint="choose another --split", code="labels-missing"
        )
    told = predictions(model, series)
    found = score(header.task, header.outputs, series, told)
    if figures is not None:
        draw_figures(figures, found, series, told, header)
    return found
