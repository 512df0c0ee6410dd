"""Where a command may write, and what it writes on stdout: no file of a person's is replaced unasked."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fercli.errors import ConfigError
from fercli.workspace import require_parent, writing


def refuse_existing(output: Path, *, overwrite: bool) -> None:
    """Before the work, not after it.

    Raises:
        ConfigError: there is a file, and it was not to be replaced; or as `refuse_what_is_no_file`.
        OutputError: as `refuse_what_is_no_file`.
    """
    refuse_what_is_no_file(output)
    if output.exists() and not overwrite:
        raise ConfigError(f"{output} exists", hint="choose another name, or add --overwrite")


def refuse_what_is_no_file(output: Path) -> None:
    """A file can be written there or is there already; pipes and devices are left alone.

    Raises:
        ConfigError: a directory, a pipe or a device.
        OutputError: the directory it should lie in does not exist, or may not be looked into.
    """
    with writing(output):
        if output.is_dir():
            raise ConfigError(f"the output {output} is a directory", hint="give the name of a file in it")
        if output.exists() and not output.is_file():
            raise ConfigError(
                f"the output {output} is a pipe or a device, not a file",
                hint="give a file; `fercli export WORKSPACE -o -` writes to stdout",
            )
        require_parent(output, "the output")


def to_stdout(content: bytes) -> None:
    """Bytes as they are, whatever the encoding of the terminal."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def json_to_stdout(document: Any) -> None:
    """JSON in UTF-8. What has no JSON of its own, such as a path, is written as text."""
    text = json.dumps(document, indent=1, ensure_ascii=False, default=str) + "\n"
    # Only what is left of file names that are no UTF-8 has to be escaped, and JSON escapes it the same way.
    to_stdout(text.encode("utf-8", "backslashreplace"))
