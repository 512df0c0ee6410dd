"""Checks of output paths before the work: no existing file is replaced unless the user asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from fercli.errors import ConfigError
from fercli.workspace import Workspace
from fercli.writing import require_free, require_parent, writing


def refuse_existing(
    output: Path, *, overwrite: bool, reads: Iterable[Path] = (), workspace: Workspace | None = None
) -> None:
    """Refuse an existing output before the work starts.

    Args:
        output: the file to write.
        overwrite: whether an existing file may be replaced.
        reads: input files, which are never replaced.
        workspace: the workspace that is read; neither its video nor anything in it may be replaced.

    Raises:
        ConfigError: the file exists and may not be replaced; or as the two functions below.
        OutputError: as `refuse_what_is_no_file`.
    """
    refuse_what_is_no_file(output)
    if workspace is not None:
        refuse_what_is_read(output, [Path(workspace.video.path), *reads], workspace.path)
    else:
        refuse_what_is_read(output, reads)
    require_free(output, overwrite=overwrite)


def refuse_what_is_read(output: Path, reads: Iterable[Path], workspace: Path | None = None) -> None:
    """Refuse an output that is an input of the same command, also through links and with --overwrite.

    Args:
        output: the file to write.
        reads: files that are read.
        workspace: directory in which only fercli itself writes; may be missing.

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
    """Check that the output is a new or an existing file; pipes and devices are refused.

    Raises:
        ConfigError: a directory, a pipe or a device.
        OutputError: its directory does not exist or cannot be read.
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
