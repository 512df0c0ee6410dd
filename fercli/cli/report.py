"""`fercli report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.errors import ConfigError


def report(
    workspace: opt.WorkspacePath,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar=opt.PATH, help="An .html file, or a directory for it.")
    ] = "report.html",
    overwrite: opt.Replace = False,
    quiet: opt.Quiet = False,
) -> None:
    """Write one HTML page that works offline: persons, faces, emotion timelines, and the video beside them.

    Example: fercli report episode.fercli -o episode.html
    """
    from fercli.cli.names import output_file
    from fercli.outputs import refuse_existing
    from fercli.views.report.page import build
    from fercli.workspace import Workspace
    from fercli.workspace.places import named_after
    from fercli.writing import write_atomically

    opened = Workspace.open(workspace)
    file = output_file(output, named_after(Path(opened.video.path), workspace, ".html"))
    if file.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(
            f"cannot write a report to {file}: unknown suffix", hint="name it report.html", code="suffix-unknown"
        )
    refuse_existing(file, overwrite=overwrite, workspace=opened)
    page, playback = build(opened, file)
    content = page.encode()
    write_atomically(file, content, private=True)  # the page shows faces
    reporter = ConsoleReporter(quiet=quiet)
    if playback.problem:
        reporter.warn(f"{playback.problem}: the report has no playback, the rest works")
    else:
        reporter.note("the report refers to the video by its relative path: keep the two together")
    reporter.note(f"report: {file} ({len(content) / 1e6:.1f} MB)")
