"""A note in each workspace that its video is finished, so that the next run costs a look at the files' states.

The note holds what the outputs were made from, and size, modification time and inode of all files involved. If one of
them has changed, the stages decide with their receipts what has to run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fercli.batch.outcome import Outcome
from fercli.chain import STAGES
from fercli.typed import build
from fercli.workspace import FileState
from fercli.writing import write_atomically

NOTE = "finished.json"


def remember(workspace: Path, made_from: str, files: Iterable[Path], outcome: Outcome) -> None:
    """Record a finished job.

    Args:
        workspace: its workspace.
        made_from: digest of the parameters, networks and formats.
        files: files outside the workspace: the video, the outputs, the cast.
        outcome: how it ended.

    Raises:
        OutputError: the note cannot be written.
    """
    note = {"made_from": made_from, "files": _states(workspace, files), "outcome": asdict(outcome)}
    write_atomically(workspace / NOTE, (json.dumps(note) + "\n").encode())


def recall(workspace: Path, made_from: str, files: Iterable[Path]) -> Outcome | None:
    """The outcome of a job that is finished, with 0 seconds; None if anything it was made from has changed."""
    try:
        note = json.loads((workspace / NOTE).read_text(encoding="utf-8"))
        outcome = build(Outcome, note["outcome"] | {"seconds": 0.0})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    same = note.get("made_from") == made_from and note.get("files") == _states(workspace, files)
    return outcome if same else None


def digest_of(parts: Iterable[Any]) -> str:
    """One digest of values that have a stable `repr`."""
    return hashlib.sha256(repr(list(parts)).encode("utf-8", "backslashreplace")).hexdigest()


def _states(workspace: Path, files: Iterable[Path]) -> dict[str, Any]:
    tables = [file for stage in STAGES for file in sorted((workspace / stage.name).glob("*.*")) if file.is_file()]
    own = [workspace / "workspace.json", workspace / "edits.jsonl", *tables]
    # Through JSON and back in `recall`: lists, and names as JSON holds them.
    states = {str(file): FileState.of(file) for file in [*own, *files]}
    noted: dict[str, Any] = json.loads(json.dumps({name: state and asdict(state) for name, state in states.items()}))
    return noted
