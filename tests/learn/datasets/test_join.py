"""Several data sets as one, in their official layouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.labels import EMOTIONS, EMOTIONS_8
from fercli.learn.datasets import DatasetSplits, Packing, read_dataset
from fercli.learn.datasets.join import join
from tests.learn.datasets.faces import npz_arrays, write_npz
from tests.learn.official import write_affectnet, write_folder, write_raf

RAF = ["anger", "happiness", "neutral", "sadness"] * 5
AFFECT = [("contempt", 0.1, 0.2), ("happiness", 0.8, 0.3), ("neutral", -2, -2)] * 5


@pytest.fixture
def raf(tmp_path: Path) -> DatasetSplits:
    return read_dataset("raf", write_raf(tmp_path / "raf", RAF, tests=4), packing=Packing())


@pytest.fixture
def affect(tmp_path: Path) -> DatasetSplits:
    return read_dataset("affectnet", write_affectnet(tmp_path / "an", AFFECT, tests=3), packing=Packing())


def test_classes_are_joined_and_ratings_kept(raf: DatasetSplits, affect: DatasetSplits) -> None:
    both = join([raf, affect], [1.0, 0.5])
    assert (both.name, list(both.train.labellings)) == ("raf+affectnet", ["raf+affectnet"])
    assert both.train.main.classes == EMOTIONS_8
    assert len(both.train) == len(raf.train) + len(affect.train) and len(both.test) == 4 + 3
    assert "RAF-DB" in both.terms and "AffectNet" in both.terms
    names = [EMOTIONS_8[label] for label in both.train.main.labels]
    assert names[: len(raf.train)] == [EMOTIONS[label] for label in raf.train.main.labels]
    assert set(names[len(raf.train) :]) == {"contempt", "happiness", "neutral"}
    assert both.train.weights is not None and set(both.train.weights[: len(raf.train)]) == {1.0}
    assert set(both.train.weights[len(raf.train) :]) == {0.5}
    assert both.train.ratings is not None and np.isnan(both.train.ratings[: len(raf.train)]).all()
    assert np.nanmax(both.train.ratings) == pytest.approx(0.8)
    assert both.train.images.shape[1:] == (1, 112, 112, 3)
    assert both.train.images[np.arange(3)].dtype == np.uint8


def test_equal_weights_are_no_weights(raf: DatasetSplits, affect: DatasetSplits) -> None:
    assert join([raf, affect], [2.0, 2.0]).train.weights is None


def test_validation_on_another_set_counts_what_has_no_class(raf: DatasetSplits, tmp_path: Path) -> None:
    others = ["angry", "happy", "contempt"] * 4
    valid = read_dataset("folder", write_folder(tmp_path / "mine", others, side=48), packing=Packing())
    both = join([raf], [1.0], valid)
    assert both.valid.main.classes == EMOTIONS and len(both.valid) == 8
    assert both.valid.images.shape[2:] == raf.train.images.shape[2:]
    assert len(both.test) == len(raf.test) and len(both.train) == len(raf.train)
    assert any("left out: 4 faces" in note and "contempt" in note for note in both.notes)
    assert any("all 12 faces" in note for note in both.notes)


def test_the_tightest_framing_is_that_of_all(raf: DatasetSplits, affect: DatasetSplits) -> None:
    from dataclasses import replace

    both = join([replace(raf, face_scale=1.4), replace(affect, face_scale=1.0)], [1.0, 1.0])
    assert both.face_scale == 1.0
    whole = raf.train.images[0, 0]
    cut = both.train.images[np.array([0])][0, 0]
    middle = slice(round(96 * 0.2 / 1.4), 96 - round(96 * 0.2 / 1.4))
    assert cut.mean() == pytest.approx(whole[middle, middle].mean(), abs=1.5)


def test_both_heads_of_one_set_stay(tmp_path: Path) -> None:
    arrays = npz_arrays((14, 7, 7), votes=True)
    arrays["ferplus_votes"][:, 4] = 10  # anger
    plus = read_dataset("ferplus", write_npz(tmp_path / "f.npz", arrays))
    mapped = join([plus], [1.0], None, {"anger": "bad", "happiness": "good"})
    assert {name: labelling.classes for name, labelling in mapped.train.labellings.items()} == {
        "ferplus": ("bad", "good"),
        "fer2013": ("bad", "good"),
    }
    assert len(mapped.train) == 14 and (mapped.train.labellings["ferplus"].labels == 0).all()
