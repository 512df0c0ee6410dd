"""Dealing samples out: shares, subjects on one side only, the set's own splits respected."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from fercli.learn.datasets.samples import Sample
from fercli.learn.datasets.splits import SHARES, VALID_SHARE, assign_splits


def samples(count: int, *, subjects: int = 0, split: str = "") -> list[Sample]:
    return [
        Sample((Path(f"set/{split}{n}.jpg"),), "anger", split, f"s{n % subjects}" if subjects else "")
        for n in range(count)
    ]


def counts(dealt: list[Sample]) -> Counter[str]:
    return Counter(sample.split for sample in dealt)


def test_a_set_without_splits_is_dealt_out_by_shares() -> None:
    assert counts(assign_splits(samples(1000))) == {name: round(1000 * share) for name, share in SHARES.items()}


def test_samples_stay_in_order_and_are_otherwise_untouched() -> None:
    before = samples(50, subjects=7)
    after = assign_splits(before)
    assert [replace(sample, split="") for sample in after] == before


@pytest.mark.parametrize("subjects", [3, 10, 40])
def test_no_subject_is_on_two_sides(subjects: int) -> None:
    dealt = assign_splits(samples(400, subjects=subjects))
    homes = {(sample.subject, sample.split) for sample in dealt}
    assert len(homes) == subjects
    assert set(counts(dealt)) == set(SHARES)


def test_the_deal_depends_on_names_only() -> None:
    forward = {sample.frames: sample.split for sample in assign_splits(samples(100))}
    backward = {sample.frames: sample.split for sample in assign_splits(samples(100)[::-1])}
    assert forward == backward
    elsewhere = [replace(s, frames=(Path("/other/place") / s.frames[0],)) for s in samples(100)]
    assert [s.split for s in assign_splits(elsewhere)] == [s.split for s in assign_splits(samples(100))]


@pytest.mark.parametrize("subjects", [3, 6, 10, 40])
def test_who_tested_an_older_model_does_not_train_a_newer_one(subjects: int) -> None:
    """Somebody is added: who was there may move to a neighbouring split, but never from one end to the other."""
    before = samples(20 * subjects, subjects=subjects)
    sides = {sample.subject: sample.split for sample in assign_splits(before)}
    for newcomer in (f"new{n}" for n in range(30)):
        added = [replace(sample, subject=newcomer) for sample in before[:20]]
        after = {sample.subject: sample.split for sample in assign_splits([*added, *before])}
        assert not [name for name in sides if {sides[name], after[name]} == {"train", "test"}]


def test_whoever_has_most_samples_leaves_the_others_a_place() -> None:
    often = [replace(sample, subject="Ross") for sample in samples(90)]
    dealt = {sample.subject: sample.split for sample in assign_splits(often + samples(10, subjects=2))}
    assert len(dealt) == 3 and set(dealt.values()) == set(SHARES)


@pytest.mark.parametrize(("subjects", "split"), [(1, {"train"}), (2, {"train", "valid"})])
def test_too_few_subjects_leave_a_split_empty(subjects: int, split: set[str]) -> None:
    assert set(counts(assign_splits(samples(30, subjects=subjects)))) == split


def test_subjects_of_uneven_size_are_cut_as_near_to_the_shares_as_their_sizes_allow() -> None:
    uneven = [replace(sample, subject=f"s{n % 50 % (n % 7 + 20)}") for n, sample in enumerate(samples(1000))]
    largest = max(Counter(sample.subject for sample in uneven).values())
    found = counts(assign_splits(uneven))
    for name, share in SHARES.items():
        assert abs(found[name] - 1000 * share) <= largest


def test_train_without_validation_gives_some_away() -> None:
    dealt = assign_splits(samples(200, split="train") + samples(30, split="test"))
    assert counts(dealt) == {"train": round(200 * (1 - VALID_SHARE)), "valid": round(200 * VALID_SHARE), "test": 30}


def test_validation_without_test_is_what_is_reported_on() -> None:
    dealt = assign_splits(samples(200, split="train") + samples(30, split="valid"))
    assert counts(dealt) == {"train": 180, "valid": 20, "test": 30}
    assert all(sample.split == "test" for sample in dealt[200:])


def test_three_official_splits_are_kept() -> None:
    given = samples(20, split="train") + samples(5, split="valid") + samples(7, split="test")
    assert assign_splits(given) == given


def test_a_lone_test_split_stays_whole() -> None:
    given = samples(9, split="test")
    assert assign_splits(given) == given
