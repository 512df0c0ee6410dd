"""The persons of a video, summed up: how long they are seen, where best, and how sure it is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from fercli.people.corrections import Seen
from fercli.people.naming import WhoIsWho, distinctness, who_is_who
from fercli.people.segments_csv import read_segments
from fercli.people.sightings import places
from fercli.persons.names import UNASSIGNED
from fercli.required import require_tables
from fercli.workspace import Workspace

DOUBTFUL_BELOW = 0.5
"""Identity below which a track is worth a look."""


@dataclass(frozen=True)
class ListedTrack:
    """One track of a person.

    Attributes:
        track, shot: numbers.
        start_s, end_s: [start, end), seconds.
        faces: how many.
        best_face: number of the face that shows the person best.
        seen: where that face is.
        identity: in [0, 1]; None where nobody is known.
        by_hand: a correction speaks of it or its person.
        doubtful: nobody is known, or not surely.
    """

    track: int
    shot: int
    start_s: float
    end_s: float
    faces: int
    best_face: int
    seen: Seen
    identity: float | None
    by_hand: bool
    doubtful: bool


@dataclass(frozen=True)
class ListedPerson:
    """A person, or all whom nobody knows.

    Attributes:
        name: `Unassigned` for those.
        ignored: left out of every export.
        tracks: in the order of their numbers; at least one.
    """

    name: str
    ignored: bool
    tracks: list[ListedTrack]

    @property
    def screen_time_s(self) -> float:
        """Seconds of all tracks together."""
        return sum(track.end_s - track.start_s for track in self.tracks)

    @property
    def shots(self) -> int:
        """In how many shots."""
        return len({track.shot for track in self.tracks})

    @property
    def best(self) -> ListedTrack:
        """The track with the best face."""
        return max(self.tracks, key=lambda track: distinctness(track.track, track.faces, track.identity))

    @property
    def identity(self) -> float | None:
        """Mean of the tracks that have one, weighed by their seconds; None if none has."""
        known = [(track.identity, track.end_s - track.start_s) for track in self.tracks if track.identity is not None]
        total = sum(seconds for _, seconds in known)
        return sum(identity * seconds for identity, seconds in known) / total if total else None

    @property
    def doubtful(self) -> list[int]:
        """Numbers of the tracks worth a look."""
        return [track.track for track in self.tracks if track.doubtful]

    @property
    def by_hand(self) -> bool:
        """Whether a correction speaks of any of the tracks."""
        return any(track.by_hand for track in self.tracks)

    def as_json(self) -> dict[str, Any]:
        """For `--json`: seconds to the millisecond."""
        best = self.best
        return {
            "name": self.name,
            "ignored": self.ignored,
            "screen_time_s": round(self.screen_time_s, 3),
            "shots": self.shots,
            "tracks": [track.track for track in self.tracks],
            "identity": _rounded(self.identity),
            "doubtful": self.doubtful,
            "by_hand": self.by_hand,
            "best_face": {
                "face": best.best_face,
                "track": best.track,
                "seconds": best.seen.time_s,
                "x": best.seen.x,
                "y": best.seen.y,
            },
        }


def list_people(workspace: Workspace) -> tuple[list[ListedPerson], list[str]]:
    """Everyone by screen time, longest first, then those nobody knows, then who is ignored; and problems.

    Who is named in segments.csv alone has no face to list, and is one of the problems.

    Raises:
        MissingStage: there are no tracks, or they are older than the faces.
        CorruptTable, InputError: as `who_is_who`.
    """
    require_tables(workspace, "people")
    who = who_is_who(workspace)
    groups: dict[tuple[str, bool], list[ListedTrack]] = defaultdict(list)
    for track, row in _listed_tracks(workspace, who).items():
        identity = who.tracks[track]
        groups[identity.name or UNASSIGNED, identity.ignored].append(row)
    persons = [ListedPerson(name, ignored, tracks) for (name, ignored), tracks in groups.items()]
    persons.sort(key=lambda p: (p.ignored, p.name == UNASSIGNED, -p.screen_time_s, p.name))
    return persons, [*who.problems, *_unseen(workspace, who)]


def _unseen(workspace: Workspace, who: WhoIsWho) -> list[str]:
    """Who has segments that were imported, but no face: a narrator, or somebody whose name is misspelt."""
    seen = {UNASSIGNED, *who.names, *(track.machine for track in who.tracks.values())}
    lines: dict[str, list[int]] = defaultdict(list)
    for row in read_segments(workspace.human_segments):
        if row.person not in seen and row.emotion is not None:
            lines[row.person].append(row.line)
    return [
        f"segments.csv:{own[0]}: nobody on screen is called {name!r} (rows: {len(own)})" for name, own in lines.items()
    ]


def _listed_tracks(workspace: Workspace, who: WhoIsWho) -> dict[int, ListedTrack]:
    seen = places(workspace, [row["best_face"] for row in who.people])
    listed = {}
    for row in sorted(who.people, key=lambda row: int(row["track"])):
        track = who.tracks[row["track"]]
        listed[row["track"]] = ListedTrack(
            row["track"],
            row["shot"],
            row["start_s"],
            row["end_s"],
            row["faces"],
            row["best_face"],
            seen[row["best_face"]],
            track.identity,
            track.source == "human",
            track.name is None or (track.identity is not None and track.identity < DOUBTFUL_BELOW),
        )
    return listed


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
