"""Valence by a network that a user trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fercli.cli.entry import main
from fercli.config import ValenceParams
from fercli.errors import FercliError, WeightsError
from fercli.features.measure import Request, measure, on_steps
from fercli.features.rate import rate_tracks, read_valence_header
from fercli.hashing import sha256_file
from fercli.labels import BLENDSHAPES, EMOTIONS
from fercli.models.sequence import Modality, SequenceHeader, load, save_sequence_model
from fercli.models.sequences.networks import build_sequence_network
from fercli.progress import Silent
from fercli.results.load import load as load_result
from fercli.stages.valence import check, weights
from tests.edits.by_hand import annotate
from tests.rated import UNSEEN_S, rate, rated, smiling

FACE = (Modality("emotions", len(EMOTIONS), "classify-emotions"), Modality("blendshapes", len(BLENDSHAPES)))
HEADER = SequenceHeader("gru", "valence", ("valence",), FACE, 2.0, 8, (0.3,), "a set of my own, research only")


def saved(path: Path, header: SequenceHeader = HEADER) -> Path:
    torch.manual_seed(0)
    sizes = [one.size for one in header.modalities]
    network = build_sequence_network(header.architecture, sizes, header.n_outputs, header.hidden, classes=False)
    save_sequence_model(path, network.state_dict(), header)
    return path


def test_it_rates_the_features_of_each_track_at_its_own_rate(tmp_path: Path) -> None:
    workspace, path = smiling(tmp_path / "w"), saved(tmp_path / "a.safetensors")
    found = {step[0]: step[1:] for step in rate_tracks(workspace, path, "cpu", Silent())}
    assert found.keys() == {0, 1}
    measured = measure(workspace, Request(("emotions", "blendshapes"), device="cpu"))
    for track, start_s, end_s, values in on_steps(measured, 2.0):
        expected = load(path).run({"emotions": values[0], "blendshapes": values[1]}, start_s)
        assert np.array_equal(found[track][2], expected, equal_nan=True) and np.isfinite(expected).any()
        assert np.array_equal(found[track][0], start_s) and (end_s - start_s == 0.5).all()


def test_the_stage_has_its_valence_with_its_error_and_derives_the_rest(tmp_path: Path) -> None:
    without = load_result(rated(tmp_path / "derived")).ratings
    derived = list(without()) if without else []
    workspace, path = smiling(tmp_path / "w"), saved(tmp_path / "a.safetensors")
    counts, _ = rate(workspace, ValenceParams(str(path)))
    assert counts["trained"] == "valence"
    result = load_result(workspace)
    assert result.ratings is not None
    signals = list(result.ratings())
    assert [(one.name, one.source) for one in signals[:3]] == [
        ("valence", "trained"),
        ("arousal", "derived"),
        ("intensity", "derived"),
    ]
    value, low, high = signals[0].values.T
    unseen = (signals[0].start_s >= UNSEEN_S[0] - 1e-9) & (signals[0].start_s < UNSEEN_S[1] - 1e-9)
    assert np.array_equal(np.isnan(value), unseen)
    assert low[~unseen] == pytest.approx(np.maximum(value[~unseen] - 0.3, -1), abs=1e-6)
    assert high[~unseen] == pytest.approx(np.minimum(value[~unseen] + 0.3, 1), abs=1e-6)
    assert not np.allclose(value[~unseen], derived[0].values[~unseen, 0], atol=0.05)
    assert np.array_equal(signals[1].values, derived[1].values, equal_nan=True)


def test_it_does_not_follow_manual_annotations_and_that_is_said(tmp_path: Path) -> None:
    workspace, path = smiling(tmp_path / "w"), saved(tmp_path / "a.safetensors")
    rate(workspace, ValenceParams(str(path)))
    before = load_result(workspace)
    assert not any("manual" in text for text in before.warnings)
    result = load_result(annotate(workspace, "Ross,2,3,anger"))
    assert [text for text in result.warnings if "valence" in text and "not follow" in text]
    assert before.ratings is not None and result.ratings is not None
    (old, _), (new, arousal) = (list(one.ratings() if one.ratings else ())[:2] for one in (before, result))
    assert np.array_equal(old.values, new.values, equal_nan=True) and new.by_hand == ()
    assert arousal.source == "derived" and arousal.values[20:30, 0] == pytest.approx(0.59)


def test_a_network_without_an_error_has_no_interval(tmp_path: Path) -> None:
    workspace = smiling(tmp_path / "w")
    path = saved(tmp_path / "a.safetensors", replace(HEADER, outputs=("valence", "arousal"), error=()))
    assert rate(workspace, ValenceParams(str(path)))[0]["trained"] == "valence,arousal"
    result = load_result(workspace)
    assert result.ratings is not None
    for signal in list(result.ratings())[:2]:
        assert signal.source == "trained" and np.isfinite(signal.values[:40, 0]).all()
        assert np.isnan(signal.values[:, 1:]).all()


def test_its_file_is_part_of_the_key(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.safetensors")
    assert weights(ValenceParams()) == {}
    assert weights(ValenceParams(str(path))) == {"a.safetensors": sha256_file(path)}


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (replace(HEADER, task="classes", outputs=("calm", "excited"), error=()), "does not rate valence"),
        (replace(HEADER, outputs=("arousal",)), "does not rate valence"),
        (replace(HEADER, modalities=(Modality("gaze", 4),)), "gaze"),
    ],
)
def test_other_networks_are_refused_before_any_work(tmp_path: Path, header: SequenceHeader, said: str) -> None:
    path = saved(tmp_path / "a.safetensors", header)
    with pytest.raises(WeightsError) as caught:
        check(ValenceParams(str(path)))
    assert caught.value.code == "weights-do-not-fit" and said in caught.value.message and caught.value.hint


@pytest.mark.parametrize("source", ["", f"trunk of resnet18, sha256 {'0' * 64}"])
def test_the_trunk_must_be_that_of_the_same_classifier(tmp_path: Path, source: str) -> None:
    header = replace(HEADER, modalities=(Modality("trunk", 512, source),))
    with pytest.raises(FercliError) as caught:
        list(rate_tracks(smiling(tmp_path / "w"), saved(tmp_path / "a.safetensors", header), "cpu", Silent()))
    assert caught.value.code == "weights-do-not-fit" and "trunk" in caught.value.message


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WeightsError):
        read_valence_header(tmp_path / "a.safetensors")
    order = ["annotate", str(tmp_path / "v.mp4"), "--with", "valence", "--valence-weights", str(tmp_path / "a.pt")]
    assert main(order) in (3, 5)
    assert "hint:" in capsys.readouterr().err
