"""Entry point of the program, and the only place that catches errors. The commands are in `fercli.cli.app`.

Imports little, so that Ctrl-C works from the start: everything else is imported inside `main`.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback

from fercli.cli.terminal import ReaderGone, checked_stdout, visible
from fercli.errors import EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_READER_GONE, FercliError, InputError

DEBUG_VARIABLE = "FERCLI_DEBUG"
UNUSABLE_PATHS = (errno.ENAMETOOLONG, errno.ELOOP)
"""Errors for paths that no file system accepts; tests for existence raise them only for such paths."""


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    See `fercli.errors` for what the codes mean. If the reader of a pipe has ended, no message is printed, and the code
    is EXIT_READER_GONE.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (open until the program ends)
    try:
        with checked_stdout():
            return _run(argv)
    except FercliError as error:
        return _failed(error)
    except ReaderGone:
        return EXIT_READER_GONE
    except KeyboardInterrupt:
        return _interrupted()
    except PermissionError as error:  # of a file or a parent directory; not an internal error
        hint = "check the permissions of it and of the directories above it"
        return _failed(
            InputError(f"cannot read {error.filename or 'a file'}: {error.strerror}", hint=hint, code="file-unreadable")
        )
    except Exception as error:
        if isinstance(error, OSError) and error.errno in UNUSABLE_PATHS:
            return _failed(
                InputError(
                    f"cannot read {error.filename}: {error.strerror}", hint="check the path", code="file-unreadable"
                )
            )
        _print_traceback()
        print(f"error[internal]: a bug in fercli: {type(error).__name__}: {visible(str(error))}", file=sys.stderr)
        print("hint: please report it with the lines above and the output of `fercli doctor`", file=sys.stderr)
        return EXIT_INTERNAL


def _run(argv: list[str] | None) -> int:
    from fercli.cli.app import app

    try:
        app(args=argv, prog_name="fercli")
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
        return _interrupted() if code == EXIT_INTERRUPTED else code
    return 0


def _failed(error: FercliError) -> int:
    """Print the error and the hint."""
    if os.environ.get(DEBUG_VARIABLE):
        _print_traceback()
    print(f"error[{error.code}]: {visible(error.message)}", file=sys.stderr)
    if error.hint:
        print(f"hint: {visible(error.hint, lines=True)}", file=sys.stderr)
    return error.exit_code


def _print_traceback() -> None:
    print(visible(traceback.format_exc(), lines=True), end="", file=sys.stderr)


def _interrupted() -> int:
    print("interrupted: finished work is kept; run the same command again to continue", file=sys.stderr)
    return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
