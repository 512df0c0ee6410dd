"""`fercli train` through `main`: what it says, what it writes, and that its weights can be used at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fercli.cli.entry import main
from fercli.errors import WeightsError
from fercli.learn.datasets import framing
from fercli.learn.training import loop
from fercli.models.loaded import Models
from fercli.models.weights import load_state, read_header, save_classifier
from tests.learn.datasets.faces import npz_arrays, write_npz
from tests.learn.official import write_affectnet, write_folder, write_raf
from tests.models.tiny import write_tiny_classifier

SMALL = ["--epochs", "1", "--sizes", "16", "--batch", "14", "--device", "cpu"]


@pytest.fixture
def fer2013(tmp_path: Path) -> Path:
    return write_npz(tmp_path / "fer2013.npz", npz_arrays((28, 14, 14)))


@pytest.mark.slow
def test_it_trains_calibrates_tests_and_names_the_next_command(
    fer2013: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(["train", "--dataset", "fer2013", "--root", str(fer2013), "--out", str(out), *SMALL]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "train: 28 images, fer2013 7 classes" in captured.err and "test on fer2013: accuracy" in captured.err
    assert captured.err.splitlines()[-1] == (
        f"next: fercli evaluate {out}/best.safetensors --dataset fer2013 --root {fer2013} --split test"
    )
    header = read_header(out / "best.safetensors")
    assert (header.architecture, header.n_frames, header.input_size) == ("tsm-resnet18", 4, 16)
    assert header.view_scale == pytest.approx(0.9)
    figures = header.metrics["fer2013"]
    assert figures["test_n"] == 14 and np.sum(figures["test_confusion"]) == 14
    assert header.heads[0].temperature != 1.0


@pytest.mark.parametrize(("tested", "split"), [(True, "test"), (False, "valid")])
def test_the_next_command_scores_what_was_not_trained_on_and_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tested: bool, split: str
) -> None:
    best = tmp_path / "my run" / "best.safetensors"
    best.parent.mkdir()
    figures = {"valid_n": 7, **({"test_n": 7} if tested else {})}
    write_tiny_classifier(best)
    save_classifier(best, load_state(best), replace(read_header(best), metrics={"season": figures}))
    monkeypatch.setattr(loop, "train", lambda config, reporter: best)
    command = ["train", "--dataset", "corrected", "--root", str(tmp_path)]
    assert main(command) == 0
    assert capsys.readouterr().err == (
        f"next: fercli evaluate '{best}' --dataset corrected --root {tmp_path} --split {split}\n"
    )
    assert main([*command, "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("RANK", "1")  # as torchrun sets it for the second of several processes
    assert main(command) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        (["--dataset", "fer2014"], 2, "known: affectnet, affectnet7, casme2, ckplus, corrected, fer2013"),
        (["--model", "vgg"], 2, "known: resnet18, tsm-resnet18"),
        (["--epochs", "0"], 2, "epochs"),
        (["--root", "nowhere"], 3, "nowhere"),
        (["--init", "nothing.safetensors"], 5, "hint: give --init a safetensors file"),
    ],
)
def test_what_cannot_be_trained(
    fer2013: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: int, named: str
) -> None:
    given = {"--dataset": "fer2013", "--root": str(fer2013), "--out": str(tmp_path / "run")}
    given |= dict(zip(SMALL[::2], SMALL[1::2], strict=True)) | dict([options])
    assert main(["train", *(word for option in given.items() for word in option)]) == code
    err = capsys.readouterr().err
    assert named in err and err.startswith(("error[", "train: "))


def three_sets(tmp_path: Path) -> list[str]:
    """Options for a run on RAF-DB and AffectNet, validated on another set."""
    labels = ["anger", "happiness", "neutral", "sadness"]
    raf = write_raf(tmp_path / "raf", labels * 3, side=100)
    rated = [("happiness", 0.8, 0.4), ("contempt", -0.5, 0.1), ("neutral", 0.0, -0.3)]
    affectnet = write_affectnet(tmp_path / "an", rated * 3, tests=6, side=230)
    mine = write_folder(tmp_path / "mine", ["angry", "happy", "neutral"] * 2)
    sets = ["--dataset", "raf", "--root", str(raf), "--dataset", "affectnet", "--root", str(affectnet)]
    return [*sets, "--valid", "folder", "--root", str(mine), "--weight", "1", "--weight", "0.5"]


@pytest.mark.slow
def test_several_sets_in_colour_at_224_pixels_with_valence_and_arousal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framing, "largest_face", lambda picture: None)
    out = tmp_path / "run"
    recipe = ["--epochs", "1", "--sizes", "224", "--batch", "3", "--limit", "6", "--balance-neutral"]
    assert main(["train", *three_sets(tmp_path), "--out", str(out), "--device", "cpu", *recipe]) == 0
    err = capsys.readouterr().err
    assert "train: " in err and "raf+affectnet 8 classes" in err and "all 6 faces of mine" in err
    assert "enlarged" not in err
    header = read_header(out / "best.safetensors")
    assert (header.colour, header.n_frames, header.input_size) == ("rgb", 4, 224)
    assert (header.ratings, header.n_outputs, len(header.heads)) == (("valence", "arousal"), 10, 1)
    assert "valence_ccc" not in header.metrics["ratings"] and "test_valence_ccc" in header.metrics["ratings"]
    assert "AffectNet" in header.training_data and "RAF-DB" in header.training_data
    assert [source["weight"] for source in header.recipe["beside"]] == [0.5]
    assert "root" not in str(header.recipe)
    scored = ["evaluate", str(out / "best.safetensors"), "--dataset", "affectnet", "--root", str(tmp_path / "an")]
    assert main([*scored, "--json", "--device", "cpu"]) == 0
    figures = json.loads(capsys.readouterr().out)["ratings"]
    assert set(figures) == {"valence", "arousal"} and figures["valence"]["n"] == 6
    assert -1 <= figures["arousal"]["ccc"] <= 1 and figures["arousal"]["rmse"] > 0
    assert main([*scored, "--device", "cpu"]) == 0
    assert "CCC" in capsys.readouterr().out


@pytest.mark.slow
def test_classes_of_ones_own_are_trained_evaluated_and_refused_for_video(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framing, "largest_face", lambda picture: None)
    write_raf(tmp_path / "raf", ["anger", "happiness", "neutral", "surprise"] * 4, tests=4)
    file = tmp_path / "three.txt"
    file.write_text("negative = angry, sad\nneutral = neutral\npositive = happy\n")
    out, best = tmp_path / "run", str(tmp_path / "run" / "best.safetensors")
    source = ["--dataset", "raf", "--root", str(tmp_path / "raf")]
    assert main(["train", *source, "--classes", str(file), "--out", str(out), "--model", "resnet18", *SMALL]) == 0
    err = capsys.readouterr().err
    assert "raf 3 classes" in err and "labelled 'surprise'" in err
    header = read_header(out / "best.safetensors")
    assert header.heads[0].labels == ("negative", "neutral", "positive") and header.own_classes
    assert main(["evaluate", best, *source, "--json", "--device", "cpu"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["n"], figures["classes"]) == (3, ["negative", "neutral", "positive"])
    with pytest.raises(WeightsError, match="classes of your own"):
        Models().classifier(best, "cpu")


@pytest.mark.parametrize(
    "options",
    [
        ["--dataset", "raf", "--dataset", "affectnet", "--root", "a"],
        ["--dataset", "raf", "--root", "a", "--root", "b"],
        ["--dataset", "raf", "--root", "a", "--weight", "1", "--weight", "2"],
    ],
)
def test_not_as_many_roots_or_weights_as_sets(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *options]) == 2
    assert "error[option-missing]" in capsys.readouterr().err
