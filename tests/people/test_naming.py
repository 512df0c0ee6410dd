"""Who is who with corrections on top, also after `track` was run again with other settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fercli.errors import CorruptTable, InputError
from fercli.people.naming import TrackIdentity, who_is_who
from fercli.persons.names import is_numbered, next_free_name
from fercli.workspace import Workspace
from tests.people.film import PERSONS, correct, make_film, track_again


@pytest.fixture
def film(tmp_path: Path) -> Workspace:
    return make_film(tmp_path / "film.fercli")


def stored(score: float) -> float:
    """As it comes back from a table, float32."""
    return float(np.float32(score))


def names(workspace: Workspace) -> dict[int, str | None]:
    return {track: identity.name for track, identity in who_is_who(workspace).tracks.items()}


def person(was: str, says: str, seen: str = "") -> str:
    return f'[[person]]\nwas = "{was}"\n{says}\n' + (f"seen = {seen}\n" if seen else "")


def test_without_corrections_it_is_what_the_machine_says(film: Workspace) -> None:
    who = who_is_who(film)
    assert who.tracks[0] == TrackIdentity("Person 1", "machine", False, stored(0.9), "Person 1")
    assert who.tracks[4] == TrackIdentity(None, "machine", False, None, None)
    assert (who.problems, who.names) == ([], {"Person 1", "Person 2", "Person 3"})


def test_a_renamed_person_keeps_the_machines_score(film: Workspace) -> None:
    correct(film, person("Person 1", 'name = "Ross"'))
    who = who_is_who(film)
    assert who.tracks[2] == TrackIdentity("Ross", "human", False, stored(0.4), "Person 1")
    assert who.tracks[1].source == "machine"


def test_two_of_one_name_are_one(film: Workspace) -> None:
    correct(film, person("Person 1", 'name = "Ross"') + person("Person 3", 'name = "Ross"'))
    assert names(film) == {0: "Ross", 1: "Person 2", 2: "Ross", 3: "Ross", 4: None}


def test_without_seen_a_number_is_the_machines(film: Workspace) -> None:
    correct(film, person("Person 3", 'name = "Person 1"'))
    assert names(film) == {0: "Person 1", 1: "Person 2", 2: "Person 1", 3: "Person 1", 4: None}
    assert who_is_who(film).problems == []


def test_a_track_is_its_own_and_surely_so(film: Workspace) -> None:
    correct(film, person("Person 1", "ignore = true") + '[[track]]\ntrack = 2\nname = "Rachel"\n')
    who = who_is_who(film)
    assert who.tracks[2] == TrackIdentity("Rachel", "human", False, 1.0, "Person 1")
    assert who.tracks[0] == TrackIdentity("Person 1", "human", True, stored(0.9), "Person 1")


def test_a_track_can_be_ignored_alone_and_a_nobody_named(film: Workspace) -> None:
    correct(film, '[[track]]\ntrack = 0\nignore = true\n[[track]]\ntrack = 4\nname = "Gunther"\n')
    who = who_is_who(film)
    assert [who.tracks[track].ignored for track in range(5)] == [True, False, False, False, False]
    assert who.tracks[4] == TrackIdentity("Gunther", "human", False, 1.0, None)


def test_what_is_gone_is_reported_and_not_applied(film: Workspace) -> None:
    correct(film, person("Person 7", 'name = "Ross"') + '\n[[track]]\ntrack = 99\nname = "Joey"\n')
    who = who_is_who(film)
    assert who.problems == [
        "people.toml:1: not applied: there is no person 'Person 7'",
        "people.toml:5: not applied: there is no track 99",
    ]
    assert "Ross" not in who.names and "Joey" not in who.names


NUMBERED_ANEW = {
    0: ("Person 2", 0.9),
    1: ("Person 1", 0.8),
    2: ("Person 2", 0.4),
    3: ("Person 3", 0.7),
    4: (None, None),
}


def test_a_face_is_found_again_under_another_number(film: Workspace) -> None:
    correct(
        film,
        person("Person 1", 'name = "Ross"', "[0.2, 140, 100]")
        + '[[track]]\ntrack = 3\nname = "Rachel"\nseen = [3.2, 440, 100]\n',
    )
    before = {0: "Ross", 1: "Person 2", 2: "Ross", 3: "Rachel", 4: None}
    assert names(film) == before
    track_again(film, NUMBERED_ANEW, numbers={0: 4, 1: 3, 2: 2, 3: 1, 4: 0})
    assert names(film) == {4: "Ross", 3: "Person 1", 2: "Ross", 1: "Rachel", 0: None}
    assert who_is_who(film).problems == []


@pytest.mark.parametrize("seen", ["[0.2, 99, 100]", "[2.0, 140, 100]"], ids=["beside the box", "between two shots"])
def test_a_face_that_is_not_there_leaves_it_to_the_name_if_that_is_not_on_screen_either(
    film: Workspace, seen: str
) -> None:
    correct(film, person("Person 3", 'name = "Ross"', seen))
    who = who_is_who(film)
    (problem,) = who.problems
    assert (
        problem.startswith("people.toml:1: not applied: no face is seen") and "'Person 3' is not on screen" in problem
    )
    assert "Ross" not in who.names


def test_a_face_that_is_not_there_leaves_it_to_the_name_that_is_on_screen(film: Workspace) -> None:
    correct(film, person("Person 1", 'name = "Ross"', "[0.2, 99, 100]"))
    who = who_is_who(film)
    assert who.tracks[0].name == "Ross"
    assert who.problems == [
        "people.toml:1: no face is seen at 0.2 s, (99, 100) any more; "
        "taken to be about person 'Person 1', on screen then"
    ]


def test_the_nearest_sampled_frame_counts_up_to_half_a_second(film: Workspace) -> None:
    correct(film, person("Person 9", 'name = "Ross"', "[5.85, 290, 100]"))
    assert "not applied" in who_is_who(film).problems[0]  # frame 58 or 59 is near, and nobody is in it
    correct(film, person("Person 9", 'name = "Ross"', "[0.24, 440, 100]"))
    assert names(film)[1] == "Ross"
    correct(film, person("Person 9", 'name = "Ross"', "[-0.4, 440, 100]"))
    assert names(film)[1] == "Ross"
    correct(film, person("Person 9", 'name = "Ross"', "[-0.6, 440, 100]"))
    assert "not applied" in who_is_who(film).problems[0]


def test_a_merge_holds_when_the_numbers_have_changed(film: Workspace) -> None:
    correct(
        film,
        person("Person 3", 'name = "Person 1"', "[3.2, 440, 100]")
        + person("Person 1", 'name = "Person 1"', "[0.2, 140, 100]"),
    )
    assert names(film) == {0: "Person 1", 1: "Person 2", 2: "Person 1", 3: "Person 1", 4: None}
    track_again(film, NUMBERED_ANEW)
    # Track 1, whom the machine calls Person 1 now, is not drawn into the merge.
    assert names(film) == {0: "Person 1", 1: "Person 4", 2: "Person 1", 3: "Person 1", 4: None}
    assert who_is_who(film).problems == []


def test_a_number_given_by_hand_is_not_the_machines_next_person(film: Workspace) -> None:
    correct(film, '[[track]]\ntrack = 2\nname = "Person 4"\nseen = [3.2, 140, 100]\n')
    track_again(film, {**PERSONS, 3: ("Person 4", 0.9)})
    who = who_is_who(film)
    assert (who.tracks[2].name, who.tracks[3].name) == ("Person 4", "Person 5")
    assert who.problems == [
        "people.toml:1: 'Person 4' is somebody's name here, so whom `track` calls so is shown as 'Person 5'"
    ]


def test_a_name_of_the_gallery_joins_the_same_name_given_by_hand(film: Workspace) -> None:
    correct(film, person("Person 2", 'name = "Ross"', "[0.2, 440, 100]"))
    track_again(film, {**PERSONS, 0: ("Ross", 0.9), 2: ("Ross", 0.9)})
    assert names(film) == {0: "Ross", 1: "Ross", 2: "Ross", 3: "Person 3", 4: None}


def test_of_two_names_for_one_person_the_first_counts_and_the_other_is_reported(film: Workspace) -> None:
    correct(
        film,
        person("Person 1", 'name = "Ross"', "[0.2, 140, 100]") + person("Person 5", 'name = "Bob"', "[3.2, 140, 100]"),
    )
    who = who_is_who(film)
    assert who.tracks[0].name == who.tracks[2].name == "Ross"
    assert who.problems == ["people.toml:5: not applied: line 1 is about person 'Person 1' too; keep one of the two"]


def test_an_error_in_the_file_is_not_taken_for_no_correction(film: Workspace) -> None:
    correct(film, "[[person]]\n")
    with pytest.raises(InputError, match=r"people\.toml:1"):
        who_is_who(film)


def test_a_damaged_table_is_named(film: Workspace) -> None:
    correct(film, person("Person 1", 'name = "Ross"', "[0.2, 140, 100]"))
    film.table("faces").write_bytes(b"rubbish")
    with pytest.raises(CorruptTable, match=r"faces\.parquet"):
        who_is_who(film)


def test_the_next_free_number_is_above_all_others() -> None:
    assert next_free_name([]) == "Person 1"
    assert next_free_name(["Person 2", "Unknown 7", "Ross", "Person 3b", "Person"]) == "Person 8"


def test_names_that_only_count_are_told_from_names() -> None:
    assert [is_numbered(name) for name in ("Person 12", "Unknown 3", "person3", "UNKNOWN 03")] == [True] * 4
    assert not any(is_numbered(name) for name in ("Ross", "Person", "Person 1b", "My Person 1", "Person 1 (a waiter)"))
