"""`fercli people`: the persons of a video, and edits of them. `fercli.cli.app` adds the group."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fercli.cli import options as opt
from fercli.cli.groups import group_with_default
from fercli.errors import ConfigError, command

if TYPE_CHECKING:
    from fercli.results.model import Person
    from fercli.workspace import Workspace

people_app = group_with_default("The persons: list, rename, merge, split, ignore or erase them; no network runs.")

Who = Annotated[str, typer.Argument(metavar="WHO", help="A person, as listed.", show_default=False)]
Together = Annotated[bool, opt.flag("--force", help="Force, even if both are visible in one frame.")]


@people_app.command("list")
def list_persons(
    workspace: opt.WorkspacePath,
    json: Annotated[bool, opt.flag("--json", help="Print everything as JSON on stdout.")] = False,
    contact_sheet: Annotated[
        Path | None, typer.Option(help="Draw the best faces of all persons to this .png or .html.", readable=False)
    ] = None,
    overwrite: Annotated[bool, opt.flag("--overwrite", help="Replace an existing contact sheet.")] = False,
    quiet: opt.Quiet = False,
) -> None:
    """List all persons: time on screen, tracks, best face, identity score. The default command.

    Example: fercli people episode.fercli --contact-sheet faces.html
    """
    from fercli.workspace import Workspace

    opened = Workspace.open(workspace)
    if contact_sheet is not None:
        from fercli.outputs import refuse_existing

        refuse_existing(contact_sheet, overwrite=overwrite, workspace=opened)
    _show(opened, as_json=json, sheet=contact_sheet, quiet=quiet)


@people_app.command()
def rename(
    workspace: opt.WorkspacePath,
    who: Who,
    name: Annotated[str, typer.Argument(metavar="NAME", help="New name of the person.", show_default=False)],
    by: opt.By = "",
    quiet: opt.Quiet = False,
) -> None:
    """Give a person a name.

    Example: fercli people rename episode.fercli "Person 1" Ross
    """
    from fercli.edits import editing

    _change(workspace, lambda opened: editing.rename(opened, who, name, by=by), quiet=quiet)


@people_app.command()
def merge(
    workspace: opt.WorkspacePath,
    who: Annotated[list[str], typer.Argument(metavar="WHO...", help="Persons, as listed.", show_default=False)],
    into: Annotated[str, typer.Argument(metavar="INTO", help="The person they are merged into.", show_default=False)],
    force: Together = False,
    by: opt.By = "",
    quiet: opt.Quiet = False,
) -> None:
    """Merge several persons into the last one.

    Example: fercli people merge episode.fercli "Person 5" "Person 2"
    """
    from fercli.edits import editing

    _change(workspace, lambda opened: editing.merge(opened, who, into, by=by, force=force), quiet=quiet)


@people_app.command()
def split(
    workspace: opt.WorkspacePath,
    who: Annotated[str, typer.Argument(metavar="WHO", help="A person, as listed, or Unassigned.", show_default=False)],
    tracks: Annotated[str, typer.Option(help="Numbers of tracks, for example 17,23.", show_default=False)],
    name: Annotated[str, typer.Option(help="Person of these tracks; by default the next free 'Person N'.")] = "",
    force: Together = False,
    by: opt.By = "",
    quiet: opt.Quiet = False,
) -> None:
    """Assign some tracks of a person, or unassigned tracks, to another person.

    Example: fercli people split episode.fercli "Person 1" --tracks 17,23
    """
    from fercli.edits import editing

    numbers = _track_numbers(tracks)

    def give(opened: Workspace) -> None:
        editing.split(opened, who, numbers, name, by=by, force=force)

    _change(workspace, give, quiet=quiet)


@people_app.command()
def ignore(workspace: opt.WorkspacePath, who: Who, by: opt.By = "", quiet: opt.Quiet = False) -> None:
    """Leave a person, or all unassigned tracks, out of all exports.

    Example: fercli people ignore episode.fercli "Person 3"
    """
    from fercli.edits import editing

    _change(workspace, lambda opened: editing.ignore(opened, who, by=by), quiet=quiet)


@people_app.command()
def restore(workspace: opt.WorkspacePath, who: Who, by: opt.By = "", quiet: opt.Quiet = False) -> None:
    """Restore an ignored person.

    Example: fercli people restore episode.fercli "Person 3"
    """
    from fercli.edits import editing

    _change(workspace, lambda opened: editing.restore(opened, who, by=by), quiet=quiet)


@people_app.command()
def erase(
    workspace: opt.WorkspacePath,
    who: Who,
    cast: Annotated[
        Path | None,
        typer.Option(help="Cast to erase the person from; by default the one of the workspace.", readable=False),
    ] = None,
    yes: Annotated[bool, opt.flag("--yes", help="Do not ask for confirmation.")] = False,
    by: opt.By = "",
    quiet: opt.Quiet = False,
) -> None:
    """Erase a person permanently: crops, embeddings, rows, edits, and the person in the cast. It cannot be undone.

    Example: fercli people erase episode.fercli "Person 3"
    """
    import sys

    from fercli.cli.console import ConsoleReporter
    from fercli.edits.erase import erase as erase_person
    from fercli.workspace import Workspace

    opened = Workspace.open(workspace)
    if not yes and not (sys.stdin.isatty() and typer.confirm(f"Erase {who} from {workspace} permanently?", err=True)):
        raise ConfigError(f"{who} was not erased", hint="add --yes", code="not-confirmed")
    with opened.lock():
        done = erase_person(opened, who, cast=cast, by=by)
    reporter = ConsoleReporter(quiet=quiet)
    reporter.note(f"erased: {done.tracks} tracks, {done.faces} faces, {done.edits} edits")
    for file in done.files:
        print(file)
    if done.files:
        reporter.warn(f"{len(done.files)} files still show or name the person; they are listed on stdout")
    for note in done.notes:
        reporter.warn(note)
    reporter.note(f"next: {command('export', opened.path, '-o', 'annotations.json')}")


def _change(path: Path, change: Callable[[Workspace], list[str] | None], *, quiet: bool) -> None:
    """Add edits under the lock of the workspace, then print all persons and the messages."""
    from fercli.cli.console import ConsoleReporter
    from fercli.workspace import Workspace

    workspace = Workspace.open(path)
    with workspace.lock():
        problems = change(workspace)
    _show(workspace, quiet=quiet)
    for problem in problems or ():
        ConsoleReporter(quiet=quiet).warn(problem)


def _show(workspace: Workspace, *, as_json: bool = False, sheet: Path | None = None, quiet: bool = False) -> None:
    from fercli.cli.console import ConsoleReporter
    from fercli.cli.people_table import print_people
    from fercli.cli.show import why_no_person
    from fercli.results.load import load_persons

    reporter = ConsoleReporter(quiet=quiet)
    persons, problems = load_persons(workspace)
    if sheet is not None:
        from fercli.views.contact_sheet import write_sheet

        write_sheet(workspace, persons, sheet)
    if as_json:
        _print_json(persons, problems)
    elif persons:
        left_out = print_people(persons)
        if left_out:
            reporter.note(f"no room for {', '.join(left_out)}: widen the terminal, or use --json")
    else:
        reporter.note(why_no_person(workspace))
    for problem in problems:
        reporter.warn(problem)
    if sheet is not None:
        reporter.note(f"contact sheet: {sheet}")
    reporter.note(f"next: {command('export', workspace.path, '-o', 'annotations.json')}")


def _print_json(persons: list[Person], problems: list[str]) -> None:
    from fercli.cli.outputs import json_to_stdout
    from fercli.persons.names import UNASSIGNED

    document = {
        "persons": [_as_json(person) for person in persons if person.name != UNASSIGNED],
        "unassigned": next((_as_json(person) for person in persons if person.name == UNASSIGNED), None),
        "problems": problems,
    }
    json_to_stdout(document)


def _as_json(person: Person) -> dict[str, Any]:
    """Seconds rounded to milliseconds, and the middle of the best face to pixels."""
    best = person.best
    x1, y1, x2, y2 = best.best_box
    return {
        "name": person.name,
        "ignored": person.ignored,
        "screen_time_s": person.screen_time_s,
        "shots": person.shots,
        "tracks": [track.track for track in person.tracks],
        "identity": None if person.identity is None else round(person.identity, 3),
        "doubtful": person.doubtful,
        "by_hand": person.by_hand,
        "best_face": {
            "face": best.best_face,
            "track": best.track,
            "seconds": round(best.best_s, 3),
            "x": round((x1 + x2) / 2),
            "y": round((y1 + y2) / 2),
        },
    }


def _track_numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise ConfigError(
            f"--tracks {text!r} is not a list of tracks",
            hint="give numbers, such as 17,23",
            code="option-malformed",
        ) from error
