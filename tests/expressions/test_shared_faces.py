"""Which clips the network looks at, and how windows share them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.expressions.shared_faces import classify_shared

MIRRORED = 0.5
"""Added to the logit of a face in a mirror image."""


class Network:
    """Answers with a logit a face: its number, and a hundredth of its place in the clip; remembers the clips."""

    def __init__(self, clip: NDArray[np.int64]) -> None:
        self.clip = clip
        self.looked: dict[bool, list[int]] = {}

    def logits(self, rows: NDArray[np.intp], *, mirrored: bool) -> NDArray[np.float32]:
        self.looked[mirrored] = rows.tolist()
        places = np.arange(self.clip.shape[1]) / 100
        return (self.clip[rows] + places + MIRRORED * mirrored).astype(np.float32)[..., None]

    def probabilities(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        mean: NDArray[np.float32] = logits.mean(axis=0)
        return np.concatenate([mean, 1 - mean], axis=1)


def clips(windows: int, first: int = 0) -> list[list[int]]:
    """Four faces each, two of them shared with the next."""
    return [[first + 2 * k + n for n in range(4)] for k in range(windows)]


def run(
    clip: list[list[int]], track: list[int] | None = None, unknown: tuple[int, ...] = ()
) -> tuple[list[float], list[int], list[int]]:
    """The logit of each window that is assessable, and the clips looked at as they are and mirrored."""
    rows = np.array(clip, np.int64).reshape(len(clip), len(clip[0]) if clip else 4)
    network = Network(rows)
    assessable = np.array([k not in unknown for k in range(len(clip))], np.bool_)
    found = classify_shared(np.array(track or [0] * len(clip), np.int32), rows, assessable, network)
    assert np.isnan(found).all(axis=1).tolist() == (~assessable).tolist()
    return found[assessable, 0].tolist(), network.looked[False], network.looked[True]


def logit(window: int, mirrored: float, first: int = 0) -> float:
    """Mean over the faces and places of a window of `clips`, and over its views."""
    return float(first + 2 * window + 1.5 + 0.015 + MIRRORED * mirrored)


def test_windows_between_two_clips_take_their_faces_from_both() -> None:
    found, plain, mirrored = run(clips(5))
    assert (plain, mirrored) == ([0, 4], [2])
    views = [0, 0.5, 1, 0.5, 0]
    assert found == pytest.approx([logit(k, view) for k, view in enumerate(views)], rel=1e-6)


def test_without_a_clip_behind_it_a_window_is_looked_at() -> None:
    found, plain, mirrored = run(clips(4))
    assert (plain, mirrored) == ([0, 3], [2])
    assert found == pytest.approx([logit(0, 0), logit(1, 0.5), logit(2, 1), logit(3, 0)], rel=1e-6)


def test_a_clip_alone_is_looked_at_both_ways() -> None:
    found, plain, mirrored = run(clips(1))
    assert (plain, mirrored) == ([0], [0])
    assert found == pytest.approx([logit(0, 0.5)])
    found, plain, mirrored = run(clips(3), unknown=(1,))
    assert (plain, mirrored) == ([0, 2], [0, 2])
    assert found == pytest.approx([logit(0, 0.5), logit(2, 0.5)], rel=1e-6)


def test_windows_beside_others_that_are_not_assessable_are_looked_at() -> None:
    found, plain, mirrored = run(clips(5), unknown=(2,))
    assert (plain, mirrored) == ([0, 3], [1, 4])
    assert found == pytest.approx([logit(0, 0), logit(1, 1), logit(3, 0), logit(4, 1)], rel=1e-6)


def test_faces_that_no_other_clip_shows_are_looked_at() -> None:
    still = [[0, 1, 2, 3], [4, 4, 4, 4], [5, 6, 7, 8]]
    _, plain, mirrored = run(still)
    assert (plain, mirrored) == ([0, 2], [1])
    _, plain, mirrored = run([[0], [2], [4]])
    assert (plain, mirrored) == ([0, 2], [1])


def test_tracks_in_turn_are_kept_apart() -> None:
    clip = [one for pair in zip(clips(3), clips(3, first=100), strict=True) for one in pair]
    found, plain, mirrored = run(clip, track=[3, 1] * 3)
    assert (plain, mirrored) == ([0, 1], [4, 5])
    expected = [logit(k, view, first) for k, view in enumerate([0, 0.5, 1]) for first in (0, 100)]
    assert found == pytest.approx(expected, rel=1e-6)


def test_nothing_to_look_at() -> None:
    assert run([]) == ([], [], [])
    assert run(clips(2), unknown=(0, 1)) == ([], [], [])
