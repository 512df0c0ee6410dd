"""Training over series: what it leaves behind, and that it goes on exactly where it was ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from examples.make_stories import stories
from fercli.errors import ConfigError
from fercli.features.file import TrackFeatures
from fercli.learn.datasets.over_time.recordings import Course, Recording
from fercli.learn.evaluation.concordance import over_videos
from fercli.learn.evaluation.over_time import class_scores
from fercli.learn.sequences import loop
from fercli.learn.sequences.data import SequenceData
from fercli.learn.sequences.loop import predictions, train_sequences
from fercli.learn.sequences.series import Target, bin_names, intensity_of, join
from fercli.models.sequence import Modality, load, read_sequence_header
from fercli.models.sequences.networks import ARCHITECTURES
from fercli.models.weights import load_state
from fercli.progress import Silent
from tests.learn.sequences.made import CONFIG, data_of


@pytest.fixture(scope="module")
def data() -> SequenceData:
    return data_of(stories(20, steps=40))


def _run(data: SequenceData, out: Path, **changes: object) -> Path:
    return train_sequences(replace(CONFIG, out=out, **changes), Silent(), data)[0]  # type: ignore[arg-type]


def test_a_run_leaves_a_network_and_its_scores(tmp_path: Path, data: SequenceData) -> None:
    best = _run(data, tmp_path, model="gru")
    header = read_sequence_header(best)
    assert (header.architecture, header.task, header.outputs, header.rate) == ("gru", "valence", ("valence",), 2.0)
    assert [one.name for one in header.modalities] == ["face", "voice"]
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert header.metrics["test"]["valence_ccc"] == pytest.approx(scores["test"]["figures"]["valence_ccc"], abs=1e-4)
    assert set(scores["test"]["by_person"]) == {one.person for one in data.series if one.split == "test"}
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert scores["valid"]["figures"]["valence_ccc"] == pytest.approx(
        max(row["valid_valence_ccc"] for row in rows), abs=1e-4
    )
    valid = [one for one in data.series if one.split == "valid"]
    told = predictions(load(best), valid)
    apart = np.concatenate([np.abs(a - one.values) for a, one in zip(told, valid, strict=True)])
    assert (apart <= header.error[0] + 1e-4).mean() == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("model", ["lstm", "memory-fusion", "ms-tcn"])
def test_going_on_gives_the_same_weights(tmp_path: Path, data: SequenceData, model: str) -> None:
    whole = _run(data, tmp_path / "whole", model=model, epochs=4)
    real, seen = loop._epoch, 0

    def twice(*args: object) -> float:
        nonlocal seen
        seen += 1
        if seen == 3:
            raise KeyboardInterrupt
        return real(*args)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_epoch", twice)
        with pytest.raises(KeyboardInterrupt):
            _run(data, tmp_path / "parts", model=model, epochs=4)
    assert len((tmp_path / "parts" / "metrics.jsonl").read_text().splitlines()) == 2
    _run(data, tmp_path / "parts", model=model, epochs=4)
    for name in ("best.safetensors", "last.safetensors"):
        ours, theirs = (load_state(tmp_path / run / name) for run in ("parts", "whole"))
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert whole.is_file()


def test_another_run_is_not_continued(tmp_path: Path, data: SequenceData) -> None:
    _run(data, tmp_path)
    with pytest.raises(ConfigError) as caught:
        _run(data, tmp_path, lr=0.1)
    assert caught.value.code == "run-differs"


def test_folds_test_each_person_once(tmp_path: Path, data: SequenceData) -> None:
    paths = train_sequences(replace(CONFIG, out=tmp_path, folds="3", model="gru", epochs=1), Silent(), data)
    assert [path.parent.name for path in paths] == ["fold-1", "fold-2", "fold-3"]
    scores = json.loads((tmp_path / "scores.json").read_text())["test"]
    assert (scores["videos"], scores["persons"]) == (20, 10)
    assert len(scores["interval"]) == 2


def test_classes_and_intensity_are_learned_too(tmp_path: Path) -> None:
    data = data_of(stories(20, steps=40), task="classes", outputs=bin_names(3), bins=3)
    header = read_sequence_header(_run(data, tmp_path, model="ms-tcn"))
    assert header.outputs == ("negative", "neutral", "positive")
    assert set(header.metrics["test"]) >= {"macro_f1", "weighted_f1", "f1_at_10", "f1_at_25", "f1_at_50", "edit"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"model": "cnn"}, "name-unknown"),
        ({"loss": "mae"}, "name-unknown"),
        ({"epochs": 0}, "option-out-of-range"),
        ({"dropout": 1.0}, "option-out-of-range"),
        ({"tmse": -1.0}, "option-out-of-range"),
        ({"model": "transformer", "hidden": 10}, "option-out-of-range"),
    ],
)
def test_parameters_that_cannot_be_used(
    tmp_path: Path, data: SequenceData, changes: dict[str, object], code: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        _run(data, tmp_path, **changes)
    assert caught.value.code == code


@pytest.mark.slow
@pytest.mark.parametrize("model", list(ARCHITECTURES))
def test_every_network_hears_the_signal_and_not_more(tmp_path: Path, model: str) -> None:
    """Nothing can be better than the latent valence itself, of which the annotation is a noisy copy."""
    torch.set_num_threads(1)
    made = stories(60, steps=120, noise=0.3, annotation=0.15)
    best = _run(data_of(made), tmp_path, model=model, epochs=30, hidden=32)
    reached = read_sequence_header(best).metrics["test"]["valence_ccc"]
    tested = {one.video: (one.valence, one.annotated) for one in made if one.split == "Test"}
    assert 0.9 <= reached < over_videos(tested).mean.ccc


def _modality(data: SequenceData, number: int, values: list[np.ndarray]) -> SequenceData:
    """The same data with other features of one modality, of each series (T, D)."""
    changed = []
    for one, given in zip(data.series, values, strict=True):
        inputs = list(one.inputs)
        inputs[number] = given.astype(np.float32)
        changed.append(replace(one, inputs=tuple(inputs)))
    return replace(data, series=tuple(changed))


@pytest.mark.slow
@pytest.mark.parametrize("model", ["transformer", "memory-fusion"])
@pytest.mark.parametrize("signal", [0, 1], ids=["face", "voice"])
def test_of_two_modalities_the_one_with_the_signal_is_used(tmp_path: Path, model: str, signal: int) -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    whole = data_of(stories(40, steps=80, noise=0.3, annotation=0.1, size=8))

    def noise() -> list[np.ndarray]:
        return [rng.normal(size=one.inputs[0].shape) for one in whole.series]

    data = _modality(whole, 1 - signal, noise())
    trained = load(_run(data, tmp_path, model=model, epochs=20, hidden=32))

    def reached(found: SequenceData) -> float:
        tested = [one for one in found.series if one.split == "test"]
        told = predictions(trained, tested)
        answers = {one.video: (own[:, 0], one.values[:, 0]) for own, one in zip(told, tested, strict=True)}
        return over_videos(answers).mean.ccc

    assert reached(data) > 0.8
    assert reached(_modality(data, 1 - signal, noise())) > 0.8  # whatever the other one says
    assert abs(reached(_modality(data, signal, noise()))) < 0.3
    gaps = [one.inputs[signal].copy() for one in data.series]
    for gap in gaps:
        gap[20:40] = np.nan
    tested = [number for number, one in enumerate(data.series) if one.split == "test"]
    cut = [_modality(data, signal, gaps).series[number] for number in tested]
    there, here = (predictions(trained, own) for own in ([data.series[number] for number in tested], cut))
    far = np.r_[0:10, 60:80]
    apart = [float(np.abs(a - b)[far].mean()) for a, b in zip(there, here, strict=True)]
    inside = [float(np.abs(a - b)[22:38].mean()) for a, b in zip(there, here, strict=True)]
    assert max(apart) < 0.1 and np.mean(inside) > 3 * np.mean(apart)


@pytest.mark.slow
def test_ms_tcn_has_fewer_false_segments_than_the_moments_alone(tmp_path: Path) -> None:
    """Features of single steps are noisy: the class of each alone gives splinters, and the stages take them out."""
    torch.set_num_threads(1)
    made = stories(60, steps=120, noise=1.2, annotation=0.02)
    data = data_of(made, task="classes", outputs=bin_names(3), bins=3)
    tested = [one for one in data.series if one.split == "test"]
    refined = load(_run(data, tmp_path, model="ms-tcn", epochs=40, hidden=32))
    train = [one for one in data.series if one.split == "train"]
    features = np.concatenate([np.concatenate(one.inputs, axis=1) for one in train])
    from sklearn.linear_model import LogisticRegression

    single = LogisticRegression(max_iter=500).fit(features, np.concatenate([one.labels for one in train]))
    alone = [(single.predict(np.concatenate(one.inputs, axis=1)), one.labels) for one in tested]
    told = [
        (answer.argmax(axis=1), one.labels) for answer, one in zip(predictions(refined, tested), tested, strict=True)
    ]
    ours, theirs = class_scores(told, 3), class_scores(alone, 3)
    assert ours.accuracy > theirs.accuracy
    assert all(a > b + 0.2 for a, b in zip(ours.segment_f1, theirs.segment_f1, strict=True))
    assert ours.edit > theirs.edit + 0.2


@pytest.mark.slow
def test_the_course_of_expressions_is_learned(tmp_path: Path) -> None:
    """Two classes with a direction of features each, that grow with the intensity; apexes at any moment."""
    torch.set_num_threads(1)
    rng, rate, classes = np.random.default_rng(0), 25.0, ("happiness", "sadness")
    directions, recordings, tracks = rng.normal(size=(2, 6)), [], []
    for number in range(60):
        onset, rise, fall = rng.uniform(0.2, 0.6), rng.uniform(0.2, 0.5), rng.uniform(0.2, 0.5)
        course, label = Course(onset, onset + rise, onset + rise + fall), number % 2
        times = np.arange(45) / rate
        split = ("train", "train", "train", "valid", "test")[number // 2 % 5]
        labels = np.array([classes[label]] * len(times))
        recordings.append(Recording(f"clip{number}", f"p{number // 2}", times, {}, labels, split, course=course))
        strength = intensity_of(recordings[-1], times + 0.5 / rate)
        values = strength[:, None] * directions[label] + rng.normal(0, 0.2, (len(times), 6))
        features = {"face": values.astype(np.float32)}
        tracks.append(TrackFeatures(f"clip{number}", 0, f"p{number // 2}", times, times + 1 / rate, features))
    target = Target("intensity", classes, rate)
    series, _ = join(recordings, tracks, ["face"], target)
    data = SequenceData(tuple(series), (Modality("face", 6),), target, "made up")
    _run(data, tmp_path, task="intensity", model="tcn", epochs=30, hidden=32)
    found = json.loads((tmp_path / "scores.json").read_text())["test"]["figures"]
    assert found["intensity_ccc"] > 0.85
    assert found["accuracy"] > 0.9
    assert max(found[f"{name}_error_s"] for name in ("onset", "apex", "offset")) < 0.12


SCRIPT = """
import sys
from dataclasses import replace
from pathlib import Path
import torch
torch.set_num_threads(1)
from fercli.learn.sequences.loop import train_sequences
from fercli.progress import Silent
from examples.make_stories import stories
from tests.learn.sequences.made import CONFIG, data_of
config = replace(CONFIG, out=Path(sys.argv[1]), model="lstm", epochs=12)
train_sequences(config, Silent(), data_of(stories(20, steps=40)))
"""


@pytest.mark.slow
def test_killed_runs_go_on_to_the_same_weights(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT]
    subprocess.run([*command, str(tmp_path / "whole")], check=True)
    process = subprocess.Popen([*command, str(tmp_path / "killed")])
    rows = tmp_path / "killed" / "metrics.jsonl"
    while not rows.exists() or len(rows.read_text().splitlines()) < 3:
        assert process.poll() is None
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "scores.json").exists()
    subprocess.run([*command, str(tmp_path / "killed")], check=True)
    ours, theirs = (load_state(tmp_path / run / "best.safetensors") for run in ("killed", "whole"))
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert (tmp_path / "killed" / "scores.json").read_text() == (tmp_path / "whole" / "scores.json").read_text()
