"""Who is who: what the machine found, with a person's corrections on top. The one place that puts the two together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from fercli import tables
from fercli.people.corrections import Correction, Seen
from fercli.people.people_toml import CorrectionsFile
from fercli.people.sightings import NEAREST_S, tracks_at
from fercli.persons.names import is_numbered, next_free_name
from fercli.workspace import Workspace


@dataclass(frozen=True)
class TrackIdentity:
    """Whose a track is.

    Attributes:
        name: None if nobody is known.
        source: `human` if a correction speaks of this track or its person.
        ignored: to be left out of every export.
        identity: how surely it is this person's, in [0, 1]: the machine's figure, 1 where a person said so of this very
            track, None where nobody is known.
        machine: the person as `track` named it; None if it knew nobody.
    """

    name: str | None
    source: Literal["machine", "human"]
    ignored: bool
    identity: float | None
    machine: str | None


@dataclass(frozen=True)
class Applied:
    """A correction in force.

    Attributes:
        entry: as it stands in the file.
        who: whom it is about now: a person as `track` names it, or the number of a track.
        seen_in: track of the face at `entry.seen`, if that was found.
    """

    entry: Correction
    who: str | int
    seen_in: int | None


@dataclass(frozen=True)
class WhoIsWho:
    """Everyone in a video.

    Attributes:
        people: the rows of the table `people`.
        tracks: track -> whose it is.
        applied: person or track, as the machine calls it -> the corrections in force; several say the same.
        problems: one sentence each, beginning with file and line: corrections that could not be applied, or not safely.
    """

    people: list[dict[str, Any]]
    tracks: dict[int, TrackIdentity]
    applied: dict[str | int, list[Applied]]
    problems: list[str]

    @property
    def names(self) -> set[str]:
        """All names in use, those of ignored persons too."""
        return {track.name for track in self.tracks.values() if track.name is not None}


def who_is_who(workspace: Workspace) -> WhoIsWho:
    """Read what `track` found and apply the corrections beside it.

    A correction means the person or track whose face is at its `seen`. Where no face is there any more, it means the
    one it names, if that is on screen at the time. With `seen`, a name such as `Person 2` is that face's name, and
    whoever `track` calls so, without a correction of their own, is shown under the next free number; without `seen` it
    is the `Person 2` of `track`.

    Raises:
        CorruptTable: a table cannot be read.
        InputError: the corrections cannot be read, or contradict each other.
    """
    people = tables.read_table(workspace.table("persons"), tables.PERSONS).to_pylist()
    entries = CorrectionsFile(workspace.corrections).entries
    moments = [entry.seen for entry in entries if entry.seen]
    problems: list[str] = []
    applied = _apply(entries, people, tracks_at(workspace, moments) if moments else {}, problems)
    moved = _moved_aside(people, applied, problems)
    tracks = {row["track"]: _identity(row, applied, moved) for row in people}
    return WhoIsWho(people, tracks, applied, problems)


def distinctness(track: int, faces: int, identity: float | None) -> tuple[float, int, int]:
    """Sort key: the track that shows a person best has most faces, weighed by identity; of equals it is the first."""
    return faces * (identity or 0.0), faces, -track


def _apply(
    entries: list[Correction], people: list[dict[str, Any]], tracks: dict[Seen, int], problems: list[str]
) -> dict[str | int, list[Applied]]:
    """Whom each entry is about now; where two contradict each other, the first one counts."""
    owner = {row["track"]: row["person"] for row in people}
    applied: dict[str | int, list[Applied]] = {}
    for entry in entries:
        seen_in = tracks.get(entry.seen) if entry.seen else None
        who = seen_in if entry.kind == "track" or seen_in is None else owner[seen_in]
        if who is None:
            who, problem = _by_name(entry, people)
            problems += [_problem(entry, problem)] if problem else []
        if who is None:
            continue
        uses = applied.setdefault(who, [])
        if uses and uses[0].entry.decision != entry.decision:
            problem = f"not applied: line {uses[0].entry.line} is about {_called(who)} too; keep one of the two"
            problems.append(_problem(entry, problem))
        else:
            uses.append(Applied(entry, who, seen_in))
    return applied


def _by_name(entry: Correction, people: list[dict[str, Any]]) -> tuple[str | int | None, str]:
    """Whom an entry names, and what is wrong with that."""
    column = "person" if entry.kind == "person" else "track"
    rows = [row for row in people if row[column] == entry.who]
    if entry.seen is None:
        return (entry.who, "") if rows else (None, f"not applied: there is no {_called(entry.who)}")
    missing = f"no face is seen at {entry.seen} any more"
    if any(row["start_s"] - NEAREST_S <= entry.seen.time_s < row["end_s"] + NEAREST_S for row in rows):
        return entry.who, f"{missing}; taken to be about {_called(entry.who)}, on screen then"
    return None, f"not applied: {missing}, and {_called(entry.who)} is not on screen then"


def _moved_aside(
    people: list[dict[str, Any]], applied: dict[str | int, list[Applied]], problems: list[str]
) -> dict[str, str]:
    """Persons whose number a correction has given to somebody else -> the number they are shown under."""
    entries = [use.entry for uses in applied.values() for use in uses]
    claims = {entry.name: entry for entry in entries if entry.seen and entry.name}
    pinned = {entry.name for entry in entries if entry.who == entry.name}
    found = list(dict.fromkeys(row["person"] for row in people if row["person"] is not None))
    taken = {*found, *claims}
    moved = {}
    for person in found:
        if person in claims and person not in applied and is_numbered(person):
            moved[person] = next_free_name(taken)
            taken.add(moved[person])
            if person not in pinned:
                problem = f"{person!r} is somebody's name here, so whom `track` calls so is shown as {moved[person]!r}"
                problems.append(_problem(claims[person], problem))
    return moved


def _identity(row: dict[str, Any], applied: dict[str | int, list[Applied]], moved: dict[str, str]) -> TrackIdentity:
    """What is said of the track counts before what is said of its person."""
    machine = row["person"]
    of_track = [use.entry for use in applied.get(row["track"], [])]
    entries = of_track + [use.entry for use in applied.get(machine, [])]
    said_of_track = any(entry.name for entry in of_track)
    return TrackIdentity(
        name=next((entry.name for entry in entries if entry.name), moved.get(machine, machine)),
        source="human" if entries else "machine",
        ignored=entries[0].ignore if entries else False,
        identity=1.0 if said_of_track else row["identity"],
        machine=machine,
    )


def _called(who: str | int) -> str:
    return f"person {who!r}" if isinstance(who, str) else f"track {who}"


def _problem(entry: Correction, text: str) -> str:
    return f"people.toml:{entry.line}: {text}"
