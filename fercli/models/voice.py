"""Emotion of a voice: a linear classifier on mean and spread of the states of Whisper over an utterance.

The file of a classifier is safetensors with a header: a few kilobytes for each class. Experimental: it hears acted
emotions, and keeps little of its accuracy for other speakers, languages and rooms.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import WeightsError
from fercli.files import require_regular_file
from fercli.labels import canonical
from fercli.models.whisper_encoder import LONGEST_S, WhisperEncoder, load_encoder
from fercli.typed import build
from fercli.writing import write_atomically

ENCODER = "whisper-base"
"""The network whose states are used."""
LAYER = 3
"""Of six layers, the states after the third tell emotions best: UAR on RAVDESS by actor .73 .75 .73 .71 .68 after the
second to the sixth."""
LAYERS = (2, 3)
"""Layers whose states a classifier uses: together they tell more than the third alone, see docs/sound.md."""
SHORTEST_S = 0.3
"""Shorter utterances are not assessed, seconds."""
_RATE = 16_000
_STEP = 400
_QUIET = 0.03
"""Share of the loudest 25 ms below which sound at both ends is left out."""
_MARGIN = 4
LEVEL = 0.05
"""Root mean square to which an utterance is brought: how loud a recording is says nothing about a voice."""
_KEY = "fercli-voice"
_TENSORS = ("mean", "spread", "weight", "bias")

Samples = NDArray[np.float32]
Features = NDArray[np.float32]


@dataclass(frozen=True)
class VoiceHeader:
    """The header of a classifier file.

    Attributes:
        labels: the classes, by the names of the training data, such as `calm`.
        layers: layers of the encoder whose states are used, from 1.
        encoder: name of the network whose states are used.
        temperature: logits are divided by it before the softmax (Guo et al. 2017, arXiv 1706.04599).
        training_data: training data, with the terms of use.
        metrics: figures of the training, on speakers that were left out.
        recipe: parameters of the training.
    """

    labels: tuple[str, ...]
    layers: tuple[int, ...] = LAYERS
    encoder: str = ENCODER
    temperature: float = 1.0
    training_data: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class VoiceHead:
    """A linear classifier of C classes on D features.

    Attributes:
        header: its facts.
        mean, spread: (D,) mean and standard deviation of the features in the training data.
        weight: (C, D). bias: (C,).
    """

    header: VoiceHeader
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """(N, D) features -> (N, C), before the temperature."""
        found: NDArray[np.float64] = ((features - self.mean) / self.spread).astype(
            np.float64
        ) @ self.weight.T + self.bias
        return found

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """(N, D) features -> (N, C), rows summing to 1."""
        scaled = self.logits(features) / self.header.temperature
        scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))


class VoiceFeatures:
    """What Whisper's states tell of a voice.

    Args:
        whisper: computes at least as many layers as `layers` names.
        layers: layers whose states are used, from 1.
    """

    def __init__(self, whisper: WhisperEncoder, layers: tuple[int, ...] = LAYERS) -> None:
        self._whisper, self._layers = whisper, layers

    def of(self, heard: Samples) -> Features:
        """(2 * width * number of layers,): of each layer mean and standard deviation of the states over what
        `utterance` returns."""
        every = self._whisper.all_states(heard)
        used = [every[layer - 1][: max(1, len(heard) // 320)] for layer in self._layers]
        return np.concatenate([part for states in used for part in (states.mean(axis=0), states.std(axis=0))])


class VoiceClassifier:
    """Features and head."""

    def __init__(self, features: VoiceFeatures, head: VoiceHead) -> None:
        self._features, self.head = features, head

    def emotions(self, samples: Samples) -> dict[str, float] | None:
        """Canonical emotion -> probability for an utterance, (n,) float32 at 16 kHz; None if it is too short, silent,
        or the classes are no emotions."""
        heard = utterance(samples)
        if heard is None:
            return None
        found: dict[str, float] = {}
        probabilities = self.head.probabilities(self._features.of(heard)[None])[0]
        for label, value in zip(self.head.header.labels, probabilities.tolist(), strict=True):
            name = canonical(label)
            if name is not None:
                found[name] = found.get(name, 0.0) + value
        total = sum(found.values())
        return {name: value / total for name, value in found.items()} if total > 0 else None


def utterance(samples: Samples) -> Samples | None:
    """An utterance without the silence at both ends, at the same level as all others, and at most LONGEST_S long: its
    middle. None if nothing of SHORTEST_S is left."""
    whole = len(samples) // _STEP
    loud = np.sqrt((samples[: whole * _STEP].reshape(whole, _STEP) ** 2).mean(axis=1))
    if not whole or loud.max() < 1e-4:
        return None
    places = np.flatnonzero(loud > _QUIET * loud.max())
    heard = samples[max(0, int(places[0]) - _MARGIN) * _STEP : (int(places[-1]) + 1 + _MARGIN) * _STEP]
    if len(heard) < SHORTEST_S * _RATE:
        return None
    longest = int((LONGEST_S - 1) * _RATE)
    start = max(0, (len(heard) - longest) // 2)
    heard = heard[start : start + longest]
    return np.asarray(heard * (LEVEL / np.sqrt((heard**2).mean())), np.float32)


def load_voice_encoder(layer: int = LAYER) -> WhisperEncoder:
    """The first layers of ENCODER.

    Raises:
        ModelError: a package or the weights are missing.
    """
    from fercli.models.registry import find_model, find_weights

    weights = find_weights(find_model(ENCODER, "speech"))
    assert weights is not None  # the registry names a file
    return load_encoder(weights, layer)


def load_voice_features(layers: tuple[int, ...] = LAYERS) -> VoiceFeatures:
    """What a classifier that uses these layers is given; raises as `load_voice_encoder`."""
    return VoiceFeatures(load_voice_encoder(max(layers)), layers)


def load(weights: Path, device: str) -> VoiceClassifier:
    """Build the classifier; it always runs on the CPU.

    Raises:
        ModelError: a package or the weights are missing, or a file is something else.
    """
    head = read_head(weights)
    return VoiceClassifier(load_voice_features(head.header.layers), head)


def read_head(path: Path) -> VoiceHead:
    """Read a classifier.

    Raises:
        WeightsError: it is something else, or has numbers that are not finite.
    """
    from safetensors import SafetensorError, safe_open

    require_regular_file(path, WeightsError)
    try:
        with safe_open(path, "numpy") as file:
            header = build(VoiceHeader, _known(json.loads((file.metadata() or {})[_KEY])))
            tensors = {name: file.get_tensor(name).astype(np.float32) for name in _TENSORS}
        head = VoiceHead(header, **tensors)
        if head.weight.shape != (len(header.labels), len(head.mean)) or head.mean.shape != head.spread.shape:
            raise ValueError("its tensors do not fit together")
        if not header.temperature > 0 or not (head.spread > 0).all():
            raise ValueError("its scales are not above 0")
        if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
            raise ValueError("it has numbers that are not finite")
        if header.encoder != ENCODER:
            raise ValueError(f"it is for the states of {header.encoder}")
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError(
            f"{path} is not a classifier of voices: {error}",
            hint="give a file written by `fercli train --task voice`, or a name from `fercli models`",
        ) from error
    return head


def write_head(path: Path, head: VoiceHead) -> None:
    """Write a classifier; replaces `path` in one step. Raises OutputError."""
    from safetensors.numpy import save

    tensors = {name: np.ascontiguousarray(getattr(head, name), np.float32) for name in _TENSORS}
    write_atomically(path, save(tensors, metadata={_KEY: json.dumps(asdict(head.header), sort_keys=True)}))


def _known(content: dict[str, Any]) -> dict[str, Any]:
    """What a header has; older ones name the one layer that is used."""
    if "layer" in content:
        content = {"layers": [content["layer"]], **content}
    names = {one.name for one in fields(VoiceHeader)}
    return {key: value for key, value in content.items() if key in names}
