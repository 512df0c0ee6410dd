"""Where the detector looks, and where the faces of the other frames are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.models.detections import Detections
from fercli.models.face_search import LONGEST_STEP_S, Moments, interpolated, same_faces, search
from tests.workspaces import frames_table

Image = NDArray[np.uint8]
SIDE = 20.0


class Walkers:
    """Frame k is a picture of one pixel that holds k; faces lie where `at` says. Remembers where it has looked."""

    def __init__(self, at: dict[int, list[float]]) -> None:
        self.at = at
        self.looked: list[int] = []

    def __call__(self, image: Image) -> Detections:
        frame = int(image[0, 0, 0])
        self.looked.append(frame)
        return faces(*self.at[frame], score=0.9 - frame / 100)


def faces(*lefts: float, score: float = 0.9, points: bool = False) -> Detections:
    boxes = np.array([[x, 10, x + SIDE, 10 + SIDE] for x in lefts], np.float32).reshape(-1, 4)
    landmarks = np.repeat(boxes[:, None, :2], 5, axis=1) + 5 if points else None
    return Detections(boxes, np.full(len(lefts), score, np.float32), landmarks)


def steady(frames: int, cuts: tuple[int, ...] = ()) -> Moments:
    """Ten frames a second."""
    follows = np.array([k > 0 and k not in cuts for k in range(frames)])
    return Moments(np.arange(frames) / 10, follows)


def run(
    at: dict[int, list[float]], moments: Moments, every: int = 2, missing: tuple[int, ...] = ()
) -> tuple[list[int], list[list[float]], list[bool]]:
    """Where it looked, the left edges in each frame, and whether they were detected."""
    walkers = Walkers(at)
    pictures = (None if k in missing else np.full((1, 1, 3), k, np.uint8) for k in range(len(at)))
    found = list(search(pictures, moments, walkers, every))
    assert [one is None for one in found] == [k in missing for k in range(len(at))]
    there = [one for one in found if one is not None]
    assert sorted(walkers.looked) == [k for k, one in enumerate(found) if one is not None and one.detected]
    return sorted(walkers.looked), [one.found.boxes[:, 0].tolist() for one in there], [one.detected for one in there]


def test_a_calm_face_is_looked_for_in_every_second_frame() -> None:
    looked, lefts, detected = run({k: [10.0 + k * k / 8] for k in range(5)}, steady(5))
    assert looked == [0, 2, 4]
    assert detected == [True, False, True, False, True]
    assert lefts == [[10.0], [10.25], [10.5], [11.25], [12.0]]  # 10.125 and 11.125 if the detector had looked


def test_every_third_frame() -> None:
    looked, lefts, _ = run({k: [10.0 + k / 2] for k in range(8)}, steady(8), every=3)
    assert looked == [0, 3, 6, 7]
    assert [one[0] for one in lefts] == pytest.approx([10.0 + k / 2 for k in range(8)])


def test_the_last_frame_and_each_frame_with_1() -> None:
    at = {k: [10.0] for k in range(4)}
    assert run(at, steady(4))[0] == [0, 2, 3]
    assert run(at, steady(4), every=1)[0] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "later",
    [[], [10.0, 60.0], [30.0], [10.0 + 0.3 * SIDE]],
    ids=["went", "came", "jumped", "moved fast"],
)
def test_what_is_not_calm_is_looked_at(later: list[float]) -> None:
    at = {0: [10.0], 1: [13.0], 2: later}
    looked, lefts, detected = run(at, steady(3))
    assert looked == [0, 1, 2] and detected == [True, True, True]
    assert lefts == list(at.values())


def test_nothing_is_interpolated_over_a_cut_or_a_missing_frame() -> None:
    at = {k: [10.0] for k in range(6)}
    assert run(at, steady(6, cuts=(2,)))[0] == [0, 1, 2, 4, 5]
    assert run(at, steady(6), missing=(1,))[0] == [0, 2, 4, 5]


def test_no_face_in_both_is_no_face_between() -> None:
    looked, lefts, detected = run({k: [] for k in range(3)}, steady(3))
    assert (looked, lefts, detected) == ([0, 2], [[], [], []], [True, False, True])


def test_two_faces_are_told_apart_by_overlap_and_ordered_from_left_to_right() -> None:
    before, after = faces(50.0, 10.0, score=0.9), faces(12.0, 48.0, score=0.6)
    partners = same_faces(before, after)
    assert partners is not None and partners.tolist() == [1, 0]
    middle = interpolated(before, after.take(partners), 0.25)
    assert middle.boxes[:, 0].tolist() == [10.5, 49.5]
    assert middle.scores.tolist() == pytest.approx([0.6, 0.6])


def test_landmarks_move_too_and_a_face_that_lies_down_is_not_calm() -> None:
    before, after = faces(10.0, points=True), faces(12.0, points=True)
    assert interpolated(before, after, 0.5).landmarks == pytest.approx(faces(11.0, points=True).landmarks)
    assert same_faces(before, after) is not None
    assert after.landmarks is not None
    after.landmarks[:] = np.nan
    assert same_faces(before, after) is None


def test_two_faces_that_become_one_are_not_the_same() -> None:
    assert same_faces(faces(10.0, 12.0), faces(11.0, 60.0)) is None


def test_frames_follow_within_a_shot_without_dissolve_and_soon() -> None:
    pts = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.9, 1.0]
    table = frames_table(pts, shots=[0, 0, 1, 1, 1, 1, 1, 1], mixed=[k == 4 for k in range(8)])
    moments = Moments.of(table)
    steps = [later - earlier <= LONGEST_STEP_S for earlier, later in pairwise(pts)]
    assert steps == [True] * 5 + [False, True]
    assert moments.follows.tolist() == [False, True, False, True, False, False, False, True]
    assert moments.part(3, 5).follows.tolist() == [False, False]
