"""The persons and manual annotations of a workspace joined from its tables, its log, and its cast."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fercli import tables
from fercli.chain import STAGE_OF
from fercli.edits.anchors import tracks_at
from fercli.edits.apply import Applied, Manual, TrackIdentity, apply
from fercli.edits.log import Log, read_log
from fercli.errors import FercliError
from fercli.persons.cast import NOT_IN_A_CAST, CastNames, names_now
from fercli.workspace import Workspace

PERSONS = "persons"
"""The table of the predicted persons, one row per track."""


@dataclass(frozen=True)
class State:
    """The persons of a video.

    Attributes:
        people: rows of the table of predicted persons.
        log: all edits.
        applied: result of the edits.
        notes: messages about other things that could not be used.
    """

    people: list[dict[str, Any]]
    log: Log
    applied: Applied
    notes: tuple[str, ...] = ()

    @property
    def tracks(self) -> dict[int, TrackIdentity]:
        """Track -> its person."""
        return self.applied.tracks

    @property
    def names(self) -> set[str]:
        """All names of tracks, including those of ignored persons."""
        return self.applied.names

    @property
    def manual(self) -> list[Manual]:
        """The manual annotations of persons that are not ignored."""
        return self.applied.shown_manual

    @property
    def problems(self) -> list[str]:
        """Messages for every export: edits that are not applied, or not with certainty, and an unreadable cast."""
        return [*self.applied.problems, *self.notes]


def read_state(workspace: Workspace) -> State:
    """Read the predicted persons and apply all edits.

    Raises:
        CorruptTable: a table cannot be read.
        InputError: the log cannot be read.
    """
    people = tables.read_table(workspace.table(PERSONS), tables.SCHEMAS[PERSONS]).to_pylist()
    log = read_log(workspace)
    cast, notes = _cast_names(workspace)
    return replay(workspace, people, log, cast, notes)


def replay(
    workspace: Workspace,
    people: list[dict[str, Any]],
    log: Log,
    cast: CastNames = NOT_IN_A_CAST,
    notes: tuple[str, ...] = (),
) -> State:
    """The state with another log or without the cast; errors as `read_state`."""
    anchors = [anchor for edit in log.edits for anchor in edit.anchors]
    return State(people, log, apply(people, log, tracks_at(workspace, anchors), cast), notes)


def list_problems(workspace: Workspace) -> list[str]:
    """`State.problems`, for any set of finished stages; for unreadable files, the reason."""
    try:
        if workspace.table(PERSONS).exists():
            return read_state(workspace).problems
        return read_log(workspace).problems
    except FercliError as error:
        return [error.message]


def cast_of(workspace: Workspace) -> Path | None:
    """The cast used for the persons; None if there was none."""
    receipt = workspace.receipt(STAGE_OF[PERSONS].name)
    cast = receipt.params.get("cast", "") if receipt is not None else ""
    return Path(cast) if cast else None


def _cast_names(workspace: Workspace) -> tuple[CastNames, tuple[str, ...]]:
    cast = cast_of(workspace)
    if cast is None:
        return NOT_IN_A_CAST, ()
    if not cast.exists():
        return NOT_IN_A_CAST, (f"the cast {cast} does not exist; persons have the names from the run of track",)
    try:
        return names_now(cast, workspace.video.sha256), ()
    except FercliError as error:
        return NOT_IN_A_CAST, (f"{error.message}; persons have the names from the run of track",)
