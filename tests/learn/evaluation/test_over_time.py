"""Segments and their order, with values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fercli.learn.evaluation.over_time import class_scores, edit_score, segment_f1, segments_of


def _labels(text: str) -> np.ndarray:
    """`aab` -> 0, 0, 1; `-` has no class."""
    return np.array([-1 if letter == "-" else ord(letter) - ord("a") for letter in text], np.int64)


def test_runs() -> None:
    assert segments_of(_labels("aabca")) == [(0, 0, 2), (1, 2, 3), (2, 3, 4), (0, 4, 5)]
    assert segments_of(_labels("")) == []


@pytest.mark.parametrize(
    ("predicted", "truth", "overlap", "expected"),
    [
        ("aaaabbbb", "aaaabbbb", 0.5, 1.0),
        ("aabaabbb", "aaaabbbb", 0.5, 2 * 2 / (4 + 2)),  # an a of two in four, and a b of three in four
        ("aabaabbb", "aaaabbbb", 0.6, 2 * 1 / (4 + 2)),
        ("abababab", "aaaabbbb", 0.25, 2 * 2 / (8 + 2)),  # each true one is taken once
        ("bbbbaaaa", "aaaabbbb", 0.1, 0.0),
        ("aaaaaaaa", "aaaabbbb", 0.5, 2 * 1 / (1 + 2)),
    ],
)
def test_f1_of_segments(predicted: str, truth: str, overlap: float, expected: float) -> None:
    assert segment_f1([(_labels(predicted), _labels(truth))], overlap) == pytest.approx(expected)


def test_f1_counts_the_segments_of_all_videos_together() -> None:
    pairs = [(_labels("aabb"), _labels("aabb")), (_labels("cc"), _labels("ab"))]
    assert segment_f1(pairs, 0.5) == pytest.approx(2 * 2 / (3 + 4))


@pytest.mark.parametrize(
    ("predicted", "truth", "expected"),
    [
        ("aaab", "abbb", 1.0),  # lengths do not count
        ("abab", "aabb", 1 - 2 / 4),
        ("bbaa", "aabb", 1 - 2 / 2),
        ("aabb", "abcd", 1 - 2 / 4),
    ],
)
def test_edit_score(predicted: str, truth: str, expected: float) -> None:
    assert edit_score(_labels(predicted), _labels(truth)) == pytest.approx(expected)


def test_moments_without_a_class_do_not_count() -> None:
    found = class_scores([(_labels("abab"), _labels("a--b"))], 2)
    assert (found.n, found.accuracy, found.edit, found.segment_f1) == (2, 1.0, 1.0, (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="no moment"):
        class_scores([(_labels("ab"), _labels("--"))], 2)


def test_averages_of_f1_differ_where_classes_do() -> None:
    found = class_scores([(_labels("aaaaaaaa"), _labels("aaaaaaab"))], 2)
    f1 = 2 * 7 / (2 * 7 + 1)
    assert found.weighted_f1 == pytest.approx(f1 * 7 / 8)
    assert found.macro_f1 == pytest.approx(f1 / 2)
