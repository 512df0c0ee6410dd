"""`fercli people`: who is who in a video, and corrections that stick. `fercli.cli.app` adds the group."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.default_group import group_with_default
from fercli.errors import ConfigError, command

if TYPE_CHECKING:
    from rich.table import Table

    from fercli.people.listing import ListedPerson
    from fercli.workspace import Workspace

people_app = group_with_default("Who is who: list, rename, merge, split or leave out persons; no network runs.")

Who = Annotated[str, typer.Argument(metavar="WHO", help="A person, as listed.", show_default=False)]
Together = Annotated[bool, typer.Option("--force", help="Even if both are seen in one frame.")]


@people_app.command("list")
def list_persons(
    workspace: opt.WorkspacePath,
    json: Annotated[bool, typer.Option("--json", help="Everything as JSON on stdout.")] = False,
    contact_sheet: Annotated[
        Path | None, typer.Option(help="Draw the best faces of everyone: a .png or .html to write.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a contact sheet that is there.")] = False,
) -> None:
    """Everyone: time on screen, tracks, best face, and how sure it is. The word `list` may be left out."""
    from fercli.workspace import Workspace

    opened = Workspace.open(workspace)
    if contact_sheet is not None:
        from fercli.cli.outputs import refuse_existing

        refuse_existing(contact_sheet, overwrite=overwrite)
    _show(opened, as_json=json, sheet=contact_sheet)


@people_app.command()
def rename(
    workspace: opt.WorkspacePath,
    who: Who,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call the person.", show_default=False)],
) -> None:
    """Give a person a name."""
    from fercli.people import editing

    _change(workspace, lambda opened: editing.rename(opened, who, name))


@people_app.command()
def merge(
    workspace: opt.WorkspacePath,
    who: Annotated[list[str], typer.Argument(metavar="WHO...", help="Persons, as listed.", show_default=False)],
    into: Annotated[str, typer.Argument(metavar="INTO", help="The person they all are.", show_default=False)],
    force: Together = False,
) -> None:
    """Make several persons one: merge WORKSPACE "Person 5" "Person 2" makes both Person 2."""
    from fercli.people import editing

    _change(workspace, lambda opened: editing.merge(opened, who, into, force=force))


@people_app.command()
def split(
    workspace: opt.WorkspacePath,
    who: Annotated[str, typer.Argument(metavar="WHO", help="A person, as listed, or Unassigned.", show_default=False)],
    tracks: Annotated[str, typer.Option(help="Numbers of tracks, as 17,23.", show_default=False)],
    name: Annotated[str, typer.Option(help="Whose they are; by default the next free 'Person N'.")] = "",
    force: Together = False,
) -> None:
    """Give some tracks of a person, or of nobody, to somebody else."""
    from fercli.people import editing

    numbers = _track_numbers(tracks)

    def give(opened: Workspace) -> None:
        editing.split(opened, who, numbers, name, force=force)

    _change(workspace, give)


@people_app.command()
def ignore(workspace: opt.WorkspacePath, who: Who) -> None:
    """Leave a person out of every export."""
    from fercli.people import editing

    _change(workspace, lambda opened: editing.ignore(opened, who))


@people_app.command()
def restore(workspace: opt.WorkspacePath, who: Who) -> None:
    """Take an ignored person in again."""
    from fercli.people import editing

    _change(workspace, lambda opened: editing.restore(opened, who))


def _change(path: Path, change: Callable[[Workspace], list[str] | None]) -> None:
    """Change the corrections while nobody else works in the workspace, then show everyone and what is in doubt."""
    from fercli.cli.console import ConsoleReporter
    from fercli.workspace import Workspace

    workspace = Workspace.open(path)
    with workspace.lock():
        doubts = change(workspace)
    _show(workspace)
    for doubt in doubts or ():
        ConsoleReporter().warn(doubt)


def _show(workspace: Workspace, *, as_json: bool = False, sheet: Path | None = None) -> None:
    from fercli.cli.console import ConsoleReporter
    from fercli.people.listing import list_people

    persons, problems = list_people(workspace)
    if sheet is not None:
        from fercli.people.sheet import write_sheet

        write_sheet(workspace, persons, sheet)
    if as_json:
        _print_json(persons, problems)
    elif persons:
        _print_table(persons)
    reporter = ConsoleReporter()
    if not persons:
        reporter.note("no face was found")
    for problem in problems:
        reporter.warn(problem)
    if sheet is not None:
        reporter.note(f"contact sheet: {sheet}")
    reporter.note(f"next: {command('export', workspace.path, '-o', 'annotations.json')}")


def _print_json(persons: list[ListedPerson], problems: list[str]) -> None:
    from fercli.cli.outputs import json_to_stdout
    from fercli.people.corrections import UNASSIGNED

    document = {
        "persons": [person.as_json() for person in persons if person.name != UNASSIGNED],
        "unassigned": next((person.as_json() for person in persons if person.name == UNASSIGNED), None),
        "problems": problems,
    }
    json_to_stdout(document)


def _print_table(persons: list[ListedPerson]) -> None:
    from fercli.cli import layout

    table = layout.table("person", numbers=("on screen", "tracks", "shots"))
    for column in ("best face", "identity", "worth a look", "by hand"):
        table.add_column(column, overflow="fold")
    for person in persons:
        _add_row(table, person)
    layout.console().print(table)


def _add_row(table: Table, person: ListedPerson) -> None:
    from rich.text import Text

    from fercli.timing import clock

    best = person.best
    table.add_row(
        Text(f"{person.name} (ignored)" if person.ignored else person.name),
        f"{person.screen_time_s:.1f} s",
        str(len(person.tracks)),
        str(person.shots),
        f"{clock(best.seen.time_s, tenths=True)} in track {best.track}",
        "" if person.identity is None else f"{person.identity:.2f}",
        _few(person.doubtful),
        "yes" if person.by_hand else "",
    )


def _few(tracks: list[int], most: int = 8) -> str:
    """`3, 17, 21 ... (12 in all)`."""
    shown = ", ".join(map(str, tracks[:most]))
    return f"{shown} ... ({len(tracks)} in all)" if len(tracks) > most else shown


def _track_numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise ConfigError(f"--tracks {text!r} are not tracks", hint="give numbers, as 17,23") from error
