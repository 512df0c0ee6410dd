"""Labels that networks which did not learn from them contradict."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fercli.cli.entry import main
from fercli.config import TrainConfig
from fercli.errors import ConfigError, DatasetError
from fercli.learn.datasets import FaceSet, Labelling, read_dataset
from fercli.learn.datasets.suspects import Suspect, read_suspects, source_key, without, write_suspects
from fercli.learn.training.clean import assign_folds, doubted, find_suspects, weighted
from fercli.progress import Silent
from tests.failing import fails
from tests.learn.datasets.faces import npz_arrays, pattern, write_npz

CLASSES = ("anger", "happiness")


def faces(images: np.ndarray, subjects: tuple[str, ...] | None = None) -> FaceSet:
    n = len(images)
    labelling = Labelling.of_indices(CLASSES, np.zeros(n, np.int64))
    return FaceSet(images, {"mine": labelling}, subjects or ("",) * n, tuple(f"/set/{row}.png" for row in range(n)))


def test_a_label_is_doubted_if_another_class_is_as_clear_as_usual_and_its_own_is_not() -> None:
    answers = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.25, 0.75], [0.05, 0.95], [0.45, 0.55]])
    labels = np.array([0, 0, 1, 1, 1, 0, 0])
    labelling = Labelling.of_indices(CLASSES, labels)
    (suspect,) = doubted(answers.astype(np.float32), labelling, [f"{n}.png" for n in range(7)])
    assert (suspect.source, suspect.label, suspect.predicted) == ("5.png", "anger", "happiness")
    assert (suspect.p_label, suspect.p_predicted) == pytest.approx((0.05, 0.95))
    assert "happiness 0.95" in suspect.reason and "anger 0.05" in suspect.reason  # and 0.55 is less clear than usual


def test_faces_without_a_label_are_never_doubted() -> None:
    labelling = Labelling(CLASSES, np.zeros((2, 2), np.float32), np.array([-1, -1]))
    assert doubted(np.array([[0.9, 0.1], [0.1, 0.9]], np.float32), labelling, ["a", "b"]) == []


def test_a_person_and_pictures_that_look_alike_are_in_one_fold() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (200, 1, 48, 48)).astype(np.uint8)
    folds = assign_folds(faces(images), 5)
    assert np.bincount(folds, minlength=5).min() > 20
    assert (assign_folds(faces(images[[3, 7, 3]]), 5)[[0, 2]] == folds[3]).all()
    names = tuple(f"person {n % 9}" for n in range(200))
    by_person = assign_folds(faces(images, names), 5)
    assert all(len(set(by_person[n::9])) == 1 for n in range(9)) and len(set(by_person)) > 2


def test_a_list_is_written_read_and_left_out(tmp_path: Path) -> None:
    answers = np.array([[0.9, 0.1], [0.1, 0.9], [0.05, 0.95]], np.float32)
    labelling = Labelling.of_indices(CLASSES, np.array([0, 1, 0]))
    suspects = doubted(answers, labelling, ["0.png", "1.png", "2.png"])
    write_suspects(tmp_path / "list.csv", suspects)
    (row,) = csv.DictReader((tmp_path / "list.csv").read_text().splitlines())
    assert row["source"] == "2.png" and float(row["p_predicted"]) == pytest.approx(0.95)
    listed = read_suspects(tmp_path / "list.csv")
    some = replace(faces(np.zeros((3, 1, 8, 8), np.uint8)), sources=tuple(f"{tmp_path}/{n}.png" for n in range(3)))
    assert without(some, listed, [tmp_path], tmp_path / "list.csv").sources == some.sources[:2]


def test_a_doubted_face_can_stay_and_be_drawn_less_often(tmp_path: Path) -> None:
    unsure = [Suspect(f"{n}.png", "anger", "happiness", p, q, "") for n, (p, q) in enumerate([(0.1, 0.7), (0, 1)])]
    suspects = [weighted(one) for one in unsure]
    assert [one.weight for one in suspects] == [0.25, 0.01]
    write_suspects(tmp_path / "list.csv", [*suspects, Suspect("2.png", "anger", "happiness", 0, 1, "")])
    sources = tuple(f"{tmp_path}/{n}.png" for n in range(4))
    some = replace(faces(np.zeros((4, 1, 8, 8), np.uint8)), sources=sources, weights=np.array([1.0, 1, 1, 2]))
    left = without(some, read_suspects(tmp_path / "list.csv"), [tmp_path], tmp_path / "list.csv")
    assert left.sources == (sources[0], sources[1], sources[3])
    assert left.weights is not None and left.weights.tolist() == [0.25, 0.01, 2]
    (tmp_path / "list.csv").write_text("source,weight\n0.png,2\n")
    with fails(DatasetError, "dataset-unusable", "list.csv:2"):
        read_suspects(tmp_path / "list.csv")


def test_the_list_of_another_set_is_an_error(tmp_path: Path) -> None:
    some = faces(np.zeros((3, 1, 8, 8), np.uint8))
    with fails(DatasetError, "dataset-unusable", "list.csv"):
        without(some, {"7.png": 0.0}, [Path("/set")], tmp_path / "list.csv")
    (tmp_path / "other.csv").write_text("file,label\na,b\n")
    with fails(DatasetError, "dataset-unusable", "source"):
        read_suspects(tmp_path / "other.csv")


def test_sources_are_relative_to_the_set(tmp_path: Path) -> None:
    file = tmp_path / "fer2013.csv"
    file.touch()
    assert source_key(f"{file}:12", file) == "fer2013.csv:12"
    assert source_key(str(tmp_path / "a" / "1.png"), tmp_path) == "a/1.png"
    assert source_key("elsewhere/1.png", tmp_path) == "elsewhere/1.png"


@pytest.mark.parametrize("folds", [1, 21])
def test_a_number_of_folds_that_makes_no_sense(tmp_path: Path, folds: int) -> None:
    with fails(ConfigError, "option-out-of-range", "--folds"):
        find_suspects(TrainConfig("fer2013", tmp_path, tmp_path / "runs"), folds, Silent())


@pytest.mark.slow
def test_wrong_labels_are_found_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Faces of two classes that differ plainly; five have the other's label."""
    arrays = npz_arrays((80, 10, 10), seed=1)
    rng = np.random.default_rng(2)
    labels = np.arange(100) % 2 * 3
    arrays["images"] = np.stack([pattern(int(label), rng) for label in labels])
    wrong = np.arange(5, 80, 15)
    labels[wrong] = 3 - labels[wrong]
    arrays["fer2013_label"] = labels.astype(np.int8)
    root = write_npz(tmp_path / "fer2013.npz", arrays)
    out, work = tmp_path / "suspects.csv", tmp_path / "runs"
    recipe = ["--epochs", "6", "--sizes", "24", "--batch", "8", "--augment", "light", "--device", "cpu"]
    command = ["dataset", "clean", "fer2013", "--root", str(root), "-o", str(out), "--workdir", str(work)]
    assert main([*command, "--folds", "2", *recipe]) == 0
    err = capsys.readouterr().err
    assert "of 80 labels are doubted" in err and f"--without {out}" in err
    train = read_dataset("fer2013", root).train
    truly = {source_key(train.sources[row], root) for row in wrong}
    found = set(read_suspects(out))
    assert len(found & truly) >= 4 and len(found - truly) <= 3
    assert sorted(path.name for path in work.iterdir()) == ["fold-1-of-2", "fold-2-of-2"]
    again = ["train", "--dataset", "fer2013", "--root", str(root), "--without", str(out), "--out", str(tmp_path / "r")]
    assert main([*again, "--model", "resnet18", "--epochs", "1", *recipe[2:]]) == 0
    assert f"train: {80 - len(found)} images" in capsys.readouterr().err
    assert main([*command, *recipe]) == 2  # the list is there
