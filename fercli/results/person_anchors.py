"""The face that anchors a manual annotation to its person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fercli.edits.anchors import anchors_of
from fercli.edits.edit import Anchor
from fercli.edits.editing import distinctness
from fercli.edits.state import State
from fercli.persons.names import UNASSIGNED
from fercli.results.seen_faces import SeenFaces
from fercli.workspace import Workspace


class PersonAnchors:
    """Faces that anchor edits to persons.

    Args:
        workspace: a workspace with the tables frames, faces, tracks and persons.
        state: its persons and edits.

    Raises:
        CorruptTable: a table cannot be read.
    """

    def __init__(self, workspace: Workspace, state: State) -> None:
        shown = {track: one.name or UNASSIGNED for track, one in state.tracks.items() if not one.ignored}
        self._faces = SeenFaces(workspace, shown)
        best: dict[str, Any] = {}
        for row in state.people:
            name = state.tracks[row["track"]].name
            if name is not None and (name not in best or _distinct(row) > _distinct(best[name])):
                best[name] = row
        at = anchors_of(workspace, [row["best_face"] for row in best.values()])
        self._best = {name: at[row["best_face"]] for name, row in best.items()}

    def at(self, person: str, start_s: float, end_s: float) -> tuple[Anchor, ...]:
        """The person's face nearest to the middle of [start_s, end_s); else the best face; none if the person has no
        face."""
        face = self._faces.of_person(person, start_s, end_s)
        if face is not None:
            return (Anchor(face.time_s, face.box),)
        return (self._best[person],) if person in self._best else ()


def _distinct(row: Mapping[str, Any]) -> tuple[float, int, int]:
    return distinctness(row["track"], row["faces"], row["identity"])
