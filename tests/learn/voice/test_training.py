"""Training of voices: by speakers left out, calibrated, with a teacher; and its evaluation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fercli.cli.entry import main
from fercli.config import DataSource
from fercli.errors import ConfigError, DatasetError, InputError
from fercli.learn.voice import evaluation, training
from fercli.learn.voice.clips import samples_of
from fercli.learn.voice.samples import VoiceSamples, of_workspaces
from fercli.learn.voice.training import VoiceTraining, fitted, scored
from fercli.models.voice import VoiceHead, VoiceHeader, read_head
from fercli.progress import Silent
from tests.failing import fails
from tests.media_samples import bursts, numbered_video, with_sound


class FakeFeatures:
    """The loudest frequency of the sound, which is what the labels of these tests are about."""

    def of(self, heard: np.ndarray) -> np.ndarray:
        hertz = np.abs(np.fft.rfft(heard)).argmax() * 16_000 / len(heard)
        return np.array([hertz / 1000, 1.0], np.float32)


@pytest.fixture
def fake_features(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (training, evaluation):
        monkeypatch.setattr(module, "load_voice_features", lambda layers: FakeFeatures())


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """CREMA-D of four speakers: anger is high, sadness is low."""
    for speaker in range(1001, 1005):
        for label, hertz in [("ANG", 2000), ("SAD", 400)]:
            path = tmp_path / "crema" / f"{speaker}_DFA_{label}_XX.mkv"
            path.parent.mkdir(exist_ok=True)
            with_sound(path, [bursts(0.0, hertz=hertz)])
    return tmp_path / "crema"


def blobs(speakers: int = 6, each: int = 20, apart: float = 2.0) -> VoiceSamples:
    rng = np.random.default_rng(0)
    truth = np.tile(np.arange(2), speakers * each // 2)
    features = rng.standard_normal((len(truth), 5)).astype(np.float32)
    features[:, 0] += apart * truth
    names = np.repeat([f"{n}" for n in range(speakers)], each)
    return VoiceSamples(features, np.eye(2)[truth], names, np.zeros(len(truth), bool))


def fit(samples: VoiceSamples, header: VoiceHeader) -> VoiceHead:
    return fitted(samples, header, shrinkage=0.5)


def test_figures_are_of_speakers_that_were_left_out_and_calibrated() -> None:
    header = scored(blobs(), None, VoiceHeader(("anger", "neutral")), fit, Silent())
    figures = header.metrics["by_speaker"]
    assert 0.75 < figures["uar"] < 0.95 and figures["ece"] < 0.12 and figures["n"] == 120
    alone = blobs()
    told_apart = replace(alone, features=np.eye(120, dtype=np.float32))  # each sample has a feature of its own
    assert scored(told_apart, None, header, fit, Silent()).metrics["by_speaker"]["uar"] < 0.6


def test_one_speaker_is_neither_scored_nor_calibrated() -> None:
    header = scored(blobs(1), None, VoiceHeader(("anger", "neutral")), fit, Silent())
    assert header.metrics == {} and header.temperature == 1.0


def test_copies_are_learnt_from_and_not_scored() -> None:
    real = blobs()
    wrong = replace(real, targets=real.targets[:, ::-1], copies=np.ones(120, bool))
    header = VoiceHeader(("anger", "neutral"))
    figures = scored(real.joined(wrong).joined(wrong), None, header, fit, Silent()).metrics["by_speaker"]
    assert figures["n"] == 120 and figures["uar"] < 0.25  # most of what was learnt is wrong


def test_what_differs_within_classes_counts_less() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(400) % 2
    nuisance = rng.standard_normal(400) * 2
    features = np.stack((truth + 0.1 * nuisance + rng.standard_normal(400) * 0.05, nuisance), axis=1)
    samples = VoiceSamples(features.astype(np.float32), np.eye(2)[truth], np.array([""] * 400), np.zeros(400, bool))
    shifted = np.array([[0.1 * 9, 9.0], [1 - 0.1 * 9, -9.0]], np.float32)  # far from all that was learnt
    header = VoiceHeader(("anger", "neutral"))
    plain = fitted(samples, header, shrinkage=1.0).probabilities(shifted)
    white = fitted(samples, header, shrinkage=0.01).probabilities(shifted)
    assert plain.argmax(axis=1).tolist() == [1, 0] and white.argmax(axis=1).tolist() == [0, 1]


def test_soft_targets_divide_a_sample_between_classes() -> None:
    features = np.repeat(np.array([[0.0], [1.0]], np.float32), 50, axis=0)
    targets = np.repeat(np.array([[0.7, 0.3], [0.2, 0.8]]), 50, axis=0)
    samples = VoiceSamples(features, targets, np.array([""] * 100), np.zeros(100, bool))
    head = fitted(samples, VoiceHeader(("anger", "neutral")), shrinkage=0.5)
    found = head.probabilities(np.array([[0.0], [1.0]], np.float32))
    assert found == pytest.approx(np.array([[0.7, 0.3], [0.2, 0.8]]), abs=0.06)


def test_a_class_without_samples_gets_no_probability() -> None:
    known = blobs()
    targets = np.concatenate((known.targets, np.zeros((120, 1))), axis=1)
    head = fitted(replace(known, targets=targets), VoiceHeader(("anger", "neutral", "contempt")), shrinkage=0.5)
    found = head.probabilities(known.features)
    assert found[:, 2].max() == 0 and found.sum(axis=1) == pytest.approx(np.ones(120))


def test_a_rare_class_is_as_probable_as_others() -> None:
    known = blobs(apart=4.0)
    truth = known.targets.argmax(axis=1)
    few = known.chosen((truth == 0) | (np.arange(120) < 20))
    found = fitted(few, VoiceHeader(("anger", "neutral")), shrinkage=0.5).probabilities(known.features).argmax(axis=1)
    assert np.mean(found[truth == 1] == 1) > 0.9 and np.mean(found[truth == 0] == 0) > 0.9


def test_train_and_evaluate_by_the_command_line(
    tmp_path: Path, corpus: Path, fake_features: None, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(["train", "--task", "voice", "--dataset", "cremad", "--root", str(corpus), "--out", str(out)]) == 0
    header = read_head(out / "best.safetensors").header
    assert header.recipe["copies"] == VoiceTraining.copies and header.metrics["by_speaker"]["n"] == 8
    assert header.labels == ("anger", "sadness") and header.metrics["by_speaker"]["uar"] == 1.0
    assert "CREMA-D" in header.training_data
    capsys.readouterr()
    best = str(out / "best.safetensors")
    assert main(["evaluate", best, "--dataset", "cremad", "--root", str(corpus)]) == 0
    printed = capsys.readouterr()
    assert "8 clips" in printed.out and "trained on cremad" in printed.err
    assert main(["evaluate", best, "--dataset", "cremad"]) == 2


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], "option-missing"),
        (["--dataset", "cremad"], "option-missing"),
        (["--dataset", "nothing", "--root", "."], "name-unknown"),
        (["--teacher", "w", "--epochs", "3"], "option-conflict"),
    ],
)
def test_options_that_do_not_fit(options: list[str], code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--task", "voice", *options]) == 2
    assert f"error[{code}]" in capsys.readouterr().err


def test_nothing_to_learn_from_is_an_error(tmp_path: Path) -> None:
    with fails(ConfigError, "option-missing"):
        training.train(VoiceTraining((), (), tmp_path), Silent())


class Taught:
    """A result whose utterances have these faces."""

    def __init__(self, said: list[Any]) -> None:
        self.utterances = said


def test_the_face_teaches_utterances_that_have_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fercli.results import load
    from fercli.results.model import Utterance
    from tests.fake_speech import pieces_of
    from tests.workspaces import make_workspace

    sound = np.sin(np.arange(4 * 16_000)).astype(np.float32) * 0.1
    workspace = make_workspace(tmp_path / "w", sound=pieces_of(sound, 0.0))
    said = [
        Utterance(0.0, 1.0, 0, "w", 0.9, "Ross", True, {"anger": 0.5, "neutral": 0.3, "contempt": 0.2}),
        Utterance(1.0, 2.0, 1, "w", 0.9, None, False),
    ]
    monkeypatch.setattr(load, "load", lambda workspace: Taught(said))
    found = of_workspaces(FakeFeatures(), [workspace.path], ("anger", "neutral", "calm"), Silent())  # type: ignore[arg-type]
    assert len(found) == 1 and found.targets[0] == pytest.approx([0.625, 0.375, 0.0])
    assert found.speakers.tolist() == ["w: Ross"]
    monkeypatch.setattr(load, "load", lambda workspace: Taught(said[1:]))
    with fails(InputError, "teacher-empty"):
        of_workspaces(FakeFeatures(), [workspace.path], ("anger",), Silent())  # type: ignore[arg-type]


def test_a_workspace_that_cannot_teach_is_refused_before_the_clips_are_heard(
    tmp_path: Path, corpus: Path, fake_features: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "of_clips", lambda *given: pytest.fail("the clips were heard"))
    missing = tmp_path / "missing.fercli"
    with fails(InputError, "workspace-missing", "missing.fercli"):
        training.train(VoiceTraining((DataSource("cremad", corpus),), (missing,), tmp_path / "run"), Silent())


def test_a_file_without_sound_is_an_error(tmp_path: Path) -> None:
    with fails(DatasetError, "dataset-unusable", "a.mp4"):
        samples_of(numbered_video(tmp_path / "a.mp4", 5))


def test_a_classifier_that_does_not_exist_is_named_and_not_its_data_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "best.safetensors"
    assert main(["evaluate", str(missing), "--dataset", "ravdess", "--root", str(tmp_path)]) == 5
    err = capsys.readouterr().err
    assert "error[weights-missing]" in err and str(missing) in err
