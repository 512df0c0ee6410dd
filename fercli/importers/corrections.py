"""`fercli import`: what a person changed in an export becomes corrections beside the machine's output."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from fercli.errors import ConfigError, DatasetError
from fercli.formats.annotations import Annotations, Mark, Video, naming_hint
from fercli.formats.reading import read_annotations
from fercli.importers.difference import TOLERANCE_MS, Difference, Shown, difference
from fercli.importers.renames import find_renames
from fercli.labels import NOT_ASSESSABLE
from fercli.people.editing import rename
from fercli.people.naming import WhoIsWho, who_is_who
from fercli.people.segments_csv import HumanSegment, as_csv, outside, read_segments, rename_person
from fercli.persons.names import UNASSIGNED, clean_name, is_numbered
from fercli.results.load import load
from fercli.results.model import Result
from fercli.results.overlay import hidden_names, under_shown_names
from fercli.workspace import Workspace, require_tables
from fercli.writing import write_atomically


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes:
        changed, added, deleted: numbers of segments, as in `Difference`.
        renamed: old name -> new name.
        notes: sentences a person should read.
    """

    changed: int
    added: int
    deleted: int
    renamed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def import_file(workspace: Workspace, path: Path, *, force: bool = False) -> Imported:
    """Take over what a person changed in an exported file, or labels made elsewhere; under the lock of the workspace.

    What the file says as it is shown is left alone, so that importing a file twice changes nothing.

    Args:
        force: even if the file is about another video, or has no segment at all.

    Raises:
        DatasetError: the file cannot be used; names file and place. Nothing is changed then.
        InputError: the corrections there are cannot be read.
        MissingStage, CorruptTable: the tables are not complete.
    """
    require_tables(workspace, "segments", "persons")
    annotations = read_annotations(path, Video(Path(workspace.video.path).name, workspace.video.end_s))
    who = who_is_who(workspace)
    result = load(workspace, who)
    notes = [*annotations.notes, *_about_the_video(workspace, annotations, path, force=force)]
    shown = _shown(result, annotations)
    _refuse_unusable(annotations, {one.person for one in shown})
    annotations = _with_names(annotations, [person.name for person in result.persons], path, notes)
    marks = _usable(annotations, {one.person for one in shown}, hidden_names(who), notes)
    if not marks and any(one.carried for one in shown) and not force:
        raise DatasetError(
            f"{path} has no segment: all would be deleted",
            hint="if that is meant, use --force",
            code="would-delete-all",
        )
    marks = _within_the_video(workspace, shown, marks, notes)
    renamed = find_renames(shown, marks, {one.person for one in shown} | who.names)
    old_names = {new: old for old, new in renamed.items()}
    marks = [replace(mark, person=old_names.get(mark.person, mark.person)) for mark in marks]
    missing = {one.person for one in shown if one.carried} - {mark.person for mark in marks}
    notes += [f"{path} has nothing of {person}: deleted" for person in sorted(missing)]
    found = difference(shown, marks)
    notes += _write(workspace, who, found, renamed)
    return Imported(found.changed, found.added, found.deleted, renamed, notes)


def _about_the_video(workspace: Workspace, annotations: Annotations, path: Path, *, force: bool) -> list[str]:
    """What to say of a file that does not say which video it is about.

    Raises:
        DatasetError: it is about another one.
    """
    video = workspace.video
    name = _composed(Path(video.path).name)
    if annotations.sha256:
        if annotations.sha256 == video.sha256 or force:
            return []
        other = f"{annotations.media[0]!r} of other content" if annotations.media else "a video of other content"
    elif not annotations.media:
        return [f"{path} does not say which video it is about; taken to be {name}"]
    elif name in map(_composed, annotations.media) or force:
        return []
    else:
        other = repr(annotations.media[0])
    raise DatasetError(
        f"{path} is about another video: {other}, and this is {name!r}",
        hint="if it is the same one under another name, use --force",
        code="other-video",
    )


def _shown(result: Result, annotations: Annotations) -> list[Shown]:
    found = []
    for segment in [*result.segments, *result.gaps]:
        span = round(segment.start_s * 1000), round(segment.end_s * 1000)
        written = annotations.written(segment.start_s, segment.end_s)
        carried = written[0] < written[1] and (annotations.has_gaps or segment.emotion != NOT_ASSESSABLE)
        found.append(Shown(_composed(segment.person), segment.emotion, span, written, carried))
    return found


def _refuse_unusable(annotations: Annotations, shown: set[str]) -> None:
    """A tier of somebody who is shown was meant to hold emotions: passing it over would delete them."""
    for tier, error in annotations.unusable.items():
        if tier in shown:
            raise error


def _with_names(annotations: Annotations, persons: list[str], path: Path, notes: list[str]) -> Annotations:
    """The annotations; all of the one person there is, if the file names nobody."""
    if not annotations.marks or any(mark.person for mark in annotations.marks):
        return annotations
    if len(persons) != 1:
        known = f"{len(persons)} persons are known here" + (f": {', '.join(persons)}" if persons else "")
        raise DatasetError(
            f"{path} does not say who shows the emotions, and {known}", hint=naming_hint(path), code="person-missing"
        )
    notes.append(f"{path} does not say who shows the emotions; taken to be {persons[0]}")
    return replace(annotations, marks=[replace(mark, person=persons[0]) for mark in annotations.marks])


def _usable(annotations: Annotations, shown: set[str], hidden: set[str], notes: list[str]) -> list[Mark]:
    """The marks of persons who are not left out, each under a name as it is kept."""
    marks = []
    passed_over: dict[str, int] = {}
    for mark in annotations.marks:
        person = mark.tier if mark.tier in shown else mark.person
        try:
            person = person if person == UNASSIGNED or person in shown else clean_name(person)
        except ConfigError as error:
            raise DatasetError(f"{mark.place}: {error.message}", hint="say there who it is") from error
        if person in hidden:
            passed_over[person] = passed_over.get(person, 0) + 1
        else:
            marks.append(replace(mark, person=person))
    notes += [
        f"{name} is left out here: {count} segment{'' if count == 1 else 's'} passed over"
        for name, count in passed_over.items()
    ]
    return marks


def _within_the_video(workspace: Workspace, shown: list[Shown], marks: list[Mark], notes: list[str]) -> list[Mark]:
    """The marks, cut where they begin before the video or end after it, which a note says.

    A frame more at either end is left alone: programs count frames, and do not agree on how many there are.

    Raises:
        DatasetError: more than half of one lies outside: its times are not those of the video.
    """
    slack = TOLERANCE_MS + (1000 / workspace.video.fps if workspace.video.fps else 0)
    first = min([1000 * workspace.video.start_s, *(one.span[0] for one in shown)])
    last = max([1000 * workspace.video.end_s, *(one.span[1] for one in shown)])
    inside = []
    for mark in marks:
        if mark.start_ms >= first - slack and mark.end_ms <= last + slack:
            inside.append(mark)
            continue
        cut = replace(mark, start_ms=max(mark.start_ms, round(first)), end_ms=min(mark.end_ms, round(last)))
        times = f"{mark.place}: {mark.start_ms / 1000:g} to {mark.end_ms / 1000:g} s"
        video = f"the video, which is {first / 1000:g} to {last / 1000:g} s"
        if 2 * (cut.end_ms - cut.start_ms) < mark.end_ms - mark.start_ms:
            hint = "times count from the start of the video, as a player shows them"
            raise DatasetError(f"{times} is outside {video}", hint=hint, code="time-outside-video")
        notes.append(f"{times} reaches beyond {video}: cut there")
        inside.append(cut)
    return inside


def _write(workspace: Workspace, who: WhoIsWho, found: Difference, renamed: dict[str, str]) -> list[str]:
    """Names first: they are written one by one, and what is killed in between is done by importing again.

    Returns:
        what is in doubt, sentences.
    """
    doubts = []
    for old, new in renamed.items():
        if old in who.names:
            doubts += rename(workspace, old, new)
        else:
            rename_person(workspace.human_segments, {old}, new)
    for person in sorted({row.person for row in found.rows} - renamed.keys()):
        if _only_numbered(who, person):
            doubts += rename(workspace, person, person)
    if found.rows:
        rows = [replace(row, person=renamed.get(row.person, row.person)) for row in found.rows]
        before = under_shown_names(read_segments(workspace.human_segments), who)
        write_atomically(workspace.human_segments, as_csv(_merged(before, rows)))
    return doubts


def _only_numbered(who: WhoIsWho, person: str) -> bool:
    """Whether `track` may give the name to somebody else the next time it runs: then it is held to the face."""
    own = [track for track in who.tracks.values() if track.name == person]
    return bool(own) and is_numbered(person) and all(track.source == "machine" for track in own)


def _merged(before: Iterable[HumanSegment], new: list[HumanSegment]) -> list[HumanSegment]:
    """The new rows, and what is left of the older ones around them."""
    left = [
        replace(row, start_ms=round(start), end_ms=round(end), line=0)
        for row in before
        for start, end in outside(
            row.start_ms, row.end_ms, [(n.start_ms, n.end_ms) for n in new if n.person == row.person]
        )
    ]
    return [*left, *new]


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
