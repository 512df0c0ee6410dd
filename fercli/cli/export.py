"""`fercli export`: what a workspace says, as a file. A reader of the result, so it makes nothing stale."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from fercli import pipeline
from fercli.cli.names import named_after, output_file
from fercli.cli.outputs import refuse_what_is_no_file, refuse_what_is_read, to_stdout
from fercli.errors import ConfigError
from fercli.formats import EXPORTERS, choose_format
from fercli.formats.document import gather
from fercli.hashing import sha256_file
from fercli.people.naming import who_is_who
from fercli.progress import Reporter
from fercli.workspace import Workspace
from fercli.writing import write_atomically

STDOUT = Path("-")
"""As an output."""
DEFAULT = "json"
"""The format of an output that does not say one."""
EXPORTED = "exports.json"
"""File of a workspace that says what was exported where, so that nothing else is ever replaced."""


def export(path: Path, output: str, format: str, *, raw_cells: bool, overwrite: bool, reporter: Reporter) -> None:
    """Write the annotations of a finished workspace; `output` as of `annotate`.

    Args:
        raw_cells: see `Document.raw_cells`.

    Raises:
        MissingStage: a stage has not run, or is stale.
        ConfigError: the output cannot be written, or is in the way, or there are no cells.
    """
    workspace = Workspace.open(path)
    video = Path(workspace.video.path)
    file = output_file(output, named_after(video, path, suffix_of(format)))
    chosen = format_of(file, format)
    if raw_cells and EXPORTERS[chosen].suffix != ".csv":
        raise ConfigError(f"--raw-cells is about CSV, and {chosen} is none", hint="leave it out")
    check_output(file, path, [video], overwrite=overwrite)
    pipeline.require(workspace, "segments", "export")
    if workspace.writable:
        with workspace.lock():
            write_export(workspace, chosen, file, reporter, raw_cells=raw_cells)
    else:
        write_export(workspace, chosen, file, reporter, raw_cells=raw_cells)


def write_export(
    workspace: Workspace, format: str, output: Path, reporter: Reporter, *, raw_cells: bool = False
) -> None:
    """Write the annotations where they are wanted; a workspace that can only be read will not know of the file."""
    who = who_is_who(workspace)
    for problem in who.problems:
        reporter.warn(problem)
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / f"annotations{EXPORTERS[format].suffix}"
        document = gather(workspace, who)
        EXPORTERS[format].write(document, file)
        content = file.read_bytes()
    reporter.note(f"export: {len(document.segments)} segments as {format}")
    if output == STDOUT:
        to_stdout(content)
        return
    if workspace.writable:
        _note(workspace.path, output.resolve(), content)
    write_atomically(output.resolve(), content)


def suffix_of(format: str) -> str:
    """Of the files of a format; of the default one if it is empty."""
    return EXPORTERS[choose_format(Path(), format or DEFAULT)].suffix


def format_of(output: Path, format: str) -> str:
    """The format asked for, or else that of the output's suffix.

    Raises:
        ConfigError: neither is known.
    """
    return choose_format(output, format or (DEFAULT if output == STDOUT else ""))


def check_output(output: Path, workspace: Path, reads: list[Path], *, overwrite: bool) -> None:
    """Before hours of work, not after them. A file that is still as it was exported may be replaced by a new one.

    Raises:
        ConfigError: it is no file, is read by the same command, or was not exported from this workspace.
    """
    if output == STDOUT:
        return
    refuse_what_is_no_file(output)
    refuse_what_is_read(output, reads, workspace)
    if output.exists() and not overwrite and not _is_as_exported(output, workspace):
        raise ConfigError(
            f"{output} exists, and not as it was exported from {workspace}",
            hint="add --overwrite, or choose another -o",
        )


def _is_as_exported(output: Path, workspace: Path) -> bool:
    return sha256_file(output) in _exports(workspace).get(str(output.resolve()), ())


def _exports(workspace: Path) -> dict[str, list[str]]:
    """Absolute path -> sha256 of what was exported there last and, if the run was killed meanwhile, before."""
    try:
        found = json.loads((workspace / EXPORTED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _note(workspace: Path, place: Path, content: bytes) -> None:
    """Noted before it is written: whichever of the two a kill leaves, the next run may replace it."""
    exports = _exports(workspace)
    exports[str(place)] = [*exports.get(str(place), [])[-1:], hashlib.sha256(content).hexdigest()]
    write_atomically(workspace / EXPORTED, (json.dumps(exports, indent=1) + "\n").encode())
