"""Edits for tests, without the checks of the commands."""

from __future__ import annotations

from typing import Any

from fercli.edits.edit import Anchor, Edit
from fercli.edits.log import append
from fercli.labels import NOT_ASSESSABLE, canonical
from fercli.workspace import Workspace

ON = "2026-11-25T14:03:00Z"


def add(workspace: Workspace, kind: str, *anchors: Anchor, **values: Any) -> Workspace:
    """Add an edit to the log; returns the workspace."""
    append(workspace, [Edit(kind, "me", ON, anchors, **values)])
    return workspace


def annotate(workspace: Workspace, *rows: str) -> Workspace:
    """Manual annotations by name, each `person,start,end,class` in seconds; without a class nothing is shown.

    Those that overlap an earlier one of the same person stand beside it.
    """
    done: list[tuple[str, int, int]] = []
    for row in rows:
        person, start, end, name = row.rsplit(",", 3)
        span = (person, round(1000 * float(start)), round(1000 * float(end)))
        emotion = name if name == NOT_ASSESSABLE else canonical(name)
        beside = any(one[0] == person and one[1] < span[2] and span[1] < one[2] for one in done)
        values = {"person": person, "start_ms": span[1], "end_ms": span[2]}
        if emotion is None:
            add(workspace, "clear", **values)
        else:
            add(workspace, "set-emotion", **values, emotion=emotion, beside=beside)
            done.append(span)
    return workspace
