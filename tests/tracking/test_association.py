from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from fercli.config import TracksParams
from fercli.learn.evaluation.track_files import Tracks, read_tracks
from fercli.learn.evaluation.tracks import score_tracks
from fercli.tracking.association import DROPPED, _one_to_one, associate
from fercli.tracking.bridging import Appearance

Sight = tuple[float, float, float]
"""Time, centre x, side of the box."""


def track(
    sights: list[Sight], *, max_gap_s: float = 0.5, min_faces: int = 1, appearance: Appearance | None = None
) -> list[int]:
    times = np.array([time for time, _, _ in sights])
    boxes = np.array([[x - side / 2, 100 - side / 2, x + side / 2, 100 + side / 2] for _, x, side in sights])
    found = associate(
        times,
        boxes.reshape(-1, 4).astype(np.float32),
        min_iou=0.2,
        max_gap_s=max_gap_s,
        min_faces=min_faces,
        appearance=appearance,
    )
    assert found.dtype == np.int32
    numbers: list[int] = found.tolist()
    return numbers


def test_no_faces() -> None:
    assert track([]) == []


def test_faces_that_cross_keep_their_numbers() -> None:
    times = np.arange(0, 2, 0.1)
    sights = [sight for t in times for sight in ((t, 100 + 100 * t, 40.0), (t, 300 - 100 * t, 40.0))]
    assert track(sights) == [0, 1] * len(times)


def test_a_face_that_jumps_further_than_its_width_each_frame_is_one_track() -> None:
    assert track([(0.1 * k, 100 + 45 * k, 40.0) for k in range(8)]) == [0] * 8


def test_a_face_elsewhere_is_another_track() -> None:
    assert track([(0.0, 100, 40.0), (0.1, 100, 40.0), (0.2, 250, 40.0)]) == [0, 0, 1]


def test_a_face_of_quite_another_size_is_another_track() -> None:
    assert track([(0.0, 100, 40.0), (0.1, 100, 70.0)]) == [0, 1]
    assert track([(0.0, 100, 40.0), (0.1, 100, 60.0)]) == [0, 0]


@pytest.mark.parametrize(("gap", "tracks"), [(0.3, [0, 0, 0]), (0.5, [0, 0, 0]), (0.51, [0, 0, 1])])
def test_gaps_are_bridged_up_to_max_gap_in_seconds(gap: float, tracks: list[int]) -> None:
    # A start that no binary fraction meets: 0.852 + 0.5 - 0.852 is not 0.5.
    assert track([(0.752, 100, 40.0), (0.852, 100, 40.0), (0.852 + gap, 100, 40.0)]) == tracks


def test_motion_is_measured_in_seconds_not_in_frames() -> None:
    times = [0.0, 0.1, 0.2, 0.3, 0.4, 0.8, 0.84, 0.88]
    assert track([(t, 100 + 200 * t, 40.0) for t in times]) == [0] * len(times)


def test_short_tracks_are_dropped_and_the_rest_numbered_by_first_appearance() -> None:
    sights = [(0.0, 500.0, 40.0)]
    for k in range(4):
        sights += [(0.1 * k, 100, 40.0)] + ([(0.1 * k, 300, 40.0)] if k else [])
    assert track(sights, min_faces=3) == [DROPPED, 0, 0, 1, 0, 1, 0, 1]


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 12), st.integers(20, 60)), max_size=40), st.integers(1, 3))
def test_any_faces_give_numbers_without_gaps_and_one_face_a_frame(
    faces: list[tuple[int, int, int]], min_faces: int
) -> None:
    sights = sorted((0.1 * frame, 25.0 * x, float(side)) for frame, x, side in faces)
    found = np.array(track(sights, min_faces=min_faces))
    times = np.array([time for time, _, _ in sights])
    kept = found[found != DROPPED]
    _, first = np.unique(kept, return_index=True)
    assert sorted(set(kept.tolist())) == list(range(len(first)))
    assert (np.diff(first) > 0).all()
    for number in range(len(first)):
        own = times[found == number]
        assert len(own) >= min_faces
        assert (np.diff(own) > 0).all()
        assert (np.diff(own) <= 0.5 + 1e-6).all()


def test_a_face_that_was_hidden_is_found_again_where_both_sides_of_the_gap_lead() -> None:
    # In 0.8 s it moves by four times its width: too far for anything but its motion.
    sights = [(0.1 * k, 100 + 20.0 * k, 40.0) for k in range(21) if not 7 <= k < 14]
    assert track(sights, max_gap_s=1.0) == [0] * len(sights)
    turned = [sight if sight[0] < 1 else (sight[0], 580 - (sight[1] - 380), 40.0) for sight in sights]
    assert track(turned, max_gap_s=1.0) == [0] * 7 + [1] * 7


def test_a_face_that_looks_unlike_does_not_end_a_gap() -> None:
    sights = [(0.1 * n, 100 + 20 * n, 40.0) for n in (*range(5), *range(10, 15))]
    for last, tracks in ((0.15, [0] * 10), (0.3, [0] * 5 + [1] * 5)):
        looks = np.linspace(0, 0.1, 10)
        looks[5:] += last - 0.1
        assert track(sights, max_gap_s=1.0, appearance=looks[:, None].__getitem__) == tracks


def test_a_face_of_another_size_does_not_end_a_gap() -> None:
    sights = [(0.1 * k, 100.0, 40.0 if k < 5 else 60.0) for k in range(15) if not 5 <= k < 10]
    assert track(sights, max_gap_s=1.0) == [0] * 5 + [1] * 5


def test_a_gap_that_two_faces_could_end_as_well_stays_open() -> None:
    before = [(0.1 * k, 100.0, 40.0) for k in range(5)]
    after = [(1 + 0.1 * k, x, 40.0) for k in range(5) for x in (85.0, 117.0)]
    assert track(before + after, max_gap_s=1.0) == [0] * 5 + [1, 2] * 5
    alone = [sight for sight in after if sight[1] == 85.0]
    assert track(before + alone, max_gap_s=1.0) == [0] * 10


def test_frames_far_apart_are_followed_as_if_there_were_no_gap() -> None:
    sights = [sight for k in range(4) for sight in ((0.5 * k, 100.0, 40.0), (0.5 * k, 125.0, 40.0))]
    assert track(sights) == [0, 1] * 4


def test_two_faces_that_stop_on_each_other_and_turn_back_are_told_apart_by_their_pictures() -> None:
    meet = [100.0 + 10 * k for k in range(10)] + [195.0] * 3 + [190.0 - 10 * k for k in range(10)]
    sights = [sight for k, x in enumerate(meet) for sight in ((0.1 * k, x, 40.0), (0.1 * k, 400 - x, 40.0))]
    asked: list[int] = []

    def appearance(faces: NDArray[np.int64]) -> NDArray[np.float32]:
        asked.extend(faces.tolist())
        return np.stack([faces % 2, np.ones(len(faces))], axis=1).astype(np.float32)

    blind, seeing = track(sights), track(sights, appearance=appearance)
    assert blind[:2] == [0, 1] and blind[-2:] == [1, 0]
    assert seeing == [0, 1] * len(meet)
    # Only where they touch, beside the last faces before that.
    assert 0 < len(set(asked)) <= 16 and min(asked) > 10 and max(asked) < 2 * len(meet) - 10


@pytest.mark.parametrize(
    ("sequence", "idf1", "mixed"), [("bengal", 0.70, 0.14), ("choke1", 0.39, 0.02), ("street", 0.665, 0.07)]
)
def test_crowds_at_8_frames_a_second(shared_data: Path, sequence: str, idf1: float, mixed: float) -> None:
    # People come back after long absences, which boxes cannot tell: an IDF1 of 1 is out of reach.
    tracks = read_tracks(shared_data / "ltft" / f"{sequence}.txt")
    kept = tracks.frame % 3 == 0
    truth = Tracks(tracks.frame[kept], tracks.identity[kept], tracks.boxes[kept])
    params = TracksParams()
    found = associate(
        truth.frame / 25,
        truth.boxes,
        min_iou=params.min_iou,
        max_gap_s=params.max_gap_s,
        min_faces=params.min_faces,
    )
    scores = score_tracks(truth, truth.renamed(found, nobody=DROPPED))
    assert scores.idf1 > idf1 and scores.mixed < mixed


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_pairs_are_those_of_the_assignment_problem(share: float) -> None:
    random = np.random.default_rng(0)
    for rows, columns in [(1, 1), (0, 2), (3, 3), (2, 5), (6, 4)] * 20:
        allowed, cost = random.random((rows, columns)) < share, random.random((rows, columns))
        best = linear_sum_assignment(np.where(allowed, cost, 1e3))
        expected = [pair for pair in zip(*(side.tolist() for side in best), strict=True) if allowed[pair]]
        assert _one_to_one(allowed, cost) == expected
