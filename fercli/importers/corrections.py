"""`fercli import`: what was changed in an exported file becomes edits; the predictions stay."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

from fercli.edits.apply import Manual
from fercli.edits.edit import CLEAR, SET_EMOTION, Edit
from fercli.edits.editing import rename, rename_unseen
from fercli.edits.log import annotator, append, now
from fercli.edits.state import State, read_state
from fercli.errors import ConfigError, DatasetError
from fercli.formats.annotations import Annotations, Label, Video, naming_hint
from fercli.formats.reading import read_annotations
from fercli.importers.difference import TOLERANCE_MS, Difference, Shown, difference, union
from fercli.importers.renames import find_renames
from fercli.importers.said import SaidDifference
from fercli.importers.speech import import_speech
from fercli.importers.words import WordsDifference
from fercli.labels import NOT_ASSESSABLE
from fercli.persons.names import UNASSIGNED, clean_name
from fercli.results.load import load
from fercli.results.model import Result
from fercli.results.person_anchors import PersonAnchors
from fercli.workspace import Workspace, require_tables


@dataclass(frozen=True)
class Imported:
    """The result of an import.

    Attributes:
        changed, added, deleted: numbers of segments, as in `Difference`.
        renamed: old name -> new name.
        said, words: changes of what is said, and of its words; None if the file is not about it.
        notes: messages for the user.
    """

    changed: int
    added: int
    deleted: int
    renamed: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    said: SaidDifference | None = None
    words: WordsDifference | None = None


def import_file(workspace: Workspace, path: Path, *, by: str = "", force: bool = False) -> Imported:
    """Import the changes in an exported file, or labels made in another program; locks the workspace.

    Unchanged segments cause no edits, so importing a file twice adds no edit.

    Args:
        by: the annotator; the login name if empty.
        force: import even if the file belongs to another video, or has no segment.

    Raises:
        DatasetError: the file cannot be used; names file and place. Nothing is changed then.
        InputError: the log of edits cannot be read.
        MissingStage, CorruptTable: the tables are not complete.
    """
    require_tables(workspace, "segments", "persons")
    annotations = read_annotations(path, Video(Path(workspace.video.path).name, workspace.video.end_s))
    state = read_state(workspace)
    result = load(workspace, state)
    notes = [*annotations.notes, *_about_the_video(workspace, annotations, path, force=force)]
    if annotations.only_said:
        speech = import_speech(workspace, annotations, {}, path, by, notes)
        return Imported(0, 0, 0, {}, notes, speech.said, speech.words)
    shown = _shown(result, annotations)
    _refuse_unusable(annotations, {one.person for one in shown})
    annotations = _with_names(annotations, [person.name for person in result.persons], path, notes)
    marks = _usable(annotations, {one.person for one in shown}, state.applied.hidden, notes)
    if not marks and any(one.carried for one in shown) and not force:
        raise DatasetError(
            f"{path} has no segment: all segments would be deleted",
            hint="to delete them, use --force",
            code="would-delete-all",
        )
    marks = _within_the_video(workspace, shown, marks, notes)
    renamed = find_renames(shown, marks, {one.person for one in shown} | state.names)
    old_names = {new: old for old, new in renamed.items()}
    marks = [replace(mark, person=old_names.get(mark.person, mark.person)) for mark in marks]
    missing = {one.person for one in shown if one.carried} - {mark.person for mark in marks}
    notes += [f"{path} has no segment of {person}: deleted" for person in sorted(missing)]
    found = difference(shown, marks)
    notes += _write(workspace, state, found, renamed, path, by)
    done = Imported(found.changed, found.added, found.deleted, renamed, notes)
    if annotations.said is None and annotations.words is None:
        return done
    speech = import_speech(workspace, annotations, renamed, path, by, notes)
    return replace(done, said=speech.said, words=speech.words)


def _about_the_video(workspace: Workspace, annotations: Annotations, path: Path, *, force: bool) -> list[str]:
    """A note for a file that does not name its video.

    Raises:
        DatasetError: it belongs to another video.
    """
    video = workspace.video
    name = _composed(Path(video.path).name)
    if annotations.sha256:
        if annotations.sha256 == video.sha256 or force:
            return []
        other = f"{annotations.media[0]!r} with other content" if annotations.media else "a video with other content"
    elif not annotations.media:
        return [f"{path} does not name its video; {name} is assumed"]
    elif name in map(_composed, annotations.media) or force:
        return []
    else:
        other = repr(annotations.media[0])
    raise DatasetError(
        f"{path} belongs to another video: {other}; this one is {name!r}",
        hint="if it is the same video under another name, use --force",
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
    """Refuse an unusable tier of a present person: it was meant to have emotions, and skipping it would delete them."""
    for tier, error in annotations.unusable.items():
        if tier in shown:
            raise error


def _with_names(annotations: Annotations, persons: list[str], path: Path, notes: list[str]) -> Annotations:
    """The annotations; if the file names no person and there is only one, all are assigned to that person."""
    if not annotations.marks or any(mark.person for mark in annotations.marks):
        return annotations
    if len(persons) != 1:
        known = f"{len(persons)} persons are in the workspace" + (f": {', '.join(persons)}" if persons else "")
        raise DatasetError(
            f"{path} does not name the person, and {known}", hint=naming_hint(path), code="person-missing"
        )
    notes.append(f"{path} does not name the person; {persons[0]} is assumed")
    return replace(annotations, marks=[replace(mark, person=persons[0]) for mark in annotations.marks])


def _usable(annotations: Annotations, shown: set[str], hidden: set[str], notes: list[str]) -> list[Label]:
    """The marks of persons who are not ignored, each with a clean name."""
    marks = []
    passed_over: dict[str, int] = {}
    for mark in annotations.marks:
        person = mark.tier if mark.tier in shown else mark.person
        try:
            person = person if person == UNASSIGNED or person in shown else clean_name(person)
        except ConfigError as error:
            raise DatasetError(f"{mark.place}: {error.message}", hint="name the person there") from error
        if person in hidden:
            passed_over[person] = passed_over.get(person, 0) + 1
        else:
            marks.append(replace(mark, person=person))
    notes += [
        f"{name} is ignored here: {count} segment{'' if count == 1 else 's'} skipped"
        for name, count in passed_over.items()
    ]
    return marks


def _within_the_video(workspace: Workspace, shown: list[Shown], marks: list[Label], notes: list[str]) -> list[Label]:
    """The marks, cut to the time of the video; each cut is noted.

    One frame too much at either end is accepted: programs differ in the number of frames.

    Raises:
        DatasetError: more than half of a mark is outside: its times do not belong to the video.
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
            hint = "use times from the start of the video, as in a player"
            raise DatasetError(f"{times} is outside {video}", hint=hint, code="time-outside-video")
        notes.append(f"{times} exceeds {video}: cut there")
        inside.append(cut)
    return inside


def _write(
    workspace: Workspace, state: State, found: Difference, renamed: dict[str, str], path: Path, by: str
) -> list[str]:
    """Names are written first, one by one; after a kill, importing again does the rest.

    Returns:
        Messages about names that the cast could not store.
    """
    problems = []
    for old, new in renamed.items():
        if old in state.names:
            problems += rename(workspace, old, new, by=by, file=path.name)
        else:
            rename_unseen(workspace, old, new, by=by, file=path.name)
    if found.rows:
        rows = [replace(row, person=renamed.get(row.person, row.person)) for row in found.rows]
        append(workspace, _edits(workspace, rows, path.name, annotator(by)))
    return problems


def _edits(workspace: Workspace, rows: list[Manual], file: str, by: str) -> list[Edit]:
    """An edit for each row, with an anchor that identifies its person.

    If a person has several at once, as in a split screen, all are cleared first and then added.
    """
    anchors, on = PersonAnchors(workspace, read_state(workspace)), now()
    edits = []
    for person in sorted({row.person for row in rows}):
        own = sorted((row for row in rows if row.person == person), key=lambda row: (row.start_ms, row.end_ms))
        at_once = [row for row in own if row.emotion is not None]
        beside = any(after.start_ms < before.end_ms for before, after in pairwise(at_once))
        if beside:
            spans = union((row.start_ms, row.end_ms) for row in at_once)
            own = [Manual(person, *span, None) for span in spans] + own
        for row in own:
            edits.append(
                Edit(
                    CLEAR if row.emotion is None else SET_EMOTION,
                    by,
                    on,
                    at=anchors.at(row.person, row.start_ms / 1000, row.end_ms / 1000),
                    person=person,
                    start_ms=row.start_ms,
                    end_ms=row.end_ms,
                    emotion=row.emotion,
                    beside=beside and row.emotion is not None,
                    file=file,
                )
            )
    return edits


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
