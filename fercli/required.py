"""What has to be in a workspace before its tables are read together, and how its crops were cut."""

from __future__ import annotations

import shlex
from pathlib import Path

from fercli.errors import MissingStage, command
from fercli.tables import SCHEMAS, read_table
from fercli.workspace import TABLE_HOMES, Workspace

COMMANDS = {
    "1-frames": "extract-frames",
    "2-faces": "detect-faces",
    "3-tracks": "track",
    "4-emotions": "classify-emotions",
}
"""Directory of a stage -> the command that writes it, in the order of the chain."""


def require_tables(workspace: Workspace, last: str) -> None:
    """Refuse a workspace without the table `last`, or in which a stage ran again and those after it did not.

    Faces and tracks have numbers, which mean others after the next run. The receipts tell, so nothing is hashed. The
    small tables that say which frame, face and track is which are checked here, whatever is read of them afterwards.

    Raises:
        MissingStage: names the first stage that has to run.
        CorruptTable: one of those tables has values that cannot be.
    """
    for directory, name in COMMANDS.items():
        receipt = workspace.receipt(directory)
        if receipt is None:
            raise MissingStage(f"{workspace.path}: {name} has not run yet", hint=run_hint(workspace, directory))
        for table, digest in receipt.inputs.items():
            made = workspace.receipt(TABLE_HOMES[table]) if table in TABLE_HOMES else None
            if made and made.outputs.get(f"{table}.parquet") != digest:
                reason = f"in {workspace.path} the {table} are not those that {name} saw"
                raise MissingStage(reason, hint=run_hint(workspace, directory))
        if directory == TABLE_HOMES[last]:
            break
    for table in ("frames", "tracks"):
        if workspace.table(table).is_file():
            read_table(workspace.table(table), SCHEMAS[table])


def run_hint(workspace: Workspace, directory: str) -> str:
    """How to run a stage, for the hint of an error."""
    video = [workspace.video.path] if directory == "1-frames" else []
    again = "with the options you gave it before, " if workspace.receipt(directory) else ""
    return f"{again}run: {command(COMMANDS[directory], *video, workspace.path)}"


def crop_scale(workspace: Workspace) -> float:
    """Side of the stored crops as a multiple of the longer side of the face's box.

    Raises:
        MissingStage: nothing says how the crops were cut.
    """
    receipt = workspace.receipt("2-faces")
    if receipt is None:
        hint = run_hint(workspace, "2-faces")
        raise MissingStage(f"the faces in {workspace.path} have no receipt", hint=hint)
    scale = float(receipt.params.get("crop_scale", 0))
    if scale <= 0:
        hint = run_hint(workspace, "2-faces")
        raise MissingStage(f"the receipt of the faces in {workspace.path} does not say how they were cut", hint=hint)
    return scale


def hint_for_moved(video: Path) -> str:
    """What to do if the video is no longer where it was, for the hint of an error: nothing has to run again."""
    return f"put it back, or leave a link to it there: ln -s NEW_PATH {shlex.quote(str(video))}"
