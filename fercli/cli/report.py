"""`fercli report`: write the page, and say whether it can play the video."""

from __future__ import annotations

from pathlib import Path

from fercli.cli.names import named_after, output_file
from fercli.cli.outputs import refuse_existing
from fercli.errors import ConfigError
from fercli.progress import Reporter
from fercli.views.report.page import build
from fercli.workspace import Workspace
from fercli.writing import write_atomically


def report(workspace: Path, output: str, overwrite: bool, reporter: Reporter) -> None:
    """Write the report of a workspace.

    Args:
        output: a file, or a directory in which it is named after the video.

    Raises:
        ConfigError: `output` is no .html, is there already, or is read.
        OutputError: it cannot be written.
        MissingStage, CorruptTable, InputError: as `report.content.read_content`.
    """
    opened = Workspace.open(workspace)
    file = output_file(output, named_after(Path(opened.video.path), workspace, ".html"))
    if file.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"cannot write a report to {file}: unknown suffix", hint="name it report.html")
    refuse_existing(file, overwrite=overwrite, workspace=opened)
    page, playback = build(opened, file)
    content = page.encode()
    write_atomically(file, content, private=True)  # it shows the faces
    if playback.problem:
        reporter.warn(f"{playback.problem}: the report has no playback, the rest works")
    else:
        reporter.note("the report plays the video from where it is now: keep the two together")
    reporter.note(f"report: {file} ({len(content) / 1e6:.1f} MB)")
