"""Where a command may write, and what it writes on stdout: no file of a person's is replaced unasked."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fercli.errors import ConfigError
from fercli.workspace import Workspace
from fercli.writing import require_free, require_parent, writing


def refuse_existing(
    output: Path, *, overwrite: bool, reads: Iterable[Path] = (), workspace: Workspace | None = None
) -> None:
    """Before the work, not after it.

    Args:
        output: the file to write.
        overwrite: whether a file that is there may be replaced.
        reads: files that are read, which never may be.
        workspace: that is read; neither may its video be replaced nor anything in it.

    Raises:
        ConfigError: there is a file that was not to be replaced; or as the two functions below.
        OutputError: as `refuse_what_is_no_file`.
    """
    refuse_what_is_no_file(output)
    if workspace is not None:
        refuse_what_is_read(output, [Path(workspace.video.path), *reads], workspace.path)
    else:
        refuse_what_is_read(output, reads)
    require_free(output, overwrite=overwrite)


def refuse_what_is_read(output: Path, reads: Iterable[Path], workspace: Path | None = None) -> None:
    """What the work is made from is not replaced by it, whatever was asked for and by whatever link.

    Args:
        output: the file to write.
        reads: files that are read.
        workspace: directory in which only fercli itself writes; need not be there.

    Raises:
        ConfigError: `output` is one of them, or lies in the workspace.
    """
    for file in reads:
        if _same(output, file):
            raise ConfigError(
                f"writing {output} would destroy {file}, which is read",
                hint="choose another output",
                code="output-unsafe",
            )
    real = Path(os.path.realpath(output))
    if workspace is not None and any(_same(parent, workspace) for parent in real.parents):
        raise ConfigError(
            f"the output {output} lies inside the workspace {workspace}",
            hint="choose a place outside the workspace",
            code="output-unsafe",
        )


def _same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def refuse_what_is_no_file(output: Path) -> None:
    """A file can be written there or is there already; pipes and devices are left alone.

    Raises:
        ConfigError: a directory, a pipe or a device.
        OutputError: the directory it should lie in does not exist, or may not be looked into.
    """
    with writing(output):
        if output.is_dir():
            raise ConfigError(
                f"the output {output} is a directory", hint="give the name of a file in it", code="output-is-no-file"
            )
        if output.exists() and not output.is_file():
            raise ConfigError(
                f"the output {output} is a pipe or a device, not a file",
                hint="give a file; `fercli export WORKSPACE -o -` writes to stdout",
                code="output-is-no-file",
            )
        require_parent(output, "the output")


def to_stdout(content: bytes) -> None:
    """Bytes as they are, whatever the encoding of the terminal."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def json_to_stdout(result: Any) -> None:
    """JSON in UTF-8. What has no JSON of its own, such as a path, is written as text."""
    text = json.dumps(result, indent=1, ensure_ascii=False, default=str) + "\n"
    # Only what is left of file names that are no UTF-8 has to be escaped, and JSON escapes it the same way.
    to_stdout(text.encode("utf-8", "backslashreplace"))
