"""`fercli report`: write the page, and say whether it can play the video."""

from __future__ import annotations

from pathlib import Path

from fercli.cli.outputs import refuse_existing
from fercli.errors import ConfigError
from fercli.progress import Reporter
from fercli.report.page import build
from fercli.workspace import Workspace
from fercli.writing import write_atomically


def report(workspace: Path, output: Path, overwrite: bool, reporter: Reporter) -> None:
    """Write the report of a workspace.

    Raises:
        ConfigError: `output` is no .html, is there already, or is read.
        OutputError: it cannot be written.
        MissingStage, CorruptTable, InputError: as `report.content.read_content`.
    """
    if output.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"cannot write a report to {output}: unknown suffix", hint="name it report.html")
    opened = Workspace.open(workspace)
    refuse_existing(output, overwrite=overwrite, workspace=opened)
    page, playback = build(opened, output)
    content = page.encode()
    write_atomically(output, content, private=True)  # it shows the faces
    if playback.problem:
        reporter.warn(f"{playback.problem}: the report has no playback, the rest works")
    else:
        reporter.note("the report plays the video from where it is now: keep the two together")
    reporter.note(f"report: {output} ({len(content) / 1e6:.1f} MB)")
