"""Writing files whole or not at all, for everybody or for their owner only, and what to say where nothing can be
written.

A new file is made under a name that nobody can guess and that is never followed, in the directory of the file it is to
replace; it takes that one's place when it is whole and on the disk. While it is written it is locked, so that the next
writer of the same file tells one that a killed process left from one that is still being written.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fercli.errors import ConfigError, OutputError

OWNER_ONLY, EVERYBODY = 0o600, 0o666
"""Modes of new files; of the second, the umask takes away what it says."""
OWNER_ONLY_DIRECTORY = 0o700
_LONGEST = 200
"""Bytes of a file's name that its temporary name keeps: a file system takes 255."""


def write_atomically(path: Path, content: bytes, *, private: bool = False) -> None:
    """Replace a file in one step; the old one stays if the new one cannot be written whole.

    Where there is a link, it stays, and what it points to is replaced.

    Args:
        private: whether only the owner may read it, as with everything faces can be recognised by.

    Raises:
        OutputError: it cannot be written.
    """
    with writing(path), _new_file(path, private=private, replace=True) as (descriptor, _):
        _fill(descriptor, content)


def create_atomically(path: Path, content: bytes, *, private: bool = False) -> bool:
    """Write a file if there is none of that name, even if another process tries the same at this moment.

    Returns:
        False if there is one, which stays as it is.

    Raises:
        OutputError: it cannot be written.
    """
    with writing(path):
        try:
            with _new_file(path, private=private, replace=False) as (descriptor, _):
                _fill(descriptor, content)
        except FileExistsError:
            return False
    return True


@contextmanager
def new_file(path: Path, *, private: bool = False, replace: bool = True) -> Iterator[Path]:
    """For writers that want a path: an empty file that takes the place of `path` when the block ends well.

    Args:
        path: where there is a link, it stays, and what it points to is replaced.
        private: whether only the owner may read it.
        replace: whether a file that is there is replaced.

    Yields:
        The path to write to, in the directory of the file. It is to be opened for writing, not replaced.

    Raises:
        FileExistsError: there is a file, and it is not to be replaced.
        OSError: it cannot be written; what the block raises comes through. Nothing is left of the new file.
    """
    with _new_file(path, private=private, replace=replace) as (_, temporary):
        yield temporary


def create_for_owner(path: Path) -> None:
    """Make an empty file that only its owner may read, or empty one that is there; raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, OWNER_ONLY)
    try:
        os.fchmod(descriptor, OWNER_ONLY)
    finally:
        os.close(descriptor)


def shut_out_others(path: Path) -> None:
    """Keep a file that everybody may read, as older versions wrote it, for its owner; one shared with a group stays."""
    with suppress(OSError):
        mode = path.stat().st_mode
        if mode & stat.S_IRWXO:
            path.chmod(mode & stat.S_IRWXU)


def on_disk(directory: Path) -> None:
    """Wait until the files in a directory, and their names, would outlast a power failure; raises OSError."""
    for file in directory.iterdir():
        if file.is_file():
            _on_disk(file)
    names_on_disk(directory)


def names_on_disk(directory: Path) -> None:
    """The same for the names alone, as far as the file system can: some refuse to do this for a directory."""
    with suppress(OSError):
        _on_disk(directory)


def is_temporary(name: str) -> bool:
    """Whether a file is called like one that was not finished, by this version or one before it."""
    return name.startswith(".") and name.endswith(".tmp")


def remove_leftovers(path: Path) -> None:
    """Remove what killed writers of a file have left; a file that a living process writes is left alone."""
    # Without `.tmp`, as casts were left by versions before this one.
    left = re.compile(rf"{re.escape(_stem(path))}\.([0-9a-f]{{16}}\.tmp|[0-9a-f]{{32}})(-journal)?")
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if left.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                _remove_if_dead(Path(entry.path))


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """The one place where a failure to write becomes an OutputError that names the path."""
    try:
        yield
    except OSError as error:
        message = f"cannot write {error.filename or path}: {error.strerror or error}"
        if error.errno == errno.ENOSPC:
            hint = "free some space, then run the same command: finished work is kept"
            raise OutputError(message, hint=hint, code="disk-full") from error
        raise OutputError(message, hint="choose a place you may write to") from error


def require_parent(path: Path, what: str) -> None:
    """Before the work: the directory in which a file is to be written must be there.

    Args:
        what: is to be written, for the message, as in `the cast`.

    Raises:
        OutputError: it is not.
    """
    if not path.parent.is_dir():
        hint = f"run: mkdir -p {shlex.quote(str(path.parent))}"
        raise OutputError(f"no directory {path.parent} for {what}", hint=hint, code="directory-missing")


def require_free(path: Path, *, overwrite: bool) -> None:
    """Before the work: a file that exists is kept.

    Raises:
        ConfigError: there is one, and it was not to be replaced.
    """
    if path.exists() and not overwrite:
        raise ConfigError(
            f"{path} exists", hint="choose another name with -o, or add --overwrite", code="output-exists"
        )


@contextmanager
def _new_file(path: Path, *, private: bool, replace: bool) -> Iterator[tuple[int, Path]]:
    """The descriptor and the path of the new file."""
    place = Path(os.path.realpath(path))
    if place.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    remove_leftovers(place)
    descriptor, temporary = _create(place, OWNER_ONLY if private else _mode(place))
    try:
        yield descriptor, temporary
        os.fsync(descriptor)
        _publish(temporary, place, replace=replace)
        names_on_disk(place.parent)
    except OSError as error:
        if error.filename == str(temporary):
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)
        os.close(descriptor)


def _mode(place: Path) -> int:
    """Never wider than that of the file that is replaced."""
    try:
        return stat.S_IMODE(place.stat().st_mode) & EVERYBODY
    except OSError:
        return EVERYBODY


def _create(place: Path, mode: int) -> tuple[int, Path]:
    """A new file beside a place, locked."""
    while True:
        temporary = place.with_name(f"{_stem(place)}.{secrets.token_hex(8)}.tmp")
        try:
            descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        except OSError as error:
            error.filename = str(place)
            raise
        if _lock(descriptor) is not False and os.fstat(descriptor).st_nlink:
            return descriptor, temporary
        os.close(descriptor)  # another process took it for a leftover before it was locked, and removes it


def _stem(place: Path) -> str:
    return f".{os.fsencode(place.name)[:_LONGEST].decode(errors='ignore')}"


def _lock(descriptor: int) -> bool | None:
    """Lock a file until its descriptor is closed; False if another process has, None where files cannot be locked."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _remove_if_dead(file: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if _lock(descriptor):
                file.unlink()
        finally:
            os.close(descriptor)


def _publish(temporary: Path, place: Path, *, replace: bool) -> None:
    if not replace:
        try:
            os.link(temporary, place)  # fails if there is one, where a rename would replace it
        except FileExistsError:
            raise
        except OSError as error:  # a file system without hard links
            if place.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place)) from error
        else:
            return
    temporary.replace(place)


def _fill(descriptor: int, content: bytes) -> None:
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)


def _on_disk(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
