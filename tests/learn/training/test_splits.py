"""What training says of a data set before it starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fercli.config import DataSource, TrainConfig
from fercli.errors import ConfigError
from fercli.labels import EMOTIONS_8
from fercli.learn.datasets import framing
from fercli.learn.training import run_directory
from fercli.learn.training.parameters import check_parameters
from fercli.learn.training.splits import read_splits
from fercli.progress import Silent
from tests.failing import fails
from tests.learn.datasets.faces import csv_row, npz_arrays, write_csv, write_npz
from tests.learn.official import write_folder


class Heard(Silent):
    """Keeps the notes as well."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


def config(root: Path) -> TrainConfig:
    return TrainConfig(dataset="fer2013", root=root, out=root.parent / "run")


def test_a_picture_in_two_classes_is_warned_of(tmp_path: Path) -> None:
    arrays = npz_arrays()
    heard = Heard()
    path = write_npz(tmp_path / "fer2013.npz", arrays)
    read_splits(config(path), heard)
    assert heard.warnings == []
    arrays["images"][1] = arrays["images"][14 + 3]  # one to train on shows what one to choose by shows
    read_splits(config(write_npz(path, arrays)), heard)
    (warning,) = heard.warnings
    assert "fer2013.npz[1] (disgust)" in warning and "fer2013.npz[17] (happiness)" in warning
    assert f"fercli dataset check fer2013 --root {path}" in warning


def test_what_is_left_out_is_noted(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [
        csv_row(label, " ".join(map(str, rng.integers(0, 256, 48 * 48))), "").rstrip(",") for label in [0, 1, 2, 3] * 5
    ]
    write_csv(tmp_path / "train.csv", rows, "emotion,pixels")
    write_csv(tmp_path / "test.csv", ["0 " * 48 * 48], "pixels")
    heard = Heard()
    read_splits(config(tmp_path), heard)
    assert any("test.csv has no labels" in note for note in heard.notes)
    assert any("nothing for test" in warning for warning in heard.warnings)


def test_enlarging_is_warned_of(tmp_path: Path) -> None:
    path = write_npz(tmp_path / "fer2013.npz", npz_arrays())
    for size, warned in ((56, False), (112, True)):
        heard = Heard()
        read_splits(replace(config(path), sizes=(size,)), heard)
        assert any(f"enlarged to {size}" in warning for warning in heard.warnings) == warned


def test_pictures_are_packed_as_large_as_the_network_can_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "largest_face", lambda picture: None)
    root = write_folder(tmp_path / "mine", ["anger", "happiness"] * 8, side=300)
    mine = replace(config(root), dataset="folder")
    for changes, shape in (
        ({}, (112, 112, 3)),
        ({"sizes": (224,)}, (256, 256, 3)),
        ({"sizes": (224,), "colour": "grey"}, (256, 256)),
        ({"pack_size": 64}, (64, 64, 3)),
    ):
        heard = Heard()
        assert read_splits(replace(mine, **changes), heard).train.images.shape[2:] == shape
        assert not any("enlarged" in warning for warning in heard.warnings)
    heard = Heard()
    read_splits(replace(mine, pack_size=64, sizes=(112,)), heard)
    assert any("enlarged to 112" in warning for warning in heard.warnings)


def test_several_sets_are_read_each_with_its_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "largest_face", lambda picture: None)
    fer = write_npz(tmp_path / "fer2013.npz", npz_arrays((14, 7, 7)))
    mine = write_folder(tmp_path / "mine", ["anger", "contempt"] * 5)
    run = replace(config(fer), beside=(DataSource("folder", mine, 0.5),), valid=DataSource("folder", mine))
    heard = Heard()
    data = read_splits(run, heard)
    assert list(data.train.labellings) == ["fer2013+mine"] and data.train.main.classes == EMOTIONS_8
    assert data.train.colour and len(data.train) > 14 and len(data.valid) == 10
    assert any("all 10 faces of mine" in note for note in heard.notes)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"balanced": True, "balance_neutral": True}, "option-conflict"),
        ({"oversample": 1.5}, "option-out-of-range"),
        ({"ratings": -1.0}, "option-out-of-range"),
        ({"teacher_share": 0.0}, "option-out-of-range"),
        ({"pack_size": 32}, "option-out-of-range"),
        ({"weight": 0.0}, "option-out-of-range"),
        ({"augment": "wild"}, "name-unknown"),
        ({"colour": "sepia"}, "name-unknown"),
        ({"beside": (DataSource("raff", Path()),)}, "name-unknown"),
        ({"valid": DataSource("raff", Path("x"))}, "name-unknown"),
        ({"valid": DataSource("ferplus", Path("a") / "..")}, "option-conflict"),
    ],
)
def test_parameters_that_cannot_be_meant(changes: dict[str, Any], code: str) -> None:
    check_parameters(config(Path()))
    with fails(ConfigError, code):
        check_parameters(replace(config(Path()), **changes))


def test_a_run_goes_on_where_its_sets_lie_elsewhere_but_not_with_another_weight(tmp_path: Path) -> None:
    run = replace(config(tmp_path / "a"), beside=(DataSource("raf", tmp_path / "b", 0.5),))
    run_directory.open_run(run, 0)
    moved = replace(run, root=tmp_path / "c", beside=(DataSource("raf", tmp_path / "d", 0.5),))
    run_directory.check_same_run(moved)
    with fails(ConfigError, "run-differs", "beside"):
        run_directory.check_same_run(replace(run, beside=(DataSource("raf", tmp_path / "b", 0.7),)))
    assert str(tmp_path) not in str(run_directory.recipe(run))
