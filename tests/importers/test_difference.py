"""The difference between shown segments and marks, counted by hand."""

from __future__ import annotations

import pytest

from fercli.edits.apply import Manual
from fercli.errors import DatasetError
from fercli.formats.annotations import Label
from fercli.importers.difference import Difference, Shown, difference
from fercli.importers.renames import find_renames


def one(start: int, end: int, emotion: str = "happiness", person: str = "Ross", *, carried: bool = True) -> Shown:
    return Shown(person, emotion, (start, end), (start, end), carried)


def mark(start: int, end: int, emotion: str = "happiness", person: str = "Ross") -> Label:
    return Label(start, end, emotion, person, place=f"line {start}")


def row(start: int, end: int, emotion: str | None = "happiness") -> Manual:
    return Manual("Ross", start, end, emotion)


def test_two_milliseconds_are_no_difference_and_three_are() -> None:
    assert difference([one(1000, 2000)], [mark(1002, 1998)]) == Difference([], 0, 0, 0)
    found = difference([one(1000, 2000)], [mark(1003, 2000)])
    assert found == Difference([row(1003, 2000), row(1000, 1003, None)], 1, 0, 0)


def test_ends_near_those_of_shown_segments_are_meant_to_be_theirs() -> None:
    found = difference([one(0, 1001), one(1001, 2000, "fear")], [mark(0, 1000), mark(1000, 1999, "anger")])
    assert found == Difference([row(1001, 2000, "anger")], 1, 0, 0)


def test_ends_are_compared_as_the_format_writes_them() -> None:
    shown = Shown("Ross", "happiness", (1013, 1988), (1000, 2000), True)
    assert difference([shown], [mark(1000, 2000)]) == Difference([], 0, 0, 0)
    assert difference([shown], [mark(1000, 1500)]).rows == [row(1013, 1500), row(1500, 1988, None)]


def test_what_the_format_does_not_carry_is_not_missing_from_it() -> None:
    assert difference([one(0, 1000, carried=False)], []) == Difference([], 0, 0, 0)


def test_an_unchanged_segment_at_the_same_time_as_a_change_becomes_a_row_too() -> None:
    shown = [one(0, 1000), one(500, 2000, "fear"), one(3000, 4000)]
    found = difference(shown, [mark(0, 1000, "anger"), mark(500, 2000, "fear"), mark(3000, 4000)])
    assert found == Difference([row(0, 1000, "anger"), row(500, 2000, "fear")], 1, 0, 0)
    assert difference(shown, [mark(0, 1000), mark(3000, 4000)]) == Difference(
        [row(0, 1000), row(1000, 2000, None)], 0, 0, 1
    )


def test_more_at_once_than_is_shown_is_an_overlap() -> None:
    shown = [one(0, 1000), one(500, 2000, "fear")]
    with pytest.raises(DatasetError, match=r"line 600: overlaps another segment of Ross, from 0\.5 to 2 s"):
        difference(shown, [mark(0, 1000), mark(500, 2000, "fear"), mark(600, 700)])
    with pytest.raises(DatasetError, match=r"line 997: overlaps another segment of Ross, from 0 to 1 s"):
        difference([], [mark(0, 1000), mark(997, 2000)])
    assert difference([], [mark(0, 1000), mark(998, 2000)]).added == 2
    assert difference([], [mark(0, 1000), mark(500, 2000, person="Rachel")]).added == 2


def test_a_persons_name_is_new_if_half_of_the_segments_have_the_same_ends() -> None:
    shown = [one(0, 1000), one(1000, 2000, "fear"), one(0, 2000, person="Rachel")]
    rachel = mark(0, 2000, person="Rachel")
    half = [mark(0, 1001, "anger", "Ben"), mark(1100, 2000, "fear", "Ben")]
    assert find_renames(shown, [rachel, *half], {"Ross", "Rachel"}) == {"Ross": "Ben"}
    less = [mark(0, 900, "anger", "Ben"), mark(1000, 1999, "fear", "Ben"), mark(3000, 4000, person="Ben")]
    assert find_renames(shown, [rachel, *less], {"Ross", "Rachel"}) == {}
    assert find_renames(shown, [rachel, *half], {"Ross", "Rachel", "Ben"}) == {}
    assert find_renames(shown, [rachel, mark(5000, 6000), *half], {"Ross", "Rachel"}) == {}


def test_two_new_names_go_to_those_with_the_same_emotions() -> None:
    shown = [one(0, 1000, "fear", "A"), one(0, 1000, "anger", "B")]
    marks = [mark(0, 1000, "anger", "X"), mark(0, 1000, "fear", "Y")]
    assert find_renames(shown, marks, {"A", "B"}) == {"A": "Y", "B": "X"}


def test_tracks_of_no_person_known_are_not_renamed() -> None:
    shown = [one(0, 1000, person="Unassigned")]
    assert find_renames(shown, [mark(0, 1000, person="Ben")], set()) == {}
    assert find_renames([one(0, 1000)], [mark(0, 1000, person="Unassigned")], {"Ross"}) == {}
