"""`fercli import`: import corrections made in another program. `fercli.cli.app` adds it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.errors import command

if TYPE_CHECKING:
    from fercli.importers.corrections import Imported


def import_corrections(
    workspace: opt.WorkspacePath,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="An edited export: .eaf (ELAN), .TextGrid (Praat), .csv, .json (fercli or Label Studio), .jsonl; or "
            "subtitles of what is said: .vtt, .srt.",
            show_default=False,
            readable=False,
        ),
    ],
    force: Annotated[
        bool, opt.flag("--force", help="Force, even if it belongs to another video, or would delete everything.")
    ] = False,
    by: opt.By = "",
    quiet: opt.Quiet = False,
) -> None:
    """Import corrections from another program as edits: emotions, boundaries, names, deletions, and what is said by
    whom. Predictions are kept.

    Example: fercli import episode.fercli corrected.eaf
    """
    from fercli.importers.corrections import import_file
    from fercli.workspace import Workspace

    opened = Workspace.open(workspace)
    with opened.lock():
        done = import_file(opened, file, by=by, force=force)
    reporter = ConsoleReporter(quiet=quiet)
    for line in [*done.notes, *_summary(done)]:
        reporter.note(line)
    reporter.note(f"next: {command('export', workspace, '-o', 'annotations.json')}")


def _summary(done: Imported) -> list[str]:
    renamed = [f"renamed: {old} is {new}" for old, new in done.renamed.items()]
    lines = list(renamed)
    if done.changed or done.added or done.deleted:
        lines.append(f"segments: {done.changed} changed, {done.added} added, {done.deleted} deleted")
    elif done.said is None:
        lines.append("no segment changed")
    rows = [*(done.said.rows if done.said else ()), *(done.words.rows if done.words else ())]
    if done.said is not None and not rows:
        lines.append("nothing that is said changed")
    for name, found in (("utterances", done.said), ("words", done.words)):
        if found is not None and found.rows:
            lines.append(f"{name}: {found.changed} changed, {found.added} added, {found.deleted} deleted")
    return lines
