"""What `dataset check` finds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fercli.learn.datasets.check import Contradiction, Duplicate, check, contradictions
from fercli.learn.datasets.faces import DatasetSplits, FaceSet, Labelling
from fercli.learn.datasets.samples import Problem

CLASSES = ("anger", "fear")
RNG = np.random.default_rng(0)


def picture() -> NDArray[np.uint8]:
    return RNG.integers(0, 200, (1, 48, 48), dtype=np.uint8)


def part(images: list[NDArray[np.uint8]], labels: list[int], subjects: list[str], name: str) -> FaceSet:
    labelling = Labelling(CLASSES, np.zeros((len(labels), 2), np.float32), np.array(labels))
    return FaceSet(
        np.stack(images), {"mine": labelling}, tuple(subjects), tuple(f"{name}{i}" for i in range(len(labels)))
    )


def test_everything_is_counted_and_what_is_on_two_sides_is_named() -> None:
    twice, within = picture(), picture()
    brighter = twice + np.uint8(40)  # the same picture under other light
    train = part([twice, within, within, picture()], [0, 0, 1, -1], ["a", "a", "b", ""], "train")
    valid = part([picture()], [1], ["b"], "valid")
    test = part([brighter, picture()], [1, 1], ["c", "d"], "test")
    problems = (Problem("x", 1, "y"),)
    data = DatasetSplits("mine", "", 1.0, train, valid, test, problems, notes=("left out: 3 of them",))
    found = check(data)
    assert found.counts == {
        "mine": {
            "train": {"anger": 2, "fear": 1, "": 1},
            "valid": {"anger": 0, "fear": 1},
            "test": {"anger": 0, "fear": 2},
        }
    }
    assert found.subjects == {"train": 2, "valid": 1, "test": 2}
    assert found.shared_subjects == ("b",)
    assert found.duplicates == (Duplicate("train0", "train", "test0", "test"),)
    assert found.contradictions == contradictions(data)
    assert found.contradictions == (
        Contradiction("train0", "anger", "test0", "fear"),
        Contradiction("train1", "anger", "train2", "fear"),
    )
    assert found.problems == problems and found.notes == ("left out: 3 of them",)


def test_a_picture_in_two_classes_is_something_to_put_right() -> None:
    twice = picture()
    train = part([twice, twice, picture(), picture()], [0, 1, 0, 1], [""] * 4, "train")
    valid, test = (part([picture()], [0], [""], name) for name in ("valid", "test"))
    found = check(DatasetSplits("mine", "", 1.0, train, valid, test))
    assert found.found_something and not found.duplicates
    same = part([twice, twice, twice], [0, 0, -1], [""] * 3, "train")  # once more, and once without a label
    assert not check(DatasetSplits("mine", "", 1.0, same, valid, test)).found_something
