"""The log as a file: nothing is lost, by damage, by kills or by several processes at once."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fercli.edits.edit import Edit, as_line
from fercli.edits.log import annotator, append, appended, now, read_log
from fercli.errors import ConfigError, InputError, OutputError, WorkspaceError
from fercli.workspace import Workspace
from tests.workspaces import VIDEO, make_workspace

RENAME = Edit("rename", "me", "2026-11-25T14:03:00Z", person="Narrator", to="Zoë")


@pytest.fixture
def work(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "w")


def test_without_a_log_there_are_no_edits(work: Workspace) -> None:
    assert read_log(work).edits == () and read_log(work).problems == []


def test_edits_are_numbered_by_their_lines_and_lines_are_only_added(work: Workspace) -> None:
    assert [edit.number for edit in append(work, [RENAME, RENAME])] == [1, 2]
    before = work.edits.read_bytes()
    assert [edit.number for edit in append(work, [RENAME])] == [3]
    assert work.edits.read_bytes().startswith(before)
    assert [edit.number for edit in read_log(work).edits] == [1, 2, 3]
    assert append(work, []) == [] and work.edits.read_bytes().count(b"\n") == 3


def test_only_the_owner_may_read_it(work: Workspace) -> None:
    before = os.umask(0)
    try:
        append(work, [RENAME])
    finally:
        os.umask(before)
    assert work.edits.stat().st_mode & 0o777 == 0o600


def test_a_damaged_line_is_reported_and_the_rest_is_usable(work: Workspace) -> None:
    append(work, [RENAME])
    with work.edits.open("ab") as file:
        file.write(b'{"edit": "dance"}\n\n\xff\xfe\n')
    assert [edit.number for edit in append(work, [RENAME])] == [5]
    log = read_log(work)
    assert [edit.number for edit in log.edits] == [1, 5]
    assert [problem.split(": ")[0] for problem in log.problems] == ["edits.jsonl:2", "edits.jsonl:4"]
    assert "'dance'" in log.problems[0] and "UTF-8" in log.problems[1]
    assert b"dance" in work.edits.read_bytes() and b"\xff\xfe" in work.edits.read_bytes()


def test_a_damaged_line_that_is_undone_is_no_problem_any_more(work: Workspace) -> None:
    work.edits.write_text("rubbish\n")
    append(work, [Edit("undo", "me", now(), of=1)])
    assert read_log(work).problems == [] and read_log(work).damaged.keys() == {1}
    append(work, [Edit("undo", "me", now(), of=2)])
    assert len(read_log(work).problems) == 1


def test_undo_of_an_undo(work: Workspace) -> None:
    append(work, [RENAME, Edit("undo", "me", now(), of=1)])
    assert read_log(work).undone == {1}
    append(work, [Edit("undo", "me", now(), of=2)])
    assert read_log(work).undone == {2}
    append(work, [Edit("undo", "me", now(), of=1)])
    assert read_log(work).undone == {1, 2}


@pytest.mark.parametrize("kept", [1, 20, len(as_line(RENAME)) - 1])
def test_after_a_write_that_was_cut_short_the_next_begins_a_line(work: Workspace, kept: int) -> None:
    append(work, [RENAME])
    with work.edits.open("ab") as file:
        file.write(as_line(RENAME).encode()[:kept])
    (problem,) = read_log(work).problems
    assert problem.startswith("edits.jsonl:2: ") and "truncated" in problem
    assert [edit.number for edit in append(work, [RENAME])] == [3]
    log = read_log(work)
    assert [edit.number for edit in log.edits] == [1, 3] and log.damaged.keys() == {2}


def test_a_whole_last_line_without_its_end_is_an_edit(work: Workspace) -> None:
    work.edits.write_text("\ufeff" + as_line(RENAME), encoding="utf-8")
    assert [edit.number for edit in append(work, [RENAME])] == [2]
    assert [edit.number for edit in read_log(work).edits] == [1, 2] and read_log(work).problems == []


def test_what_is_added_is_taken_back_if_what_it_is_for_fails(work: Workspace) -> None:
    with pytest.raises(ZeroDivisionError), appended(work, [RENAME]):
        raise ZeroDivisionError
    assert not work.edits.exists()
    work.edits.write_text("rubbish")
    with pytest.raises(ZeroDivisionError), appended(work, [RENAME]):
        assert len(read_log(work).edits) == 1
        raise ZeroDivisionError
    assert work.edits.read_text() == "rubbish"


def test_a_full_disk_leaves_the_log_as_it_was(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    append(work, [RENAME])
    before = work.edits.read_bytes()
    write = os.write

    def full(descriptor: int, content: bytes) -> int:
        if b"rename" not in content[:20]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, content[:25])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match=r"edits\.jsonl") as caught:
        append(work, [RENAME])
    assert "free some space" in caught.value.hint
    assert work.edits.read_bytes() == before


@pytest.mark.parametrize("old", [("people.toml",), ("segments.csv",), ("people.toml", "segments.csv")])
def test_corrections_of_an_older_version_are_refused_and_not_passed_over(work: Workspace, old: tuple[str, ...]) -> None:
    for name in old:
        (work.path / name).touch()
    calls: list[Callable[[], Workspace]] = [
        lambda: Workspace.open(work.path),
        lambda: Workspace.create(work.path, VIDEO),
    ]
    for call in calls:
        with pytest.raises(WorkspaceError, match=" and ".join(old)) as caught:
            call()
        assert "fercli annotate" in caught.value.hint and str(work.path) in caught.value.hint
    assert Workspace.of_unchanged(work.path, Path(VIDEO.path)) is None


def test_a_log_that_is_no_file_is_refused(work: Workspace) -> None:
    work.edits.mkdir()
    with pytest.raises(InputError, match=r"edits\.jsonl is a directory"):
        read_log(work)


_APPEND = """
import sys, time
from pathlib import Path
from fercli.edits.edit import Edit
from fercli.edits.log import append, now
from fercli.errors import WorkspaceLocked
from fercli.workspace import Workspace

work = Workspace.open(Path(sys.argv[1]))
for number in range(20):
    while True:
        try:
            with work.lock():
                append(work, [Edit("rename", sys.argv[2], now(), person="A", to=f"B {number}")])
            break
        except WorkspaceLocked:
            time.sleep(0.001)
"""


def test_processes_that_edit_at_once_lose_nothing(work: Workspace) -> None:
    running = [subprocess.Popen([sys.executable, "-c", _APPEND, str(work.path), f"annotator {k}"]) for k in range(3)]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    log = read_log(work)
    assert log.problems == [] and log.lines == 60
    for k in range(3):
        own = [edit.to for edit in log.edits if edit.by == f"annotator {k}"]
        assert own == [f"B {number}" for number in range(20)]


def test_a_killed_process_leaves_whole_lines_and_at_most_one_that_is_cut_short(work: Workspace) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _APPEND.replace("range(20)", "range(10**6)"), str(work.path), "k"]
    )
    while not work.edits.exists() or work.edits.read_bytes().count(b"\n") < 5:
        assert process.poll() is None
    process.kill()
    process.wait()
    log = read_log(work)
    assert len(log.edits) >= 5 and len(log.damaged) <= 1
    with work.lock():
        append(work, [RENAME])
    assert read_log(work).edits[-1].to == "Zoë"


def test_the_annotator_is_the_login_name_unless_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "rosalind")
    assert (annotator(""), annotator(" annotator-2 ")) == ("rosalind", "annotator-2")
    for name in (" ", "a\nb", "x" * 300):
        with pytest.raises(ConfigError, match="--by"):
            annotator(name)
