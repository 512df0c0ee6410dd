"""The corrections of a workspace while they are changed: whom they find, and the entries that say something else."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from fercli.errors import ConfigError, command
from fercli.people.cast_names import Shown
from fercli.people.corrections import Correction, Seen
from fercli.people.naming import distinctness, who_is_who
from fercli.people.people_toml import CorrectionsFile
from fercli.people.sightings import places, seen_together
from fercli.persons.names import UNASSIGNED, clean_name, next_free_name
from fercli.workspace import Workspace, require_tables
from fercli.writing import write_atomically


def wanted_name(name: str) -> str:
    """A name that a person asks for, as it is kept; also `Unassigned`.

    Raises:
        ConfigError: as `clean_name`.
    """
    return UNASSIGNED if unicodedata.normalize("NFC", name.strip()) == UNASSIGNED else clean_name(name)


class Editor:
    """The corrections of a workspace while they are changed; names are to be as `wanted_name` gives them.

    Attributes:
        who: everyone as it was before.

    Raises:
        MissingStage, CorruptTable, InputError: who is who cannot be read.
    """

    def __init__(self, workspace: Workspace) -> None:
        require_tables(workspace, "persons")
        self.workspace = workspace
        self._file = CorrectionsFile(workspace.corrections)
        self.who = who_is_who(workspace)
        self._persons = {row["track"]: row["person"] for row in self.who.people}
        self._spoken_for = {who for who in self.who.applied if isinstance(who, int)}

    def save(self) -> None:
        """Write them; raises OutputError."""
        write_atomically(self.workspace.corrections, self._file.content)

    def find(self, name: str, *, unassigned: bool = False) -> list[int]:
        """The tracks of the person who is shown under a name; of nobody known only where that makes sense."""
        wanted = None if name == UNASSIGNED else name
        if wanted is None and not unassigned:
            raise ConfigError(
                f"{UNASSIGNED} is not a person",
                hint="name its tracks one by one: "
                + command("people", "split", self.workspace.path, UNASSIGNED, "--tracks", "N", "--name", "NAME"),
            )
        tracks = sorted(track for track, identity in self.who.tracks.items() if identity.name == wanted)
        if not tracks:
            close = difflib.get_close_matches(name, self.who.names, n=3) or sorted(self.who.names)
            raise ConfigError(
                f"nobody is called {name!r}", hint=f"known: {', '.join(close) or 'nobody'}", code="person-unknown"
            )
        return tracks

    def shown(self, name: str) -> Shown:
        """A person for the cast. Tracks that a person named one by one may be somebody else's of the machine's."""
        machine = {self._persons[track] for track in self.find(name) if not self._named_alone(track)}
        return Shown(name, frozenset(person for person in machine if person is not None))

    def free_name(self) -> str:
        """A number nobody has, nor had in an entry that is not in force."""
        machine = (row["person"] for row in self.who.people if row["person"])
        return next_free_name([*self.who.names, *machine, *(entry.name or "" for entry in self._file.entries)])

    def decide(self, tracks: Iterable[int], *, name: str | None = None, ignore: bool | None = None) -> None:
        """Say something of all persons these tracks are of, and of tracks that have an entry of their own."""
        for who in dict.fromkeys(track if track in self.who.applied else self._persons[track] for track in tracks):
            for old, entry in self._entries(who):
                self._put(
                    replace(entry, name=name or entry.name, ignore=entry.ignore if ignore is None else ignore), old
                )

    def hand_over(self, tracks: Sequence[int], name: str) -> None:
        """Give single tracks to a person, and let no other entry recognise its person by one of them."""
        for track in tracks:
            for old, entry in self._entries(track):
                self._put(replace(entry, name=name, ignore=False), old)
        handed = self._spoken_for | set(tracks)
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
            code="persons-seen-together",
        )

    def _named_alone(self, track: int) -> bool:
        return any(use.entry.name for use in self.who.applied.get(track, []))

    def _entries(self, who: str | int) -> list[tuple[Correction | None, Correction]]:
        """The entries in force as they are and as they find the face now, or a new one that says nothing yet."""
        uses = self.who.applied.get(who)
        if not uses:
            return [(None, Correction(who, None, seen=self._anchor(who, self._spoken_for)))]
        fresh = [use.entry.seen if use.seen_in is not None else self._anchor(who, self._spoken_for) for use in uses]
        return [(use.entry, replace(use.entry, who=who, seen=seen)) for use, seen in zip(uses, fresh, strict=True)]

    def _put(self, entry: Correction, old: Correction | None) -> None:
        if entry.name is not None or entry.ignore:
            self._file.put(entry, old)
        elif old is not None:
            self._file.remove(old)

    def _anchor(self, who: str | int, spoken_for: set[int]) -> Seen:
        """The best face of a track, or of a person in a track that has no entry of its own."""
        rows: list[dict[str, Any]] = [row for row in self.who.people if who in (row["person"], row["track"])]
        own = [row for row in rows if row["track"] not in spoken_for] or rows
        best = max(own, key=lambda row: distinctness(row["track"], row["faces"], row["identity"]))
        return places(self.workspace, [best["best_face"]])[best["best_face"]]
