"""`fercli train --task` and `fercli evaluate` over series, on made-up stories in SEND's layout."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from examples.make_stories import stories, write_send
from fercli.cli.entry import main
from fercli.models.sequence import read_sequence_header
from tests.learn.sequences.made import write_features_of

SMALL = ["--epochs", "2", "--hidden", "8", "--model", "gru", "--device", "cpu", "--quiet"]


@pytest.fixture(scope="module")
def send(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The root of a set, and its features."""
    root = tmp_path_factory.mktemp("send")
    made = stories(20, steps=30)
    return write_send(root, made), write_features_of(root / "features.parquet", made)


def _train(send: tuple[Path, Path], out: Path, *more: str, task: str = "valence") -> int:
    root, features = send
    words = ["train", "--task", task, "--dataset", "send", "--root", str(root), "--features", str(features)]
    return main([*words, "--out", str(out), *SMALL, *more])


def test_a_network_is_trained_and_scored(
    send: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _train(send, tmp_path / "run") == 0
    best = tmp_path / "run" / "best.safetensors"
    header = read_sequence_header(best)
    assert (header.architecture, header.hidden, header.recipe["epochs"]) == ("gru", 8, 2)
    assert header.recipe["lr"] == 2e-3  # the default of series, not that of pictures
    capsys.readouterr()
    words = ["evaluate", str(best), "--dataset", "send", "--root", str(send[0]), "--features", str(send[1])]
    assert main([*words, "--json", "--figures", str(tmp_path / "figures")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["figures"]["valence_ccc"] == pytest.approx(header.metrics["test"]["valence_ccc"], abs=1e-4)
    assert set(found["by_person"]) == {"104", "109"}
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["courses.png", "persons.png"]
    assert main([*words, "--split", "train"]) == 0
    assert "person" in capsys.readouterr().out


def test_one_modality_and_folds(send: tuple[Path, Path], tmp_path: Path) -> None:
    assert _train(send, tmp_path / "run", "--modality", "voice", "--folds", "3") == 0
    header = read_sequence_header(tmp_path / "run" / "fold-2" / "best.safetensors")
    assert [one.name for one in header.modalities] == ["voice"]
    assert (tmp_path / "run" / "scores.json").is_file()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (["--sizes", "48"], "option-conflict"),
        (["--teacher", "resnet18"], "option-conflict"),
        (["--modality", "smell"], "name-unknown"),
        (["--dataset", "send"], "option-conflict"),
        (["--folds", "2"], "option-out-of-range"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_options_that_do_not_fit(
    send: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], code: str
) -> None:
    assert _train(send, tmp_path / "run", *more) == 2
    assert f"error[{code}]" in capsys.readouterr().err


@pytest.mark.parametrize(("task", "code"), [("joy", "name-unknown"), ("intensity", "dataset-unfit")])
def test_tasks_that_do_not_fit(
    send: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], task: str, code: str
) -> None:
    assert _train(send, tmp_path / "run", task=task) == 2
    assert f"error[{code}]" in capsys.readouterr().err


def test_options_of_series_need_a_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--dataset", "fer2013", "--root", str(tmp_path), "--hidden", "8"]) == 2
    assert "error[option-conflict]" in capsys.readouterr().err


def test_a_set_without_features_says_how_to_get_some(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_send(tmp_path, stories(20, steps=5))
    assert main(["train", "--task", "valence", "--dataset", "send", "--root", str(tmp_path)]) == 3
    assert "error[dataset-not-found]" in capsys.readouterr().err


def test_features_of_other_videos(send: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = stories(4, steps=5)
    other = write_features_of(tmp_path / "f.parquet", [replace(one, video="x" + one.video) for one in made])
    words = ["train", "--task", "valence", "--dataset", "send", "--root", str(send[0]), "--features", str(other)]
    assert main(words) == 3
    assert "error[labels-missing]" in capsys.readouterr().err


def test_scoring_needs_a_set_and_no_prior(
    send: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _train(send, tmp_path / "run") == 0
    best = str(tmp_path / "run" / "best.safetensors")
    assert main(["evaluate", best]) == 2
    assert "error[option-missing]" in capsys.readouterr().err
    assert main(["evaluate", best, "--dataset", "send", "--prior", "1"]) == 2
    assert main(["evaluate", "resnet18", "--dataset", "fer2013", "--features", str(send[1])]) == 2
    capsys.readouterr()


def test_wider_features_are_refused(
    send: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _train(send, tmp_path / "run") == 0
    wide = write_features_of(tmp_path / "wide.parquet", stories(20, steps=30, size=9))
    best = str(tmp_path / "run" / "best.safetensors")
    capsys.readouterr()
    assert main(["evaluate", best, "--dataset", "send", "--root", str(send[0]), "--features", str(wide)]) == 5
    assert "error[weights-do-not-fit]" in capsys.readouterr().err


def test_a_set_is_checked(send: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "check", "send", "--root", str(send[0]), "--json"]) == 0
    splits = json.loads(capsys.readouterr().out)["splits"]
    assert {name: (row["videos"], row["persons"]) for name, row in splits.items()} == {
        "train": (12, 6),
        "valid": (4, 2),
        "test": (4, 2),
    }
    assert splits["test"]["minutes"] == pytest.approx(4 * 14.5 / 60)
    write_send(tmp_path, stories(4, steps=5))
    (tmp_path / "ratings" / "Train" / "observer_EWE" / "results_1.csv").write_text("")
    assert main(["dataset", "check", "send", "--root", str(tmp_path)]) == 6
    assert "results_1.csv" in capsys.readouterr().out
