"""No person is in two parts, and with folds each is tested once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from examples.make_stories import stories
from fercli.errors import ConfigError, DatasetError
from fercli.learn.sequences.folds import EACH, Parts, split_up
from fercli.learn.sequences.series import Series
from tests.learn.sequences.made import data_of


def _all(parts: Parts) -> list[Series]:
    return [*parts.train, *parts.valid, *parts.test]


def _persons(series: tuple[Series, ...]) -> set[str]:
    return {one.person for one in series}


def test_the_splits_of_the_set_are_kept() -> None:
    series = data_of(stories(20, steps=10)).series
    (parts,) = split_up(series, "")
    assert [len(part) for part in (parts.train, parts.valid, parts.test)] == [12, 4, 4]
    assert all(one.split == "test" for one in parts.test)


@pytest.mark.parametrize("folds", ["3", "5", EACH])
def test_each_person_is_tested_once(folds: str) -> None:
    series = data_of(stories(20, steps=10)).series
    found = split_up(series, folds)
    assert len(found) == (10 if folds == EACH else int(folds))
    tested = [one.video for parts in found for one in parts.test]
    assert sorted(tested) == sorted(one.video for one in series)
    for parts in found:
        assert len(_all(parts)) == len(series)
        assert not _persons(parts.train) & _persons(parts.valid)
        assert not _persons(parts.test) & (_persons(parts.train) | _persons(parts.valid))
    assert len({parts.name for parts in found}) == len(found)


def test_a_set_without_splits_is_dealt_out_by_person() -> None:
    series = [replace(one, split="") for one in data_of(stories(40, steps=10)).series]
    (parts,) = split_up(series, "")
    assert [len(_persons(part)) for part in (parts.train, parts.valid, parts.test)] == [14, 3, 3]
    assert not _persons(parts.train) & _persons(parts.test)
    again = split_up(series[::-1], "")
    assert _persons(again[0].test) == _persons(parts.test)


def test_a_set_without_a_test_part_is_tested_on_its_valid_part() -> None:
    series = [
        replace(one, split=one.split if one.split == "valid" else "train")
        for one in data_of(stories(40, steps=9)).series
    ]
    (parts,) = split_up(series, "")
    assert all(one.split == "valid" for one in parts.test)
    assert parts.valid
    assert not _persons(parts.train) & _persons(parts.valid)


@pytest.mark.parametrize("folds", ["2", "99", "x", "-3"])
def test_what_is_no_number_of_folds(folds: str) -> None:
    with pytest.raises(ConfigError) as caught:
        split_up(data_of(stories(20, steps=10)).series, folds)
    assert caught.value.code == "option-out-of-range"


def test_too_few_persons() -> None:
    with pytest.raises(DatasetError) as caught:
        split_up(data_of(stories(2, steps=10)).series, "")
    assert caught.value.code == "labels-missing"
    with pytest.raises(ConfigError):
        split_up(data_of(stories(4, steps=10)).series, EACH)
