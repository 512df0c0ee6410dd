"""Annotations of a workspace as files, and a record of them, so that other files are never replaced."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from fercli.edits.state import read_state
from fercli.errors import ConfigError, command
from fercli.formats import FORMATS, choose_format
from fercli.hashing import sha256_file
from fercli.outputs import refuse_what_is_no_file, refuse_what_is_read
from fercli.progress import Reporter
from fercli.results.load import load
from fercli.results.model import Result
from fercli.workspace import Workspace
from fercli.writing import write_atomically

STDOUT = Path("-")
"""Value of -o for stdout."""
DEFAULT = "json"
"""The format of an output without a suffix."""
EXPORTED = "exports.json"
"""File of a workspace that lists all exported files, so that other files are never replaced."""


def write_export(
    workspace: Workspace,
    formats: Sequence[str],
    outputs: Sequence[Path],
    reporter: Reporter,
    *,
    raw_cells: bool = False,
) -> Result:
    """Write the annotations of a workspace in one or several formats; a read-only workspace cannot record the files.

    Args:
        workspace: the workspace, locked by the caller if it can be written.
        formats, outputs: the format of each file, and the files.
        reporter: gets a note for each file, and warnings about edits that cannot be placed.
        raw_cells: see `formats.csv_segments`.

    Returns:
        What was written.

    Raises:
        InputError, WorkspaceError: the edits or a table cannot be read.
        OutputError: a file cannot be written.
    """
    result = read_result(workspace, reporter)
    for format, output in zip(formats, outputs, strict=True):
        content = as_bytes(result, format, raw_cells=raw_cells)
        report_written(result, format, reporter)
        if FORMATS[format].is_empty_of(result):
            run = command("estimate-valence", workspace.path)
            reporter.warn(f"{output} has no rows, because valence was not estimated; to do so: {run}")
        if workspace.writable:
            _note(workspace.path, output.resolve(), content)
        write_atomically(output.resolve(), content)
    return result


def report_written(result: Result, format: str, reporter: Reporter) -> None:
    """A note on what a file holds; a warning if it holds no emotion, and another format would hold what is said."""
    said = FORMATS[format].said
    rows, what = (len(result.utterances), "utterances") if said else (len(result.segments), "segments")
    reporter.note(f"export: {rows} {what} as {format}")
    if not rows and result.utterances and f"{format}-speech" in FORMATS:
        reporter.warn(f"{format} holds emotions, and there are none; for what is said: --format {format}-speech")


def read_result(workspace: Workspace, reporter: Reporter) -> Result:
    """The result of a workspace; warns about edits that cannot be placed. Errors as `write_export`."""
    state = read_state(workspace)
    for problem in state.problems:
        reporter.warn(problem)
    return load(workspace, state)


def as_bytes(result: Result, format: str, *, raw_cells: bool = False) -> bytes:
    """The content of the file that holds a result in a format."""
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / f"annotations{FORMATS[format].suffix}"
        FORMATS[format].write(result, file, raw_cells=raw_cells)
        return file.read_bytes()


def suffix_of(format: str) -> str:
    """Suffix of a format; of the default format if `format` is empty."""
    return FORMATS[choose_format(Path(), format or DEFAULT)].suffix


def format_of(output: Path, format: str) -> str:
    """The given format, or else that of the output's suffix.

    Raises:
        ConfigError: neither is known.
    """
    return choose_format(output, format or (DEFAULT if output == STDOUT else ""))


def check_output(output: Path, workspace: Path, reads: list[Path], *, overwrite: bool) -> None:
    """Check the output before a long run. A file that is unchanged since it was exported may be replaced.

    Raises:
        ConfigError: it is not a file, is read by the same command, or was not exported from this workspace.
    """
    if output == STDOUT:
        return
    refuse_what_is_no_file(output)
    refuse_what_is_read(output, reads, workspace)
    if output.exists() and not overwrite and not is_as_exported(output, workspace):
        raise ConfigError(
            f"{output} exists, and was not exported from {workspace} or has changed since",
            hint="add --overwrite, or choose another -o",
            code="output-exists",
        )


def is_as_exported(output: Path, workspace: Path) -> bool:
    """Whether a file is an export of this workspace that nobody has changed since."""
    return sha256_file(output) in _exports(workspace).get(str(output.resolve()), ())


def _exports(workspace: Path) -> dict[str, list[str]]:
    """Absolute path -> sha256 of the last export there and, if a run was killed, of the one before."""
    try:
        found = json.loads((workspace / EXPORTED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _note(workspace: Path, place: Path, content: bytes) -> None:
    """Recorded before the file is written, so that after a kill the next run may replace either version."""
    exports = _exports(workspace)
    exports[str(place)] = [*exports.get(str(place), [])[-1:], hashlib.sha256(content).hexdigest()]
    write_atomically(workspace / EXPORTED, (json.dumps(exports, indent=1) + "\n").encode())
