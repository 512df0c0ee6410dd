"""Tables for people, drawn with rich."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from fercli.cli import layout
from fercli.cli.doctor import model_state
from fercli.cli.nobody import why_nobody
from fercli.cli.outputs import json_to_stdout
from fercli.cli.strip import strips
from fercli.formats.document import Document, Person, gather
from fercli.formats.json_document import as_json_person
from fercli.labels import RECORD_NAMES
from fercli.models.registry import MODELS
from fercli.pipeline import status as stage_status
from fercli.workspace import Workspace


def summary(workspace: Workspace, output: Path) -> None:
    """What `annotate` ends with, on stderr: who was seen for how long, feeling what, and where the files are."""
    console = layout.console(sys.stderr)
    _show(workspace, gather(workspace), console)
    console.print(f"annotations  {output}", soft_wrap=True)
    console.print(f"workspace    {workspace.path}", soft_wrap=True)


def show(path: Path, *, as_json: bool) -> None:
    """The same of a finished workspace, on stdout.

    Raises:
        MissingStage: it is not finished.
    """
    workspace = Workspace.open(path)
    document = gather(workspace)
    if as_json:
        json_to_stdout(_as_json(document))
    else:
        _show(workspace, document, layout.console())


def _as_json(document: Document) -> dict[str, Any]:
    return {
        "video": document.video,
        "persons": [as_json_person(person) for person in document.persons],
        "unassigned": as_json_person(document.unassigned) if document.unassigned else None,
        "warnings": document.warnings,
    }


def _show(workspace: Workspace, document: Document, console: Console) -> None:
    video = document.video
    console.print(
        f"{video['name']}: {video['duration_s']:.1f} s, {video['width']} x {video['height']}, "
        f"{layout.counted(len(document.persons), 'persons')}, {layout.counted(len(document.segments), 'segments')}",
        soft_wrap=True,
    )
    if document.persons or document.unassigned:
        console.print(_persons(document))
    else:
        console.print(why_nobody(workspace), soft_wrap=True)
    for line in strips(document, console.width):
        console.print(line, no_wrap=True, crop=False)
    for warning in document.warnings:
        console.print(f"warning: {warning}", soft_wrap=True)


def status(path: Path, *, verify: bool) -> None:
    """The state of every stage, on stdout; `verify` as of `pipeline.status`."""
    workspace = Workspace.open(path)
    console = layout.console()
    console.print(f"{workspace.path}: {workspace.video.path}", soft_wrap=True)
    table = layout.table("stage", "state", "counts", numbers=("seconds",))
    for row in stage_status(workspace, verify=verify):
        found = row.receipt.counts if row.receipt else {}
        counts = ", ".join(layout.counted(number, name.replace("_", " ")) for name, number in found.items())
        state = "fresh" if row.reason is None else f"stale: {row.reason}" if row.receipt else row.reason
        table.add_row(row.stage.command, state, counts, f"{row.receipt.seconds:.1f}" if row.receipt else "")
    console.print(table)


def models() -> None:
    """The registry, on stdout."""
    table = layout.table("name", "task", "state", "licence", "training data")
    for spec in MODELS.values():
        table.add_row(spec.name, spec.task, model_state(spec.name), spec.licence, spec.training_data)
    layout.console().print(table)


def _persons(document: Document) -> Table:
    table = layout.table("person", numbers=("on screen", "tracks"))
    table.add_column("emotions")
    for person in [*document.persons, *([document.unassigned] if document.unassigned else [])]:
        table.add_row(person.name, f"{person.screen_time_s:.1f} s", str(person.tracks), _emotions(person))
    return table


def _emotions(person: Person) -> str:
    total = sum(person.seconds_by_emotion.values()) or 1.0  # segments may be of no length
    shown = [
        f"{RECORD_NAMES[emotion]} {100 * seconds / total:.0f} %"
        for emotion, seconds in person.seconds_by_emotion.items()
    ]
    return ", ".join(shown[:4])
