"""Rename, merge, split, ignore, restore: what a person says becomes entries of people.toml.

All are to be called under the lock of the workspace.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fercli.errors import ConfigError
from fercli.people import cast
from fercli.people.corrections import UNASSIGNED, Correction, Seen, clean_name
from fercli.people.naming import next_free_name, who_is_who
from fercli.people.people_toml import CorrectionsFile
from fercli.people.segments_csv import rename_person
from fercli.people.sightings import places, require_matching_tables, seen_together
from fercli.workspace import Workspace, write_atomically


def rename(workspace: Workspace, name: str, new: str) -> None:
    """Call a person something else, here and, where the tracks were found with a cast, in the videos to come.

    Raises:
        ConfigError: nobody is called so, somebody is called the new name already, or nobody can be called so.
        MissingStage, CorruptTable, InputError: who is who cannot be read.
    """
    editor = _Editor(workspace)
    new = clean_name(new)
    tracks = editor.find(name)
    if new in editor.who.names - {name}:
        hint = f'to make them one: fercli people merge {workspace.path} "{name}" "{new}"'
        raise ConfigError(f"there is a {new!r} already", hint=hint)
    editor.decide(tracks, name=new)
    editor.save()
    rename_person(workspace.human_segments, {clean_name(name)}, new)
    _tell_cast(workspace, {person for track in tracks if (person := editor.persons[track])}, new)


def merge(workspace: Workspace, names: Sequence[str], into: str, *, force: bool = False) -> None:
    """Make several persons one, called `into`.

    Args:
        force: even if two of them are seen in one frame.

    Raises:
        ConfigError: nobody is called so, or two are seen in one frame.
        MissingStage, CorruptTable, InputError: who is who cannot be read.
    """
    editor = _Editor(workspace)
    if into in names:
        raise ConfigError(f"{into!r} cannot be merged into itself", hint="name two persons")
    groups = [editor.find(name) for name in dict.fromkeys([into, *names])]
    if not force:
        editor.refuse_if_seen_together(groups)
    ignored = all(editor.who.tracks[track].ignored for track in groups[0])
    editor.decide([track for group in groups for track in group], name=clean_name(into), ignore=ignored)
    editor.save()
    rename_person(workspace.human_segments, {clean_name(name) for name in names}, clean_name(into))


def split(workspace: Workspace, name: str, tracks: Sequence[int], new: str = "", *, force: bool = False) -> str:
    """Give some tracks of a person, or of nobody, to somebody else; returns whose they are now.

    Args:
        new: who; without it the next free `Person N`.
        force: even if that person is seen in the same frame.

    Raises:
        ConfigError: nobody is called so, or the tracks are not his, or all of his, or seen in one frame with `new`.
        MissingStage, CorruptTable, InputError: who is who cannot be read.
    """
    editor = _Editor(workspace)
    own = editor.find(name, unassigned=True)
    strangers = sorted(set(tracks) - set(own))
    if strangers or not tracks:
        raise ConfigError(
            f"{name!r} has no track {', '.join(map(str, strangers))}" if tracks else "no tracks are given",
            hint=f"{name!r} has {', '.join(map(str, own))}",
        )
    if set(tracks) == set(own) and name != UNASSIGNED:
        raise ConfigError(f"these are all tracks of {name!r}", hint="use rename or merge")
    new = clean_name(new) if new else editor.free_name()
    if new == name:
        raise ConfigError(f"the tracks are {name!r}'s already", hint="give another --name")
    others = editor.find(new) if new in editor.who.names else []
    if not force:
        editor.refuse_if_seen_together([others, *([track] for track in set(tracks))])
    editor.decide(others, name=new)
    editor.hand_over(sorted(set(tracks)), new)
    editor.save()
    return new


def ignore(workspace: Workspace, name: str) -> None:
    """Leave a person out of every export; errors as `rename`."""
    editor = _Editor(workspace)
    editor.decide(editor.find(name), ignore=True)
    editor.save()


def restore(workspace: Workspace, name: str) -> None:
    """Take back `ignore`; errors as `rename`, and a ConfigError if nobody of that name is ignored."""
    editor = _Editor(workspace)
    tracks = [track for track in editor.find(name, unassigned=True) if editor.who.tracks[track].ignored]
    if not tracks:
        raise ConfigError(f"{name!r} is not ignored", hint=f"fercli people {workspace.path}")
    editor.decide(tracks, ignore=False)
    editor.save()


def _tell_cast(workspace: Workspace, persons: Iterable[str], new: str) -> None:
    receipt = workspace.receipt("3-tracks")
    path = Path(receipt.params.get("cast", "")) if receipt is not None else Path()
    if path.is_file():
        for person in sorted(persons):
            cast.rename(path, person, new)


class _Editor:
    """The corrections of a workspace while they are changed."""

    def __init__(self, workspace: Workspace) -> None:
        require_matching_tables(workspace)
        self.workspace = workspace
        self.file = CorrectionsFile(workspace.corrections)
        self.who = who_is_who(workspace)
        self.persons = {row["track"]: row["person"] for row in self.who.people}
        self.spoken_for = {who for who in self.who.applied if isinstance(who, int)}

    def save(self) -> None:
        write_atomically(self.workspace.corrections, self.file.content)

    def find(self, name: str, *, unassigned: bool = False) -> list[int]:
        """The tracks of the person who is shown under a name; of nobody known only where that makes sense."""
        wanted = None if name == UNASSIGNED else clean_name(name)
        if wanted is None and not unassigned:
            raise ConfigError(
                f"{UNASSIGNED} is not a person",
                hint=f"name its tracks one by one: fercli people split {self.workspace.path} {UNASSIGNED} "
                "--tracks N --name NAME",
            )
        tracks = sorted(track for track, identity in self.who.tracks.items() if identity.name == wanted)
        if not tracks:
            close = difflib.get_close_matches(name, self.who.names, n=3) or sorted(self.who.names)
            raise ConfigError(f"nobody is called {name!r}", hint=f"known: {', '.join(close) or 'nobody'}")
        return tracks

    def free_name(self) -> str:
        """A number nobody has, nor had in an entry that is not in force."""
        machine = (row["person"] for row in self.who.people if row["person"])
        return next_free_name([*self.who.names, *machine, *(entry.name or "" for entry in self.file.entries)])

    def decide(self, tracks: Iterable[int], *, name: str | None = None, ignore: bool | None = None) -> None:
        """Say something of all persons these tracks are of, and of tracks that have an entry of their own."""
        for who in dict.fromkeys(track if track in self.who.applied else self.persons[track] for track in tracks):
            for old, entry in self._entries(who):
                self._put(
                    replace(entry, name=name or entry.name, ignore=entry.ignore if ignore is None else ignore), old
                )

    def hand_over(self, tracks: Sequence[int], name: str) -> None:
        """Give single tracks to a person, and let no other entry recognise its person by one of them."""
        for track in tracks:
            for old, entry in self._entries(track):
                self._put(replace(entry, name=name, ignore=False), old)
        handed = self.spoken_for | set(tracks)
        for uses in self.who.applied.values():
            for use in uses:
                if isinstance(use.who, str) and use.seen_in in tracks:
                    self._put(replace(use.entry, who=use.who, seen=self._anchor(use.who, handed)), use.entry)

    def refuse_if_seen_together(self, groups: Sequence[Sequence[int]]) -> None:
        """Tracks of two groups in one frame are two persons."""
        both = seen_together(self.workspace, groups)
        if both is None:
            return
        first, second = (f"track {track} ({self.who.tracks[track].name or UNASSIGNED})" for track in both[:2])
        raise ConfigError(
            f"{first} and {second} are seen in one frame, at {both[2]:.3f} s, so they are two persons",
            hint="if it is a mirror or a picture of the same person, use --force",
        )

    def _entries(self, who: str | int) -> list[tuple[Correction | None, Correction]]:
        """The entries in force as they are and as they find the face now, or a new one that says nothing yet."""
        uses = self.who.applied.get(who)
        if not uses:
            return [(None, Correction(who, None, seen=self._anchor(who, self.spoken_for)))]
        fresh = [use.entry.seen if use.seen_in is not None else self._anchor(who, self.spoken_for) for use in uses]
        return [(use.entry, replace(use.entry, who=who, seen=seen)) for use, seen in zip(uses, fresh, strict=True)]

    def _put(self, entry: Correction, old: Correction | None) -> None:
        if entry.name is not None or entry.ignore:
            self.file.put(entry, old)
        elif old is not None:
            self.file.remove(old)

    def _anchor(self, who: str | int, spoken_for: set[int]) -> Seen:
        """The best face of a track, or of a person in a track that has no entry of its own."""
        rows: list[dict[str, Any]] = [row for row in self.who.people if who in (row["person"], row["track"])]
        own = [row for row in rows if row["track"] not in spoken_for] or rows
        best = max(own, key=lambda row: (row["faces"] * (row["identity"] or 0.0), row["faces"]))
        return places(self.workspace, [best["best_face"]])[best["best_face"]]
