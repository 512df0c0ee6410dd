"""Text without control characters for terminals, and a stdout that reports write errors."""

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
"""Control characters, line and paragraph separators, and direction overrides and isolates."""
_ESCAPED = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _UNSEEN}
_ESCAPED |= {ord("\t"): "\\t", ord("\n"): "\\n", ord("\r"): "\\r"}
_LINES = {code: text for code, text in _ESCAPED.items() if code != ord("\n")}


def visible(text: str, *, lines: bool = False) -> str:
    r"""The text with `\x1b`, `\n` or `\u202e` instead of each control or invisible character.

    Args:
        lines: whether line breaks are kept, as in some hints.
    """
    return text.translate(_LINES if lines else _ESCAPED)


class ReaderGone(Exception):
    """The program that reads the pipe, for example `head`, has ended."""


class _Descriptor(io.RawIOBase):
    """A file descriptor for writing; after its first failure, which is raised, it ignores all writes."""

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
def checked_stdout() -> Iterator[None]:
    """Replace the stdout of the process by a `_Descriptor`, and flush it at the end.

    As on stderr, characters that the terminal cannot encode are escaped, so that no name stops the program.

    Raises:
        ReaderGone: the pipe is closed.
        OutputError: it cannot be written for another reason.
    """
    own = sys.stdout
    if own is not None and own is not sys.__stdout__:  # a caller catches it
        _escape(own)
        yield
        return
    # Opened for reading, so that writes fail; otherwise the next opened file would become stdout.
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
