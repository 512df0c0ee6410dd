"""Rename, merge, split, ignore, restore: what they write, what they refuse, and that it lasts."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fercli.errors import ConfigError, FercliError, InputError, MissingStage, OutputError, WorkspaceLocked
from fercli.people.corrections import Correction, Seen
from fercli.people.editing import ignore, merge, rename, restore, split
from fercli.people.naming import who_is_who
from fercli.people.people_toml import CorrectionsFile
from fercli.persons import cast, cast_file
from fercli.workspace import Workspace
from tests.people.film import PERSONS, correct, make_film, track_again
from tests.workspaces import add_receipt


@pytest.fixture
def film(tmp_path: Path) -> Workspace:
    return make_film(tmp_path / "film.fercli")


def shown(workspace: Workspace) -> list[str | None]:
    """Whom each track is shown as; ignored ones in brackets."""
    who = who_is_who(workspace)
    assert who.problems == []
    return [f"({one.name})" if one.ignored else one.name for one in who.tracks.values()]


def entries(workspace: Workspace) -> list[tuple[Any, ...]]:
    return [(one.who, one.name, one.ignore, one.seen) for one in CorrectionsFile(workspace.corrections).entries]


def test_a_name_is_written_with_the_best_face(film: Workspace) -> None:
    rename(film, "Person 1", " Zoe\u0308 ")
    # Ten faces at 0.9 tell more than twenty at 0.4: the third face of track 0, at 0.2 s.
    assert entries(film) == [("Person 1", "Zoë", False, Seen(0.2, 140, 100))]
    assert shown(film) == ["Zoë", "Person 2", "Zoë", "Person 3", None]


def test_renaming_again_changes_the_same_entry(film: Workspace) -> None:
    rename(film, "Person 1", "Zoë")
    rename(film, "Zoë", "Phoebe")
    assert entries(film) == [("Person 1", "Phoebe", False, Seen(0.2, 140, 100))]


def test_an_entry_by_hand_learns_where_the_face_is(film: Workspace) -> None:
    correct(film, '# mine\n[[person]]\nwas = "Person 1"  # why not\nname = "Ross"\n')
    rename(film, "Ross", "Joey")
    assert film.corrections.read_text() == (
        '# mine\n[[person]]\nwas = "Person 1"  # why not\nname = "Joey"\nseen = [0.2, 140, 100]\n'
    )


def test_all_entries_of_a_person_say_the_same_afterwards(film: Workspace) -> None:
    correct(
        film,
        '[[person]]\nwas = "Person 1"\nname = "Ross"\nseen = [0.2, 140, 100]\n'
        '[[person]]\nwas = "Person 8"\nname = "Ross"\nseen = [3.2, 140, 100]\n',
    )
    rename(film, "Ross", "Joey")
    assert [entry[:2] for entry in entries(film)] == [("Person 1", "Joey"), ("Person 1", "Joey")]
    assert shown(film)[2] == "Joey"


def test_merging_pins_the_target_too(film: Workspace) -> None:
    merge(film, ["Person 3"], "Person 2")
    assert shown(film) == ["Person 1", "Person 2", "Person 1", "Person 2", None]
    assert entries(film) == [
        ("Person 2", "Person 2", False, Seen(0.2, 440, 100)),
        ("Person 3", "Person 2", False, Seen(3.2, 440, 100)),
    ]
    track_again(film, {**PERSONS, 1: ("Person 1", 0.8), 0: ("Person 2", 0.9), 2: ("Person 2", 0.4)})
    assert shown(film) == ["Person 4", "Person 2", "Person 4", "Person 2", None]


def test_two_in_one_frame_are_not_merged_unless_forced(film: Workspace) -> None:
    with pytest.raises(ConfigError, match=r"track 0 \(Person 1\) and track 1 \(Person 2\).* at 0\.000 s") as caught:
        merge(film, ["Person 1"], "Person 2")
    assert "--force" in caught.value.hint
    assert not film.corrections.exists()
    merge(film, ["Person 1"], "Person 2", force=True)
    assert shown(film) == ["Person 2", "Person 2", "Person 2", "Person 3", None]


def test_of_several_to_be_merged_any_two_may_meet(film: Workspace) -> None:
    rename(film, "Person 2", "Ross")
    split(film, "Unassigned", [4], "Joey")
    with pytest.raises(ConfigError, match=r"track 2 \(Person 1\) and track 3 \(Person 3\)"):
        merge(film, ["Person 3", "Person 1"], "Joey")


def test_a_merge_reaches_tracks_that_were_split_off(film: Workspace) -> None:
    split(film, "Person 1", [2], "Rachel")
    merge(film, ["Rachel"], "Person 2")
    assert shown(film) == ["Person 1", "Person 2", "Person 2", "Person 3", None]


def test_split_off_tracks_get_the_next_number_and_are_sure(film: Workspace) -> None:
    correct(film, '[[person]]\nwas = "Person 9"\nname = "Person 6"\n')
    assert split(film, "Person 1", [2]) == "Person 7"
    who = who_is_who(film)
    assert (who.tracks[2].name, who.tracks[2].identity) == ("Person 7", 1.0)
    assert entries(film)[1:] == [(2, "Person 7", False, Seen(3.2, 140, 100))]


def test_a_track_split_off_no_longer_stands_for_its_old_person(film: Workspace) -> None:
    rename(film, "Person 1", "Ross")
    split(film, "Ross", [0], "Rachel")
    assert entries(film)[0] == ("Person 1", "Ross", False, Seen(3.2, 140, 100))
    # The machine comes to see it, too: Rachel is another person now.
    track_again(film, {**PERSONS, 0: ("Person 1", 0.9), 2: ("Person 4", 0.9)})
    assert shown(film) == ["Rachel", "Person 2", "Ross", "Person 3", None]


def test_a_track_of_nobody_can_be_given_to_somebody(film: Workspace) -> None:
    split(film, "Unassigned", [4], "Person 2")
    assert shown(film) == ["Person 1", "Person 2", "Person 1", "Person 3", "Person 2"]


def test_tracks_that_meet_are_not_given_to_one_person(film: Workspace) -> None:
    with pytest.raises(ConfigError, match=r"seen in one frame, at 3\.000 s"):
        split(film, "Person 1", [2], "Person 3")
    split(film, "Person 1", [2], "Person 3", force=True)
    assert shown(film)[2] == "Person 3"


def test_an_ignored_person_comes_back_with_name_and_merges(film: Workspace) -> None:
    merge(film, ["Person 3"], "Person 2")
    rename(film, "Person 2", "Ross")
    before = film.corrections.read_bytes()
    ignore(film, "Ross")
    assert shown(film) == ["Person 1", "(Ross)", "Person 1", "(Ross)", None]
    restore(film, "Ross")
    assert film.corrections.read_bytes() == before


def test_ignoring_and_restoring_a_person_without_a_name_leaves_no_entry(film: Workspace) -> None:
    ignore(film, "Person 3")
    assert entries(film) == [("Person 3", None, True, Seen(3.2, 440, 100))]
    restore(film, "Person 3")
    assert entries(film) == [] and shown(film)[3] == "Person 3"


def test_who_joins_an_ignored_person_is_ignored_and_the_other_way_round(film: Workspace) -> None:
    ignore(film, "Person 2")
    merge(film, ["Person 3"], "Person 2")
    assert shown(film) == ["Person 1", "(Person 2)", "Person 1", "(Person 2)", None]
    rename(film, "Person 1", "Ross")
    merge(film, ["Person 2"], "Ross", force=True)
    assert shown(film) == ["Ross", "Ross", "Ross", "Ross", None]


def test_names_of_a_gallery_are_renamed_like_any(film: Workspace) -> None:
    track_again(film, {**PERSONS, 0: ("Ross", 0.9), 2: ("Ross", 0.4), 1: ("Unknown 1", 0.8)})
    rename(film, "Ross", "Joey")
    merge(film, ["Person 3"], "Unknown 1")
    assert shown(film) == ["Joey", "Unknown 1", "Joey", "Unknown 1", None]


REFUSED: dict[str, tuple[Callable[[Workspace], object], str, str]] = {
    "nobody of that name": (lambda film: rename(film, "Persn 1", "A"), "nobody is called 'Persn 1'", "Person 1"),
    "a name that is taken": (lambda film: rename(film, "Person 1", "Person 3"), "is a 'Person 3' already", "merge"),
    "no name": (lambda film: rename(film, "Person 1", " "), "empty", "name"),
    "the name of nobody": (lambda film: rename(film, "Person 1", "unassigned"), "nobody can be called", "name"),
    "renaming nobody": (lambda film: rename(film, "Unassigned", "A"), "not a person", "people split"),
    "merging into a stranger": (lambda film: merge(film, ["Person 1"], "Bob"), "nobody is called 'Bob'", "Person 2"),
    "merging with oneself": (lambda film: merge(film, ["Person 1"], "Person 1"), "into itself", "two"),
    "tracks of somebody else": (lambda film: split(film, "Person 1", [1, 2]), "has no track 1$", "has 0, 2"),
    "all tracks": (lambda film: split(film, "Person 1", [0, 2]), "all tracks of", "rename"),
    "no tracks": (lambda film: split(film, "Person 1", []), "no tracks", "0, 2"),
    "splitting to oneself": (lambda film: split(film, "Person 1", [2], "Person 1"), "already", "--name"),
    "restoring who is there": (lambda film: restore(film, "Person 1"), "not ignored", "fercli people"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_and_writes_nothing(film: Workspace, case: str) -> None:
    call, reason, hint = REFUSED[case]
    with pytest.raises(ConfigError, match=reason) as caught:
        call(film)
    assert hint in caught.value.hint
    assert not film.corrections.exists()


def test_a_file_with_an_error_is_never_overwritten(film: Workspace) -> None:
    correct(film, "[[person]\n")
    with pytest.raises(InputError, match=r"people\.toml:1"):
        rename(film, "Person 1", "Ross")
    assert film.corrections.read_text() == "[[person]\n"


def test_an_entry_that_is_not_in_force_stays(film: Workspace) -> None:
    correct(film, '[[person]]\nwas = "Person 7"\nname = "Emily"\n')
    rename(film, "Person 1", "Ross")
    assert CorrectionsFile(film.corrections).entries[0] == Correction("Person 7", "Emily", line=1)


def test_tracks_that_are_older_than_the_faces_are_refused(film: Workspace) -> None:
    receipt = film.path / "tracks" / "receipt.json"
    receipt.write_text(receipt.read_text().replace('"faces": "', '"faces": "0123'))
    with pytest.raises(MissingStage, match="needs track first: its input faces changed") as caught:
        rename(film, "Person 1", "Ross")
    assert "fercli track" in caught.value.hint


def test_before_track_ran_there_is_nobody(film: Workspace) -> None:
    (film.path / "tracks" / "receipt.json").unlink()
    with pytest.raises(FercliError, match="needs track first: it has not run yet"):
        rename(film, "Person 1", "Ross")


@pytest.fixture
def show(film: Workspace, tmp_path: Path) -> Path:
    """A cast that the film's tracks were found with."""
    path = tmp_path / "show.cast"
    assert seen_in(path, "one") == ["Person 1", "Person 2", "Person 3"]
    add_receipt(film, "persons", cast=str(path))
    return path


def seen_in(show: Path, episode: str, looks: Sequence[int] = (0, 1, 2)) -> list[str]:
    """The names in an episode of persons who look like these numbers; those of the film like 0, 1 and 2."""
    rows = [np.full((1, 4), 10.0 * look, dtype=np.float32) for look in looks]
    return cast.enrol(show, "x", episode, [cast.Group(row, np.ones(1, dtype=np.float32)) for row in rows], [], 0.5)


def test_a_name_reaches_the_cast_and_so_the_next_episode(film: Workspace, show: Path) -> None:
    assert rename(film, "Person 1", "Zoë") == []
    assert seen_in(show, "two") == ["Zoë", "Person 2", "Person 3"]


def test_a_second_name_reaches_the_cast_too(film: Workspace, show: Path) -> None:
    rename(film, "Person 1", "Rsos")
    assert rename(film, "Rsos", "Ross") == []
    assert seen_in(show, "two") == ["Ross", "Person 2", "Person 3"]


def test_a_merge_reaches_the_cast(film: Workspace, show: Path) -> None:
    assert merge(film, ["Person 3"], "Person 2") == []
    assert seen_in(show, "two") == ["Person 1", "Person 2", "Person 2"]
    assert rename(film, "Person 2", "Rachel") == []
    assert seen_in(show, "three") == ["Person 1", "Rachel", "Rachel"]


def test_a_merge_gives_the_name_to_all_whom_the_cast_does_not_know_by_it_yet(film: Workspace, show: Path) -> None:
    correct(film, '[[person]]\nwas = "Person 2"\nname = "Rachel"\n')
    assert merge(film, ["Person 3"], "Rachel") == []
    assert seen_in(show, "two") == ["Person 1", "Rachel", "Rachel"]


def test_tracks_handed_over_take_nobody_in_the_cast_with_them(film: Workspace, show: Path) -> None:
    split(film, "Person 1", [2], "Person 2")
    rename(film, "Person 2", "Rachel")
    assert seen_in(show, "two") == ["Person 1", "Rachel", "Person 3"]


def test_the_number_of_tracks_split_off_is_nobodys_in_the_cast(film: Workspace, show: Path) -> None:
    assert seen_in(show, "two", [3]) == ["Person 4"]
    assert split(film, "Person 1", [2]) == "Person 4"
    assert merge(film, ["Person 3"], "Person 4", force=True) == [
        f"the cast {show} has nobody of the name 'Person 4', and gives its numbers itself"
    ]
    assert rename(film, "Person 4", "Rachel") == []  # of whom the cast knows Person 3
    assert seen_in(show, "three", [0, 1, 2, 3]) == ["Person 1", "Person 2", "Rachel", "Person 4"]


def test_whom_only_a_person_knows_the_cast_does_not(film: Workspace, show: Path) -> None:
    split(film, "Unassigned", [4], "Gunther")
    (problem,) = rename(film, "Gunther", "Eddie")
    assert problem == f"the cast {show} does not know 'Gunther', so the name stays in this video"
    assert seen_in(show, "two") == ["Person 1", "Person 2", "Person 3"]


def test_a_number_moved_aside_is_not_mistaken_for_the_casts(film: Workspace, show: Path) -> None:
    assert seen_in(show, "two", [3]) == ["Person 4"]
    correct(film, '[[track]]\ntrack = 2\nname = "Person 2"\nseen = [3.2, 140, 100]\n')
    assert who_is_who(film).tracks[1].name == "Person 4"
    rename(film, "Person 4", "Rachel")
    assert seen_in(show, "three", [0, 1, 2, 3]) == ["Person 1", "Rachel", "Person 3", "Person 4"]


def test_a_number_may_be_one_that_the_cast_gave_in_another_episode(film: Workspace, show: Path) -> None:
    assert seen_in(show, "two", [3]) == ["Person 4"]
    assert rename(film, "Person 1", "Person 4") == []
    assert seen_in(show, "three", [0, 3]) == ["Person 4", "Person 4"]
    (problem,) = rename(film, "Person 2", "Person 9")
    assert "nobody of the name 'Person 9'" in problem
    assert seen_in(show, "four", [1, *range(4, 10)])[0] == "Person 2"


def test_holding_a_number_to_its_face_tells_the_cast_nothing_new(film: Workspace, show: Path) -> None:
    assert rename(film, "Person 2", "Person 2") == []
    assert seen_in(show, "two") == ["Person 1", "Person 2", "Person 3"]


def test_a_name_that_another_video_has_given_away_since_is_not_taken_back(film: Workspace, show: Path) -> None:
    track_again(film, {**PERSONS, 0: ("Ross", 0.9), 2: ("Ross", 0.4)})
    add_receipt(film, "persons", cast=str(show))
    with cast.renaming(show) as names:
        for old, new in (("Person 1", "Joey"), ("Person 3", "Ross")):  # whom the cast called Ross once
            person = names.find(old)
            assert person is not None
            names.rename(person, new)
    correct(film, '[[person]]\nwas = "Ross"\nname = "Joey"\n')
    rename(film, "Joey", "Chandler")
    assert seen_in(show, "two") == ["Chandler", "Person 2", "Ross"]


def test_a_cast_that_is_gone_is_named(film: Workspace, show: Path) -> None:
    show.unlink()
    assert rename(film, "Person 1", "Ross") == [f"the cast {show} is not there, so the name stays in this video"]
    assert shown(film)[0] == "Ross" and not show.exists()


def content(film: Workspace, show: Path) -> list[bytes | None]:
    files = (film.corrections, film.human_segments, show)
    return [file.read_bytes() if file.exists() else None for file in files]


BREAK: dict[str, tuple[Callable[[Workspace, Path, pytest.MonkeyPatch], object], type[FercliError]]] = {
    "segments that cannot be read": (
        lambda film, show, patch: film.human_segments.write_text("person,start,end,class\nRoss,x,1,happy\n"),
        InputError,
    ),
    "a cast of a newer fercli": (lambda film, show, patch: sql(show, "PRAGMA user_version = 3"), InputError),
    "a cast that is none": (lambda film, show, patch: show.write_bytes(b"Ross"), InputError),
    "a cast that nobody may change": (
        lambda film, show, patch: patch.setattr(sqlite3, "connect", read_only),
        OutputError,
    ),
    "corrections that cannot be written": (
        lambda film, show, patch: refuse_to_write(patch, "people.toml"),
        OutputError,
    ),
    "segments that cannot be written": (
        lambda film, show, patch: refuse_to_write(patch, "segments.csv"),
        OutputError,
    ),
}


def refuse_to_write(patch: pytest.MonkeyPatch, name: str, replace: Any = Path.replace) -> None:
    """Like a disk that fails just before the file takes its place."""

    def fail(self: Path, target: Path) -> Any:
        if target.name == name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return replace(self, target)

    patch.setattr(Path, "replace", fail)


def sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)


def read_only(path: Path, connect: Callable[..., sqlite3.Connection] = sqlite3.connect, **options: Any) -> Any:
    return connect(f"file:{path}?mode=ro", uri=True, **options)


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("case", BREAK)
def test_what_fails_changes_nothing_at_all(
    film: Workspace, show: Path, case: str, corrected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    film.human_segments.write_text("person,start,end,class\nPerson 1,0,1,sad\nPerson 3,0,1,happy\n")
    if corrected:
        correct(film, '[[person]]\nwas = "Person 2"\nname = "Rachel"  # mine\n')
    damage, error = BREAK[case]
    damage(film, show, monkeypatch)
    before = content(film, show)
    with pytest.raises(error):
        rename(film, "Person 1", "Ross")
    with pytest.raises(error):
        merge(film, ["Person 3"], "Person 1", force=True)
    assert content(film, show) == before


def test_a_cast_at_work_is_waited_for_and_then_nothing_is_changed(
    film: Workspace, show: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cast_file, "PATIENCE_S", 0.01)
    before = content(film, show)
    with closing(sqlite3.connect(show, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(WorkspaceLocked, match=r"show\.cast locked"):
            rename(film, "Person 1", "Ross")
    assert content(film, show) == before


def test_names_are_asked_for_as_they_are_kept(film: Workspace) -> None:
    rename(film, " Person 1", "Zoe\u0308 ")
    with pytest.raises(ConfigError, match="cannot be merged into itself"):
        merge(film, ["Person 2 "], "Person 2")
    with pytest.raises(ConfigError, match="the tracks are 'Zoë'"):
        split(film, "Zoe\u0308 ", [2], "Zoë")
    with pytest.raises(ConfigError, match="are all tracks of 'Zoë'"):
        split(film, "Zoe\u0308", [0, 2], "Ross")
    merge(film, ["Person 3", " Person 3"], "Person 2 ")
    ignore(film, "Zoë ")
    restore(film, "Zoe\u0308")
    split(film, " Unassigned", [4], " Ross")
    assert shown(film) == ["Zoë", "Person 2", "Zoë", "Person 2", "Ross"]


def test_a_person_given_the_name_they_have_keeps_it(film: Workspace) -> None:
    rename(film, "Person 1 ", "Person 1")
    assert entries(film) == [("Person 1", "Person 1", False, Seen(0.2, 140, 100))]


def test_a_persons_own_segments_follow_names(film: Workspace) -> None:
    film.human_segments.write_text("person,start,end,class\nPerson 1,0,1,sad\nPerson 2,0,1,happy\nPerson 3,5,6,\n")
    rename(film, "Person 1", "Zoe\u0308")
    merge(film, ["Person 2"], "Person 3", force=True)
    assert film.human_segments.read_text(encoding="utf-8").splitlines() == [
        "person,start,end,class",
        "Person 3,0.000,1.000,happy",
        "Person 3,5.000,6.000,",
        "Zoë,0.000,1.000,sad",
    ]
