"""Classifiers of voices: what is heard of an utterance, the file, and the encoder's file."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from fercli.errors import WeightsError
from fercli.models.registry import find_model, find_weights
from fercli.models.voice import (
    VoiceClassifier,
    VoiceFeatures,
    VoiceHead,
    VoiceHeader,
    read_head,
    utterance,
    write_head,
)
from fercli.models.whisper_encoder import load_encoder
from tests.failing import fails

RATE = 16_000


def tone(seconds: float, level: float = 0.1) -> np.ndarray:
    return np.asarray(level * np.sin(np.arange(round(seconds * RATE)) * 0.2), np.float32)


def head(*labels: str, width: int = 4) -> VoiceHead:
    weight = np.zeros((len(labels), width), np.float32)
    weight[0] = 1
    return VoiceHead(
        VoiceHeader(labels),
        np.zeros(width, np.float32),
        np.ones(width, np.float32),
        weight,
        np.zeros(len(labels), np.float32),
    )


def test_silence_around_an_utterance_is_left_out_and_loud_and_quiet_are_the_same() -> None:
    quiet = np.zeros(RATE, np.float32)
    heard = utterance(np.concatenate((quiet, tone(1.0), quiet)))
    assert heard is not None and 1.0 <= len(heard) / RATE <= 1.3
    louder = utterance(np.concatenate((quiet, tone(1.0, 0.8), quiet)))
    assert louder == pytest.approx(heard, abs=1e-4)


@pytest.mark.parametrize("samples", [np.zeros(RATE, np.float32), tone(0.1), np.zeros(0, np.float32)])
def test_silence_and_a_moment_are_no_utterance(samples: np.ndarray) -> None:
    assert utterance(samples) is None


def test_of_a_long_utterance_the_middle_counts() -> None:
    samples = tone(100.0)
    samples[50 * RATE] = 0.9
    heard = utterance(samples)
    assert heard is not None and len(heard) < 30 * RATE
    assert abs(int(np.abs(heard).argmax()) - len(heard) // 2) < RATE


class Encoder:
    """Two layers of two states, which change from one moment to the next."""

    def all_states(self, samples: np.ndarray) -> list[np.ndarray]:
        states = np.tile(np.array([1.0, 2.0], np.float32), (len(samples) // 320, 1))
        states[::2] += 1
        return [states, 10 * states]


def features(*layers: int) -> VoiceFeatures:
    return VoiceFeatures(Encoder(), layers)  # type: ignore[arg-type]


def test_features_are_mean_and_spread_of_the_chosen_layers() -> None:
    assert features(1).of(tone(1.0)) == pytest.approx([1.5, 2.5, 0.5, 0.5])
    assert features(2, 1).of(tone(1.0)) == pytest.approx([15, 25, 5, 5, 1.5, 2.5, 0.5, 0.5])


def test_classes_of_the_same_emotion_are_added_and_others_left_out() -> None:
    classifier: Any = VoiceClassifier(features(1), head("neutral", "calm", "anger", "boredom"))
    found = classifier.emotions(tone(1.0))
    shares = classifier.head.probabilities(features(1).of(tone(1.0))[None])[0]
    assert set(found) == {"neutral", "anger"} and sum(found.values()) == pytest.approx(1)
    assert found["neutral"] == pytest.approx(shares[:2].sum() / shares[:3].sum())
    assert classifier.emotions(np.zeros(RATE, np.float32)) is None


def test_a_file_holds_all_of_it(tmp_path: Path) -> None:
    first = replace(
        head("anger", "neutral"), header=VoiceHeader(("anger", "neutral"), temperature=1.5, recipe={"decay": 0.1})
    )
    write_head(tmp_path / "a.safetensors", first)
    second = read_head(tmp_path / "a.safetensors")
    assert second.header == first.header
    assert second.probabilities(np.ones((1, 4), np.float32)) == pytest.approx(
        first.probabilities(np.ones((1, 4), np.float32))
    )


@pytest.mark.parametrize(
    "broken",
    [
        {"bias": np.full(2, np.nan, np.float32)},
        {"spread": np.zeros(4, np.float32)},
        {"weight": np.zeros((3, 4), np.float32)},
        {"header": VoiceHeader(("anger", "neutral"), temperature=0.0)},
        {"header": VoiceHeader(("anger", "neutral"), encoder="another")},
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, broken: dict[str, Any]) -> None:
    path = tmp_path / "a.safetensors"
    write_head(path, replace(head("anger", "neutral"), **broken))
    with fails(WeightsError, "weights-unusable", str(path)):
        read_head(path)


def test_an_older_file_says_its_one_layer(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_head(path, head("anger", "neutral"))
    with safe_open(path, "numpy") as file:
        content = json.loads(file.metadata()["fercli-voice"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    del content["layers"]
    save_file(tensors, path, {"fercli-voice": json.dumps({**content, "layer": 3})})
    assert read_head(path).header.layers == (3,)


def test_another_file_is_no_classifier(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"something else")
    with fails(WeightsError, "weights-unusable", "a.safetensors"):
        read_head(tmp_path / "a.safetensors")


def test_the_shipped_one_tells_the_classes_of_ravdess_and_says_how_well() -> None:
    path = find_weights(find_model("voice-ravdess", "voices"))
    assert path is not None
    header = read_head(path).header
    assert "calm" in header.labels and len(header.labels) == 8
    assert header.metrics["by_speaker"]["uar"] >= 0.70 and header.metrics["by_speaker"]["ece"] <= 0.05
    assert "NC" in header.training_data


def model_file(path: Path, width: int = 8, *, halves: bool = False) -> Path:
    """A tiny encoder of one layer in CTranslate2's layout, and a tensor of something else."""
    rng = np.random.default_rng(0)
    shapes = {
        "conv1/weight": (width, 80, 3),
        "conv1/bias": (width,),
        "conv2/weight": (width, width, 3),
        "conv2/bias": (width,),
        "position_encodings/encodings": (1500, width),
        "layer_0/self_attention/linear_0/weight": (3 * width, width),
        "layer_0/self_attention/linear_0/bias": (3 * width,),
        "layer_0/self_attention/linear_1/weight": (width, width),
        "layer_0/self_attention/linear_1/bias": (width,),
        "layer_0/ffn/linear_0/weight": (4 * width, width),
        "layer_0/ffn/linear_0/bias": (4 * width,),
        "layer_0/ffn/linear_1/weight": (width, 4 * width),
        "layer_0/ffn/linear_1/bias": (width,),
    }
    for layer in ("self_attention", "ffn"):
        shapes |= {f"layer_0/{layer}/layer_norm/{name}": (width,) for name in ("gamma", "beta")}
    kind, number = (np.float16, 4) if halves else (np.float32, 0)
    found = {f"encoder/{name}": (rng.standard_normal(shape) * 0.1).astype(kind) for name, shape in shapes.items()}
    tensors: dict[str, tuple[np.ndarray, int]] = {name: (value, number) for name, value in found.items()}
    tensors["decoder/more"] = np.zeros((3, 2), np.int8), 1
    tensors["encoder/num_heads"] = np.array(2, np.int16), 2

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    content = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(tensors))
    for name, (value, code) in tensors.items():
        content += text(name) + struct.pack(f"<B{value.ndim}I", value.ndim, *value.shape)
        content += struct.pack("<BI", code, value.nbytes) + value.tobytes()
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("halves", [False, True])
def test_the_encoder_is_read_from_the_file_of_the_recogniser(tmp_path: Path, halves: bool) -> None:
    pytest.importorskip("faster_whisper", reason="pip install 'fercli[sound]'")
    encoder = load_encoder(model_file(tmp_path / "model.bin", halves=halves), 1)
    states = encoder.states(tone(1.0))
    every = load_encoder(model_file(tmp_path / "model.bin", halves=halves), 1).all_states(tone(1.0))
    assert len(every) == 1 and np.array_equal(every[0], states)
    assert states.shape[1] == 8 and 48 <= len(states) <= 52 and np.isfinite(states).all()
    assert len(encoder.states(tone(40.0))) == 1500


def test_a_damaged_file_or_one_with_fewer_layers_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper", reason="pip install 'fercli[sound]'")
    path = model_file(tmp_path / "model.bin")
    with fails(WeightsError, "weights-unusable", "model.bin"):
        load_encoder(path, 2)
    path.write_bytes(path.read_bytes()[:3000])
    with fails(WeightsError, "weights-unusable", "model.bin"):
        load_encoder(path, 1)
