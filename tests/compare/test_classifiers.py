"""Classifiers side by side: paired tests, conditions, and the command with tiny networks."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.stats import binom

from fercli.cli.entry import main
from fercli.compare.classifiers import Answers, holm, mcnemar, paired
from fercli.compare.conditions import smaller
from fercli.labels import EMOTIONS
from fercli.models.weights import Head
from tests.learn.datasets.faces import npz_arrays, write_npz
from tests.models.tiny import write_tiny_classifier


def answers(model: str, predicted: list[int]) -> Answers:
    n = len(predicted)
    return Answers(model, np.array(predicted), np.ones(n, np.float32), ("anger",) * n)


def test_mcnemar_is_the_binomial_test_of_what_only_one_has_right() -> None:
    assert mcnemar(0, 0) == 1 and mcnemar(5, 5) == 1
    assert mcnemar(9, 1) == pytest.approx(2 * binom.cdf(1, 10, 0.5))
    assert mcnemar(1, 9) == mcnemar(9, 1)


def test_holm_corrects_the_smallest_most() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]


def test_pairs_count_the_faces_that_only_one_has_right() -> None:
    labels = np.zeros(40, np.int64)
    one, other = answers("a", [0] * 30 + [1] * 10), answers("b", [1] * 20 + [0] * 10 + [1] * 10)
    (pair,) = paired([one, other], labels, None)
    assert (pair.only_first, pair.only_second, pair.difference) == (20, 0, 0.5)
    assert 0.3 < pair.low < 0.5 < pair.high < 0.7 and pair.p_holm == pair.p == pytest.approx(2 * 0.5**20)
    persons = np.arange(40) // 20  # the whole difference is in one of two persons
    (clustered,) = paired([one, other], labels, persons)
    assert (clustered.low, clustered.high) == (0, 1)


def test_a_face_scaled_down_loses_its_detail() -> None:
    picture = np.tile(np.array([[0, 255]], np.uint8), (64, 32))
    assert smaller(picture, 1.0, 64) is picture
    assert smaller(picture, 1.25, 8).shape == (64, 64) and smaller(picture, 1.25, 8).std() < 20 < picture.std()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two with all classes, one that also knows contempt."""
    folder = tmp_path_factory.mktemp("weights")
    for number, labels in enumerate((EMOTIONS, EMOTIONS, (*EMOTIONS, "contempt"))):
        heads = (Head("fer2013" if number < 2 else "other", labels),)
        write_tiny_classifier(folder / f"net{number}.safetensors", seed=number, heads=heads)
    return ",".join(str(folder / f"net{number}.safetensors") for number in range(3))


def test_figures_for_people_and_for_programs(models: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, out = write_npz(tmp_path / "fer2013.npz", npz_arrays((7, 7, 42))), tmp_path / "out"
    command = ["compare", "classifiers", "--dataset", "fer2013", "--root", str(root), "--models", models]
    command += ["--device", "cpu"]
    assert main([*command, "--json", "-o", str(out), "--by", "light,size"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["faces"], figures["split"], figures["classes"]) == (42, "test", "those of the set")
    rows = figures["classifiers"]
    assert len(rows) == 3 and len(figures["pairs"]) == 3 and all(row["other"] == 0 for row in rows)
    for row in rows:
        assert row["accuracy_low"] <= row["accuracy"] <= row["accuracy_high"]
    for pair in figures["pairs"]:
        first, second = (next(row for row in rows if row["model"] == pair[name]) for name in ("first", "second"))
        assert pair["difference"] == pytest.approx(first["accuracy"] - second["accuracy"])
    light = [one for one in figures["conditions"] if one["condition"] == "light" and one["model"] == rows[0]["model"]]
    assert sum(one["n"] for one in light) == 42
    assert sum(one["n"] * one["accuracy"] for one in light) == pytest.approx(42 * rows[0]["accuracy"])
    assert {one["bin"] for one in figures["conditions"] if one["condition"] == "size"} >= {"12", "24"}
    picture = cv2.imread(str(out / "classifiers.png"))
    assert picture is not None and picture.std() > 5
    assert "some classifiers have right" in (out / "classifiers.html").read_text()
    assert main([*command, "--open-classes", "--limit", "20", "--by", "light"]) == 0
    shown = capsys.readouterr().out
    assert "20 faces, classes: all of each classifier" in shown and "p (McNemar)" in shown


@pytest.mark.parametrize(
    "more",
    [
        ["--models", "resnet18"],
        ["--models", "resnet18,tsm-resnet18", "--by", "hair"],
        ["--models", "resnet18,tsm-resnet18", "--split", "x"],
    ],
)
def test_options_that_cannot_be_used(tmp_path: Path, more: list[str]) -> None:
    root = write_npz(tmp_path / "fer2013.npz", npz_arrays((1, 1, 2)))
    assert main(["compare", "classifiers", "--dataset", "fer2013", "--root", str(root), "--device", "cpu", *more]) == 2
