"""`fercli report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.errors import ConfigError

LISTED = "they are listed below each video"
"""What a series' report does with persons that are known in one video only."""

if TYPE_CHECKING:
    from fercli.workspace import Workspace


def report(
    workspace: opt.WorkspaceOrFolder,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar=opt.PATH, help="An .html file, or a directory for it.")
    ] = "report.html",
    videos: Annotated[
        bool, opt.flag("--videos", help="Of a folder: also write the report of each video, beside its workspace.")
    ] = False,
    overwrite: opt.Replace = False,
    quiet: opt.Quiet = False,
) -> None:
    """Write one HTML page that works offline: persons, faces, emotion timelines, and the video beside them. Of a folder
    of workspaces: who is on screen in which video for how long, showing what.

    Example: fercli report episode.fercli -o episode.html
    """
    from fercli.cli.names import output_file
    from fercli.series.find import is_series
    from fercli.workspace import Workspace
    from fercli.workspace.places import named_after

    if is_series(workspace):
        _report_series(workspace, output, videos=videos, overwrite=overwrite, reporter=ConsoleReporter(quiet=quiet))
        return
    if videos:
        raise ConfigError(
            "--videos needs a folder of workspaces", hint="leave it out for one video", code="option-conflict"
        )
    opened = Workspace.open(workspace)
    file = _page(output_file(output, named_after(Path(opened.video.path), workspace, ".html")))
    _report_video(opened, file, overwrite=overwrite, reporter=ConsoleReporter(quiet=quiet))


def _page(file: Path) -> Path:
    if file.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(
            f"cannot write a report to {file}: unknown suffix", hint="name it report.html", code="suffix-unknown"
        )
    return file


def _report_video(workspace: Workspace, file: Path, *, overwrite: bool, reporter: ConsoleReporter) -> None:
    from fercli.outputs import refuse_existing
    from fercli.views.report.page import build
    from fercli.writing import write_atomically

    refuse_existing(file, overwrite=overwrite, workspace=workspace)
    page, playback = build(workspace, file)
    content = page.encode()
    write_atomically(file, content, private=True)  # the page shows faces
    if playback.problem:
        reporter.warn(f"{playback.problem}: the report has no playback, the rest works")
    else:
        reporter.note("the report refers to the video by its relative path: keep the two together")
    reporter.note(f"report: {file} ({len(content) / 1e6:.1f} MB)")


def _report_series(folder: Path, output: str, *, videos: bool, overwrite: bool, reporter: ConsoleReporter) -> None:
    from fercli.cli.names import output_file
    from fercli.cli.series import finish
    from fercli.outputs import refuse_existing, refuse_what_is_read
    from fercli.series.collect import nothing_read
    from fercli.series.reading import Series
    from fercli.series.summary import summarise
    from fercli.views.series.links import report_of
    from fercli.views.series.page import build
    from fercli.writing import write_atomically

    series = Series(folder)
    file = _page(output_file(output, "series.html"))
    refuse_existing(file, overwrite=overwrite)
    for member in series.members:
        refuse_what_is_read(file, [], member.path)
        if videos:
            refuse_existing(report_of(member), overwrite=overwrite, reads=[file])
    summary = summarise(series)
    if not summary.videos:
        raise nothing_read(series)
    for video in summary.videos if videos else ():
        _report_video(video.workspace, report_of(video.member), overwrite=overwrite, reporter=reporter)
    content = build(summary, file).encode()
    write_atomically(file, content, private=True)  # the page shows faces
    if not videos:
        reporter.note("moments lead to the videos; to their reports with --videos")
    reporter.note(f"report: {file} ({len(content) / 1e6:.1f} MB)")
    finish(series, reporter, LISTED)
