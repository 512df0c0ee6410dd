"""docs/howto/stories.md from the first command to the last: made-up stories in SEND's layout, and the sample video."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from examples.make_sample import make_sample
from examples.make_stories import RATE, Story, stories, write_send
from fercli.cli.entry import main
from fercli.features.file import TrackFeatures, read_facts, read_features, write_features
from fercli.models.sequence import read_sequence_header

pytestmark = pytest.mark.slow


def _features_like(example: Path, made: list[Story], path: Path) -> Path:
    """Features of stories in the form of measured ones: a smile grows with valence, and all else is noise."""
    facts, rng = read_facts(example), np.random.default_rng(0)
    tracks = []
    for one in made:
        steps = len(one.valence)
        values = {}
        for modality in facts.modalities:
            columns = facts.columns[modality.name]
            array = rng.normal(0, 0.05, (steps, modality.size))
            for smile in ("mouthSmileLeft", "mouthSmileRight", "happiness"):
                if smile in columns:
                    array[:, columns.index(smile)] += (one.valence + 1) / 2
            values[modality.name] = array.astype(np.float32)
        starts = np.arange(steps) / RATE
        tracks.append(TrackFeatures(one.video, 0, "Person 1", starts, starts + 1 / RATE, values))
    write_features(path, facts, tracks)
    return path


def test_from_raw_send_to_a_network_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.set_num_threads(1)
    send, annotations = tmp_path / "SEND", tmp_path / "annotations"
    made = stories(40, steps=60, annotation=0.1)
    write_send(send, made, np.random.default_rng(0))
    (send / "videos").mkdir()
    video = send / "videos" / "ID100_vid1.mp4"
    make_sample(video)

    assert main(["annotate", str(send / "videos"), "-r", "-o", str(annotations), "-q", "--jobs", "1"]) == 0
    measured = tmp_path / "measured.parquet"
    words = ["--of", "emotions,blendshapes,pose", "--rate", "2", "-o"]
    assert main(["features", str(annotations), *words, str(measured)]) == 0
    assert {one.video for one in read_features(measured)} == {"ID100_vid1"}
    features = _features_like(measured, made, tmp_path / "features.parquet")

    single = send / "ratings" / "Train" / "observer" / "results_100_1.csv"
    assert main(["dataset", "ewe", str(single), "-o", str(tmp_path / "truth.csv"), "--delays", "ccc"]) == 0

    given = ["--dataset", "send", "--root", str(send), "--features", str(features)]
    run = ["--model", "tcn", "--hidden", "16", "--epochs", "15", "--out", str(tmp_path / "run"), "--device", "cpu"]
    assert main(["train", "--task", "valence", *given, *run]) == 0
    best = tmp_path / "run" / "best.safetensors"
    capsys.readouterr()
    assert main(["evaluate", str(best), *given, "--json", "--figures", str(tmp_path / "figures")]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["figures"]["valence_ccc"] > 0.8
    assert scores["videos"] == 8
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {"persons.png", "courses.png"}

    use = ["--with", "valence", "--valence-weights", str(best), "--overwrite", "-q"]
    exported = annotations / "ID100_vid1.json"  # beside the workspace, so only what is new runs
    assert main(["annotate", str(video), "-o", str(exported), *use]) == 0
    document = json.loads(exported.read_text())
    valence = [one for one in document["signals"] if one["name"] == "valence"]
    assert valence
    assert {one["source"] for one in valence} == {"trained"}
    assert read_sequence_header(best).rate == 2.0
