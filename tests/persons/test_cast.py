from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from fercli.errors import InputError, OutputError
from fercli.persons import cast, cast_file
from fercli.persons.cast import Group, enrol, renaming
from tests.failing import fails

NEAR = 0.5


def group(place: float, name: str | None = None, tracks: int = 2, confidence: float = 0.8) -> Group:
    """Somebody who looks like a place on a line; persons are 10 apart."""
    embeddings = np.full((tracks, 4), place, dtype=np.float32) + 0.01 * np.arange(tracks, dtype=np.float32)[:, None]
    return Group(embeddings, np.full(tracks, confidence, dtype=np.float32), name)


def seen(path: Path, video: str, *groups: Group, conflicts: tuple[tuple[int, int], ...] = ()) -> list[str]:
    return enrol(path, "dlib-resnet 55533b", video, groups, conflicts, NEAR)


def rename(path: Path, old: str, new: str) -> None:
    with renaming(path) as names:
        rename_in(names, old, new)


def rename_in(names: cast.Names, old: str, new: str) -> None:
    person = names.find(old)
    assert person is not None
    names.rename(person, new)


def tracks_kept(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        return int(connection.execute("SELECT count(*) FROM track").fetchone()[0])


@pytest.fixture
def show(tmp_path: Path) -> Path:
    return tmp_path / "show.cast"


def test_a_person_of_the_first_episode_is_the_same_in_the_second(show: Path) -> None:
    assert seen(show, "one", group(0), group(10), group(20)) == ["Person 1", "Person 2", "Person 3"]
    assert seen(show, "two", group(20), group(30), group(0)) == ["Person 3", "Person 4", "Person 1"]


def test_an_episode_enrolled_again_finds_the_same_persons_and_adds_nothing(show: Path) -> None:
    first = seen(show, "one", group(0), group(10))
    kept = tracks_kept(show)
    assert seen(show, "one", group(0), group(10)) == first
    assert tracks_kept(show) == kept


def test_whoever_is_left_by_no_video_is_forgotten_and_the_number_not_used_again(show: Path) -> None:
    seen(show, "one", group(0), group(10))
    seen(show, "one", group(0))
    assert seen(show, "two", group(10)) == ["Person 3"]


def test_a_name_stays(show: Path) -> None:
    seen(show, "one", group(0), group(10))
    rename(show, "Person 2", "Rachel")
    assert seen(show, "two", group(10), group(20)) == ["Rachel", "Person 3"]


def test_who_was_made_one_is_found_by_either_look_however_different(show: Path) -> None:
    seen(show, "one", group(0, tracks=8), group(10), group(20))
    rename(show, "Person 2", "Person 1")
    assert seen(show, "two", group(10), group(0), group(20)) == ["Person 1", "Person 1", "Person 3"]
    assert seen(show, "three", group(10), group(0), conflicts=((0, 1),)) == ["Person 1", "Person 4"]


def test_a_name_that_begins_like_a_number_is_a_name_of_ones_own(show: Path) -> None:
    seen(show, "one", group(0), group(10))
    rename(show, "Person 1", "Person 1 (the waiter)")
    assert seen(show, "two", group(0, "Ross"), group(10, "Rachel")) == ["Ross", "Rachel"]
    with renaming(show) as names:
        assert names.find("Person 1 (the waiter)") is not None, "not taken over, as he has a name"
        assert names.find("Person 2") is None
    seen(show, "one")  # which leaves nothing of him
    with renaming(show) as names:
        assert names.find("Person 1 (the waiter)") is not None


def test_names_stay_as_they_were_if_what_they_were_for_fails(show: Path) -> None:
    seen(show, "one", group(0), group(10))
    with pytest.raises(ZeroDivisionError), renaming(show) as names:
        rename_in(names, "Person 1", "Ross")
        rename_in(names, "Person 2", "Ross")
        raise ZeroDivisionError
    assert seen(show, "two", group(0), group(10)) == ["Person 1", "Person 2"]


def now(path: Path, video: str) -> dict[str, str]:
    return dict(cast.names_now(path, video).given)


def test_a_video_knows_the_names_its_persons_have_now(show: Path) -> None:
    seen(show, "one", group(0), group(10))
    seen(show, "two", group(10), group(20))
    rename(show, "Person 2", "Rachel")
    assert now(show, "one") == {"Person 1": "Person 1", "Person 2": "Rachel"}
    assert now(show, "two") == {"Person 2": "Rachel", "Person 3": "Person 3"}
    rename(show, "Rachel", "Monica")
    rename(show, "Person 3", "Rachel")
    assert now(show, "one")["Person 2"] == "Monica"
    assert now(show, "two") == {"Person 2": "Monica", "Person 3": "Rachel"}
    names = cast.names_now(show, "two")
    assert names.was("Monica", "Rachel") and names.was("Monica", "Person 2") and names.was("Rachel", "Person 3")
    assert not names.was("Rachel", "Person 2") and not names.was("Monica", "Person 3")
    assert now(show, "three") == {}


def test_a_video_seen_again_has_the_names_of_the_last_time(show: Path) -> None:
    seen(show, "one", group(0), group(10))
    rename(show, "Person 2", "Rachel")
    assert seen(show, "one", group(10)) == ["Rachel"]
    assert now(show, "one") == {"Rachel": "Rachel"}


def test_who_was_made_one_can_be_two_again(show: Path) -> None:
    seen(show, "one", group(0), group(10), group(20))
    rename(show, "Person 3", "Ross")
    rename(show, "Person 2", "Ross")
    rename(show, "Ross", "Joey")
    assert now(show, "one") == {"Person 1": "Person 1", "Person 2": "Joey", "Person 3": "Joey"}
    with renaming(show) as names:
        names.take_back(dict(names.given("one"))["Person 2"], "Joey", "Person 2")
    assert now(show, "one") == {"Person 1": "Person 1", "Person 2": "Person 2", "Person 3": "Joey"}
    assert seen(show, "two", group(10), group(20)) == ["Person 2", "Joey"]


def test_a_name_taken_back_is_nobodys(show: Path) -> None:
    seen(show, "one", group(0))
    rename(show, "Person 1", "Ross")
    with renaming(show) as names:
        names.take_back(1, "Ross", "Person 1")
        assert names.find("Ross") is None and names.former(1) == {"Person 1"}


def test_erasing_leaves_nothing_of_a_person_and_the_number_is_not_used_again(show: Path) -> None:
    seen(show, "one", group(0), group(10), group(20))
    rename(show, "Person 3", "Person 2")
    with renaming(show) as names:
        person = names.find("Person 2")
        assert person is not None
        names.erase(person)
    assert now(show, "one") == {"Person 1": "Person 1"} and tracks_kept(show) == 2
    assert seen(show, "two", group(10), group(20)) == ["Person 4", "Person 5"]


def test_names_can_be_read_where_nothing_can_be_written(show: Path) -> None:
    seen(show, "one", group(0))
    before = show.read_bytes()
    show.chmod(0o400)
    show.parent.chmod(0o500)
    try:
        assert now(show, "one") == {"Person 1": "Person 1"}
    finally:
        show.parent.chmod(0o700)
    assert show.read_bytes() == before


def test_a_person_who_gets_the_name_of_another_is_that_person_from_then_on(show: Path) -> None:
    seen(show, "one", group(0, "Ross"), group(10))
    kept = tracks_kept(show)
    rename(show, "Person 1", "Ross")
    assert tracks_kept(show) == kept
    assert enrol(show, "dlib-resnet 55533b", "two", [group(10)], [], 15.0) == ["Ross"]


def test_a_name_from_a_gallery_goes_to_the_person_who_looks_like_it(show: Path) -> None:
    seen(show, "one", group(0), group(10))
    assert seen(show, "two", group(10, "Rachel")) == ["Rachel"]
    assert seen(show, "three", group(10), group(0)) == ["Rachel", "Person 1"]


def test_a_name_from_a_gallery_never_takes_the_name_of_another_person(show: Path) -> None:
    seen(show, "one", group(10, "Monica"))
    assert seen(show, "two", group(10, "Rachel")) == ["Rachel"]
    assert seen(show, "three", group(10.0)) in (["Monica"], ["Rachel"])


def test_a_person_with_a_name_of_their_own_is_found_by_it_whatever_they_look_like(show: Path) -> None:
    seen(show, "one", group(0, "Ross"))
    assert seen(show, "two", group(40, "Ross"), group(0)) == ["Ross", "Ross"]


def test_two_in_one_picture_are_never_one_person_of_the_cast(show: Path) -> None:
    seen(show, "one", group(0))
    assert seen(show, "two", group(0.05), group(0), conflicts=((0, 1),)) == ["Person 2", "Person 1"]
    seen(show, "three", group(0, "Ross"))
    names = seen(show, "four", group(0), group(0.02, "Ross"), conflicts=((0, 1),))
    assert names[1] == "Ross" and names[0] != "Ross"


def test_the_best_tracks_are_kept_and_no_more(show: Path) -> None:
    many = group(0, tracks=cast.TRACKS_KEPT + 10)
    confidence = np.linspace(0, 1, len(many.embeddings), dtype=np.float32)
    seen(show, "one", Group(many.embeddings, confidence))
    with sqlite3.connect(show) as connection:
        kept = [row[0] for row in connection.execute("SELECT confidence FROM track")]
    assert sorted(kept) == pytest.approx(confidence[-cast.TRACKS_KEPT :].tolist())


def test_another_embedder_is_refused_and_nothing_lost(show: Path) -> None:
    seen(show, "one", group(0))
    content = show.read_bytes()
    with fails(InputError, "cast-other-embedder", "55533b", "1234") as caught:
        enrol(show, "arcface 1234", "two", [group(0)], [], NEAR)
    assert caught.value.exit_code == 3 and "--embedder" in caught.value.hint
    assert show.read_bytes() == content


def test_another_version_is_refused(show: Path) -> None:
    seen(show, "one", group(0))
    with sqlite3.connect(show) as connection:
        connection.execute("PRAGMA user_version = 3")
    with fails(InputError, "cast-format", "3", "2"):
        seen(show, "two", group(0))


def test_a_cast_of_an_older_version_is_refused_with_the_way_to_a_new_one(show: Path) -> None:
    seen(show, "one", group(0))
    with sqlite3.connect(show) as connection:
        connection.execute("PRAGMA user_version = 1")
    for call in (lambda: seen(show, "two", group(0)), lambda: now(show, "one")):
        with fails(InputError, "cast-format", "1") as caught:
            call()
        assert "--cast" in caught.value.hint and "pip" not in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"names: Ross, Rachel\n" * 50])
def test_a_file_that_is_no_cast_is_refused_and_left_alone(show: Path, content: bytes) -> None:
    show.write_bytes(content)
    with fails(InputError, "cast-unusable"):
        seen(show, "one", group(0))
    assert show.read_bytes() == content


def test_a_database_of_another_program_is_refused(show: Path) -> None:
    with sqlite3.connect(show) as connection:
        connection.execute("CREATE TABLE person (name TEXT)")
    with fails(InputError, "cast-unusable"):
        seen(show, "one", group(0))


def test_a_place_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*nowhere"):
        seen(tmp_path / "nowhere" / "show.cast", "one", group(0))


def test_a_full_disk_leaves_the_cast_as_it_was(show: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen(show, "one", group(0))
    pages = int(sqlite3.connect(show).execute("PRAGMA page_count").fetchone()[0])
    connect = sqlite3.connect

    def full(*args: object, **options: object) -> sqlite3.Connection:
        connection = connect(*args, **options)  # type: ignore[call-overload]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection  # type: ignore[no-any-return]

    monkeypatch.setattr(sqlite3, "connect", full)
    with pytest.raises(OutputError, match="full"):
        seen(show, "two", *(group(10.0 * k, tracks=20) for k in range(40)))
    monkeypatch.undo()
    assert seen(show, "three", group(0)) == ["Person 1"]


def _enrol_alone(arguments: tuple[Path, int]) -> list[str]:
    path, number = arguments
    return seen(path, f"video {number}", group(0), group(10.0 * (number + 1)))


def test_many_runs_at_once_lose_no_person_and_give_no_person_two_numbers(show: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        names = list(pool.map(_enrol_alone, [(show, number) for number in range(12)]))
    assert len({row[0] for row in names}) == 1, "all saw the first person"
    assert sorted({name for row in names for name in row}, key=lambda name: int(name.split()[1])) == [
        f"Person {number}" for number in range(1, 14)
    ]
    assert tracks_kept(show) == 12 * 4
    assert [path.name for path in show.parent.iterdir()] == ["show.cast"]


def test_a_run_killed_while_enrolling_leaves_no_trace(show: Path) -> None:
    seen(show, "one", group(0))
    program = (
        "import sys, time; from pathlib import Path; from fercli.persons import cast_file\n"
        "with cast_file.opened(Path(sys.argv[1])) as connection:\n"
        "    connection.execute('DELETE FROM track'); print('deleted', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(show)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"deleted\n"
        os.kill(process.pid, signal.SIGKILL)
    assert seen(show, "two", group(0)) == ["Person 1"]


def test_a_run_waits_for_another_one(show: Path) -> None:
    seen(show, "one", group(0))
    program = (
        "import sys; from pathlib import Path; from fercli.persons import cast_file\n"
        "with cast_file.opened(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(show)]
    with (
        ThreadPoolExecutor(1) as pool,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
    ):
        assert process.stdin is not None and process.stdout is not None and process.stdout.readline() == b"open\n"
        second = pool.submit(seen, show, "two", group(0))
        assert not wait([second], timeout=0.3).done, "it does not end while the other one has the cast"
        process.stdin.close()
        assert second.result() == ["Person 1"]


HARM = {
    "an embedding of another length": "UPDATE track SET embedding = zeroblob(8) WHERE rowid = 1",
    "all embeddings of another length": "UPDATE track SET embedding = zeroblob(8)",
    "an embedding cut in a number": "UPDATE track SET embedding = zeroblob(15)",
    "no embedding": "UPDATE track SET embedding = x''",
    "text for an embedding": "UPDATE track SET embedding = 'x' WHERE rowid = 1",
    "numbers that are not finite": "UPDATE track SET embedding = x'0000c07f0000c07f0000c07f0000c07f' WHERE rowid = 1",
    "a confidence that is text": "UPDATE track SET confidence = 'x'",
    "a confidence above 1": "UPDATE track SET confidence = 1e300",
    "a person who is not there": "UPDATE track SET person = 99 WHERE rowid = 1",
    "a name that is no text": "UPDATE person SET name = x'ff' WHERE id = 1",
    "a name that is no UTF-8": "UPDATE person SET name = CAST(x'ff' AS TEXT) WHERE id = 1",
    "the same as nobody": "UPDATE person SET same_as = 99 WHERE id = 1",
    "a given name of nobody": "UPDATE given SET person = 99",
    "a former name of nobody": "UPDATE former SET person = 99 WHERE person = 1",
    "a former name that is no text": "UPDATE former SET name = x'ff' WHERE person = 1",
    "two of one name": "DROP INDEX person_name; UPDATE person SET name = 'Ross'",
    "no rows": "DELETE FROM cast",
    "two embedders": "INSERT INTO cast VALUES ('other', 5)",
    "a number that is text": "UPDATE cast SET last_number = 'x'",
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON track BEGIN DELETE FROM person; END",
    "a view": "CREATE VIEW v AS SELECT * FROM person",
    "no table": "DROP TABLE track",
    "other columns": "ALTER TABLE track RENAME COLUMN embedding TO e",
}


@pytest.mark.parametrize("harm", HARM)
def test_a_cast_that_cannot_be_used_is_refused_by_name_and_left_as_it_is(show: Path, harm: str) -> None:
    seen(show, "one", group(0), group(10))
    with sqlite3.connect(show) as connection:
        connection.executescript(HARM[harm])
    before = show.read_bytes()
    with pytest.raises(InputError, match=r"show\.cast") as found:
        seen(show, "two", group(0))
    assert found.value.exit_code == 3
    assert show.read_bytes() == before


def test_a_foreign_database_and_a_pipe_are_no_casts(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "foreign") as connection:
        connection.execute("CREATE TABLE person (id, name)")
    os.mkfifo(tmp_path / "pipe")
    for name in ("foreign", "pipe"):
        with pytest.raises(InputError, match=name):
            cast.check(tmp_path / name, "dlib-resnet 55533b")


@pytest.mark.parametrize("mask", [0o022, 0])
def test_only_the_owner_may_read_a_cast_and_its_journal(show: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        seen(show, "one", group(0))
        with cast_file.opened(show) as connection:
            connection.execute("DELETE FROM track")
            assert {path.name: path.stat().st_mode & 0o777 for path in show.parent.iterdir()} == {
                "show.cast": 0o600,
                "show.cast-journal": 0o600,
            }
    finally:
        os.umask(before)


def test_a_cast_that_all_could_read_is_shut_and_one_shared_with_a_group_stays_shared(show: Path) -> None:
    seen(show, "one", group(0))
    for mode, then in ((0o644, 0o600), (0o660, 0o660)):
        show.chmod(mode)
        seen(show, "one", group(0))
        assert show.stat().st_mode & 0o777 == then


def test_the_next_run_removes_casts_that_were_never_finished(show: Path) -> None:
    seen(show, "one", group(0))
    for name in (f".show.cast.{'0' * 32}", f".show.cast.{'0' * 16}.tmp", f".show.cast.{'0' * 32}-journal"):
        (show.parent / name).touch()
    (show.parent / ".show.cast.mine").touch()
    seen(show, "two", group(0))
    assert sorted(path.name for path in show.parent.iterdir()) == [".show.cast.mine", "show.cast"]


def test_a_cast_may_be_a_link_to_where_it_is_made(show: Path, tmp_path: Path) -> None:
    (tmp_path / "casts").mkdir()
    show.symlink_to(tmp_path / "casts" / "real.cast")
    assert seen(show, "one", group(0)) == seen(show, "two", group(0))
    assert show.is_symlink() and [path.name for path in (tmp_path / "casts").iterdir()] == ["real.cast"]
