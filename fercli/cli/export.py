"""`fercli export` and `fercli formats`: write the annotations of a workspace to a file. It makes no stage stale."""

from __future__ import annotations

import hashlib
import json
from contextlib import nullcontext
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.errors import ConfigError

if TYPE_CHECKING:
    from fercli.progress import Reporter
    from fercli.workspace import Workspace

STDOUT = Path("-")
"""Value of -o for stdout."""
DEFAULT = "json"
"""The format of an output without a suffix."""
EXPORTED = "exports.json"
"""File of a workspace that lists all exported files, so that other files are never replaced."""


def export(
    workspace: opt.WorkspacePath,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar=opt.PATH,
            help="The file to write, a directory for it, or - for stdout.",
            show_default=False,
        ),
    ],
    format: opt.Format = "",
    raw_cells: Annotated[
        bool, opt.flag("--raw-cells", help="In CSV, do not escape names that a spreadsheet would read as formulas.")
    ] = False,
    force: opt.Force = False,  # for scripts: an export is always written again
    overwrite: opt.Overwrite = False,
    quiet: opt.Quiet = False,
) -> None:
    """Write the annotations of a finished workspace to a file.

    Example: fercli export episode.fercli -o episode.eaf
    """
    from fercli.cli.names import output_file
    from fercli.formats import FORMATS
    from fercli.workspace import Workspace, require_tables
    from fercli.workspace.places import named_after

    opened = Workspace.open(workspace)
    video = Path(opened.video.path)
    file = output_file(output, named_after(video, workspace, suffix_of(format)))
    chosen = format_of(file, format)
    if raw_cells and FORMATS[chosen].suffix != ".csv":
        raise ConfigError(
            f"--raw-cells only applies to CSV, not to {chosen}", hint="leave it out", code="option-conflict"
        )
    check_output(file, workspace, [video], overwrite=overwrite)
    require_tables(opened, "segments", "persons", what="export", hashed=True)
    with opened.lock() if opened.writable else nullcontext():
        write_export(opened, chosen, file, ConsoleReporter(quiet=quiet), raw_cells=raw_cells)


def formats(
    schema: Annotated[bool, opt.flag("--schema", help="Print the JSON Schema of the format json instead.")] = False,
) -> None:
    """List all formats of `export`: what each can and cannot hold.

    Example: fercli formats
    """
    if schema:
        print(files("fercli.formats").joinpath("annotations.schema.json").read_text(encoding="utf-8"), end="")
        return
    from fercli.cli import layout
    from fercli.formats import FORMATS

    table = layout.table("name", "suffix", "holds", "cannot hold")
    for name, exporter in FORMATS.items():
        table.add_row(name, exporter.suffix, exporter.summary, exporter.lacks)
    for column in table.columns[:2]:
        column.no_wrap = True
    layout.console().print(table)


def write_export(
    workspace: Workspace, format: str, output: Path, reporter: Reporter, *, raw_cells: bool = False
) -> None:
    """Write the annotations; a read-only workspace cannot record the exported file."""
    from fercli.edits.state import read_state
    from fercli.formats import FORMATS
    from fercli.results.load import load
    from fercli.writing import write_atomically

    state = read_state(workspace)
    for problem in state.problems:
        reporter.warn(problem)
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / f"annotations{FORMATS[format].suffix}"
        result = load(workspace, state)
        FORMATS[format].write(result, file, raw_cells=raw_cells)
        content = file.read_bytes()
    reporter.note(f"export: {len(result.segments)} segments as {format}")
    if output == STDOUT:
        from fercli.cli.outputs import to_stdout

        to_stdout(content)
        return
    if workspace.writable:
        _note(workspace.path, output.resolve(), content)
    write_atomically(output.resolve(), content)


def suffix_of(format: str) -> str:
    """Suffix of a format; of the default format if `format` is empty."""
    from fercli.formats import FORMATS, choose_format

    return FORMATS[choose_format(Path(), format or DEFAULT)].suffix


def format_of(output: Path, format: str) -> str:
    """The given format, or else that of the output's suffix.

    Raises:
        ConfigError: neither is known.
    """
    from fercli.formats import choose_format

    return choose_format(output, format or (DEFAULT if output == STDOUT else ""))


def check_output(output: Path, workspace: Path, reads: list[Path], *, overwrite: bool) -> None:
    """Check the output before a long run. A file that is unchanged since it was exported may be replaced.

    Raises:
        ConfigError: it is not a file, is read by the same command, or was not exported from this workspace.
    """
    from fercli.cli.outputs import refuse_what_is_no_file, refuse_what_is_read

    if output == STDOUT:
        return
    refuse_what_is_no_file(output)
    refuse_what_is_read(output, reads, workspace)
    if output.exists() and not overwrite and not _is_as_exported(output, workspace):
        raise ConfigError(
            f"{output} exists, and was not exported from {workspace} or has changed since",
            hint="add --overwrite, or choose another -o",
            code="output-exists",
        )


def _is_as_exported(output: Path, workspace: Path) -> bool:
    from fercli.hashing import sha256_file

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
    from fercli.writing import write_atomically

    exports = _exports(workspace)
    exports[str(place)] = [*exports.get(str(place), [])[-1:], hashlib.sha256(content).hexdigest()]
    write_atomically(workspace / EXPORTED, (json.dumps(exports, indent=1) + "\n").encode())
