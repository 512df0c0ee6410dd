"""A classifier over a data set: which head answers, in which classes, on which view."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.errors import ConfigError, WeightsError
from fercli.labels import EMOTIONS, EMOTIONS_8
from fercli.learn.datasets.faces import DatasetSplits, FaceSet, Labelling
from fercli.learn.evaluation.predictions import evaluate, in_classes_of, outputs
from fercli.models.classifier import EmotionClassifier
from fercli.models.weights import Head
from fercli.progress import Silent
from tests.failing import fails
from tests.models.tiny import write_tiny_classifier

RNG = np.random.default_rng(3)


def faces(count: int, frames: int = 1, classes: tuple[str, ...] = EMOTIONS, name: str = "fer2013") -> FaceSet:
    labels = np.arange(count) % len(classes)
    images = RNG.integers(0, 256, (count, frames, 24, 24), dtype=np.uint8)
    labelling = Labelling.of_indices(classes, labels)
    return FaceSet(images, {name: labelling}, ("",) * count, tuple(map(str, range(count))))


def splits(part: FaceSet, *, official: bool = True) -> DatasetSplits:
    few = FaceSet(
        part.images[:2],
        {name: Labelling(ell.classes, ell.targets[:2], ell.labels[:2]) for name, ell in part.labellings.items()},
        part.subjects[:2],
        part.sources[:2],
    )
    return DatasetSplits("x", "", 1.0, few, few, part, official=official)


@pytest.fixture(scope="module")
def two_heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "two.safetensors"
    write_tiny_classifier(path, heads=(Head("ferplus", EMOTIONS_8, 0.7), Head("fer2013", EMOTIONS, 1.3)))
    return path


def test_stills_stand_for_a_clip_and_clips_give_frames_spread_over_them(two_heads: Path) -> None:
    classifier = EmotionClassifier(two_heads, "cpu")
    still = faces(3)
    standing = FaceSet(np.repeat(still.images, 4, axis=1), still.labellings, still.subjects, still.sources)
    expected = outputs(classifier, standing, 1.0, "x", Silent())
    assert expected.shape == (2, 3, 15)
    np.testing.assert_array_equal(outputs(classifier, still, 1.0, "x", Silent()), expected)
    long = faces(3, frames=7)
    short = FaceSet(long.images[:, [0, 2, 4, 6]], long.labellings, long.subjects, long.sources)
    np.testing.assert_array_equal(
        outputs(classifier, long, 1.0, "x", Silent()), outputs(classifier, short, 1.0, "x", Silent())
    )


def test_the_framing_of_the_set_decides_what_the_network_sees(two_heads: Path) -> None:
    classifier = EmotionClassifier(two_heads, "cpu")
    part = faces(2)
    framed = FaceSet(part.images.copy(), part.labellings, part.subjects, part.sources)
    framed.images[:, :, :4] = 0  # the border, which the network does not see if the picture shows twice the face
    seen = outputs(classifier, part, 2.0, "x", Silent())
    np.testing.assert_array_equal(outputs(classifier, framed, 2.0, "x", Silent()), seen)
    assert not np.allclose(
        outputs(classifier, framed, 1.0, "x", Silent()), outputs(classifier, part, 1.0, "x", Silent())
    )


def test_the_batch_does_not_matter(two_heads: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier, part = EmotionClassifier(two_heads, "cpu"), faces(5)
    whole = outputs(classifier, part, 1.0, "x", Silent())
    monkeypatch.setattr("fercli.learn.evaluation.predictions.BATCH", 2)
    np.testing.assert_allclose(outputs(classifier, part, 1.0, "x", Silent()), whole, atol=1e-5)


def test_no_faces_give_no_rows(two_heads: Path) -> None:
    assert outputs(EmotionClassifier(two_heads, "cpu"), faces(0), 1.0, "x", Silent()).shape == (2, 0, 15)


def answers(path: Path, head: str, classes: tuple[str, ...], logits: NDArray[np.float32]) -> NDArray[np.float32]:
    labelling = Labelling.of_indices(classes, np.zeros(1, np.int64))
    return in_classes_of(labelling, EmotionClassifier(path, "cpu", head), logits)


def test_classes_the_set_does_not_have_are_left_out_and_those_the_head_does_not_know_get_nothing(
    two_heads: Path,
) -> None:
    shares = np.array([0.1, 0.2, 0.3, 0.05, 0.05, 0.1, 0.1, 0.1])
    logits = np.log(np.stack([shares[None]] * 2)).astype(np.float32) * np.float32(0.7)
    found = answers(two_heads, "ferplus", ("fear", "anger"), logits)
    np.testing.assert_allclose(found, [[0.75, 0.25]], rtol=1e-5)
    seven = np.zeros((2, 1, 7), np.float32)
    np.testing.assert_allclose(answers(two_heads, "fer2013", ("contempt", "anger"), seven), [[0, 1]])
    np.testing.assert_allclose(answers(two_heads, "fer2013", ("contempt",), seven), [[1]])


def test_the_head_trained_on_the_labelling_answers_and_otherwise_the_first(two_heads: Path) -> None:
    for name, head in (("fer2013", "fer2013"), ("ferplus", "ferplus"), ("mine", "ferplus")):
        part = faces(10, name=name, classes=EMOTIONS_8 if name == "ferplus" else EMOTIONS)
        scores, terms = evaluate(str(two_heads), splits(part), "", "cpu", Silent())
        assert terms == {"split": "test", "head": head}
        assert (scores.n, scores.classes) == (10, part.main.classes)
        classifier = EmotionClassifier(two_heads, "cpu", head)
        columns = classifier.header.head(head)[1]
        expected = in_classes_of(part.main, classifier, outputs(classifier, part, 1.0, "x", Silent())[..., columns])
        assert scores.accuracy == pytest.approx((expected.argmax(1) == part.main.labels).mean())


def test_which_split_is_scored(two_heads: Path) -> None:
    part = faces(6)
    for split, official, n in (("", True, 6), ("", False, 10), ("train", True, 2), ("all", True, 10)):
        scores, terms = evaluate(str(two_heads), splits(part, official=official), split, "cpu", Silent())
        assert scores.n == n and terms["split"] == (split or ("test" if official else "all"))
    with fails(ConfigError, "name-unknown", "'dev'"):
        evaluate(str(two_heads), splits(part), "dev", "cpu", Silent())


def test_a_prior_out_of_range_or_unknown(two_heads: Path) -> None:
    for prior in (-0.1, 1.5, float("nan")):
        with fails(ConfigError, "option-out-of-range"):
            evaluate(str(two_heads), splits(faces(2)), "", "cpu", Silent(), prior)
    with fails(WeightsError, "weights-do-not-fit"):
        evaluate(str(two_heads), splits(faces(2)), "", "cpu", Silent(), 0.5)


@pytest.mark.parametrize(
    ("name", "official", "split", "warned"),
    [
        ("fer2013", False, "", True),
        ("fer2013", False, "train", True),
        ("fer2013", False, "test", False),
        ("fer2013", True, "all", False),  # whoever asks for that knows what the splits of such a set are
        ("mine", False, "", False),
    ],
)
def test_faces_that_were_trained_on_are_not_scored_silently(
    two_heads: Path, name: str, official: bool, split: str, warned: bool
) -> None:
    reporter = Silent()
    evaluate(str(two_heads), splits(faces(6, name=name), official=official), split, "cpu", reporter)
    expected = f"{two_heads} was trained on some of these faces of {name}; add --split test for the others"
    assert reporter.warnings == ([expected] if warned else [])


def test_where_no_person_was_left_to_test_on_the_others_are_those_it_was_chosen_by(two_heads: Path) -> None:
    reporter = Silent()
    data = splits(faces(6), official=False)
    evaluate(str(two_heads), replace(data, test=data.test.take(np.arange(0))), "all", "cpu", reporter)
    assert reporter.warnings[0].endswith("add --split valid for the others")
