"""Who is shown with edits applied, also after `track` was run again with other settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercli.edits.apply import Applied, Effect, Manual, TrackIdentity, apply
from fercli.edits.edit import Anchor, Edit
from fercli.edits.log import Log, append
from fercli.edits.state import State, read_state
from fercli.errors import CorruptTable
from fercli.persons.names import is_numbered, next_free_name
from fercli.workspace import Workspace
from tests.edits.film import PERSONS, make_film, track_again


@pytest.fixture
def film(tmp_path: Path) -> Workspace:
    return make_film(tmp_path / "film.fercli")


def stored(score: float) -> float:
    """As it comes back from a table, float32."""
    return float(np.float32(score))


def at(left: float, time_s: float) -> Anchor:
    """A face of the film: those of tracks 0 and 2 have the left edge 100, of 1 and 3 400, of 4 250."""
    return Anchor(time_s, (left, 50.0, left + 80, 150.0))


ZERO, ONE, TWO, THREE, FOUR = at(100, 0.2), at(400, 0.2), at(100, 3.2), at(400, 3.2), at(250, 5.2)
"""A face of each track."""


def edit(kind: str, *anchors: Anchor, **values: Any) -> Edit:
    return Edit(kind, "me", "2026-11-25T14:03:00Z", anchors, **values)


def rename(anchor: Anchor, person: str, to: str) -> Edit:
    return edit("rename", anchor, person=person, to=to)


def split(anchor: Anchor, person: str, to: str, **values: Any) -> Edit:
    return edit("split", anchor, person=person, to=to, **values)


def state(film: Workspace, *edits: Edit) -> State:
    append(film, edits)
    return read_state(film)


def names(found: State) -> dict[int, str | None]:
    return {track: identity.name for track, identity in found.tracks.items()}


def test_without_edits_it_is_the_prediction(film: Workspace) -> None:
    found = read_state(film)
    assert found.tracks[0] == TrackIdentity("Person 1", "machine", False, stored(0.9), "Person 1")
    assert found.tracks[4] == TrackIdentity(None, "machine", False, None, None)
    assert (found.problems, found.names) == ([], {"Person 1", "Person 2", "Person 3"})


def test_a_renamed_person_keeps_the_predicted_identity(film: Workspace) -> None:
    found = state(film, rename(ZERO, "Person 1", "Ross"))
    assert found.tracks[2] == TrackIdentity("Ross", "human", False, stored(0.4), "Person 1")
    assert found.tracks[1].source == "machine"


def test_two_of_one_name_are_one(film: Workspace) -> None:
    found = state(film, rename(ZERO, "Person 1", "Ross"), rename(THREE, "Person 3", "Ross"))
    assert names(found) == {0: "Ross", 1: "Person 2", 2: "Ross", 3: "Ross", 4: None}


def test_a_track_is_its_own_and_surely_so(film: Workspace) -> None:
    found = state(film, edit("ignore", ZERO, person="Person 1"), split(TWO, "Person 1", "Rachel"))
    assert found.tracks[2] == TrackIdentity("Rachel", "human", False, 1.0, "Person 1", alone=True)
    assert found.tracks[0] == TrackIdentity("Person 1", "human", True, stored(0.9), "Person 1")


def test_a_track_of_no_person_known_can_be_named(film: Workspace) -> None:
    found = state(film, split(FOUR, "Unassigned", "Gunther"))
    assert found.tracks[4] == TrackIdentity("Gunther", "human", False, 1.0, None, alone=True)


def test_of_no_person_known_only_the_track_at_the_anchor_is_meant(film: Workspace) -> None:
    track_again(film, {**PERSONS, 1: (None, None)})
    assert names(state(film, rename(ONE, "Person 2", "Ross"))) == {
        0: "Person 1",
        1: "Ross",
        2: "Person 1",
        3: "Person 3",
        4: None,
    }


def test_what_is_gone_is_reported_and_not_applied(film: Workspace) -> None:
    track_again(film, {track: PERSONS[track] for track in (0, 2)})
    found = state(
        film,
        rename(ONE, "Person 2", "Ross"),
        split(THREE, "Person 3", "Joey"),
        edit("merge", FOUR, ONE, persons=("A", "B"), to="A"),
        edit("ignore", person="Unassigned"),
        edit("rename", person="Narrator", to="Zoë"),
    )
    assert [problem.split(":")[1] for problem in found.problems if "not applied: " in problem] == list("12345")
    assert {effect.state for effect in found.applied.effects.values()} == {"not placed"}
    assert found.names == {"Person 1"}


NUMBERED_ANEW = {
    0: ("Person 2", 0.9),
    1: ("Person 1", 0.8),
    2: ("Person 2", 0.4),
    3: ("Person 3", 0.7),
    4: (None, None),
}


def test_a_face_is_found_again_under_another_number(film: Workspace) -> None:
    found = state(film, rename(ZERO, "Person 1", "Ross"), split(THREE, "Person 3", "Rachel"))
    assert names(found) == {0: "Ross", 1: "Person 2", 2: "Ross", 3: "Rachel", 4: None}
    track_again(film, NUMBERED_ANEW, numbers={0: 4, 1: 3, 2: 2, 3: 1, 4: 0})
    assert names(read_state(film)) == {4: "Ross", 3: "Person 1", 2: "Ross", 1: "Rachel", 0: None}
    assert read_state(film).problems == []


@pytest.mark.parametrize("anchor", [at(59, 0.2), at(100, 2.0)], ids=["beside the box", "between two shots"])
def test_a_face_that_is_not_there_leaves_it_to_the_name_if_that_is_not_on_screen_either(
    film: Workspace, anchor: Anchor
) -> None:
    found = state(film, rename(anchor, "Person 3", "Ross"))
    (problem,) = found.problems
    assert problem.startswith("edits.jsonl:1: not applied: there is no face at") and "'Person 3' is not on" in problem
    assert "Ross" not in found.names


def test_a_face_that_is_not_there_leaves_it_to_the_name_that_is_on_screen(film: Workspace) -> None:
    found = state(film, rename(at(59, 0.2), "Person 1", "Ross"))
    assert found.tracks[0].name == found.tracks[2].name == "Ross"
    assert found.problems == [
        "edits.jsonl:1: there is no face at 0.2 s, (99, 100) any more; applied to 'Person 1', who is on screen then"
    ]


@pytest.mark.parametrize(
    ("anchor", "placed"), [(at(250, 5.85), False), (at(400, 0.24), True), (at(400, -0.4), True), (at(400, -0.6), False)]
)
def test_the_nearest_sampled_frame_counts_up_to_half_a_second(film: Workspace, anchor: Anchor, placed: bool) -> None:
    found = state(film, rename(anchor, "Person 9", "Ross"))
    assert ("Ross" in found.names) == placed == (not found.problems)


def test_a_merge_holds_when_the_numbers_have_changed(film: Workspace) -> None:
    found = state(film, edit("merge", ZERO, THREE, persons=("Person 1", "Person 3"), to="Person 1"))
    assert names(found) == {0: "Person 1", 1: "Person 2", 2: "Person 1", 3: "Person 1", 4: None}
    track_again(film, NUMBERED_ANEW)
    # Track 1, which is predicted as Person 1 now, is not drawn into the merge.
    found = read_state(film)
    assert names(found) == {0: "Person 1", 1: "Person 4", 2: "Person 1", 3: "Person 1", 4: None}
    assert found.problems == []


def test_a_merge_of_whom_one_is_gone_is_applied_to_the_others(film: Workspace) -> None:
    found = state(film, edit("merge", ZERO, at(900, 0.2), THREE, persons=("Person 1", "X", "Person 3"), to="Person 1"))
    assert names(found)[3] == "Person 1" and "not applied to 'X'" in found.problems[0]
    assert found.applied.effects[1].state == "applied"


def test_a_number_given_by_hand_is_not_the_next_predicted_person(film: Workspace) -> None:
    append(film, [split(TWO, "Person 1", "Person 4")])
    track_again(film, {**PERSONS, 3: ("Person 4", 0.9)})
    found = read_state(film)
    assert (found.tracks[2].name, found.tracks[3].name) == ("Person 4", "Person 5")
    assert found.problems == [
        "edits.jsonl:1: 'Person 4' is another person here, so the predicted 'Person 4' is renamed 'Person 5'"
    ]


def test_who_is_moved_aside_can_be_renamed_by_the_face(film: Workspace) -> None:
    found = state(film, split(TWO, "Person 1", "Person 2"), rename(ONE, "Person 4", "Rachel"))
    assert names(found) == {0: "Person 1", 1: "Rachel", 2: "Person 2", 3: "Person 3", 4: None}


def test_who_is_moved_aside_keeps_the_number_when_edits_mention_it(film: Workspace) -> None:
    found = state(film, split(TWO, "Person 1", "Person 2"), edit("ignore", ONE, person="Person 4"))
    assert (found.tracks[1].name, found.tracks[1].ignored) == ("Person 4", True)


def test_a_name_of_the_gallery_joins_the_same_name_given_by_hand(film: Workspace) -> None:
    append(film, [rename(ONE, "Person 2", "Ross")])
    track_again(film, {**PERSONS, 0: ("Ross", 0.9), 2: ("Ross", 0.9)})
    assert names(read_state(film)) == {0: "Ross", 1: "Ross", 2: "Ross", 3: "Person 3", 4: None}


def test_of_two_names_for_one_person_the_later_counts_and_the_other_is_said_to_be_overridden(film: Workspace) -> None:
    found = state(film, rename(ZERO, "Person 1", "Ross"), rename(TWO, "Person 5", "Bob"))
    assert found.tracks[0].name == found.tracks[2].name == "Bob"
    assert [found.applied.effects[number].state for number in (1, 2)] == ["overridden", "applied"]


def test_an_edit_says_what_it_does(film: Workspace) -> None:
    found = state(
        film,
        rename(ZERO, "Person 1", "Ross"),
        edit("ignore", THREE, person="Person 3"),
        edit("set-emotion", ONE, person="Person 2", start_ms=0, end_ms=1000, emotion="sadness"),
        edit("clear", ONE, person="Person 2", start_ms=0, end_ms=2000),
        edit("undo", of=2),
    )
    assert found.applied.effects == {
        1: Effect("applied", "Ross, tracks 0, 2"),
        2: Effect("undone"),
        3: Effect("overridden", "later edits changed the same"),
        4: Effect("applied", "Person 2, 0 to 2 s"),
        5: Effect("applied", "edit 2 is undone"),
    }


def emotion(
    anchor: Anchor | None, person: str, start: int, end: int, name: str | None = "sadness", **more: Any
) -> Edit:
    at = () if anchor is None else (anchor,)
    kind = "clear" if name is None else "set-emotion"
    return edit(kind, *at, person=person, start_ms=start, end_ms=end, emotion=name, **more)


def test_a_later_annotation_takes_the_place_of_an_earlier_one_of_the_same_person(film: Workspace) -> None:
    found = state(
        film,
        emotion(ZERO, "Person 1", 0, 4000),
        emotion(ONE, "Person 2", 0, 4000),
        emotion(TWO, "Person 1", 1000, 2000, "anger"),
        emotion(ZERO, "Person 1", 1500, 1700, None),
        emotion(ZERO, "Person 1", 3500, 5000, "not assessable"),
    )
    assert found.manual == [
        Manual("Person 1", 0, 1000, "sadness"),
        Manual("Person 1", 2000, 3500, "sadness"),
        Manual("Person 2", 0, 4000, "sadness"),
        Manual("Person 1", 1000, 1500, "anger"),
        Manual("Person 1", 1700, 2000, "anger"),
        Manual("Person 1", 1500, 1700, None),
        Manual("Person 1", 3500, 5000, "not assessable"),
    ]


def test_in_a_split_screen_two_annotations_stand_beside_each_other(film: Workspace) -> None:
    found = state(film, emotion(ZERO, "Person 1", 0, 4000), emotion(ZERO, "Person 1", 0, 3000, "anger", beside=True))
    assert [(one.emotion, one.start_ms, one.end_ms) for one in found.manual] == [
        ("sadness", 0, 4000),
        ("anger", 0, 3000),
    ]


def test_an_annotation_follows_the_face_and_the_name_counts_where_there_is_none(film: Workspace) -> None:
    append(film, [emotion(ZERO, "Person 1", 0, 500), emotion(FOUR, "Unassigned", 0, 500), emotion(None, "Tag", 0, 9)])
    track_again(film, NUMBERED_ANEW)
    found = read_state(film)
    assert [one.person for one in found.manual] == ["Person 2", "Unassigned", "Tag"] and found.problems == []


@pytest.mark.parametrize(("person", "kept"), [("Ross", True), ("Unassigned", True), ("Person 3", False)])
def test_an_annotation_whose_face_is_gone_stays_with_a_name_but_not_with_a_number(
    film: Workspace, person: str, kept: bool
) -> None:
    found = state(film, emotion(at(900, 0.2), person, 0, 500))
    assert [one.person for one in found.manual] == ([person] if kept else [])
    (problem,) = found.problems
    assert problem.startswith("edits.jsonl:1: ") and ("not applied" in problem) == (not kept)


def test_annotations_of_who_is_left_out_are_left_out(film: Workspace) -> None:
    found = state(film, emotion(ONE, "Person 2", 0, 4000), edit("ignore", ONE, person="Person 2"))
    assert found.manual == [] and len(found.applied.manual) == 1
    found = state(film, emotion(FOUR, "Unassigned", 0, 4000), edit("ignore", person="Unassigned"))
    assert found.manual == []


def test_a_damaged_table_is_named(film: Workspace) -> None:
    append(film, [rename(ZERO, "Person 1", "Ross")])
    film.table("faces").write_bytes(b"rubbish")
    with pytest.raises(CorruptTable, match=r"faces\.parquet"):
        read_state(film)


def test_the_next_free_number_is_above_all_others() -> None:
    assert next_free_name([]) == "Person 1"
    assert next_free_name(["Person 2", "Unknown 7", "Ross", "Person 3b", "Person"]) == "Person 8"


def test_names_that_only_count_are_told_from_names() -> None:
    assert [is_numbered(name) for name in ("Person 12", "Unknown 3", "person3", "UNKNOWN 03")] == [True] * 4
    assert not any(is_numbered(name) for name in ("Ross", "Person", "Person 1b", "My Person 1", "Person 1 (a waiter)"))


# Any log at all

ROWS = [
    {"track": track, "person": person, "start_s": float(track), "end_s": track + 2.0, "identity": identity}
    for track, (person, identity) in PERSONS.items()
]
FOUND = {ZERO: 0, ONE: 1, TWO: 2, THREE: 3, FOUR: 4, at(900, 1.0): 99}
_ANCHOR = st.sampled_from([*FOUND, at(950, 2.0)])
_NAME = st.sampled_from(["Ross", "Rachel", "Person 1", "Person 2", "Person 4", "Tag"])
_WHO = st.one_of(_NAME, st.just("Unassigned"))
_MS = st.integers(0, 20)


def _one(kind: str, **values: Any) -> st.SearchStrategy[Edit]:
    return st.builds(Edit, st.just(kind), st.just("me"), st.just("2026-11-25T14:03:00Z"), **values)


_AT = _ANCHOR.map(lambda anchor: (anchor,))
_MAYBE = st.one_of(st.just(()), _AT)
_STRETCH = {"at": _MAYBE, "person": _WHO, "start_ms": _MS, "end_ms": st.integers(21, 40)}
_EDIT = st.one_of(
    _one("rename", at=_MAYBE, person=_NAME, to=_NAME),
    st.integers(1, 3).flatmap(
        lambda n: _one(
            "merge",
            at=st.tuples(*[_ANCHOR] * n),
            persons=st.tuples(*[_NAME] * n),
            to=_NAME,
        )
    ),
    _one(
        "split",
        at=st.lists(_ANCHOR, min_size=1, max_size=3).map(tuple),
        person=_WHO,
        to=_NAME,
        rest=st.none() | _ANCHOR,
        joins=st.none() | _ANCHOR,
    ),
    _one("ignore", at=_MAYBE, person=_WHO),
    _one("restore", at=_MAYBE, person=_WHO),
    _one("set-emotion", **_STRETCH, emotion=st.sampled_from(["sadness", "anger"]), beside=st.booleans()),
    _one("clear", **_STRETCH),
    _one("undo", of=st.integers(1, 12)),
)


def numbered(edits: Sequence[Edit]) -> Log:
    kept = [Edit(**{**vars(one), "number": place}) for place, one in enumerate(edits, start=1)]
    return Log(tuple(one for one in kept if not one.of or one.of < one.number), {}, len(kept))


def run(edits: Sequence[Edit]) -> Applied:
    return apply(ROWS, numbered(edits), FOUND)


@settings(max_examples=300, deadline=None)
@given(st.lists(_EDIT, max_size=12))
def test_any_log_can_be_applied_and_always_to_the_same(edits: list[Edit]) -> None:
    found = run(edits)
    assert found == run(edits)
    assert found.tracks.keys() == {0, 1, 2, 3, 4}
    assert found.effects.keys() == {one.number for one in numbered(edits).edits}
    assert all(problem.startswith("edits.jsonl:") for problem in found.problems)
    assert all(one.start_ms < one.end_ms for one in found.manual)
    not_placed = [number for number, effect in found.effects.items() if effect.state == "not placed"]
    reported = {int(problem.split(":")[1]) for problem in found.problems}
    assert reported.issuperset(not_placed)


@settings(max_examples=300, deadline=None)
@given(st.lists(_EDIT, max_size=10), _EDIT.filter(lambda one: not one.of))
def test_undo_of_the_last_edit_is_as_if_it_had_never_been_and_undoing_that_applies_it(
    edits: list[Edit], last: Edit
) -> None:
    number = len(edits) + 1
    undo = Edit("undo", "me", "2026-11-25T14:03:00Z", of=number)
    before, after = run(edits), run([*edits, last])
    undone = run([*edits, last, undo])
    assert (undone.tracks, undone.manual, undone.problems) == (before.tracks, before.manual, before.problems)
    again = run([*edits, last, undo, Edit("undo", "me", "2026-11-25T14:03:00Z", of=number + 1)])
    assert (again.tracks, again.manual, again.problems) == (after.tracks, after.manual, after.problems)
