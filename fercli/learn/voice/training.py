"""Train a classifier of voices: discriminant analysis by labels, by a face's probabilities, or by both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.config import DataSource
from fercli.errors import ConfigError
from fercli.labels import EMOTIONS
from fercli.learn.evaluation import metrics
from fercli.learn.voice.datasets import read_clips, terms
from fercli.learn.voice.samples import VoiceSamples, of_clips, of_workspaces
from fercli.models.voice import LAYERS, VoiceHead, VoiceHeader, load_voice_features, write_head
from fercli.progress import Reporter

LEFT_OUT = 2
"""Speakers that are left out at a time."""
Fit = Callable[[VoiceSamples, VoiceHeader], VoiceHead]
_TEMPERATURES = np.geomspace(0.02, 200, 185)
_NEVER = -1e4
"""Logit of a class of which there is no sample."""


@dataclass(frozen=True)
class VoiceTraining:
    """The parameters of a training.

    Attributes:
        sources: labelled data sets. teachers: workspaces whose faces teach.
        out: directory of the run.
        copies: number of changed copies of each clip that are learnt from, too.
        layers: layers of the encoder whose states are used, from 1.
        shrinkage: share of the identity in the covariance of features, see `fitted`.
    """

    sources: tuple[DataSource, ...]
    teachers: tuple[Path, ...]
    out: Path
    copies: int = 2
    layers: tuple[int, ...] = LAYERS
    shrinkage: float = 0.6


def train(parameters: VoiceTraining, reporter: Reporter) -> Path:
    """Train, score by speakers that were left out, and write `best.safetensors`; returns its path.

    Raises:
        ConfigError: nothing to learn from.
        DatasetError, InputError: a data set or a workspace cannot be used.
        ModelError: whisper-base is missing.
        OutputError: the file cannot be written.
    """
    if not parameters.sources and not parameters.teachers:
        raise ConfigError(
            "--task voice needs something to learn from",
            hint="give --dataset with --root, or --teacher WORKSPACE",
            code="option-missing",
        )
    clips = [clip for source in parameters.sources for clip in read_clips(source.dataset, source.root)]
    found = {clip.label for clip in clips} if clips else set(EMOTIONS)
    labels = tuple(sorted(found, key=_order))
    features = load_voice_features(parameters.layers)
    # Workspaces first: one that is stale is refused before the minutes that clips take.
    taught = of_workspaces(features, parameters.teachers, labels, reporter) if parameters.teachers else None
    own = of_clips(features, clips, labels, reporter, parameters.copies) if clips else None
    recipe = {
        "datasets": [source.dataset for source in parameters.sources],
        "teachers": len(parameters.teachers),
        "taught": len(taught) if taught else 0,
        "copies": parameters.copies,
        "shrinkage": parameters.shrinkage,
    }
    data = [terms(source.dataset) for source in parameters.sources]
    data += [f"faces of {len(taught)} utterances in {len(parameters.teachers)} videos"] if taught else []
    header = VoiceHeader(labels, parameters.layers, training_data="; ".join(data), recipe=recipe)
    fit = partial(fitted, shrinkage=parameters.shrinkage)
    header = scored(own, taught, header, fit, reporter) if own else header
    everything = own.joined(taught) if own and taught else own or taught
    assert everything is not None
    parameters.out.mkdir(parents=True, exist_ok=True)
    path = parameters.out / "best.safetensors"
    write_head(path, fit(everything, header))
    return path


def scored(
    samples: VoiceSamples, taught: VoiceSamples | None, header: VoiceHeader, fit: Fit, reporter: Reporter
) -> VoiceHeader:
    """The header with the temperature, and the figures on speakers that were left out, without changed copies.

    The temperature of a fold is that of the logits of all other folds, so no figure has seen its own truth.

    Args:
        samples: labelled ones, which are scored. taught: further ones to learn from.
    """
    folds = _folds(samples.speakers)
    if len(folds) < 2:
        reporter.warn("one speaker alone: the classifier is neither scored nor calibrated")
        return header
    truth = samples.targets.argmax(axis=1)
    logits = np.zeros(samples.targets.shape)
    with reporter.task("folds", len(folds), "fold") as task:
        for left_out in folds:
            own = samples.chosen(~left_out)
            logits[left_out] = fit(own.joined(taught) if taught else own, header).logits(samples.features[left_out])
            task.advance()
    probabilities = np.zeros_like(logits)
    for left_out in folds:
        others = ~left_out & ~samples.copies
        probabilities[left_out] = _softmax(logits[left_out] / _temperature(logits[others], samples.targets[others]))
    real = ~samples.copies
    figures = figures_of(probabilities[real], truth[real], len(header.labels))
    figures["speakers_left_out"] = LEFT_OUT
    reporter.note(
        f"by speaker, {LEFT_OUT} left out at a time: UAR {figures['uar']:.3f}, accuracy {figures['accuracy']:.3f}, "
        f"calibration error {figures['ece']:.3f}, {figures['n']} clips of {len(set(samples.speakers))} speakers"
    )
    return replace(
        header, temperature=_temperature(logits[real], samples.targets[real]), metrics={"by_speaker": figures}
    )


def figures_of(probabilities: NDArray[np.float64], truth: NDArray[np.int64], n_classes: int) -> dict[str, Any]:
    """UAR, accuracy, calibration error over fifteen bins, and the number of samples."""
    matrix = metrics.confusion(truth, probabilities.argmax(axis=1), n_classes)
    return {
        "uar": round(metrics.uar(matrix), 4),
        "accuracy": round(metrics.accuracy(matrix), 4),
        "ece": round(metrics.expected_calibration_error(probabilities.astype(np.float32), truth), 4),
        "n": len(truth),
    }


def fitted(samples: VoiceSamples, header: VoiceHeader, shrinkage: float) -> VoiceHead:
    """Linear discriminant analysis: classes are equally frequent, and normally distributed with the same covariance.

    What differs within a class, such as speakers, sentences and recordings, has a large covariance there and counts
    little. With soft targets each sample belongs to the classes by its share. The logits are scaled so that the
    cross-entropy with the targets is least. A class without samples gets no probability.

    Args:
        shrinkage: share of the identity in the covariance, above 0 to 1 (Ledoit and Wolf 2004).
    """
    targets = samples.targets.astype(np.float32)
    mean, spread = samples.features.mean(axis=0), np.maximum(samples.features.std(axis=0), 1e-6)
    given = (samples.features - mean) / spread
    mass = targets.sum(axis=0)
    means = (targets.T @ given) / np.maximum(mass, 1e-6)[:, None]
    within = given.T @ given / len(given) - (means.T * targets.mean(axis=0)) @ means
    size = len(within)
    shrunk = (1 - shrinkage) * within + shrinkage * (np.trace(within) / size) * np.eye(size, dtype=np.float32)
    weight = np.linalg.solve(shrunk + 1e-6 * np.eye(size, dtype=np.float32), means.T).T
    bias = -0.5 * (weight * means).sum(axis=1)
    scale = _temperature((given @ weight.T + bias).astype(np.float64), samples.targets)
    bias = np.where(mass > 0, bias / scale, _NEVER)
    return VoiceHead(header, mean, spread, (weight / scale).astype(np.float32), bias.astype(np.float32))


def _folds(speakers: NDArray[np.str_]) -> list[NDArray[np.bool_]]:
    """(N,) for each fold, which samples are left out: those of LEFT_OUT speakers, in the order of their names."""
    names = np.unique(speakers)
    size = LEFT_OUT if len(names) >= 2 * LEFT_OUT else 1
    return [np.isin(speakers, names[start : start + size]) for start in range(0, len(names), size)]


def _temperature(logits: NDArray[np.float64], targets: NDArray[np.float64]) -> float:
    """The temperature with the least cross-entropy with (N, C) targets (Guo et al. 2017, arXiv 1706.04599)."""
    losses = [
        -(targets * np.log(np.maximum(_softmax(logits / one), 1e-12))).sum(axis=1).mean() for one in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))


def _order(label: str) -> tuple[int, str]:
    """Canonical order, then others by name."""
    return (EMOTIONS.index(label) if label in EMOTIONS else len(EMOTIONS)), label


def sources_of(datasets: Sequence[str], roots: Sequence[Path]) -> tuple[DataSource, ...]:
    """Data sets with their roots; raises ConfigError if there is not a root for each."""
    if len(datasets) != len(roots):
        raise ConfigError(
            f"{len(roots)} roots for {len(datasets)} data sets",
            hint="give --root once for each --dataset, in the same order",
            code="option-missing",
        )
    return tuple(DataSource(name, root) for name, root in zip(datasets, roots, strict=True))
