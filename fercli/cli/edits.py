"""`fercli edits`: the log of manual corrections, the present effect of each line, and undo. `fercli.cli.app` adds the
group."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.groups import group_with_default
from fercli.errors import ConfigError, command

if TYPE_CHECKING:
    from fercli.workspace import Workspace

edits_app = group_with_default("The log of manual corrections: list it, or undo edits.")


@edits_app.command("list")
def list_edits(
    workspace: opt.WorkspacePath,
    json: Annotated[bool, opt.flag("--json", help="Print everything as JSON on stdout.")] = False,
    quiet: opt.Quiet = False,
) -> None:
    """List all edits with number, annotator, date and present effect. The default command.

    Example: fercli edits episode.fercli
    """
    from fercli.workspace import Workspace

    _show(Workspace.open(workspace), as_json=json, quiet=quiet)


@edits_app.command()
def undo(
    workspace: opt.WorkspacePath,
    numbers: Annotated[
        list[str], typer.Argument(metavar="N...", help="Numbers of edits, or ranges such as 5-30.", show_default=False)
    ],
    by: opt.By = "",
    quiet: opt.Quiet = False,
) -> None:
    """Undo edits; undoing an undo applies the edit again. In a range, edits that are undone already are skipped.

    Example: fercli edits undo episode.fercli 4
    """
    from fercli.cli.console import ConsoleReporter
    from fercli.edits import editing
    from fercli.edits.log import read_log
    from fercli.workspace import Workspace

    opened = Workspace.open(workspace)
    reporter = ConsoleReporter(quiet=quiet)
    with opened.lock():
        log = read_log(opened)
        open_lines = ({edit.number for edit in log.edits} | log.damaged.keys()) - log.undone
        wanted = [number for text in numbers for number in _numbers(text, open_lines)]
        problems = editing.undo(opened, wanted, by=by)
    _show(opened, quiet=quiet)
    for problem in problems:
        reporter.warn(problem)


def _numbers(text: str, open_lines: set[int]) -> list[int]:
    """The numbers of a number or a range; in a range only edits that can be undone."""
    found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", text.strip())
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if first > last:
        raise ConfigError(f"{text!r} is neither a number nor a range", hint="give numbers of edits, such as 4 or 5-30")
    if not found or found[2] is None:
        return [first]
    inside = sorted(number for number in open_lines if first <= number <= last)
    if not inside:
        raise ConfigError(f"all edits from {first} to {last} are undone already", hint="give another range")
    return inside


def _show(workspace: Workspace, *, as_json: bool = False, quiet: bool) -> None:
    from fercli.cli import layout
    from fercli.cli.console import ConsoleReporter
    from fercli.cli.outputs import json_to_stdout
    from fercli.edits.listing import rows_of
    from fercli.edits.state import PERSONS, read_state
    from fercli.workspace import require_tables

    require_tables(workspace, PERSONS)
    state, reporter = read_state(workspace), ConsoleReporter(quiet=quiet)
    rows = rows_of(state)
    if as_json:
        json_to_stdout({"edits": rows, "problems": state.problems})
    elif rows:
        table = layout.table("", "edit", "by", "on", "now")
        for row in rows:
            now = f"{row['state']}: {row['detail']}" if row["detail"] else row["state"]
            table.add_row(str(row["number"]), row["text"], row.get("by", ""), row.get("on", ""), now)
        layout.console().print(table)
    else:
        reporter.note("no edits")
    for problem in state.problems:
        reporter.warn(problem)
    reporter.note(f"next: {command('export', workspace.path, '-o', 'annotations.json')}")
