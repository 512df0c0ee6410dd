"""`edits.jsonl`: all manual corrections of a video, one line of JSON each; lines are only added.

The number of an edit is the number of its line, so no line is removed or moved. An invalid line is kept, is reported
with its number and reason until it is undone, and does not affect the other lines. Empty lines are ignored.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from fercli.edits.edit import Edit, Unusable, as_line, parse
from fercli.errors import ConfigError, InputError, reason_of
from fercli.files import require_regular_file
from fercli.workspace import Workspace
from fercli.writing import OWNER_ONLY, names_on_disk, writing


@dataclass(frozen=True)
class Log:
    """The content of a log.

    Attributes:
        edits: the valid lines, in order.
        damaged: number of a line -> why it is invalid.
        lines: number of lines, including invalid and empty ones.
    """

    edits: tuple[Edit, ...] = ()
    damaged: dict[int, str] = field(default_factory=dict)
    lines: int = 0

    @property
    def problems(self) -> list[str]:
        """A message for each damaged line that is not undone, beginning with file and line."""
        undone = self.undone
        return [problem(number, reason) for number, reason in self.damaged.items() if number not in undone]

    @property
    def undone(self) -> set[int]:
        """Numbers of the undone lines; an undo that is undone itself has no effect."""
        found: set[int] = set()
        for edit in reversed(self.edits):  # an undo is later than the edit it undoes
            if edit.of and edit.number not in found:
                found.add(edit.of)
        return found


def problem(number: int, text: str) -> str:
    """A message about a line of the log."""
    return f"edits.jsonl:{number}: {text}"


def read_log(workspace: Workspace) -> Log:
    """All edits of a workspace; none if there is no log.

    Raises:
        InputError: the log is not a file, or cannot be read.
    """
    path = workspace.edits
    if not path.exists() and not path.is_symlink():
        return Log()
    require_regular_file(path)
    try:
        return _parsed(path.read_bytes())
    except OSError as error:
        hint = "check that it is a readable file"
        raise InputError(f"cannot read {path}: {reason_of(error)}", hint=hint, code="file-unreadable") from error


@contextmanager
def appended(workspace: Workspace, edits: Sequence[Edit]) -> Iterator[list[Edit]]:
    """Add edits to the log, under the lock of the workspace; an exception in the block removes them.

    All are written in one write and are on the disk before the block begins. After a write that was interrupted by a
    kill or a power failure, they begin on a new line.

    Yields:
        The edits with their numbers.

    Raises:
        OutputError: they cannot be written; nothing was changed.
        InputError: as `read_log`.
    """
    log, path = read_log(workspace), workspace.edits
    numbered = [replace(edit, number=log.lines + place) for place, edit in enumerate(edits, start=1)]
    if not edits:
        yield []
        return
    before = path.stat().st_size if path.exists() else None
    try:
        with writing(path):
            _append(path, "".join(f"{as_line(edit)}\n" for edit in numbered).encode())
        yield numbered
    except BaseException:
        with writing(path):
            if before is None:
                path.unlink(missing_ok=True)
            elif path.stat().st_size != before:
                os.truncate(path, before)
        raise


def append(workspace: Workspace, edits: Sequence[Edit]) -> list[Edit]:
    """Add edits to the log; arguments, result and errors as `appended`."""
    with appended(workspace, edits) as numbered:
        return numbered


def annotator(by: str) -> str:
    """The annotator of an edit: the given name, or else the login name.

    Raises:
        ConfigError: the name cannot be stored.
    """
    if not by:
        try:
            by = getpass.getuser()
        except (KeyError, OSError):
            by = "unknown"
    by = by.strip()
    if not by or not by.isprintable() or len(by) > 200:
        raise ConfigError(
            f"--by {by!r} is not a valid name", hint="give a short name, such as --by annotator-1", code="name-invalid"
        )
    return by


def now() -> str:
    """Date and time for a new edit, UTC."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parsed(content: bytes) -> Log:
    edits: list[Edit] = []
    damaged: dict[int, str] = {}
    lines = content.split(b"\n")
    ended = lines[-1] == b""
    lines = lines[:-1] if ended else lines
    for number, line in enumerate(lines, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            if text:
                edits.append(parse(text, number))
        except UnicodeDecodeError:
            damaged[number] = "it is not UTF-8"
        except Unusable as error:
            cut = number == len(lines) and not ended and not line.rstrip().endswith(b"}")
            damaged[number] = "it is truncated, probably by a kill during the write" if cut else str(error)
    return Log(tuple(edits), damaged, len(lines))


def _append(path: Path, content: bytes) -> None:
    new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, OWNER_ONLY)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            content = b"\n" + content
        while content:
            content = content[os.write(descriptor, content) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        names_on_disk(path.parent)
