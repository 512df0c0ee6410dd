"""What training says of a data set before it starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fercli.config import TrainConfig
from fercli.learn.training.splits import read_splits
from fercli.progress import Silent
from tests.learn.datasets.faces import csv_row, npz_arrays, write_csv, write_npz


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
