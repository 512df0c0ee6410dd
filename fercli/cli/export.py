"""`fercli export` and `fercli formats`: write the annotations of a workspace to a file. It makes no stage stale."""

from __future__ import annotations

from contextlib import nullcontext
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.errors import ConfigError

if TYPE_CHECKING:
    from fercli.progress import Reporter
    from fercli.workspace import Workspace


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
    from fercli.exports import check_output, format_of, suffix_of
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
        deliver(opened, [chosen], [file], ConsoleReporter(quiet=quiet), raw_cells=raw_cells)


def deliver(
    workspace: Workspace, formats: list[str], outputs: list[Path], reporter: Reporter, *, raw_cells: bool = False
) -> None:
    """Write the annotations to files, or to stdout."""
    from fercli.cli.outputs import to_stdout
    from fercli.exports import STDOUT, as_bytes, read_result, report_written, write_export

    if outputs == [STDOUT]:
        result = read_result(workspace, reporter)
        report_written(result, formats[0], reporter)
        to_stdout(as_bytes(result, formats[0], raw_cells=raw_cells))
    else:
        write_export(workspace, formats, outputs, reporter, raw_cells=raw_cells)


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
