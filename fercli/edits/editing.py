"""Rename, merge, split, ignore, restore, undo: each checks its arguments, then adds edits to the log.

The caller must hold the lock of the workspace.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from fercli.edits.anchors import anchors_of, seen_together
from fercli.edits.edit import IGNORE, MERGE, RENAME, RESTORE, SPLIT, UNDO, Anchor, Edit
from fercli.edits.log import Log, annotator, append, appended, now
from fercli.edits.state import PERSONS, State, cast_of, read_state, replay
from fercli.edits.tell_cast import Shown, told, told_changes
from fercli.errors import ConfigError, command
from fercli.persons.names import UNASSIGNED, clean_name, clean_or_unassigned, next_free_name
from fercli.workspace import Workspace, require_tables


def rename(workspace: Workspace, name: str, new: str, *, by: str = "", file: str = "") -> list[str]:
    """Rename a person, here and, if the persons were found with a cast, in all its videos.

    Args:
        by: the annotator; by default the login name, also below.
        file: name of the file that the name was imported from.

    Returns:
        Messages for the user about names that the cast could not store.

    Raises:
        ConfigError: there is no such person, another person has the new name already, or the name is invalid.
        MissingStage, CorruptTable, InputError: the persons, the log or the cast cannot be read.
        OutputError, WorkspaceLocked: something cannot be written. After an error, nothing is changed.
    """
    name, new = clean_or_unassigned(name), clean_name(new)
    editor = _Editor(workspace, by)
    tracks = editor.find(name)
    if new in editor.state.names - {name}:
        hint = f"to make them one: {command('people', 'merge', workspace.path, name, new)}"
        raise ConfigError(f"there is a {new!r} already", hint=hint, code="name-taken")
    edit = editor.edit(RENAME, at=(editor.anchor(tracks),), person=name, to=new, file=file)
    return editor.add_and_tell(edit, [editor.shown(name)])


def rename_unseen(workspace: Workspace, name: str, new: str, *, by: str = "", file: str = "") -> None:
    """Rename a person with manual annotations but without a face, such as a narrator; errors as `rename`."""
    editor = _Editor(workspace, by)
    append(workspace, [editor.edit(RENAME, person=clean_name(name), to=clean_name(new), file=file)])


def merge(workspace: Workspace, names: Sequence[str], into: str, *, by: str = "", force: bool = False) -> list[str]:
    """Merge several persons into `into`, here and, as with `rename`, in the cast.

    Args:
        force: merge even if two of them are visible in one frame.

    Returns:
        Messages for the user about names that the cast could not store.

    Raises:
        ConfigError: there is no such person, or two are visible in one frame.
        MissingStage, CorruptTable, InputError, OutputError, WorkspaceLocked: as `rename`.
    """
    into, *names = [clean_or_unassigned(name) for name in (into, *names)]
    if into in names:
        raise ConfigError(f"{into!r} cannot be merged into itself", hint="name two persons", code="nothing-to-do")
    editor = _Editor(workspace, by)
    persons = list(dict.fromkeys([into, *names]))
    groups = [editor.find(person) for person in persons]
    if not force:
        editor.refuse_if_seen_together(groups)
    anchors = tuple(editor.anchor(group) for group in groups)
    edit = editor.edit(MERGE, at=anchors, persons=tuple(persons), to=into)
    return editor.add_and_tell(edit, [editor.shown(person) for person in persons])


def split(
    workspace: Workspace, name: str, tracks: Sequence[int], new: str = "", *, by: str = "", force: bool = False
) -> str:
    """Assign some tracks of a person, or unassigned tracks, to another person; returns the name of that person.

    Args:
        new: name of that person; by default the next free `Person N`.
        force: split even if that person is visible in the same frame.

    Raises:
        ConfigError: there is no such person, the tracks are of another person, are all of its tracks, or share a frame
            with `new`.
        MissingStage, CorruptTable, InputError, OutputError: as `rename`.
    """
    name = clean_or_unassigned(name)
    editor = _Editor(workspace, by)
    own = editor.find(name, unassigned=True)
    foreign = sorted(set(tracks) - set(own))
    if foreign or not tracks:
        raise ConfigError(
            f"{name!r} has no track {', '.join(map(str, foreign))}" if tracks else "no tracks are given",
            hint=f"{name!r} has {', '.join(map(str, own))}",
            code="track-unknown",
        )
    wanted = sorted(set(tracks))
    if wanted == own and name != UNASSIGNED:
        raise ConfigError(f"these are all tracks of {name!r}", hint="use rename or merge")
    new = clean_name(new) if new else editor.free_name()
    if new == name:
        raise ConfigError(f"the tracks belong to {name!r} already", hint="give another --name", code="nothing-to-do")
    others = editor.find(new) if new in editor.state.names else []
    if not force:
        editor.refuse_if_seen_together([others, *([track] for track in wanted)])
    rest = [track for track in own if track not in wanted]
    anchors = editor.track_anchors()
    edit = editor.edit(
        SPLIT,
        at=tuple(anchors[track] for track in wanted),
        person=name,
        to=new,
        rest=editor.anchor(rest) if editor.named(rest) else None,
        joins=editor.anchor(others) if others else None,
    )
    append(workspace, [edit])
    return new


def ignore(workspace: Workspace, name: str, *, by: str = "") -> None:
    """Leave a person, or all tracks without a person, out of all exports; errors as `split`."""
    name = clean_or_unassigned(name)
    editor = _Editor(workspace, by)
    editor.add_about(IGNORE, name, editor.find(name, unassigned=True))


def restore(workspace: Workspace, name: str, *, by: str = "") -> None:
    """Reverse `ignore`; errors as `split`, and ConfigError if the person is not ignored."""
    name = clean_or_unassigned(name)
    editor = _Editor(workspace, by)
    tracks = [track for track in editor.find(name, unassigned=True) if editor.state.tracks[track].ignored]
    if not tracks:
        raise ConfigError(
            f"{name!r} is not ignored", hint=f"run: {command('people', workspace.path)}", code="nothing-to-do"
        )
    editor.add_about(RESTORE, name, tracks)


def undo(workspace: Workspace, numbers: Sequence[int], *, by: str = "") -> list[str]:
    """Undo edits by the numbers of their lines, damaged lines too; to undo an undo applies the edit again.

    Returns:
        Messages for the user about names that the cast could not store.

    Raises:
        ConfigError: there is no such edit, or it is undone already.
        MissingStage, CorruptTable, InputError, OutputError, WorkspaceLocked: as `rename`.
    """
    editor = _Editor(workspace, by)
    log = editor.state.log
    known, undone = {edit.number for edit in log.edits} | log.damaged.keys(), log.undone
    for number in numbers:
        listed = command("edits", workspace.path)
        if number not in known:
            raise ConfigError(f"there is no edit {number}", hint=f"to list them: {listed}", code="edit-unknown")
        if number in undone:
            again = next((edit.number for edit in log.edits if edit.of == number and edit.number not in undone), 0)
            hint = f"to apply it again: {command('edits', 'undo', workspace.path, again)}"
            raise ConfigError(f"edit {number} is undone already", hint=hint, code="nothing-to-do")
    edits = [editor.edit(UNDO, of=number) for number in sorted(set(numbers), reverse=True)]
    numbered = tuple(replace(edit, number=log.lines + place) for place, edit in enumerate(edits, start=1))
    before = _names_here(editor.state, workspace, log)
    after = _names_here(editor.state, workspace, replace(log, edits=(*log.edits, *numbered)))
    with (
        told_changes(cast_of(workspace), workspace.video.sha256, before, after) as problems,
        appended(workspace, edits),
    ):
        pass
    return problems


def _names_here(state: State, workspace: Workspace, log: Log) -> dict[str, str]:
    """Predicted name -> the name by the edits of this video only, for persons with all their tracks still together."""
    called: dict[str, set[str]] = {}
    for track in replay(workspace, state.people, log).tracks.values():
        if track.predicted is not None and track.name is not None and not track.alone:
            called.setdefault(track.predicted, set()).add(track.name)
    return {predicted: names.pop() for predicted, names in called.items() if len(names) == 1}


class _Editor:
    """The persons of a workspace before an edit; names must be results of `clean_or_unassigned`."""

    def __init__(self, workspace: Workspace, by: str) -> None:
        require_tables(workspace, PERSONS)
        self.workspace = workspace
        self.state = read_state(workspace)
        self._by, self._on = annotator(by), now()

    def edit(self, kind: str, **values: Any) -> Edit:
        return Edit(kind, self._by, self._on, **values)

    def find(self, name: str, *, unassigned: bool = False) -> list[int]:
        """The tracks of the person with a name; tracks without a person only if that is allowed."""
        return find_tracks(self.workspace, self.state, name, unassigned=unassigned)

    def named(self, tracks: Iterable[int]) -> bool:
        """Whether an edit gave these tracks their present name."""
        return any(
            identity.source == "human" and identity.name not in (None, identity.predicted)
            for identity in (self.state.tracks[track] for track in tracks)
        )

    def shown(self, name: str) -> Shown:
        """A person for the cast."""
        own = [identity for identity in self.state.tracks.values() if identity.name == name and not identity.alone]
        return Shown(name, frozenset(one.predicted for one in own if one.predicted is not None))

    def free_name(self) -> str:
        """A number that no person has, or had in any edit."""
        predicted = (row["person"] for row in self.state.people if row["person"])
        return next_free_name(
            [*self.state.names, *predicted, *(name for edit in self.state.log.edits for name in edit.names)]
        )

    def anchor(self, tracks: Collection[int]) -> Anchor:
        """The face that identifies the person of these tracks best."""
        best = max(
            (row for row in self.state.people if row["track"] in tracks),
            key=lambda row: distinctness(row["track"], row["faces"], row["identity"]),
        )["best_face"]
        return anchors_of(self.workspace, [best])[best]

    def track_anchors(self) -> dict[int, Anchor]:
        """Track -> its best face."""
        anchors = anchors_of(self.workspace, [row["best_face"] for row in self.state.people])
        return {row["track"]: anchors[row["best_face"]] for row in self.state.people}

    def add_about(self, kind: str, name: str, tracks: list[int]) -> None:
        """Add an edit of a whole person; tracks without a person are identified by the name only."""
        at = () if name == UNASSIGNED else (self.anchor(tracks),)
        append(self.workspace, [self.edit(kind, at=at, person=name)])

    def add_and_tell(self, edit: Edit, persons: Sequence[Shown]) -> list[str]:
        """Change the log and the cast: both, or neither."""
        with (
            told(cast_of(self.workspace), self.workspace.video.sha256, persons, edit.to) as problems,
            appended(self.workspace, [edit]),
        ):
            pass
        return problems

    def refuse_if_seen_together(self, groups: Sequence[Sequence[int]]) -> None:
        """Refuse tracks of two groups in one frame, which are two persons."""
        both = seen_together(self.workspace, groups)
        if both is None:
            return
        first, second = (f"track {track} ({self.state.tracks[track].name or UNASSIGNED})" for track in both[:2])
        raise ConfigError(
            f"{first} and {second} are visible in one frame, at {both[2]:.3f} s, so they are two persons",
            hint="if it is a mirror or a picture of the same person, use --force",
            code="persons-seen-together",
        )


def distinctness(track: int, faces: int, identity: float | None) -> tuple[float, int, int]:
    """Sort key for the most distinct track of a person: number of faces, weighted by identity; ties go to the first."""
    return faces * (identity or 0.0), faces, -track


def find_tracks(workspace: Workspace, state: State, name: str, *, unassigned: bool = False) -> list[int]:
    """The tracks of the person with a displayed name.

    Args:
        unassigned: whether `Unassigned` is allowed, for the tracks without a person.

    Raises:
        ConfigError: there is no such person.
    """
    wanted = None if name == UNASSIGNED else name
    if wanted is None and not unassigned:
        raise ConfigError(
            f"{UNASSIGNED} is not a person",
            hint="give its tracks one by one: "
            + command("people", "split", workspace.path, UNASSIGNED, "--tracks", "N", "--name", "NAME"),
            code="person-unknown",
        )
    tracks = sorted(track for track, identity in state.tracks.items() if identity.name == wanted)
    if not tracks:
        close = difflib.get_close_matches(name, state.names, n=3) or sorted(state.names)
        raise ConfigError(
            f"there is no person {name!r}", hint=f"known: {', '.join(close) or 'none'}", code="person-unknown"
        )
    return tracks
