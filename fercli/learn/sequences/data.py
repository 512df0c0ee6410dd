"""What a run learns from: annotations of a set, features of its videos, joined on common steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fercli.config import SequenceConfig
from fercli.errors import ConfigError, DatasetError, command
from fercli.features.file import FeatureFacts, TrackFeatures, read_facts, read_features
from fercli.learn.datasets.over_time import Recordings, read_recordings
from fercli.learn.datasets.over_time.recordings import RATED
from fercli.learn.sequences.series import Series, Target, bin_names, join
from fercli.models.sequence import TASKS, Modality
from fercli.progress import Reporter

DEFAULT_RATE = 2.0
"""Steps per second where neither the run nor the features say one: that of SEND."""


@dataclass(frozen=True)
class SequenceData:
    """The data of a run.

    Attributes:
        series: of all persons and videos.
        modalities: the inputs, in the order of `Series.inputs`.
        target: what is learned.
        terms: terms of use of the set.
    """

    series: tuple[Series, ...]
    modalities: tuple[Modality, ...]
    target: Target
    terms: str


def read_data(config: SequenceConfig, reporter: Reporter) -> SequenceData:
    """Read the data of a run and say what is in it.

    Raises:
        ConfigError: the set has no annotations over time, or none for the task; or no such features.
        DatasetError: the set cannot be read, or nothing of it has features and annotations.
        InputError: the features cannot be read.
    """
    found = read_recordings(config.dataset, config.root, strict=config.strict)
    for note in found.notes:
        reporter.note(note)
    if found.problems:
        reporter.warn(f"{len(found.problems)} files could not be used, the first: {found.problems[0]}")
    facts, tracks = _features(config)
    modalities = _chosen(facts, config.modalities)
    target = target_of(config.task, found, config.rate or facts.rate or DEFAULT_RATE, config.bins)
    series, notes = join(found.recordings, tracks, [one.name for one in modalities], target)
    for note in notes:
        reporter.note(note)
    if not series:
        raise DatasetError(
            f"no video of {config.dataset} under {config.root} has features in {config.features or 'the set'}",
            hint="the name of each video in the features must be that of its annotations",
            code="labels-missing",
        )
    return SequenceData(tuple(series), modalities, target, found.terms)


def target_of(task: str, found: Recordings, rate: float, bins: int) -> Target:
    """What is learned of a set.

    Raises:
        ConfigError: there is no such task, or the set has no annotations for it.
    """
    if task not in TASKS:
        raise ConfigError(f"there is no task {task!r}", hint=f"known: {', '.join(TASKS)}", code="name-unknown")
    if not 0 < rate <= 1000:
        raise ConfigError(f"--rate is {rate:g}", hint="give steps per second, up to 1000", code="option-out-of-range")
    rated = tuple(name for name in RATED if any(name in one.values for one in found.recordings))
    if task == "valence" and rated:
        return Target(task, rated, rate)
    if task == "classes" and found.classes and any(one.labels is not None for one in found.recordings):
        return Target(task, found.classes, rate)
    if task == "classes" and rated:
        if bins < 2:
            raise ConfigError(f"--bins is {bins}", hint="give 2 or more", code="option-out-of-range")
        return Target(task, bin_names(bins), rate, bins)
    if task == "intensity" and any(one.course and one.course.apex_s is not None for one in found.recordings):
        return Target(task, found.classes, rate)
    raise ConfigError(
        f"{found.name} has no annotations for the task {task}",
        hint="choose another --task, or another set: docs/howto/stories.md says what each has",
        code="dataset-unfit",
    )


def _features(config: SequenceConfig) -> tuple[FeatureFacts, Sequence[TrackFeatures]]:
    if config.features is not None:
        facts = read_facts(config.features)
        names = [one.name for one in _chosen(facts, config.modalities)]
        return facts, list(read_features(config.features, names))
    if config.dataset == "send":
        from fercli.learn.datasets.over_time.send_features import read_official

        return read_official(config.root, config.modalities)
    raise ConfigError(
        f"{config.dataset} comes without features",
        hint=f"measure its videos: {command('features', 'FOLDER', '-o', Path('features.parquet'))}; then --features",
        code="option-missing",
    )


def _chosen(facts: FeatureFacts, names: tuple[str, ...]) -> tuple[Modality, ...]:
    known = {one.name: one for one in facts.modalities}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(f"the features have no {unknown[0]}", hint=f"known: {', '.join(known)}", code="name-unknown")
    return tuple(known[name] for name in names) if names else facts.modalities
