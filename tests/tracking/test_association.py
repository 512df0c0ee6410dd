from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from fercli.tracking.association import DROPPED, associate

Sight = tuple[float, float, float]
"""Time, centre x, side of the box."""


def track(sights: list[Sight], *, max_gap_s: float = 0.5, min_faces: int = 1) -> list[int]:
    times = np.array([time for time, _, _ in sights])
    boxes = np.array([[x - side / 2, 100 - side / 2, x + side / 2, 100 + side / 2] for _, x, side in sights])
    found = associate(
        times,
        boxes.reshape(-1, 4).astype(np.float32),
        min_iou=0.2,
        max_gap_s=max_gap_s,
        min_faces=min_faces,
    )
    assert found.dtype == np.int32
    return found.tolist()


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
    sights = [(0.0, 500, 40.0)]
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


@pytest.mark.parametrize(("sequence", "least"), [("choke1", 0.99), ("street", 0.93), ("bengal", 0.89)])
def test_crowds_at_8_frames_a_second(shared_data: Path, sequence: str, least: float) -> None:
    times, boxes, truth = _ltft(shared_data / "ltft" / f"{sequence}.txt", every=3)
    found = associate(times, boxes, min_iou=0.2, max_gap_s=0.5, min_faces=3)
    assert _idf1(_split_at_gaps(times, truth, 0.5), found) > least


def _ltft(path: Path, every: int) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.int64]]:
    """Times at 25 frames a second, boxes and identities of every n-th frame."""
    times, boxes, truth = [], [], []
    for line in path.read_text().splitlines()[1:]:
        frame, count, *values = line.split()
        if int(frame) % every:
            continue
        for face in np.array(values, dtype=np.float64).reshape(int(count), 7):
            times.append(int(frame) / 25)
            boxes.append([face[1], face[2], face[1] + face[3], face[2] + face[4]])
            truth.append(int(face[0]))
    return np.array(times), np.array(boxes, dtype=np.float32), np.array(truth)


def _split_at_gaps(times: NDArray[np.float64], truth: NDArray[np.int64], gap_s: float) -> NDArray[np.int64]:
    """Identities that count anew after a gap no tracker of boxes is asked to bridge."""
    split = np.zeros_like(truth)
    last: dict[int, float] = {}
    number: dict[int, int] = {}
    for row, (time, who) in enumerate(zip(times, truth, strict=True)):
        if who not in last or time - last[who] > gap_s + 1e-6:
            number[who] = row
        last[who] = time
        split[row] = number[who]
    return split


def _idf1(truth: NDArray[np.int64], found: NDArray[np.int32]) -> float:
    """Ristani et al. 2016, arXiv 1609.01775: F1 of the faces under the best one-to-one match of identities."""
    kept = found != DROPPED
    people, person = np.unique(truth, return_inverse=True)
    shared = np.zeros((len(people), found.max() + 1), dtype=int)
    np.add.at(shared, (person[kept], found[kept]), 1)
    matched = shared[linear_sum_assignment(-shared)].sum()
    return float(2 * matched / (len(truth) + kept.sum()))
