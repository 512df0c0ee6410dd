"""What has to be in a workspace before its tables are read together, and how its crops were cut."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fercli.chain import FACES, FRAMES, STAGE_OF, Stage, needed_for
from fercli.errors import MissingStage, command
from fercli.tables import SCHEMAS, read_table
from fercli.workspace import Workspace


def require_tables(workspace: Workspace, last: str) -> None:
    """Refuse a workspace without the table `last`, or in which a stage ran again and those after it did not.

    Faces and tracks have numbers, which mean others after the next run. The receipts tell, so nothing is hashed. The
    small tables that say which frame, face and track is which are checked here, whatever is read of them afterwards.

    Raises:
        MissingStage: names the first stage that has to run.
        CorruptTable: one of those tables has values that cannot be.
    """
    if missing := first_missing(workspace, needed_for(last)):
        raise MissingStage(missing.reason, hint=run_hint(workspace, missing.stage))
    for table in ("frames", "tracks"):
        if workspace.table(table).is_file():
            read_table(workspace.table(table), SCHEMAS[table])


@dataclass(frozen=True)
class Missing:
    """A stage that has to run, and why."""

    stage: Stage
    reason: str


def first_missing(workspace: Workspace, stages: Iterable[Stage]) -> Missing | None:
    """The first of some stages that has not run, or that saw other tables than there are now; by the receipts."""
    for stage in stages:
        receipt = workspace.receipt(stage.name)
        if receipt is None:
            return Missing(stage, f"{workspace.path}: {stage.command} has not run yet")
        for table, digest in receipt.inputs.items():
            made = workspace.receipt(STAGE_OF[table].name) if table in STAGE_OF else None
            if made and made.outputs.get(f"{table}.parquet") != digest:
                return Missing(stage, f"in {workspace.path} the {table} are not those that {stage.command} saw")
    return None


def run_hint(workspace: Workspace, stage: Stage) -> str:
    """How to run a stage, for the hint of an error."""
    video = [workspace.video.path] if stage.name == FRAMES.name else []
    again = "with the options you gave it before, " if workspace.receipt(stage.name) else ""
    return f"{again}run: {command(stage.command, *video, workspace.path)}"


def crop_scale(workspace: Workspace) -> float:
    """Side of the stored crops as a multiple of the longer side of the face's box.

    Raises:
        MissingStage: nothing says how the crops were cut.
    """
    receipt = workspace.receipt(FACES.name)
    if receipt is None:
        raise MissingStage(f"the faces in {workspace.path} have no receipt", hint=run_hint(workspace, FACES))
    scale = float(receipt.params.get("crop_scale", 0))
    if scale <= 0:
        reason = f"the receipt of the faces in {workspace.path} does not say how they were cut"
        raise MissingStage(reason, hint=run_hint(workspace, FACES))
    return scale


def hint_for_moved(video: Path) -> str:
    """What to do if the video is no longer where it was, for the hint of an error: nothing has to run again."""
    return f"put it back, or leave a link to it there: ln -s NEW_PATH {shlex.quote(str(video))}"
