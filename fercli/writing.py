"""Writing files whole or not at all, and what to say where nothing can be written."""

from __future__ import annotations

import errno
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fercli.errors import OutputError


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file in one step; the old one stays if the new one cannot be written whole.

    Where there is a link, it stays, and what it points to is replaced.

    Raises:
        OutputError: it cannot be written.
    """
    with writing(path):
        path = path.resolve()
        temporary = path.with_name(f".{path.name}.tmp")
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """The one place where a failure to write becomes an OutputError that names the path."""
    try:
        yield
    except OSError as error:
        hint = (
            "free some space, then run the same command: finished work is kept"
            if error.errno == errno.ENOSPC
            else "choose a place you may write to"
        )
        raise OutputError(f"cannot write {error.filename or path}: {error.strerror or error}", hint=hint) from error


def require_parent(path: Path, what: str) -> None:
    """Before the work: the directory in which a file is to be written must be there.

    Args:
        what: is to be written, for the message, as in `the cast`.

    Raises:
        OutputError: it is not.
    """
    if not path.parent.is_dir():
        hint = f"run: mkdir -p {shlex.quote(str(path.parent))}"
        raise OutputError(f"no directory {path.parent} for {what}", hint=hint)
