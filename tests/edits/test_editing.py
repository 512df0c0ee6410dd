"""Rename, merge, split, ignore, restore, undo: what they add to the log, what they refuse, and that it lasts."""

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

from fercli.edits.edit import Anchor, Edit
from fercli.edits.editing import ignore, merge, rename, rename_unseen, restore, split, undo
from fercli.edits.log import append, read_log
from fercli.edits.state import read_state
from fercli.errors import ConfigError, FercliError, InputError, MissingStage, OutputError, WorkspaceLocked
from fercli.persons import cast, cast_file
from fercli.workspace import Workspace
from tests.edits.film import PERSONS, make_film, track_again
from tests.workspaces import add_receipt


@pytest.fixture
def film(tmp_path: Path) -> Workspace:
    return make_film(tmp_path / "film.fercli")


def shown(workspace: Workspace) -> list[str | None]:
    """Whom each track is shown as; ignored ones in brackets."""
    state = read_state(workspace)
    assert state.problems == []
    return [f"({one.name})" if one.ignored else one.name for one in state.tracks.values()]


def best(left: float, time_s: float) -> Anchor:
    """The anchor of a face of the film."""
    return Anchor(time_s, (left, 50.0, left + 80, 150.0))


def edits(workspace: Workspace) -> list[tuple[Any, ...]]:
    return [(one.kind, one.at, one.person or one.persons, one.to) for one in read_log(workspace).edits]


def add(workspace: Workspace, kind: str, **values: Any) -> None:
    """An edit that nobody told the cast of."""
    append(workspace, [Edit(kind, "by hand", "2026-11-25T14:03:00Z", **values)])


def test_a_name_is_kept_with_the_best_face_the_annotator_and_the_time(film: Workspace) -> None:
    rename(film, "Person 1", " Zoe\u0308 ", by="annotator-2")
    # Ten faces at 0.9 tell more than twenty at 0.4: the third face of track 0, at 0.2 s.
    assert edits(film) == [("rename", (best(100, 0.2),), "Person 1", "Zoë")]
    (edit,) = read_log(film).edits
    assert edit.by == "annotator-2" and edit.on.endswith("Z")
    assert shown(film) == ["Zoë", "Person 2", "Zoë", "Person 3", None]


def test_renaming_again_is_a_second_edit(film: Workspace) -> None:
    rename(film, "Person 1", "Zoë")
    rename(film, "Zoë", "Phoebe")
    assert edits(film) == [
        ("rename", (best(100, 0.2),), "Person 1", "Zoë"),
        ("rename", (best(100, 0.2),), "Zoë", "Phoebe"),
    ]
    assert shown(film) == ["Phoebe", "Person 2", "Phoebe", "Person 3", None]


def test_merging_keeps_the_number_with_the_face(film: Workspace) -> None:
    merge(film, ["Person 3"], "Person 2")
    assert shown(film) == ["Person 1", "Person 2", "Person 1", "Person 2", None]
    assert edits(film) == [("merge", (best(400, 0.2), best(400, 3.2)), ("Person 2", "Person 3"), "Person 2")]
    track_again(film, {**PERSONS, 1: ("Person 1", 0.8), 0: ("Person 2", 0.9), 2: ("Person 2", 0.4)})
    assert shown(film) == ["Person 4", "Person 2", "Person 4", "Person 2", None]


def test_two_in_one_frame_are_not_merged_unless_forced(film: Workspace) -> None:
    with pytest.raises(ConfigError, match=r"track 0 \(Person 1\) and track 1 \(Person 2\).* at 0\.000 s") as caught:
        merge(film, ["Person 1"], "Person 2")
    assert "--force" in caught.value.hint
    assert not film.edits.exists()
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
    rename(film, "Person 3", "Person 6")
    undo(film, [1])
    assert split(film, "Person 1", [2]) == "Person 7"
    tracks = read_state(film).tracks
    assert (tracks[2].name, tracks[2].identity) == ("Person 7", 1.0)
    assert edits(film)[2:] == [("split", (best(100, 3.2),), "Person 1", "Person 7")]


def test_a_track_split_off_no_longer_stands_for_its_old_person(film: Workspace) -> None:
    rename(film, "Person 1", "Ross")
    split(film, "Ross", [0], "Rachel")
    assert read_log(film).edits[1].rest == best(100, 3.2)
    # The prediction comes to agree: Rachel is another person now.
    track_again(film, {**PERSONS, 0: ("Person 1", 0.9), 2: ("Person 4", 0.9)})
    assert shown(film) == ["Rachel", "Person 2", "Ross", "Person 3", None]


def test_tracks_given_to_a_number_keep_it_with_the_faces_of_who_has_it(film: Workspace) -> None:
    split(film, "Unassigned", [4], "Person 2")
    track_again(film, {**PERSONS, 1: ("Person 1", 0.8), 0: ("Person 2", 0.9), 2: ("Person 2", 0.4)})
    assert shown(film) == ["Person 4", "Person 2", "Person 4", "Person 3", "Person 2"]


def test_a_track_of_no_person_can_be_given_to_a_person(film: Workspace) -> None:
    split(film, "Unassigned", [4], "Person 2")
    assert shown(film) == ["Person 1", "Person 2", "Person 1", "Person 3", "Person 2"]


def test_tracks_that_meet_are_not_given_to_one_person(film: Workspace) -> None:
    with pytest.raises(ConfigError, match=r"visible in one frame, at 3\.000 s"):
        split(film, "Person 1", [2], "Person 3")
    split(film, "Person 1", [2], "Person 3", force=True)
    assert shown(film)[2] == "Person 3"


def test_an_ignored_person_comes_back_with_name_and_merges(film: Workspace) -> None:
    merge(film, ["Person 3"], "Person 2")
    rename(film, "Person 2", "Ross")
    before = shown(film)
    ignore(film, "Ross")
    assert shown(film) == ["Person 1", "(Ross)", "Person 1", "(Ross)", None]
    restore(film, "Ross")
    assert shown(film) == before


def test_ignoring_and_restoring_a_person_without_a_name_leaves_the_prediction(film: Workspace) -> None:
    before = read_state(film).tracks
    ignore(film, "Person 3")
    assert edits(film) == [("ignore", (best(400, 3.2),), "Person 3", "")]
    assert shown(film)[3] == "(Person 3)"
    restore(film, "Person 3")
    assert read_state(film).tracks == before


def test_all_tracks_of_no_person_known_are_ignored_in_one_go(film: Workspace) -> None:
    track_again(film, {**PERSONS, 1: (None, None)})
    ignore(film, "Unassigned")
    assert edits(film) == [("ignore", (), "Unassigned", "")]
    state = read_state(film)
    assert [one.ignored for one in state.tracks.values()] == [False, True, False, False, True]
    assert state.applied.hidden == {"Unassigned"}
    split(film, "Unassigned", [4], "Gunther")
    assert [one.ignored for one in read_state(film).tracks.values()] == [False, True, False, False, False]
    restore(film, "Unassigned")
    assert not any(one.ignored for one in read_state(film).tracks.values())


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
    "nobody of that name": (lambda film: rename(film, "Persn 1", "A"), "there is no person 'Persn 1'", "Person 1"),
    "a name that is taken": (lambda film: rename(film, "Person 1", "Person 3"), "is a 'Person 3' already", "merge"),
    "no name": (lambda film: rename(film, "Person 1", " "), "empty", "name"),
    "the name of nobody": (lambda film: rename(film, "Person 1", "unassigned"), "is reserved", "name"),
    "renaming nobody": (lambda film: rename(film, "Unassigned", "A"), "not a person", "people split"),
    "merging into a stranger": (lambda film: merge(film, ["Person 1"], "Bob"), "there is no person 'Bob'", "Person 2"),
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
    assert not film.edits.exists()


def test_a_damaged_line_stays_and_the_others_count(film: Workspace) -> None:
    film.edits.write_text("[[person]\n")
    rename(film, "Person 1", "Ross")
    assert film.edits.read_text().startswith("[[person]\n{")
    state = read_state(film)
    assert state.tracks[0].name == "Ross" and [problem[:15] for problem in state.problems] == ["edits.jsonl:1: "]


def test_tracks_that_are_older_than_the_faces_are_refused(film: Workspace) -> None:
    receipt = film.path / "tracks" / "receipt.json"
    receipt.write_text(receipt.read_text().replace('"faces": "', '"faces": "0123'))
    with pytest.raises(MissingStage, match="needs track first: its input faces changed") as caught:
        rename(film, "Person 1", "Ross")
    assert "fercli track" in caught.value.hint


def test_before_track_ran_there_is_no_person(film: Workspace) -> None:
    (film.path / "tracks" / "receipt.json").unlink()
    with pytest.raises(FercliError, match="needs track first: it has not run yet"):
        rename(film, "Person 1", "Ross")


@pytest.fixture
def show(film: Workspace, tmp_path: Path) -> Path:
    """A cast that the film's tracks were found with."""
    path = tmp_path / "show.cast"
    assert seen_in(path, film.video.sha256) == ["Person 1", "Person 2", "Person 3"]
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
    add(film, "rename", at=(best(400, 0.2),), person="Person 2", to="Rachel")
    assert merge(film, ["Person 3"], "Rachel") == []
    assert seen_in(show, "two") == ["Person 1", "Rachel", "Rachel"]


def test_tracks_handed_over_take_no_person_in_the_cast_with_them(film: Workspace, show: Path) -> None:
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
    assert problem == f"the cast {show} does not have 'Gunther', so the name stays in this video"
    assert seen_in(show, "two") == ["Person 1", "Person 2", "Person 3"]


def test_a_number_moved_aside_is_not_mistaken_for_the_casts(film: Workspace, show: Path) -> None:
    assert seen_in(show, "two", [3]) == ["Person 4"]
    add(film, "split", at=(best(100, 3.2),), person="Person 1", to="Person 2")
    assert read_state(film).tracks[1].name == "Person 4"
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
    rename_in_cast(show, "Person 1", "Ross")
    assert seen_in(show, film.video.sha256) == ["Ross", "Person 2", "Person 3"]
    track_again(film, {**PERSONS, 0: ("Ross", 0.9), 2: ("Ross", 0.4)})
    add_receipt(film, "persons", cast=str(show))
    rename_in_cast(show, "Ross", "Joey")
    rename_in_cast(show, "Person 3", "Ross")
    assert shown(film) == ["Joey", "Person 2", "Joey", "Ross", None]
    rename(film, "Joey", "Chandler")
    assert seen_in(show, "two") == ["Chandler", "Person 2", "Ross"]


def rename_in_cast(show: Path, old: str, new: str) -> None:
    """As another episode does."""
    with cast.renaming(show) as names:
        person = names.find(old)
        assert person is not None
        names.rename(person, new)


def test_a_person_renamed_in_another_episode_has_the_new_name_here(film: Workspace, show: Path) -> None:
    rename_in_cast(show, "Person 3", "Rachel")
    assert shown(film) == ["Person 1", "Person 2", "Person 1", "Rachel", None]
    assert not film.edits.exists()
    rename(film, "Rachel", "Monica")
    rename_in_cast(show, "Monica", "Janice")
    assert shown(film)[3] == "Janice"
    ignore(film, "Janice")
    assert shown(film)[3] == "(Janice)"


def test_a_name_given_before_the_cast_had_it_is_the_videos_own(film: Workspace, show: Path) -> None:
    add(film, "rename", at=(best(400, 3.2),), person="Person 3", to="Rachel")
    assert shown(film)[3] == "Rachel"
    rename_in_cast(show, "Person 3", "Monica")
    assert shown(film)[3] == "Rachel"


def test_a_person_merged_in_another_episode_is_one_here(film: Workspace, show: Path) -> None:
    rename_in_cast(show, "Person 3", "Person 1")
    assert shown(film) == ["Person 1", "Person 2", "Person 1", "Person 1", None]


def test_without_the_cast_the_old_name_is_shown_and_said_so(film: Workspace, show: Path) -> None:
    rename_in_cast(show, "Person 3", "Rachel")
    content = show.read_bytes()
    for damage in (show.unlink, lambda: show.write_bytes(b"Ross" * 100)):
        damage()
        state = read_state(film)
        assert state.tracks[3].name == "Person 3"
        assert len(state.problems) == 1 and str(show) in state.problems[0]
    show.write_bytes(content)
    assert shown(film)[3] == "Rachel"


def test_undo_takes_the_name_back_in_the_cast_too(film: Workspace, show: Path) -> None:
    rename(film, "Person 1", "Ross")
    rename(film, "Ross", "Joey")
    assert undo(film, [2]) == []
    assert shown(film)[0] == "Ross" and seen_in(show, "two") == ["Ross", "Person 2", "Person 3"]
    assert undo(film, [1]) == []
    assert shown(film)[0] == "Person 1" and seen_in(show, "three") == ["Person 1", "Person 2", "Person 3"]
    assert undo(film, [4]) == []
    assert shown(film)[0] == "Ross" and seen_in(show, "four") == ["Ross", "Person 2", "Person 3"]


def test_undo_of_a_merge_makes_two_of_them_in_the_cast_too(film: Workspace, show: Path) -> None:
    merge(film, ["Person 3"], "Person 2")
    rename(film, "Person 2", "Rachel")
    undo(film, [1])
    assert shown(film) == ["Person 1", "Rachel", "Person 1", "Person 3", None]
    assert seen_in(show, "two") == ["Person 1", "Rachel", "Person 3"]
    undo(film, [3])
    assert shown(film) == ["Person 1", "Rachel", "Person 1", "Rachel", None]
    assert seen_in(show, "three") == ["Person 1", "Rachel", "Rachel"]


def test_undo_leaves_a_name_that_another_episode_gave_since(film: Workspace, show: Path) -> None:
    rename(film, "Person 1", "Ross")
    rename_in_cast(show, "Ross", "Joey")
    (problem,) = undo(film, [1])
    assert "'Joey'" in problem
    assert seen_in(show, "two") == ["Joey", "Person 2", "Person 3"]
    assert shown(film)[0] == "Joey"


def test_a_cast_that_is_gone_is_named(film: Workspace, show: Path) -> None:
    show.unlink()
    assert rename(film, "Person 1", "Ross") == [
        f"the cast {show} does not exist, so the name is only stored in this video"
    ]
    assert read_state(film).tracks[0].name == "Ross" and not show.exists()


def content(film: Workspace, show: Path) -> list[bytes | None]:
    files = (film.edits, show)
    return [file.read_bytes() if file.exists() else None for file in files]


BREAK: dict[str, tuple[Callable[[Workspace, Path, pytest.MonkeyPatch], object], type[FercliError]]] = {
    "a cast of a newer fercli": (lambda film, show, patch: sql(show, "PRAGMA user_version = 9"), InputError),
    "a cast that is none": (lambda film, show, patch: show.write_bytes(b"Ross"), InputError),
    "a cast that nobody may change": (
        lambda film, show, patch: patch.setattr(sqlite3, "connect", read_only),
        OutputError,
    ),
    "edits that cannot be written": (lambda film, show, patch: patch.setattr(os, "fsync", fail_to_write), OutputError),
}


def fail_to_write(descriptor: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)


def read_only(path: Any, connect: Callable[..., sqlite3.Connection] = sqlite3.connect, **options: Any) -> Any:
    return connect(path if options.get("uri") else f"file:{path}?mode=ro", **{**options, "uri": True})


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("case", BREAK)
def test_what_fails_changes_nothing_at_all(
    film: Workspace, show: Path, case: str, corrected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if corrected:
        add(film, "rename", at=(best(400, 0.2),), person="Person 2", to="Rachel")
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
    monkeypatch.setattr(cast_file, "LOCK_TIMEOUT_S", 0.01)
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
    with pytest.raises(ConfigError, match="the tracks belong to 'Zoë'"):
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
    assert edits(film) == [("rename", (best(100, 0.2),), "Person 1", "Person 1")]
    track_again(film, {**PERSONS, 1: ("Person 1", 0.8), 0: ("Person 2", 0.9), 2: ("Person 2", 0.4)})
    assert shown(film) == ["Person 1", "Person 4", "Person 1", "Person 3", None]


def manual(workspace: Workspace) -> list[tuple[str, int, int, str | None]]:
    return sorted((m.person, m.start_ms, m.end_ms, m.emotion) for m in read_state(workspace).applied.manual)


def emotion(workspace: Workspace, anchor: Anchor | None, person: str, start: int, end: int, name: str | None) -> None:
    at = () if anchor is None else (anchor,)
    kind = "clear" if name is None else "set-emotion"
    add(workspace, kind, at=at, person=person, start_ms=start, end_ms=end, emotion=name)


def test_manual_annotations_follow_names(film: Workspace) -> None:
    emotion(film, best(100, 0.2), "Person 1", 0, 1000, "sadness")
    emotion(film, best(400, 0.2), "Person 2", 0, 1000, "happiness")
    emotion(film, best(400, 3.2), "Person 3", 5000, 6000, None)
    emotion(film, None, "Narrator", 0, 1000, "anger")
    rename(film, "Person 1", "Zoe\u0308")
    merge(film, ["Person 2"], "Person 3", force=True)
    rename_unseen(film, "Narrator", "Estelle")
    assert manual(film) == [
        ("Estelle", 0, 1000, "anger"),
        ("Person 3", 0, 1000, "happiness"),
        ("Person 3", 5000, 6000, None),
        ("Zoë", 0, 1000, "sadness"),
    ]


def test_a_manual_annotation_of_a_track_that_is_split_off_goes_with_it(film: Workspace) -> None:
    emotion(film, best(100, 3.5), "Person 1", 3000, 4000, "sadness")
    emotion(film, best(100, 3.5), "Person 1", 0, 3000, "happiness")  # longer than the track, so of the person
    split(film, "Person 1", [2], "Rachel")
    assert manual(film) == [("Person 1", 0, 3000, "happiness"), ("Rachel", 3000, 4000, "sadness")]


def test_undo_of_nothing_and_twice_is_refused(film: Workspace) -> None:
    rename(film, "Person 1", "Ross")
    with pytest.raises(ConfigError, match="there is no edit 2") as caught:
        undo(film, [1, 2])
    assert "fercli edits" in caught.value.hint and len(read_log(film).edits) == 1
    undo(film, [1])
    with pytest.raises(ConfigError, match="edit 1 is undone already") as caught:
        undo(film, [1])
    assert caught.value.hint.endswith("edits undo " + str(film.path) + " 2")


def test_several_edits_are_undone_at_once(film: Workspace) -> None:
    before = read_state(film).tracks
    rename(film, "Person 1", "Ross")
    split(film, "Ross", [2], "Rachel")
    ignore(film, "Rachel")
    undo(film, [1, 2, 3])
    assert read_state(film).tracks == before
