"""Text without control characters for terminals, and a stdout that reports why it cannot be written."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fercli.errors import OutputError

_UNSEEN = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
"""Control characters, ends of lines and paragraphs, and the overrides and isolates of direction."""
_ESCAPED = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _UNSEEN}
_ESCAPED |= {ord("\t"): "\\t", ord("\n"): "\\n", ord("\r"): "\\r"}
_LINES = {code: text for code, text in _ESCAPED.items() if code != ord("\n")}


def visible(text: str, *, lines: bool = False) -> str:
    r"""The text with `\x1b`, `\n` or `\u202e` in the place of each character that a terminal obeys or that hides.

    Args:
        lines: whether the text may have several lines, as some hints have.
    """
    return text.translate(_LINES if lines else _ESCAPED)


class ReaderGone(Exception):
    """The program that reads the pipe, `head` for example, has ended."""


class _Descriptor(io.RawIOBase):
    """A descriptor to write to; after its first failure, which is raised, nothing more is written and nothing fails."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._failed = False

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        if self._failed:
            return len(content)
        try:
            return os.write(self._number, content)
        except BrokenPipeError as error:
            self._failed = True
            raise ReaderGone from error
        except OSError as error:
            self._failed = True
            reason = "it is closed" if error.errno == errno.EBADF else error.strerror
            raise OutputError(
                f"cannot write to stdout: {reason}", hint="send it to another file or program", code="stdout-unwritable"
            ) from error


@contextmanager
def honest_stdout() -> Iterator[None]:
    """Put such a stdout in the place of the process's own, and write what is left in it at the end.

    As on stderr, letters the terminal does not have are escaped: a name in them is no reason to stop.

    Raises:
        ReaderGone: the pipe is closed.
        OutputError: it cannot be written for another reason.
    """
    own = sys.stdout
    if own is not None and own is not sys.__stdout__:  # somebody who calls us catches it
        _escape(own)
        yield
        return
    # Opened for reading, so that to write fails; otherwise the next file to be opened would be taken for stdout.
    number = own.fileno() if own else os.open(os.devnull, os.O_RDONLY)
    encoding = own.encoding if own else "utf-8"
    buffer = io.BufferedWriter(_Descriptor(number))
    stream = io.TextIOWrapper(buffer, encoding, "backslashreplace", line_buffering=os.isatty(number))
    sys.stdout = stream
    try:
        yield
    finally:
        sys.stdout = own
        stream.flush()


def _escape(stream: Any) -> None:
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
