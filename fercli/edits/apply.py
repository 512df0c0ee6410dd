"""Applying edits: a pure function from the predicted persons and the log to the present persons and manual annotations.

Edits are replayed in the order of the log, without those that are undone. Each edit finds its person by a face: the
track at its anchor, and all tracks with the same name at that point of the replay.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from fercli.edits.anchors import NEAREST_S
from fercli.edits.edit import (
    CLEAR,
    ERASED,
    IGNORE,
    MERGE,
    RENAME,
    RESTORE,
    SET_EMOTION,
    SET_SPEAKER,
    SET_TEXT,
    SET_WORDS,
    SPLIT,
    UNDO,
    Anchor,
    Edit,
    TimedWord,
)
from fercli.edits.log import Log, problem
from fercli.persons.cast import NOT_IN_A_CAST, CastNames
from fercli.persons.names import UNASSIGNED, is_numbered, next_free_name
from fercli.timing import outside

APPLIED, UNDONE, NOT_PLACED, OVERRIDDEN = "applied", "undone", "not placed", "overridden"


@dataclass(frozen=True)
class TrackIdentity:
    """The person of a track.

    Attributes:
        name: None if the person is unknown.
        source: `human` if an edit names the person of this track, or ignores it.
        ignored: whether it is left out of all exports.
        identity: identity score in [0, 1]: the predicted score, 1 if an edit names this track itself, None if the
            person is unknown.
        predicted: name in the table `persons`; None if there is none.
        alone: whether an edit names only this track, and not its predicted person.
    """

    name: str | None
    source: Literal["machine", "human"]
    ignored: bool
    identity: float | None
    predicted: str | None
    alone: bool = False


@dataclass(frozen=True)
class Manual:
    """A manual annotation of a person and a time interval. It overrides the predictions of that person and time.

    Attributes:
        person: present name, or `Unassigned`.
        start_ms, end_ms: [start, end) in presentation timestamps, whole milliseconds; the end is later.
        emotion: canonical name, or `not assessable`; None if no emotion is to be shown.
        number: number of the edit, its line in the log.
        track: track of the face at its anchor; None if there is none.
    """

    person: str
    start_ms: int
    end_ms: int
    emotion: str | None
    number: int = field(default=0, compare=False)
    track: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class ManualSpeech:
    """A correction of what is said, or of who says it.

    Attributes:
        start_ms, end_ms: as in `Manual`; it applies to the words whose middle is in it.
        person: present name of the speaker; None if nobody known speaks, or, with text or words, if the speaker stays.
        text: what is said, empty for nothing; None if only words or the speaker are corrected.
        words: the words, each with its own times, none for nothing. They replace those of their speaker; or all, if
            that speaker has none then. None if they are not corrected one by one.
        beside: whether it is added to what is said at the same time.
        number: number of the edit.
    """

    start_ms: int
    end_ms: int
    person: str | None
    text: str | None = None
    beside: bool = False
    number: int = field(default=0, compare=False)
    words: tuple[TimedWord, ...] | None = None

    @property
    def only_speaker(self) -> bool:
        """Whether nothing but the speaker is corrected."""
        return self.text is None and self.words is None


@dataclass(frozen=True)
class Effect:
    """The present effect of an edit.

    Attributes:
        state: `applied`, `undone`, `not placed` or `overridden`.
        detail: the person it applies to, or why it is not applied; may be empty.
    """

    state: str
    detail: str = ""


@dataclass(frozen=True)
class Applied:
    """The persons of a video with all edits applied.

    Attributes:
        tracks: track -> its person.
        manual: manual annotations, including those of ignored persons; those of one person overlap only in a split
            screen.
        problems: messages that begin with file and line, about edits that could not be applied, or not with certainty.
        effects: number of each valid edit -> its present effect.
        said: corrections of what is said, in their order.
    """

    tracks: dict[int, TrackIdentity]
    manual: list[Manual]
    problems: list[str]
    effects: dict[int, Effect]
    said: list[ManualSpeech] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """All names of tracks, including those of ignored persons."""
        return {track.name for track in self.tracks.values() if track.name is not None}

    @property
    def hidden(self) -> set[str]:
        """Names that are left out of all exports: all their tracks are ignored. May be `Unassigned`."""
        shown = {track.name for track in self.tracks.values() if not track.ignored}
        return {name or UNASSIGNED for name in {track.name for track in self.tracks.values()} - shown}

    @property
    def shown_manual(self) -> list[Manual]:
        """The manual annotations of persons that are not ignored."""
        hidden = self.hidden
        return [one for one in self.manual if one.person not in hidden]


def apply(
    people: Iterable[Mapping[str, Any]],
    log: Log,
    track_at: Mapping[Anchor, int],
    cast: CastNames = NOT_IN_A_CAST,
) -> Applied:
    """Replay a log.

    Args:
        people: rows of the table `persons`: track, person, start_s, end_s, identity.
        log: all edits.
        track_at: anchor -> the track of the face at the anchor.
        cast: current names of the persons of the video in the cast.
    """
    return _Replay(people, log, track_at, cast).run()


@dataclass
class _Track:
    """A track while edits are applied; `named` and `hidden` are the numbers of the last edits that named or ignored
    it."""

    row: Mapping[str, Any]
    name: str | None
    named: int = 0
    alone: bool = False
    ignored: bool = False
    hidden: int = 0

    def result(self) -> TrackIdentity:
        identity = 1.0 if self.alone else self.row["identity"]
        source: Literal["machine", "human"] = "human" if self.named or self.ignored else "machine"
        return TrackIdentity(self.name, source, self.ignored, identity, self.row["person"], self.alone)


class _NotPlaced(Exception):
    """Why an edit cannot be applied."""


class _Replay:
    def __init__(
        self, people: Iterable[Mapping[str, Any]], log: Log, track_at: Mapping[Anchor, int], cast: CastNames
    ) -> None:
        self._log = log
        self._track_at = track_at
        self._cast = cast
        self._tracks = {row["track"]: _Track(row, cast.now(row["person"])) for row in people}
        self._manual: list[Manual] = []
        self._said: list[ManualSpeech] = []
        self._problems: list[str] = []
        self._effects: dict[int, Effect] = {}
        undone = log.undone
        self._reserved = {edit.to for edit in log.edits if edit.number not in undone}
        self._reserved |= {row["person"] for row in people if row["person"] is not None}

    def run(self) -> Applied:
        steps: dict[str, Callable[[Edit], str]] = {
            RENAME: self._rename,
            MERGE: self._merge,
            SPLIT: self._split,
            IGNORE: lambda edit: self._hide(edit, ignored=True),
            RESTORE: lambda edit: self._hide(edit, ignored=False),
            SET_EMOTION: self._annotate,
            CLEAR: self._annotate,
            SET_TEXT: self._say,
            SET_WORDS: self._say,
            SET_SPEAKER: self._say,
            UNDO: lambda edit: f"edit {edit.of} is undone",
            ERASED: lambda edit: "",
        }
        undone = self._log.undone
        for edit in self._log.edits:
            if edit.number in undone:
                self._effects[edit.number] = Effect(UNDONE)
                continue
            try:
                self._effects[edit.number] = Effect(APPLIED, steps[edit.kind](edit))
            except _NotPlaced as reason:
                self._effects[edit.number] = Effect(NOT_PLACED, str(reason))
                self._report(edit, f"not applied: {reason}")
        self._mark_overridden()
        tracks = {number: track.result() for number, track in self._tracks.items()}
        return Applied(tracks, self._manual, [*self._log.problems, *self._problems], self._effects, self._said)

    # The person of an edit

    def _group(self, edit: Edit, anchor: Anchor, name: str) -> list[int]:
        """All tracks with the name of the track at an anchor; else those of `name`, if on screen at that time."""
        track = self._track_at.get(anchor)
        if track is not None and track in self._tracks:
            shown = self._tracks[track].name
            return [track] if shown is None else self._called(shown)
        return self._on_screen(edit, anchor, name)

    def _on_screen(self, edit: Edit, anchor: Anchor, name: str) -> list[int]:
        missing = f"there is no face at {anchor} any more"
        own = [] if name == UNASSIGNED else self._called(self._name_now(name))
        near = [self._tracks[track].row for track in own]
        if any(row["start_s"] - NEAREST_S <= anchor.time_s < row["end_s"] + NEAREST_S for row in near):
            self._report(edit, f"{missing}; applied to {name!r}, who is on screen then")
            return own
        raise _NotPlaced(f"{missing}, and {name!r} is not on screen then")

    def _called(self, name: str | None) -> list[int]:
        return [number for number, track in self._tracks.items() if track.name == name]

    def _name_now(self, name: str) -> str:
        """The current name of a person that the cast has renamed since."""
        return next((now for now in self._cast.names if now != name and self._cast.was(now, name)), name)

    # What an edit does

    def _rename(self, edit: Edit) -> str:
        if not edit.at:
            if edit.person not in {one.person for one in self._manual} | {one.person for one in self._said}:
                raise _NotPlaced(f"there is no {edit.person!r}")
            self._follow(edit.person, edit.to)
            return f"{edit.person} is {edit.to}"
        own = self._group(edit, edit.at[0], edit.person)
        return self._name(edit, own, [edit.person])

    def _merge(self, edit: Edit) -> str:
        groups: list[list[int]] = []
        for anchor, name in zip(edit.at, edit.persons, strict=True):
            try:
                groups.append(self._group(edit, anchor, name))
            except _NotPlaced as reason:
                self._report(edit, f"not applied to {name!r}: {reason}")
        if not groups:
            raise _NotPlaced("none of the persons exists any more")
        ignored = all(self._tracks[track].ignored for track in groups[0])
        own = list(dict.fromkeys(track for group in groups for track in group))
        self._set_ignored(edit, own, ignored=ignored)
        return self._name(edit, own, edit.persons)

    def _split(self, edit: Edit) -> str:
        found = [(anchor, self._track_at.get(anchor)) for anchor in edit.at]
        for anchor, track in found:
            if track not in self._tracks:
                self._report(edit, f"not applied to the face at {anchor}: there is no track any more")
        own = list(dict.fromkeys(track for _, track in found if track is not None and track in self._tracks))
        if not own:
            raise _NotPlaced("none of the tracks exists any more")
        if edit.rest is not None and self._track_at.get(edit.rest) not in own:
            rest = [track for track in self._group(edit, edit.rest, edit.person) if track not in own]
            if any(self._tracks[track].name != edit.person for track in rest):
                self._name(edit, rest, [edit.person], to=edit.person)
        joined = [] if edit.joins is None else self._group(edit, edit.joins, edit.to)
        before = {track: self._tracks[track].name or UNASSIGNED for track in own}
        self._set_ignored(edit, own, ignored=False)
        kept = [edit.to] if joined else []
        detail = self._name(edit, [*joined, *(track for track in own if track not in joined)], kept, split=own)
        self._follow_faces(before, edit)
        return detail

    def _hide(self, edit: Edit, *, ignored: bool) -> str:
        own = self._group(edit, edit.at[0], edit.person) if edit.at else self._named(edit.person)
        if not own:
            raise _NotPlaced(f"there is no {edit.person!r}")
        self._set_ignored(edit, own, ignored=ignored)
        return f"{self._tracks[own[0]].name or UNASSIGNED}, {_tracks(own)}"

    def _named(self, person: str) -> list[int]:
        return self._called(None if person == UNASSIGNED else self._name_now(person))

    def _annotate(self, edit: Edit) -> str:
        """Add a manual annotation, which replaces earlier ones of the same person and time; `overlay.override` handles
        predictions."""
        track = self._track_at.get(edit.at[0]) if edit.at else None
        if track is not None and track in self._tracks:
            person = self._tracks[track].name or UNASSIGNED
        else:
            track, person = None, self._annotated(edit)
        if not edit.beside:
            hole = [(edit.start_ms, edit.end_ms)]
            self._manual = [
                replace(one, start_ms=round(start), end_ms=round(end))
                for one in self._manual
                for start, end in outside(one.start_ms, one.end_ms, hole if one.person == person else [])
            ]
        self._manual.append(Manual(person, edit.start_ms, edit.end_ms, edit.emotion, edit.number, track))
        return f"{person}, {edit.start_ms / 1000:g} to {edit.end_ms / 1000:g} s"

    def _say(self, edit: Edit) -> str:
        """Correct what is said, or who says it; `results.corrected_speech` applies it to the words."""
        track = self._track_at.get(edit.at[0]) if edit.at else None
        person: str | None = None
        if track is not None and track in self._tracks:
            person = self._tracks[track].name
        elif edit.person and edit.person != UNASSIGNED:
            person = self._annotated(edit)
        self._said.append(
            ManualSpeech(edit.start_ms, edit.end_ms, person, edit.text, edit.beside, edit.number, edit.words)
        )
        times = f"{edit.start_ms / 1000:g} to {edit.end_ms / 1000:g} s"
        return f"{person}, {times}" if person else times

    def _annotated(self, edit: Edit) -> str:
        """The person of an annotation without a face: the one with that name; with an automatic name only if on screen
        at that time."""
        if not edit.at:
            return edit.person if edit.person == UNASSIGNED else self._name_now(edit.person)
        if is_numbered(edit.person):
            return self._tracks[self._on_screen(edit, edit.at[0], edit.person)[0]].name or UNASSIGNED
        self._report(edit, f"there is no face at {edit.at[0]} any more; applied to {edit.person!r}")
        return edit.person if edit.person == UNASSIGNED else self._name_now(edit.person)

    def _name(
        self, edit: Edit, own: Sequence[int], persons: Collection[str], *, to: str = "", split: Sequence[int] = ()
    ) -> str:
        """Name tracks; `split` are those that are named individually, not with their predicted person."""
        new = self._name_in_cast(to or edit.to, [track for track in own if track not in split])
        self._move_aside(edit, own, new, silent=new in persons)
        names = {self._tracks[track].name for track in own if track not in split}
        for number in own:
            track = self._tracks[number]
            track.name, track.named = new, edit.number
            track.alone = track.alone or number in split
        for old in names - {new, None}:
            if old is not None and not self._called(old):
                self._follow(old, new)
        return f"{new}, {_tracks(own)}"

    def _name_in_cast(self, to: str, own: Sequence[int]) -> str:
        """The name itself, or the person's current name in the cast, if the cast has had this name for the person."""
        for number in own:
            track = self._tracks[number]
            now = self._cast.now(track.row["person"])
            if not track.alone and now is not None and self._cast.was(now, to):
                return now
        return to

    def _move_aside(self, edit: Edit, own: Sequence[int], name: str, *, silent: bool) -> None:
        """If an edit gives an automatic name to a person, another person with that predicted name gets a free
        number."""
        if not is_numbered(name):
            return
        others = [track for track in self._called(name) if track not in own and not self._tracks[track].named]
        if not others:
            return
        names = {track.name for track in self._tracks.values() if track.name}
        free = next_free_name([*names, *self._reserved, name])
        for track in others:
            self._tracks[track].name = free
        if not self._called(name):
            self._follow(name, free)
        if not silent:
            self._report(edit, f"{name!r} is another person here, so the predicted {name!r} is renamed {free!r}")

    def _follow(self, old: str, new: str) -> None:
        """Rename the person of manual annotations."""
        self._manual = [replace(one, person=new) if one.person == old else one for one in self._manual]
        self._said = [replace(one, person=new) if one.person == old else one for one in self._said]

    def _follow_faces(self, before: Mapping[int, str], edit: Edit) -> None:
        """Manual annotations within a track that is split off move to its new person."""
        for place, one in enumerate(self._manual):
            if one.track is not None and before.get(one.track) == one.person:
                track = self._tracks[one.track]
                begin, end = (round(1000 * track.row[name]) for name in ("start_s", "end_s"))
                if begin <= one.start_ms and one.end_ms <= end and track.named == edit.number:
                    self._manual[place] = replace(one, person=track.name or UNASSIGNED)

    def _set_ignored(self, edit: Edit, own: Iterable[int], *, ignored: bool) -> None:
        for track in own:
            self._tracks[track].ignored, self._tracks[track].hidden = ignored, edit.number

    # What is said of it

    def _report(self, edit: Edit, text: str) -> None:
        self._problems.append(problem(edit.number, text))

    def _mark_overridden(self) -> None:
        """Mark edits without any effect, because later ones changed the same."""
        left = {track.named for track in self._tracks.values()} | {track.hidden for track in self._tracks.values()}
        left |= {one.number for one in self._manual} | {one.number for one in self._said}
        kinds = {edit.number: edit for edit in self._log.edits}
        for number, effect in self._effects.items():
            edit = kinds[number]
            changes_tracks_or_times = edit.kind not in (UNDO, ERASED) and (edit.at or edit.kind != RENAME)
            if effect.state == APPLIED and changes_tracks_or_times and number not in left:
                self._effects[number] = Effect(OVERRIDDEN, "later edits changed the same")


def _tracks(numbers: Sequence[int]) -> str:
    return f"track{'' if len(numbers) == 1 else 's'} {', '.join(map(str, sorted(numbers)))}"
