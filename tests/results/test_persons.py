"""The sums over each person."""

from __future__ import annotations

from pathlib import Path

import pytest

from fercli.edits.editing import ignore, rename, rename_unseen, split
from fercli.results.load import load_persons
from fercli.results.model import Person
from fercli.workspace import Workspace
from tests.edits.by_hand import annotate
from tests.edits.film import best_face, make_film, track_again


@pytest.fixture
def film(tmp_path: Path) -> Workspace:
    return make_film(tmp_path / "film.fercli")


def by_name(workspace: Workspace) -> dict[str, Person]:
    return {person.name: person for person in load_persons(workspace)[0]}


def test_a_person_is_summed_over_tracks(film: Workspace) -> None:
    one = by_name(film)["Person 1"]
    assert one.screen_time_s == pytest.approx(1.0 + 2.0)
    assert ([track.track for track in one.tracks], one.shots) == ([0, 2], 2)
    # One second at 0.9 and two at 0.4.
    assert one.identity == pytest.approx((0.9 + 2 * 0.4) / 3)
    assert (one.doubtful, one.by_hand, one.ignored) == ([2], False, False)


def test_the_best_face_is_of_the_track_with_most_faces_weighed_by_identity(film: Workspace) -> None:
    best = by_name(film)["Person 1"].best
    assert (best.track, best.best_face, best.best_s) == (0, best_face(0), 0.2)
    assert ((best.best_box[0] + best.best_box[2]) / 2, (best.best_box[1] + best.best_box[3]) / 2) == (140, 100)
    nobody = by_name(film)["Unassigned"]
    assert (nobody.best.track, nobody.identity, nobody.doubtful) == (4, None, [4])


def test_longest_first_then_no_person_then_the_ignored(film: Workspace) -> None:
    ignore(film, "Person 1")
    persons, problems = load_persons(film)
    assert [(person.name, person.ignored) for person in persons] == [
        ("Person 2", False),
        ("Person 3", False),
        ("Unassigned", False),
        ("Person 1", True),
    ]
    assert problems == []


def test_corrections_show(film: Workspace) -> None:
    split(film, "Person 1", [2], "Person 3", force=True)
    rename_unseen(film, "Nobody", "Ross")
    three = by_name(film)["Person 3"]
    assert ([track.track for track in three.tracks], three.by_hand, three.doubtful) == ([2, 3], True, [])
    assert three.identity == pytest.approx((2 * 1.0 + 0.7) / 3)
    assert load_persons(film)[1] == ["edits.jsonl:2: not applied: there is no 'Nobody'"]


def test_who_is_only_in_imported_segments_is_said_with_the_line(film: Workspace) -> None:
    annotate(film, "Person 2,1,2,sad")
    rename(film, "Person 2", "Ross")
    annotate(film, "Ross,0,1,sad", "Narrator,0,1,sad", "Unassigned,1,2,sad", "Narrator,1,2,happy", "Ben,1,2,")
    persons, problems = load_persons(film)
    assert "Narrator" not in {person.name for person in persons}
    assert problems == ["edits.jsonl:4: no person on screen has the name 'Narrator' (2 manual annotations)"]


def test_a_score_that_is_missing_is_no_doubt(film: Workspace) -> None:
    track_again(film, {0: ("Person 1", None), 1: ("Person 2", 0.8)})
    one = by_name(film)["Person 1"]
    assert (one.identity, one.doubtful) == (None, [])


def test_a_film_without_faces_has_no_person(film: Workspace) -> None:
    track_again(film, {})
    assert load_persons(film) == ([], [])
