"""A file is written whole or not at all."""

from __future__ import annotations

import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest

from fercli.errors import OutputError
from fercli.writing import create_atomically, new_file, require_parent, restrict_to_owner, write_atomically

KILLS = 60
HEXES = "0123456789abcdef"


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, fill_disk: Callable[[], None]) -> None:
    path = tmp_path / "out.json"
    path.write_bytes(b"old")
    fill_disk()
    with pytest.raises(OutputError, match="No space left on device"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere" / "real.json"
    real.parent.mkdir()
    real.write_bytes(b"old")
    link = tmp_path / "link.json"
    link.symlink_to(real)
    write_atomically(link, b"new")
    assert link.is_symlink() and real.read_bytes() == b"new"


def test_a_missing_directory_is_named_with_a_command_that_can_be_pasted(tmp_path: Path) -> None:
    require_parent(tmp_path / "show.cast", "the cast")
    with pytest.raises(OutputError, match=r"no directory .*season 1 for the cast") as caught:
        require_parent(tmp_path / "season 1" / "show.cast", "the cast")
    assert caught.value.hint == f"run: mkdir -p '{tmp_path / 'season 1'}'"


@pytest.mark.parametrize("mask", [0o022, 0])
def test_private_is_for_the_owner_whatever_the_umask_and_else_it_decides(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        for private in (True, False):
            write_atomically(tmp_path / f"written {private}", b"", private=private)
            create_atomically(tmp_path / f"created {private}", b"", private=private)
            with new_file(tmp_path / f"path {private}", private=private) as temporary:
                assert mode(temporary) == (0o600 if private else 0o666 & ~mask), "not even for a moment"
                temporary.write_bytes(b"by its path")
    for how in ("written", "created", "path"):
        assert mode(tmp_path / f"{how} True") == 0o600
        assert mode(tmp_path / f"{how} False") == 0o666 & ~mask


def test_a_file_shared_with_fewer_is_not_opened_to_all_by_writing_it_again(tmp_path: Path) -> None:
    file = tmp_path / "exports.json"
    file.touch(0o600)
    write_atomically(file, b"Ross")
    assert mode(file) == 0o600


def test_what_all_could_read_is_shut_and_what_a_group_shares_stays(tmp_path: Path) -> None:
    for before, after in ((0o644, 0o600), (0o666, 0o600), (0o660, 0o660), (0o640, 0o640), (0o600, 0o600)):
        file = tmp_path / f"{before:o}"
        file.touch()
        file.chmod(before)
        restrict_to_owner(file)
        assert mode(file) == after
    restrict_to_owner(tmp_path / "not there")


def test_no_name_beside_the_target_can_be_laid_as_a_trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    for name in (".out.csv.tmp", "out.csv.tmp", f".out.csv.{'0' * 16}.tmp"):
        (tmp_path / name).symlink_to(victim)
    guesses = iter(["0" * 16, "1" * 16])  # the first is the trap
    monkeypatch.setattr("fercli.writing.secrets.token_hex", lambda size: next(guesses))
    with pytest.raises(OutputError):
        write_atomically(tmp_path / "out.csv", b"new")
    write_atomically(tmp_path / "out.csv", b"new")
    assert victim.read_bytes() == b"precious" and (tmp_path / "out.csv").read_bytes() == b"new"


def test_temporary_names_differ_and_fit_whatever_the_length_of_the_name(tmp_path: Path) -> None:
    seen = []
    for path in (tmp_path / "out.csv", tmp_path / "out.csv", tmp_path / ("é" * 127)):
        with new_file(path) as temporary:
            assert temporary.parent == path.parent
            seen.append(temporary.name)
        assert path.is_file()
    assert len(set(seen)) == 3 and not [name for name in names(tmp_path) if name.startswith(".")]


def test_a_file_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    replace, sync = Path.replace, os.fsync

    def synced(descriptor: int) -> None:
        done.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def replaced(self: Path, target: Path) -> Path:
        done.append("replace")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    write_atomically(tmp_path / "a", b"new")
    assert done == ["file", "replace", "directory"]


@pytest.mark.parametrize("replace", [True, False])
def test_a_block_that_fails_leaves_nothing(tmp_path: Path, replace: bool) -> None:
    with pytest.raises(KeyError), new_file(tmp_path / "a", replace=replace) as temporary:
        temporary.write_bytes(b"half")
        raise KeyError
    assert names(tmp_path) == []


@pytest.mark.parametrize("links", [True, False])
def test_what_is_there_is_kept_where_a_file_is_only_to_be_made(
    tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(*args: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", cannot)
    assert create_atomically(tmp_path / "a", b"first")
    assert not create_atomically(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first" and names(tmp_path) == ["a"]


def test_a_link_to_itself_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("a")
    with pytest.raises(OutputError, match=r"a: Too many levels"):
        write_atomically(tmp_path / "a", b"")


def test_the_error_names_the_file_and_not_the_temporary_one(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OutputError, match=f"cannot write {tmp_path / 'a'}: "):
        write_atomically(tmp_path / "a", b"")
    with pytest.raises(OutputError, match=f"cannot write {tmp_path / 'none' / 'a'}: No such file"):
        write_atomically(tmp_path / "none" / "a", b"")


HANG = """
import sys, time
from pathlib import Path
from fercli.writing import new_file
with new_file(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half of it")
    print("writing", flush=True)
    time.sleep(60)
"""


def test_the_next_writer_removes_what_a_dead_one_left_and_nothing_of_a_living_one(tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"
    (tmp_path / ".film.mp4.backup.tmp").write_bytes(b"somebody's own")
    command = [sys.executable, "-c", HANG, str(target)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as dead,
        subprocess.Popen(command, stdout=subprocess.PIPE) as living,
    ):
        for process in (dead, living):
            assert process.stdout is not None and process.stdout.readline() == b"writing\n"
        assert len(names(tmp_path)) == 3
        dead.kill()
        dead.wait()
        write_atomically(tmp_path / "other.mp4", b"of another name")
        assert len(names(tmp_path)) == 4
        write_atomically(target, b"whole")
        assert len(names(tmp_path)) == 4, names(tmp_path)
        living.kill()
    write_atomically(target, b"whole")
    assert names(tmp_path) == [".film.mp4.backup.tmp", "film.mp4", "other.mp4"]


def _write_often(arguments: tuple[Path, int]) -> None:
    path, number = arguments
    for _ in range(100):
        write_atomically(path, HEXES[number].encode() * 5000)


def test_many_writers_of_one_file_remove_nothing_of_each_other(tmp_path: Path) -> None:
    target = tmp_path / "a"
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        list(pool.map(_write_often, [(target, number) for number in range(4)]))
    content = target.read_bytes()
    assert len(content) == 5000 and len(set(content)) == 1 and names(tmp_path) == ["a"]


LOOP = """
import sys
from pathlib import Path
from fercli.writing import write_atomically
number = 0
while True:
    write_atomically(Path(sys.argv[1]), b"0123456789abcdef"[number % 16:][:1] * 200_000)
    number += 1
    if number == 1:
        print("writing", flush=True)
"""


@pytest.mark.slow
def test_sigkill_at_random_moments_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    target, randomly = tmp_path / "out.json", random.Random(5)
    write_atomically(target, b"0" * 200_000)
    left = 0
    for _ in range(KILLS):
        with subprocess.Popen([sys.executable, "-c", LOOP, str(target)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stdout.readline() == b"writing\n"
            time.sleep(randomly.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
        content = target.read_bytes()
        assert len(content) == 200_000 and len(set(content)) == 1
        assert len(names(tmp_path)) <= 2, "a killed writer leaves one file at most, and the next removes it"
        left += len(names(tmp_path)) - 1
    write_atomically(target, b"")
    assert names(tmp_path) == ["out.json"]
    print(f"{KILLS} kills, {left} of them left a temporary file")
