from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from fercli.corpus.likeness import find_alike
from fercli.corpus.manifest import Clip
from fercli.corpus.splits import LEFT_OUT, TEST, TRAIN, VALID, assign, without_doubles
from tests.corpus.corpora import clip


def some(video: int, person: str = "Ross", seconds: int = 1) -> Clip:
    name = f"{video}{person}{seconds}"
    return clip(Path(f"{video}.mp4"), 0, 25 * seconds, name, person=person, sha256=f"{video:064}")


@pytest.mark.parametrize("by", ["video", "person"])
def test_no_two_splits_share_a_video_or_a_person(by: str) -> None:
    clips = [some(video, f"Person {number}") for video in range(20) for number in range(20)]
    splits: dict[str, set[str]] = defaultdict(set)
    for one in assign(clips, by):
        splits[one.sha256 if by == "video" else one.person].add(one.split)
    assert all(len(found) == 1 for found in splits.values())
    sizes = {name: sum(found == {name} for found in splits.values()) for name in (TRAIN, VALID, TEST)}
    assert sizes == {TRAIN: 14, VALID: 3, TEST: 3}


def test_both_keeps_together_what_shares_either() -> None:
    clips = [some(1, "Ross"), some(1, "Monica"), some(2, "Monica"), some(3, "Joey"), some(4, "Phoebe")]
    split = [one.split for one in assign(clips, "both")]
    assert split[0] == split[1] == split[2] == TRAIN
    assert sorted(split[3:]) == [TEST, VALID]


def test_few_groups_fill_train_then_test() -> None:
    assert [one.split for one in assign([some(1), some(1, "Joey")], "video")] == [TRAIN, TRAIN]
    assert [one.split for one in assign([some(1, seconds=9), some(2)], "video")] == [TRAIN, TEST]
    assert sorted(one.split for one in assign([some(1), some(2), some(3)], "video")) == sorted([TRAIN, TEST, VALID])


def test_clips_with_the_same_pictures_as_another_split_are_left_out() -> None:
    clips = assign([some(1, seconds=9), some(2), some(3, seconds=2)], "video")
    by_split = {one.split: one.id for one in clips}
    looks = {
        by_split[TRAIN]: np.array([[0.0, 0.0], [1.0, 0.0]], np.float32),
        by_split[VALID]: np.array([[5.0, 5.0]], np.float32),
        by_split[TEST]: np.array([[1.05, 0.0], [0.0, 0.1]], np.float32),
    }
    found, alike = without_doubles(clips, looks)
    assert {one.split for one in found if one.id == by_split[TEST]} == {LEFT_OUT}
    assert [(one.first, one.second) for one in alike] == [(by_split[TEST], by_split[TRAIN])]
    assert alike[0].distance == pytest.approx(0.075)
    assert find_alike(["x"], [by_split[TRAIN]], looks) == [] and find_alike([by_split[TEST]], [], looks) == []
