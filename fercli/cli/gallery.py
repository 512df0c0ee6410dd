"""The commands about galleries of known persons. `fercli.cli.app` adds them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.cli.groups import StrictGroup
from fercli.cli.terminal import visible
from fercli.config import FacesParams, PersonsParams, Runtime, TracksParams
from fercli.errors import EXIT_FOUND, command

if TYPE_CHECKING:
    from fercli.persons.gallery import Gallery
    from fercli.persons.gallery_check import Finding

gallery_app = typer.Typer(
    cls=StrictGroup,
    help="Pictures of known persons, for the names in a video.",
    no_args_is_help=True,
)


@gallery_app.command()
def check(
    gallery: Annotated[
        Path,
        typer.Argument(
            metavar="PEOPLE",
            help="Directory with one folder or one picture per person.",
            show_default=False,
            readable=False,
        ),
    ],
    json: Annotated[bool, opt.flag("--json", help="Print everything as JSON on stdout.")] = False,
    device: opt.Device = Runtime.device,
    quiet: opt.Quiet = False,
) -> None:
    """Find unusable pictures, duplicates, wrong faces, and persons that look alike. Exit code 6 if there are any, else
    0.

    Example: fercli gallery check people/
    """
    from fercli.cli.outputs import json_to_stdout
    from fercli.persons.gallery import read_gallery
    from fercli.persons.gallery_check import check_gallery

    reporter = ConsoleReporter(quiet=quiet)
    found = read_gallery(gallery, *_networks(device), reporter)
    findings = check_gallery(found, PersonsParams.max_distance)
    if json:
        json_to_stdout(_as_json(gallery, found, findings))
    else:
        _print(found, findings)
    if findings:
        reporter.note(f"next: correct what is listed, then {command('gallery', 'check', gallery)}")
        raise typer.Exit(EXIT_FOUND)
    reporter.note(f"next: {command('track', 'WORKSPACE', '--gallery', gallery)}")


@gallery_app.command()
def add_from(
    workspace: opt.WorkspacePath,
    person: Annotated[str, typer.Option(help="Person of the video, as listed by 'fercli people'.", show_default=False)],
    name: Annotated[str, typer.Option(help="Name of the person in the gallery.", show_default=False)],
    gallery: Annotated[
        Path,
        typer.Option(help="Directory of the gallery; created if missing.", show_default=False, readable=False),
    ],
    pictures: Annotated[int, typer.Option(help="Largest number of pictures to add.")] = 5,
    force: Annotated[bool, opt.flag("--force", help="Add even if it looks like another person there.")] = False,
    device: opt.Device = Runtime.device,
    quiet: opt.Quiet = False,
) -> None:
    """Add pictures of a person of a video to a gallery; prints the files it writes and replaces none.

    Example: fercli gallery add-from episode.fercli --person "Person 1" --name Ross --gallery people/
    """
    from fercli.persons.gallery_add import add_from as add
    from fercli.results.load import find_person, load_persons
    from fercli.workspace import Workspace

    reporter = ConsoleReporter(quiet=quiet)
    place = Workspace.open(workspace)
    persons, problems = load_persons(place)
    for problem in problems:
        reporter.warn(problem)
    tracks = [track.track for track in find_person(persons, person, place.path).tracks]
    files = add(place, tracks, person, name, gallery, *_networks(device), reporter, pictures=pictures, force=force)
    for file in files:
        print(visible(str(file)) if sys.stdout.isatty() else file)
    if len(files) < pictures:
        reporter.note(
            f"{len(files)} of {pictures} pictures: the other faces of {person} are too similar or not good enough"
        )
    reporter.note(f"next: {command('track', workspace, '--gallery', gallery)}")


@gallery_app.command()
def make(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="PICTURES|VIDEOS...",
            help="Pictures, videos, and folders of them, in which the person is the most frequent one.",
            show_default=False,
            readable=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Folder of the person, as people/Ross; new.", show_default=False, readable=False
        ),
    ],
    pictures: Annotated[int, typer.Option(help="Largest number of pictures, the best ones.")] = 50,
    licence: Annotated[str, typer.Option(help="Note on the rights in the pictures, kept in provenance.csv.")] = "",
    json: Annotated[bool, opt.flag("--json", help="Print everything as JSON on stdout.")] = False,
    device: opt.Device = Runtime.device,
    quiet: opt.Quiet = False,
) -> None:
    """Make the pictures of one person: strangers, doubles and poor faces are left out, and listed in removed.csv.

    Example: fercli gallery make photos/ interview.mp4 -o people/Ross
    """
    from fercli.cli.layout import counted
    from fercli.cli.outputs import json_to_stdout
    from fercli.corpus.gallery_make import REMOVED, make_gallery

    reporter = ConsoleReporter(quiet=quiet)
    made = make_gallery(sources, output, *_networks(device), reporter, at_most=pictures, licence=licence)
    if json:
        kept, removed = ([asdict(one) for one in lines] for lines in (made.kept, made.removed))
        json_to_stdout({"folder": str(made.folder), "kept": kept, "removed": removed})
    else:
        print(visible(f"{counted(len(made.kept), 'pictures')} in {made.folder}"))
        for reason, count in made.reasons().items():
            print(f"left out: {count} {reason}")
    reporter.note(f"what was left out, and why: {made.folder / REMOVED}")
    reporter.note(f"next: {command('gallery', 'check', output.parent)}")


def _networks(device: str) -> tuple[Any, Any]:
    """The default detector and embedder."""
    from fercli.models.devices import pick_device
    from fercli.models.registry import find_model, load_model

    where = pick_device(device)
    detector = load_model(find_model(FacesParams.detector, "detector"), device=where)
    return detector, load_model(find_model(TracksParams.embedder, "embedder"), device=where)


def _as_json(path: Path, gallery: Gallery, findings: list[Finding]) -> dict[str, Any]:
    return {
        "gallery": str(path),
        "persons": [{"name": name, "pictures": total, "faces": faces} for name, total, faces in _counts(gallery)],
        "findings": [asdict(finding) for finding in findings],
    }


def _print(gallery: Gallery, findings: list[Finding]) -> None:
    from fercli.cli import layout

    console = layout.console()
    table = layout.table("person", numbers=("pictures", "faces"))
    for name, total, faces in _counts(gallery):
        table.add_row(name, str(total), str(faces))
    console.print(table)
    for finding in findings:
        distance = "" if finding.distance is None else f" (distance {finding.distance:.2f})"
        console.print(f"{finding.kind}: {finding.message}{distance}", soft_wrap=True)
    console.print(f"{len(findings)} to correct" if findings else "nothing to correct")


def _counts(gallery: Gallery) -> list[tuple[str, int, int]]:
    """Name, pictures, and faces found, for each person."""
    usable = {name: len(portraits.files) for name, portraits in gallery.persons.items()}
    spoilt = [problem.person for problem in gallery.problems]
    names = sorted({*usable, *gallery.missing})
    return [(name, usable.get(name, 0) + spoilt.count(name), usable.get(name, 0)) for name in names]
