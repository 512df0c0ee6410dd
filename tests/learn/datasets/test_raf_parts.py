"""RAF-DB's compound emotions and distributions, from invented trees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.errors import DatasetError
from fercli.learn.datasets.pack import pack
from fercli.learn.datasets.raf_parts import COMPOUND, read_compound, read_multi
from tests.failing import fails
from tests.learn.official import write_compound, write_multi

SURPRISED = (0.7, 0.1, 0, 0.2, 0, 0)
SAD = (0, 0.25, 0, 0, 0.75, 0)


def test_compound_emotions_have_the_names_of_their_numbers(tmp_path: Path) -> None:
    listing = read_compound(write_compound(tmp_path, [1, 11, 4]))
    assert [sample.label for sample in listing.samples][:3] == [
        "happily surprised",
        "disgustedly surprised",
        "sadly angry",
    ]
    assert (listing.classes, len(COMPOUND), listing.problems) == (COMPOUND, 11, ())
    assert {sample.split for sample in listing.samples} == {"train", "test"}
    assert read_compound(tmp_path / "compound") == listing


def test_a_number_beyond_them_is_a_problem_with_its_line(tmp_path: Path) -> None:
    (problem, _) = read_compound(write_compound(tmp_path, [3, 12])).problems
    assert problem.line == 2 and "'12'" in problem.reason


@pytest.mark.parametrize("read", [read_compound, read_multi])
def test_another_directory_is_refused(tmp_path: Path, read: object) -> None:
    with fails(DatasetError, "dataset-not-found", str(tmp_path)):
        read(tmp_path)  # type: ignore[operator]


def test_distributions_are_the_targets_in_the_order_of_the_classes(tmp_path: Path) -> None:
    listing = read_multi(write_multi(tmp_path, [SURPRISED, SAD, SURPRISED], splits="001"))
    assert listing.classes == ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
    assert [sample.label for sample in listing.samples] == ["surprise", "sadness", "surprise"]
    assert listing.samples[0].shares == pytest.approx((0, 0, 0.1, 0.2, 0, 0.7))
    data = pack(listing, face_scale=1.0)
    assert (len(data.train) + len(data.valid), len(data.test)) == (2, 1)
    np.testing.assert_allclose(data.test.main.targets, [[0, 0, 0.1, 0.2, 0, 0.7]], atol=1e-6)
    assert data.test.main.labels.tolist() == [5]


def test_without_a_file_of_splits_the_set_has_none(tmp_path: Path) -> None:
    assert {sample.split for sample in read_multi(write_multi(tmp_path, [SAD] * 3)).samples} == {""}


@pytest.mark.parametrize(
    "line", ["0000.jpg 0.5 0.5", "0000.jpg 1 1 0 0 0 0", "0000.jpg a 0 0 0 0 1", "9.jpg 1 0 0 0 0 0"]
)
def test_rows_that_cannot_be_used_are_problems(tmp_path: Path, line: str) -> None:
    path = write_multi(tmp_path, [SAD]) / "multi" / "EmoLabel" / "distribution.txt"
    path.write_text(f"{line}\n")
    (problem,) = read_multi(tmp_path).problems
    assert (problem.file, problem.line) == (str(path), 1)


def test_a_wrong_file_of_splits_is_an_error_with_its_line(tmp_path: Path) -> None:
    write_multi(tmp_path, [SAD, SAD], splits="02")
    with fails(DatasetError, "dataset-unusable", "partition_label.txt:2"):
        read_multi(tmp_path)
