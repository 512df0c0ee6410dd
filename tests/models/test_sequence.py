"""The file of a network over series."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fercli.errors import WeightsError
from fercli.models.sequence import (
    Modality,
    SequenceHeader,
    is_sequence_file,
    load,
    read_sequence_header,
    save_sequence_model,
)
from fercli.models.sequences.networks import build_sequence_network

HEADER = SequenceHeader("gru", "valence", ("valence",), (Modality("face", 4), Modality("voice", 2)), 2.0, 8)


def _saved(path: Path, header: SequenceHeader = HEADER) -> Path:
    torch.manual_seed(0)
    network = build_sequence_network(header.architecture, [4, 2], header.n_outputs, 8, classes=header.task == "classes")
    save_sequence_model(path, network.state_dict(), header)
    return path


def _features(steps: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"face": rng.normal(size=(steps, 4)), "voice": rng.normal(size=(steps, 2))}


def test_it_comes_back(tmp_path: Path) -> None:
    path = _saved(tmp_path / "a.safetensors", replace(HEADER, error=(0.2,), metrics={"test": {"ccc": 0.5}}))
    assert read_sequence_header(path) == replace(HEADER, error=(0.2,), metrics={"test": {"ccc": 0.5}})
    assert is_sequence_file(path)
    found = load(path).run(_features(6))
    assert found.shape == (6, 1)
    assert (np.abs(found) <= 1).all()


def test_steps_without_anything_have_no_value(tmp_path: Path) -> None:
    features = _features(6)
    features["face"][1:3, 0] = np.nan
    features["voice"][2:4, 1] = np.nan
    found = load(_saved(tmp_path / "a.safetensors")).run(features)
    assert np.isnan(found[:, 0]).tolist() == [False, False, True, False, False, False]


def test_steps_that_are_left_out_are_missing(tmp_path: Path) -> None:
    model, features = load(_saved(tmp_path / "a.safetensors")), _features(6)
    hidden = {name: array.copy() for name, array in features.items()}
    for array in hidden.values():
        array[2:4] = np.nan
    kept = np.array([0, 1, 4, 5])
    found = model.run({name: array[kept] for name, array in features.items()}, 3.0 + kept / 2.0)
    np.testing.assert_array_equal(found, model.run(hidden)[kept])


@pytest.mark.parametrize(
    "times", [[0.0, 0.5, 0.7], [0.0, 0.5, 0.5], [0.0, 1.0, 0.5], [0.0, 0.5]], ids=["off", "twice", "falling", "few"]
)
def test_times_off_the_grid_are_refused(tmp_path: Path, times: list[float]) -> None:
    with pytest.raises(ValueError, match="times"):
        load(_saved(tmp_path / "a.safetensors")).run(_features(3), np.array(times))


def test_features_of_another_shape_are_refused(tmp_path: Path) -> None:
    model = load(_saved(tmp_path / "a.safetensors"))
    with pytest.raises(ValueError, match="voice"):
        model.run({"face": np.zeros((3, 4))})
    with pytest.raises(ValueError, match="voice"):
        model.run({"face": np.zeros((3, 4)), "voice": np.zeros((3, 3))})


def test_classes_are_probabilities(tmp_path: Path) -> None:
    header = replace(HEADER, architecture="ms-tcn", task="classes", outputs=("happiness", "neutral", "sadness"))
    found = load(_saved(tmp_path / "a.safetensors", header)).run(_features(5))
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def test_intensity_is_a_share(tmp_path: Path) -> None:
    header = replace(HEADER, task="intensity", outputs=("happiness", "sadness"))
    assert header.columns == ("intensity", "happiness", "sadness")
    found = load(_saved(tmp_path / "a.safetensors", header)).run(_features(5))
    assert found.shape == (5, 3)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(found[:, 1:].sum(axis=1), 1, atol=1e-6)


def test_nothing_and_other_files(tmp_path: Path) -> None:
    assert load(_saved(tmp_path / "a.safetensors")).run(_features(0)).shape == (0, 1)
    (tmp_path / "b.safetensors").write_bytes(b"\xff" * 100)
    assert not is_sequence_file(tmp_path / "b.safetensors")
    with pytest.raises(WeightsError):
        load(tmp_path / "b.safetensors")
    altered = replace(HEADER, hidden=16)
    network = build_sequence_network("gru", [4, 2], 1, 8)
    save_sequence_model(tmp_path / "c.safetensors", network.state_dict(), altered)
    with pytest.raises(WeightsError) as caught:
        load(tmp_path / "c.safetensors")
    assert caught.value.code == "weights-do-not-fit"
