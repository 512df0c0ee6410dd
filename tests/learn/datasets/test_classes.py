"""Classes of one's own: the file, and labels in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.errors import ConfigError
from fercli.labels import EMOTIONS
from fercli.learn.datasets.classes import lost, read_classes, relabelled, union
from fercli.learn.datasets.faces import Labelling
from tests.failing import fails

THREE = "# valence\nnegative = angry, sad , disgust,fear\n\nneutral = neutral\npositive = Happy  # and no surprise\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_lines_are_classes_and_names_are_those_of_any_data_set(tmp_path: Path) -> None:
    mapping = read_classes(write(tmp_path / "three.txt", THREE))
    assert mapping == {
        "anger": "negative",
        "sadness": "negative",
        "disgust": "negative",
        "fear": "negative",
        "neutral": "neutral",
        "happiness": "positive",
    }
    assert list(dict.fromkeys(mapping.values())) == ["negative", "neutral", "positive"]
    compound = read_classes(write(tmp_path / "two.txt", "joy = Happily surprised, happy\nother = sad\n"))
    assert compound["happily surprised"] == "joy"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("positive happy\nb = sad\n", 1),
        ("a = happy\n\nb = \n", 3),
        ("a = happy\nb = sleepy\n", 2),
        ("a = happy\nb = joy\n", 2),
        ("a = happy\na = sad\n", 2),
        ("not assessable = happy\n", 1),
        ("a/b = happy\n", 1),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, text: str, line: int) -> None:
    path = write(tmp_path / "classes.txt", text)
    with fails(ConfigError, "classes-malformed", f"{path}:{line}:"):
        read_classes(path)


def test_one_class_is_nothing_to_learn(tmp_path: Path) -> None:
    with fails(ConfigError, "classes-malformed"):
        read_classes(write(tmp_path / "one.txt", "all = happy, sad\n"))
    with fails(ConfigError, "file-missing"):
        read_classes(tmp_path / "none.txt")


def test_labels_and_distributions_in_fewer_classes() -> None:
    targets = np.zeros((4, 7), np.float32)
    targets[0, [0, 4]] = 0.5  # anger and sadness: all negative
    targets[1, [3, 5]] = 0.6, 0.4  # happiness and surprise, which has no place
    targets[2, [3, 5]] = 0.4, 0.6
    before = Labelling(EMOTIONS, targets, np.array([0, 3, 5, -1]))
    mapping = {"anger": "negative", "sadness": "negative", "happiness": "positive"}
    after = relabelled(before, ("negative", "positive"), mapping)
    np.testing.assert_allclose(after.targets, [[1, 0], [0, 1], [0, 0], [0, 0]])
    assert after.labels.tolist() == [0, 1, -1, -1]
    assert lost(before, after) == {"surprise": 1}


def test_classes_together_are_in_the_order_of_the_labels_or_of_the_file() -> None:
    few = [Labelling.of_indices(names, np.array([0])) for names in (("neutral", "fear"), ("contempt", "fear"))]
    assert union(few, None) == ("fear", "neutral", "contempt")
    assert union(few, {"neutral": "calm", "anger": "hot", "fear": "cold"}) == ("calm", "cold")
