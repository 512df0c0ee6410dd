"""stdout that says what is wrong with it: full, closed, or a pipe from which nobody reads any more."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fercli.errors import OutputError


class ReaderGone(Exception):
    """Who reads the pipe, `head` for example, has had enough."""


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
            raise OutputError(f"cannot write to stdout: {reason}", hint="send it to another file or program") from error


@contextmanager
def honest_stdout() -> Iterator[None]:
    """Put such a stdout in the place of the process's own, and write what is left in it at the end.

    As on stderr, letters the terminal does not have are escaped: a name in them is no reason to stop.

    Raises:
        ReaderGone: nobody reads any more.
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
