"""Atomic writing of files, public or for their owner only, and errors for places that are not writable.

A new file is created under a random name, never through a link, in the directory of the file that it replaces; it is
moved into place when it is complete and on the disk. It is locked while it is written, so that the next writer of the
same file can distinguish a leftover of a killed process from a file that is still being written.
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

OWNER_ONLY, PUBLIC = 0o600, 0o666
"""Modes of new files; the umask applies to the second."""
OWNER_ONLY_DIRECTORY = 0o700
_LONGEST = 200
"""Bytes of a file's name that its temporary name keeps: the limit of a file system is 255."""


def write_atomically(path: Path, content: bytes, *, private: bool = False) -> None:
    """Replace a file in one step; the old one is kept if the new one cannot be written completely.

    A link is kept, and its target is replaced.

    Args:
        private: whether only the owner can read it, as for all biometric data.

    Raises:
        OutputError: it cannot be written.
    """
    with writing(path), _new_file(path, private=private, replace=True) as (descriptor, _):
        _fill(descriptor, content)


def create_atomically(path: Path, content: bytes, *, private: bool = False) -> bool:
    """Write a file if there is none of that name; safe if another process does the same.

    Returns:
        False if there is one, which is not changed.

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
    """For writers that need a path: an empty file that replaces `path` when the block ends without an exception.

    Args:
        path: the file; a link is kept, and its target is replaced.
        private: whether only the owner can read it. replace: whether an existing file is replaced.

    Yields:
        The path to write to, in the directory of the file. Open it for writing, do not replace it.

    Raises:
        FileExistsError: there is a file, and `replace` is false.
        OSError: it cannot be written. Exceptions of the block are passed on. In all cases the new file is removed.
    """
    with _new_file(path, private=private, replace=replace) as (_, temporary):
        yield temporary


def create_for_owner(path: Path) -> None:
    """Create an empty file that only its owner can read, or truncate an existing one; raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, OWNER_ONLY)
    try:
        os.fchmod(descriptor, OWNER_ONLY)
    finally:
        os.close(descriptor)


def restrict_to_owner(path: Path) -> None:
    """Restrict a world-readable file, as written by older versions, to its owner; one shared with a group is not
    changed."""
    with suppress(OSError):
        mode = path.stat().st_mode
        if mode & stat.S_IRWXO:
            path.chmod(mode & stat.S_IRWXU)


def on_disk(directory: Path) -> None:
    """Wait until the files in a directory, and their names, are on the disk; raises OSError."""
    for file in directory.iterdir():
        if file.is_file():
            _on_disk(file)
    names_on_disk(directory)


def names_on_disk(directory: Path) -> None:
    """The same for the names only, if the file system supports it for directories."""
    with suppress(OSError):
        _on_disk(directory)


def is_temporary(name: str) -> bool:
    """Whether a file has the name of an unfinished file, of this or an earlier version."""
    return name.startswith(".") and name.endswith(".tmp")


def remove_leftovers(path: Path) -> None:
    """Remove leftovers of killed writers of a file; a file that a running process writes is kept."""
    # Without `.tmp`: leftover casts of earlier versions.
    left = re.compile(rf"{re.escape(_stem(path))}\.([0-9a-f]{{16}}\.tmp|[0-9a-f]{{32}})(-journal)?")
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if left.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                _remove_if_dead(Path(entry.path))


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """The only place where a write error becomes an OutputError that names the path."""
    try:
        yield
    except OSError as error:
        message = f"cannot write {error.filename or path}: {error.strerror or error}"
        if error.errno == errno.ENOSPC:
            hint = "free some space, then run the same command: finished work is kept"
            raise OutputError(message, hint=hint, code="disk-full") from error
        raise OutputError(message, hint="choose a writable place") from error


def require_parent(path: Path, what: str) -> None:
    """Check, before the work, that the directory of an output exists.

    Args:
        what: name of the output for the message, such as `the cast`.

    Raises:
        OutputError: it does not exist.
    """
    if not path.parent.is_dir():
        hint = f"run: mkdir -p {shlex.quote(str(path.parent))}"
        raise OutputError(f"no directory {path.parent} for {what}", hint=hint, code="directory-missing")


def require_free(path: Path, *, overwrite: bool) -> None:
    """Refuse, before the work, to replace an existing file.

    Raises:
        ConfigError: the file exists, and replacing is not allowed.
    """
    if path.exists() and not overwrite:
        raise ConfigError(
            f"{path} exists", hint="choose another name with -o, or add --overwrite", code="output-exists"
        )


@contextmanager
def _new_file(path: Path, *, private: bool, replace: bool) -> Iterator[tuple[int, Path]]:
    """Yield the descriptor and the path of the new file."""
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
    """The mode of the new file, never wider than that of the replaced file."""
    try:
        return stat.S_IMODE(place.stat().st_mode) & PUBLIC
    except OSError:
        return PUBLIC


def _create(place: Path, mode: int) -> tuple[int, Path]:
    """A new locked file beside a path."""
    while True:
        temporary = place.with_name(f"{_stem(place)}.{secrets.token_hex(8)}.tmp")
        try:
            descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        except OSError as error:
            error.filename = str(place)
            raise
        if _lock(descriptor) is not False and os.fstat(descriptor).st_nlink:
            return descriptor, temporary
        os.close(descriptor)  # another process considered it a leftover before it was locked, and removed it


def _stem(place: Path) -> str:
    return f".{os.fsencode(place.name)[:_LONGEST].decode(errors='ignore')}"


def _lock(descriptor: int) -> bool | None:
    """Lock a file until its descriptor is closed; False if another process holds the lock, None if files cannot be
    locked."""
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
            os.link(temporary, place)  # fails if the file exists; a rename would replace it
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
