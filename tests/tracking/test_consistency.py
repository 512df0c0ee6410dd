from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.tracking.association import DROPPED
from fercli.tracking.consistency import Checked, check_tracks
from fercli.tracking.faces import Faces

INTERVAL_S = 0.1


class Cast:
    """Embeds face n as person `who[n]`: persons are 0.8 apart, pictures of one about 0.3."""

    def __init__(self, who: list[int], noise: float = 0.3) -> None:
        random = np.random.default_rng(0)
        self._persons = np.eye(128, dtype=np.float32)[: max(who) + 1] * 0.8 / np.sqrt(2)
        self._noise = random.normal(0, noise / np.sqrt(2 * 128), (len(who), 128)).astype(np.float32)
        self._who = who
        self.asked = 0
        self.rounds = 0

    def __call__(self, faces: NDArray[np.int64]) -> NDArray[np.float32]:
        assert (np.diff(faces) > 0).all()
        self.asked += len(faces)
        self.rounds += 1
        return np.stack([self._persons[self._who[face]] + self._noise[face] for face in faces.tolist()])


def faces_in_a_row(times: NDArray[np.float64], usable: NDArray[np.bool_] | None = None) -> Faces:
    count = len(times)
    good = np.ones(count, bool) if usable is None else usable
    return Faces(
        frame=np.arange(count, dtype=np.int32),
        shot=np.zeros(count, np.int32),
        pts_s=times,
        boxes=np.tile(np.array([0, 0, 80, 100], np.float32), (count, 1)),
        usable=good,
        quality=good.astype(np.float64),
        end_s=times + INTERVAL_S,
        until_s=times,
        frames_in_shot={0: count},
        interval_s=INTERVAL_S,
    )


def check(who: list[int], usable: list[bool] | None = None, noise: float = 0.3) -> tuple[Checked, Cast]:
    cast = Cast(who, noise)
    faces = faces_in_a_row(np.arange(float(len(who))) * INTERVAL_S, None if usable is None else np.array(usable))
    return check_tracks(faces, np.zeros(len(who), np.int32), 3, cast), cast


@pytest.mark.parametrize("first", [3, 7, 30, 50, 75])
def test_a_track_is_split_exactly_where_another_person_goes_on(first: int) -> None:
    checked, _ = check([0] * first + [1] * (100 - first))
    assert checked.owner.tolist() == [0] * first + [1] * (100 - first)
    assert checked.doubt == {}


def test_short_tracks_too() -> None:
    assert check([0] * 4 + [1] * 4)[0].owner.tolist() == [0] * 4 + [1] * 4


def test_two_changes_make_three_tracks() -> None:
    assert check([0] * 30 + [1] * 30 + [2] * 40)[0].owner.tolist() == [0] * 30 + [1] * 30 + [2] * 40
    assert check([0] * 40 + [1] * 40 + [0] * 40)[0].owner.tolist() == [0] * 40 + [1] * 40 + [2] * 40


@pytest.mark.parametrize("noise", [0.1, 0.3, 0.5])
def test_one_person_is_never_split_nor_doubted(noise: float) -> None:
    checked, _ = check([0] * 300, noise=noise)
    assert set(checked.owner.tolist()) == {0} and checked.doubt == {}


def test_too_few_good_faces_on_one_side_are_doubt_and_no_split() -> None:
    checked, _ = check([0] * 20 + [1] * 20, usable=[True] * 20 + [False] * 18 + [True, True])
    assert set(checked.owner.tolist()) == {0}
    assert checked.doubt == {0: pytest.approx(0.85, abs=0.1)}


def test_a_single_odd_face_is_no_change() -> None:
    checked, _ = check([0] * 20 + [1] + [0] * 20)
    assert set(checked.owner.tolist()) == {0} and checked.doubt == {}


def test_among_faces_that_cannot_be_told_the_longest_gap_is_the_place() -> None:
    who = [0] * 20 + [1] * 20
    usable = np.array([True] * 17 + [False] * 6 + [True] * 17)
    times = np.arange(40.0) * INTERVAL_S
    times[21:] += 0.5
    checked = check_tracks(faces_in_a_row(times, usable), np.zeros(40, np.int32), 3, Cast(who))
    assert checked.owner.tolist() == [0] * 21 + [1] * 19


def test_tracks_side_by_side_keep_apart_and_are_numbered_by_first_appearance() -> None:
    # Faces 0, 2, 4 ... are one track, 1, 3, 5 ... the other, in which the person changes.
    who = [0 if n % 2 == 0 else (1 if n < 41 else 2) for n in range(80)]
    owner = np.array([n % 2 for n in range(80)], np.int32)
    owner[78:] = DROPPED
    checked = check_tracks(faces_in_a_row(np.arange(80) * INTERVAL_S / 2), owner, 3, Cast(who))
    assert checked.owner.tolist() == [who[n] if n < 78 else DROPPED for n in range(80)]


@pytest.mark.parametrize(("seconds", "most"), [(0.4, 2), (2, 5), (7, 5), (20, 7), (600, 13), (6000, 13)])
def test_how_many_faces_of_an_ordinary_track_are_looked_at(seconds: float, most: int) -> None:
    _, cast = check([0] * round(seconds / INTERVAL_S))
    assert cast.asked <= most and cast.rounds == 1


def test_how_many_more_a_change_costs() -> None:
    _, cast = check([0] * 30_000 + [1] * 30_000)
    assert cast.asked <= 13 + 16 + 12 and cast.rounds <= 18


def test_no_tracks_and_no_good_faces() -> None:
    none = check_tracks(faces_in_a_row(np.zeros(0)), np.zeros(0, np.int32), 3, Cast([0]))
    assert none.owner.tolist() == [] and none.doubt == {}
    assert check([0] * 5, usable=[False] * 5)[0].owner.tolist() == [0] * 5
    assert check([0] * 5, usable=[True] + [False] * 4)[0].owner.tolist() == [0] * 5
