"""A correction from a request, added to the log of edits under the lock of the workspace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fercli.edits import editing
from fercli.edits.edit import CLEAR, IGNORE, MERGE, RENAME, RESTORE, SET_EMOTION, SPLIT, UNDO, Edit
from fercli.edits.log import annotator, append, now, read_log
from fercli.edits.state import read_state
from fercli.errors import ConfigError
from fercli.labels import NOT_ASSESSABLE, canonical
from fercli.persons.names import UNASSIGNED, clean_or_unassigned
from fercli.results.person_anchors import PersonAnchors
from fercli.serve.reading import version_of
from fercli.serve.schemas import EditRequest
from fercli.workspace import Workspace

_SHORTEST_MS = 1


def correct(workspace: Workspace, wanted: EditRequest, if_match: str = "") -> dict[str, Any]:
    """Add an edit to the log.

    Args:
        workspace: of a finished job.
        wanted: the correction.
        if_match: the version that the annotator saw; empty if it does not matter.

    Returns:
        `edits`, the numbers of the added lines; and `notes`, messages for the annotator.

    Raises:
        ConfigError: the correction does not fit, as no person has that name; or the edits have changed since.
        WorkspaceLocked: a program works in the workspace.
        FercliError: as the functions of `edits.editing`.
    """
    with workspace.lock():
        if if_match and if_match != version_of(workspace.path).whole:
            raise ConfigError(
                "the edits have changed since", hint="read the timeline again, then decide", code="edits-changed"
            )
        before = read_log(workspace).lines
        notes = _APPLY[wanted.edit](workspace, wanted)
        after = read_log(workspace).lines
    return {"edits": list(range(before + 1, after + 1)), "notes": notes}


def _rename(workspace: Workspace, wanted: EditRequest) -> list[str]:
    return editing.rename(workspace, _given(wanted.person, "person"), _given(wanted.to, "to"), by=wanted.by)


def _merge(workspace: Workspace, wanted: EditRequest) -> list[str]:
    if not wanted.persons:
        raise _missing("persons")
    return editing.merge(workspace, wanted.persons, _given(wanted.to, "to"), by=wanted.by, force=wanted.force)


def _split(workspace: Workspace, wanted: EditRequest) -> list[str]:
    name = _given(wanted.person, "person")
    new = editing.split(workspace, name, wanted.tracks, wanted.to or "", by=wanted.by, force=wanted.force)
    return [f"the tracks belong to {new} now"] if not wanted.to else []


def _ignore(workspace: Workspace, wanted: EditRequest) -> list[str]:
    editing.ignore(workspace, _given(wanted.person, "person"), by=wanted.by)
    return []


def _restore(workspace: Workspace, wanted: EditRequest) -> list[str]:
    editing.restore(workspace, _given(wanted.person, "person"), by=wanted.by)
    return []


def _undo(workspace: Workspace, wanted: EditRequest) -> list[str]:
    if not wanted.of:
        raise _missing("of")
    return editing.undo(workspace, wanted.of, by=wanted.by)


def _annotate(workspace: Workspace, wanted: EditRequest) -> list[str]:
    person = clean_or_unassigned(_given(wanted.person, "person"))
    start_ms, end_ms = _interval(workspace, wanted)
    emotion = None
    if wanted.edit == SET_EMOTION:
        text = _given(wanted.emotion, "class")
        emotion = NOT_ASSESSABLE if text == NOT_ASSESSABLE else canonical(text)
        if emotion is None:
            raise ConfigError(f"{text!r:.60} is not an emotion", hint="GET .../timeline has the classes")
    state = read_state(workspace)
    if person != UNASSIGNED or any(one.name is None for one in state.tracks.values()):
        known = state.names | {one.person for one in state.manual} | {UNASSIGNED}
        if person not in known:
            raise ConfigError(
                f"there is no person {person!r}", hint="GET .../persons lists them", code="person-unknown"
            )
    at = PersonAnchors(workspace, state).at(person, start_ms / 1000, end_ms / 1000)
    edit = Edit(
        wanted.edit,
        annotator(wanted.by),
        now(),
        at=at,
        person=person,
        start_ms=start_ms,
        end_ms=end_ms,
        emotion=emotion,
    )
    append(workspace, [edit])
    return []


def _interval(workspace: Workspace, wanted: EditRequest) -> tuple[int, int]:
    """Whole milliseconds, cut to the video."""
    if wanted.start_s is None or wanted.end_s is None:
        raise _missing("start_s and end_s")
    video = workspace.video
    start_ms = max(round(1000 * wanted.start_s), round(1000 * video.start_s))
    end_ms = min(round(1000 * wanted.end_s), round(1000 * video.end_s))
    if end_ms - start_ms < _SHORTEST_MS:
        raise ConfigError(
            f"{wanted.start_s:g} to {wanted.end_s:g} s is no interval of the video",
            hint=f"the video is {video.start_s:g} to {video.end_s:g} s",
            code="time-outside-video",
        )
    return start_ms, end_ms


_APPLY: dict[str, Callable[[Workspace, EditRequest], list[str]]] = {
    RENAME: _rename,
    MERGE: _merge,
    SPLIT: _split,
    IGNORE: _ignore,
    RESTORE: _restore,
    SET_EMOTION: _annotate,
    CLEAR: _annotate,
    UNDO: _undo,
}


def _given(value: str | None, name: str) -> str:
    if not value:
        raise _missing(name)
    return value


def _missing(name: str) -> ConfigError:
    return ConfigError(f"this edit needs {name}", hint="GET /openapi.json describes the edits", code="request-invalid")
