"""people.toml: a person's own corrections to who is who, kept readable and never rewritten as a whole.

    # Corrections to who is who. `fercli people` writes this file; you may edit it too.

    [[person]]
    was = "Person 2"        # what fercli calls this person
    name = "Ross"           # who it is; two persons of one name are one
    seen = [12.4, 311, 120] # a moment and place where the person's face is: seconds, x, y in pixels

    [[track]]
    track = 17              # one track that belongs to somebody else
    name = "Rachel"
    ignore = true           # leave it out of every export; also for a [[person]], with a name or without

The commands change single entries and leave every other byte as it is. TOML 1.0 (https://toml.io/en/v1.0.0), with one
rule more: an entry begins with a line `[[person]]` or `[[track]]`, so that each has a line number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from fercli.errors import InputError
from fercli.files import require_regular_file
from fercli.people.corrections import Correction, Unusable, edit_entry, parse_entry

_NEW_FILE = "# Corrections to who is who. `fercli people` writes this file; you may edit it too.\n"
_HINT = "correct that line, or move the file away; nothing was changed"


@dataclass(frozen=True)
class _Part:
    """A piece of the file: one entry, or the comments and blank lines in front of one."""

    text: str
    entry: Correction | None = None


class CorrectionsFile:
    """The corrections in a file, and the text they are written in.

    Raises:
        InputError: not UTF-8, not TOML, or an entry that cannot be meant so; names file and line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parts = list(_split(path, _read(path)))
        _refuse_contradictions(path, self.entries)

    @property
    def entries(self) -> list[Correction]:
        """As they stand in the file."""
        return [part.entry for part in self._parts if part.entry]

    @property
    def content(self) -> bytes:
        """The file as it should be."""
        return "".join(part.text for part in self._parts).encode()

    def put(self, entry: Correction, instead_of: Correction | None = None) -> None:
        """Add an entry at the end, or change one where it stands and keep its comments."""
        for number, part in enumerate(self._parts):
            if part.entry is not None and part.entry == instead_of:
                self._parts[number] = _Part(edit_entry(part.text, entry), entry)
                return
        before = self.content.decode()
        line_ends = len(before) - len(before.rstrip("\n"))
        self._parts.append(_Part("\n" * (2 - line_ends) if before else f"{_NEW_FILE}\n"))
        self._parts.append(_Part(edit_entry(f"[[{entry.kind}]]\n", entry), entry))

    def remove(self, entry: Correction) -> None:
        """Take an entry out; comments in front of it stay."""
        self._parts = [part for part in self._parts if part.entry != entry]


def _read(path: Path) -> str:
    if path.exists():
        require_regular_file(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror}", hint="check that it is a file you may read"
        ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong(path, data.count(b"\n", 0, error.start) + 1, "it is not UTF-8") from error


def _split(path: Path, text: str) -> list[_Part]:
    """The text in pieces, each entry with its line number; comments between two entries are pieces of their own."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    headers = [number for number, line in enumerate(lines) if line.lstrip().startswith("[")]
    parts = [_Part(_only_comments(path, lines[: headers[0] if headers else len(lines)]))]
    for begin, end in pairwise([*headers, len(lines)]):
        last = end
        while lines[last - 1].strip() == "" or lines[last - 1].lstrip().startswith("#"):
            last -= 1
        block = "".join(lines[begin:last])
        parts += [_Part(block, _entry(path, begin + 1, block)), _Part("".join(lines[last:end]))]
    return parts


def _only_comments(path: Path, lines: list[str]) -> str:
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            raise _wrong(path, number, f"{line.strip()!r} stands before the first [[person]] or [[track]]")
    return "".join(lines)


def _entry(path: Path, line: int, block: str) -> Correction:
    try:
        return parse_entry(block, line)
    except Unusable as error:
        start = re.compile(rf"\s*[\"']?{re.escape(error.key)}\b")
        lines = [number for number, text in enumerate(block.split("\n")) if error.key and start.match(text)]
        raise _wrong(path, line + (lines[0] if lines else error.line), str(error)) from error


def _refuse_contradictions(path: Path, entries: list[Correction]) -> None:
    """Two entries of one name or number are about two persons only if both were seen, in different places."""
    for number, later in enumerate(entries):
        for earlier in entries[:number]:
            apart = earlier.seen and later.seen and earlier.seen != later.seen
            if earlier.who == later.who and not apart and earlier.decision != later.decision:
                raise _wrong(path, later.line, f"{later.who!r} is on line {earlier.line} already, otherwise")


def _wrong(path: Path, line: int, reason: str) -> InputError:
    return InputError(f"{path}:{line}: {reason}", hint=_HINT)
