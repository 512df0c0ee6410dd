"""The shipped weights: what their card says is what their header says, and the registry knows their bytes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fercli.hashing import sha256_file
from fercli.labels import EMOTIONS
from fercli.models.catalogue import CLASSIFIERS, DETECTORS
from fercli.models.weights import ClassifierHeader, read_header

WEIGHTS = Path(__file__).parent.parent / "weights"
CARD = (WEIGHTS / "README.md").read_text(encoding="utf-8")
LARGEST = 25 * 2**20


@pytest.fixture(scope="module")
def header() -> ClassifierHeader:
    return read_header(WEIGHTS / CLASSIFIERS[0].weights)


def test_every_file_is_known_described_and_not_too_large() -> None:
    known = {spec.weights: spec for spec in (*CLASSIFIERS, *DETECTORS) if spec.weights and ":" not in spec.weights}
    files = {path.name: path for path in WEIGHTS.iterdir() if path.name != "README.md"}
    assert files.keys() == known.keys()
    for name, path in files.items():
        assert path.stat().st_size <= LARGEST
        assert sha256_file(path) == known[name].sha256
        assert f"`{name}`" in CARD


def test_the_header_rebuilds_what_the_card_describes(header: ClassifierHeader) -> None:
    assert (header.architecture, header.n_frames, header.labels) == ("tsm-resnet18", 4, EMOTIONS)
    assert f"{header.input_size} x {header.input_size} pixels" in CARD
    assert "FER2013" in header.training_data and "FER+" in header.training_data


@pytest.mark.parametrize("figure", ["accuracy", "uar", "macro_f1", "ece", "n"])
def test_the_card_gives_the_figures_of_the_header(header: ClassifierHeader, figure: str) -> None:
    row = re.search(rf"^\| {figure} \| (\S+) \| (\S+) \|$", CARD, re.MULTILINE)
    assert row is not None, f"no row for {figure}"
    assert [float(value) for value in row.groups()] == [
        header.metrics[f"valid_{figure}"],
        header.metrics[f"test_{figure}"],
    ]


def test_the_card_gives_the_confusion_matrix_of_the_header(header: ClassifierHeader) -> None:
    for label, counts in zip(header.labels, header.metrics["test_confusion"], strict=True):
        assert f"| {label} | {' | '.join(str(count) for count in counts)} |" in CARD
