"""`fercli train` through `main`: what it says, what it writes, and that its weights can be used at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fercli.cli.entry import main
from fercli.learn.training import loop
from fercli.models.weights import load_state, read_header, save_classifier
from tests.learn.datasets.faces import npz_arrays, write_npz
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
