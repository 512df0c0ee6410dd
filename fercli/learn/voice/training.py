"""Train a classifier of voices: softmax regression on labels, on a face's probabilities, or on both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from fercli.models.voice import VoiceHead, VoiceHeader, load_voice_encoder, write_head
from fercli.progress import Reporter

LEFT_OUT = 2
"""Speakers that are left out at a time."""
_TEMPERATURES = np.geomspace(0.25, 8, 61)


@dataclass(frozen=True)
class VoiceTraining:
    """The parameters of a training.

    Attributes:
        sources: labelled data sets. teachers: workspaces whose faces teach.
        out: directory of the run.
        decay: weight of half the squared weights in the loss.
    """

    sources: tuple[DataSource, ...]
    teachers: tuple[Path, ...]
    out: Path
    decay: float = 0.1


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
    encoder = load_voice_encoder()
    own = of_clips(encoder, clips, labels, reporter) if clips else None
    taught = of_workspaces(encoder, parameters.teachers, labels, reporter) if parameters.teachers else None
    recipe = {
        "datasets": [source.dataset for source in parameters.sources],
        "teachers": len(parameters.teachers),
        "taught": len(taught) if taught else 0,
        "decay": parameters.decay,
    }
    data = [terms(source.dataset) for source in parameters.sources]
    data += [f"faces of {len(taught)} utterances in {len(parameters.teachers)} videos"] if taught else []
    header = VoiceHeader(labels, training_data="; ".join(data), recipe=recipe)
    header = scored(own, taught, header, parameters.decay, reporter) if own else header
    everything = own.joined(taught) if own and taught else own or taught
    assert everything is not None
    parameters.out.mkdir(parents=True, exist_ok=True)
    path = parameters.out / "best.safetensors"
    write_head(path, fitted(everything, header, parameters.decay))
    return path


def scored(
    samples: VoiceSamples, taught: VoiceSamples | None, header: VoiceHeader, decay: float, reporter: Reporter
) -> VoiceHeader:
    """The header with the temperature, and the figures on speakers that were left out.

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
            own = VoiceSamples(samples.features[~left_out], samples.targets[~left_out], samples.speakers[~left_out])
            head = fitted(own.joined(taught) if taught else own, header, decay)
            logits[left_out] = head.logits(samples.features[left_out])
            task.advance()
    probabilities = np.zeros_like(logits)
    for left_out in folds:
        probabilities[left_out] = _softmax(logits[left_out] / _temperature(logits[~left_out], truth[~left_out]))
    figures = figures_of(probabilities, truth, len(header.labels))
    figures["speakers_left_out"] = LEFT_OUT
    reporter.note(
        f"by speaker, {LEFT_OUT} left out at a time: UAR {figures['uar']:.3f}, accuracy {figures['accuracy']:.3f}, "
        f"calibration error {figures['ece']:.3f}, {len(truth)} clips of {len(set(samples.speakers))} speakers"
    )
    return replace(header, temperature=_temperature(logits, truth), metrics={"by_speaker": figures})


def figures_of(probabilities: NDArray[np.float64], truth: NDArray[np.int64], n_classes: int) -> dict[str, Any]:
    """UAR, accuracy, calibration error over fifteen bins, and the number of samples."""
    matrix = metrics.confusion(truth, probabilities.argmax(axis=1), n_classes)
    return {
        "uar": round(metrics.uar(matrix), 4),
        "accuracy": round(metrics.accuracy(matrix), 4),
        "ece": round(metrics.expected_calibration_error(probabilities.astype(np.float32), truth), 4),
        "n": len(truth),
    }


def fitted(samples: VoiceSamples, header: VoiceHeader, decay: float) -> VoiceHead:
    """Softmax regression: cross-entropy with the targets, plus `decay` times half the squared weights."""
    import torch

    features = samples.features
    mean, spread = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    given = torch.from_numpy((features - mean) / spread)
    wanted = torch.from_numpy(samples.targets.astype(np.float32))
    weight = torch.zeros(len(header.labels), features.shape[1], requires_grad=True)
    bias = torch.zeros(len(header.labels), requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=60, line_search_fn="strong_wolfe")

    def step() -> Any:
        optimiser.zero_grad()
        logs = torch.log_softmax(given @ weight.T + bias, dim=1)
        loss = -(wanted * logs).sum(dim=1).mean() + decay / 2 * (weight**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(step)  # type: ignore[no-untyped-call]
    return VoiceHead(header, mean, spread, weight.detach().numpy(), bias.detach().numpy())


def _folds(speakers: NDArray[np.str_]) -> list[NDArray[np.bool_]]:
    """(N,) for each fold, which samples are left out: those of LEFT_OUT speakers, in the order of their names."""
    names = np.unique(speakers)
    size = LEFT_OUT if len(names) >= 2 * LEFT_OUT else 1
    return [np.isin(speakers, names[start : start + size]) for start in range(0, len(names), size)]


def _temperature(logits: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """The temperature with the least cross-entropy (Guo et al. 2017, arXiv 1706.04599)."""
    rows = np.arange(len(truth))
    losses = [-np.log(np.maximum(_softmax(logits / one)[rows, truth], 1e-12)).mean() for one in _TEMPERATURES]
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
