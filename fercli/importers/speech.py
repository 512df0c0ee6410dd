"""What a file corrects of what is said, written as edits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from fercli.edits.apply import ManualSpeech
from fercli.edits.edit import SET_SPEAKER, SET_TEXT, SET_WORDS, Edit
from fercli.edits.log import annotator, append, now
from fercli.edits.state import State, read_state
from fercli.errors import ConfigError, DatasetError, MissingStage, command
from fercli.formats.annotations import Annotations, composed
from fercli.formats.spoken import VOICE, spoken_tiers, utterances
from fercli.importers.said import NOTHING_SAID, Earlier, SaidDifference, refreshed, said_difference
from fercli.importers.words import WordsDifference, words_difference
from fercli.persons.names import clean_name
from fercli.results.load import load
from fercli.results.model import Result
from fercli.results.person_anchors import PersonAnchors
from fercli.workspace import Workspace


@dataclass(frozen=True)
class SpeechDifference:
    """The changes of what is said: those of utterances, and of words; None if the file has no words."""

    said: SaidDifference
    words: WordsDifference | None


def import_speech(
    workspace: Workspace, annotations: Annotations, renamed: dict[str, str], path: Path, by: str, notes: list[str]
) -> SpeechDifference:
    """Write the edits for what is said.

    Args:
        renamed: old name -> present name of persons whom the same file renames elsewhere.
        notes: messages for the user are added.

    Raises:
        MissingStage: `transcribe` has not run.
        DatasetError: a name cannot be stored.
    """
    state = read_state(workspace)
    result = load(workspace, state)
    if result.speech is None:
        raise MissingStage(
            f"{path} corrects what is said, and transcribe has not run",
            hint=f"run: {command('transcribe', workspace.path)}",
        )
    notes += _about_voices(result, annotations, path)
    said, words = _difference(workspace, state, result, _with_names(annotations, renamed), path, notes)
    seen = {person.name for person in result.everyone if person.tracks}
    anchors = PersonAnchors(workspace, state)
    edits = _edits(anchors, [*said.rows, *(words.rows if words else ())], seen, path, by)
    append(workspace, edits)
    unseen = sorted({edit.person for edit in edits if edit.person and edit.person not in seen})
    notes += [f"no person on screen has the name {name!r}, who speaks" for name in unseen]
    return SpeechDifference(said, words)


def _with_names(annotations: Annotations, renamed: dict[str, str]) -> Annotations:
    said, words = (
        lines and tuple(replace(one, speaker=renamed.get(one.speaker, one.speaker)) for one in lines)
        for lines in (annotations.said, annotations.words)
    )
    return replace(annotations, said=said, words=words)


def _difference(
    workspace: Workspace, state: State, result: Result, annotations: Annotations, path: Path, notes: list[str]
) -> tuple[SaidDifference, WordsDifference | None]:
    """What the file corrects; messages are added to the notes."""
    if annotations.words is None:
        return said_difference(result, annotations), None

    @cache
    def history() -> list[Earlier]:
        return _history(workspace, state)

    shown = utterances(result)
    written = {(one.start_ms, one.end_ms, composed(one.text)) for one in shown}
    differ = any((one.start_ms, one.end_ms, one.text) not in written for one in annotations.said or ())
    lines, old = refreshed(annotations.said or (), shown, history() if differ else [])
    said = NOTHING_SAID
    if annotations.said is not None:
        said = said_difference(result, replace(annotations, said=tuple(lines)))
    words = words_difference(result, annotations.words, lines, said.rows, history)
    undo = f"to take a correction back: {command('edits', 'undo', workspace.path, 'NUMBER')}"
    if old:
        notes.append(
            f"{path}: utterances at {_times(old)} are from before their words were corrected: not read; {undo}"
        )
    if words.stale:
        notes.append(
            f"{path}: words at {_times(words.stale)} are from before their utterance was corrected: not read; {undo}"
        )
    if words.passed_over:
        notes.append(
            f"{path}: the words at {_times(words.passed_over)} were corrected, and their utterance too, to something "
            "else: the utterance is used"
        )
    notes += [f"{path} has no words of {name}: they are kept" for name in words.without]
    return said, words


def _history(workspace: Workspace, state: State) -> list[Earlier]:
    """What was said before each import that changed it."""
    said = state.applied.said
    made = {edit.number: (edit.on, edit.file, edit.by) for edit in state.log.edits}
    begins = [place for place, one in enumerate(said) if not place or made[one.number] != made[said[place - 1].number]]
    return [
        Earlier(load(workspace, replace(state, applied=replace(state.applied, said=said[:place]))), said[place:])
        for place in begins
    ]


def _times(starts_ms: Sequence[int]) -> str:
    """The first times, in seconds."""
    shown = ", ".join(f"{start / 1000:g} s" for start in starts_ms[:5])
    return f"{shown} and {len(starts_ms) - 5} more" if len(starts_ms) > 5 else shown


def _about_voices(result: Result, annotations: Annotations, path: Path) -> list[str]:
    """A note if tiers of voices have other labels than fercli would write."""
    written = {
        (one.start_ms, one.end_ms, one.text)
        for tier in spoken_tiers(result, ())
        if tier.kind == VOICE
        for one in tier.rows
    }
    others = [one for one in annotations.unread if (one.start_ms, one.end_ms, one.text) not in written]
    if not others:
        return []
    labels = "1 label differs" if len(others) == 1 else f"{len(others)} labels differ"
    return [f"{path}: {labels} in tiers voice, which are not read: emotions of voices cannot be corrected"]


def _edits(
    anchors: PersonAnchors, rows: Sequence[ManualSpeech], seen: Collection[str], path: Path, by: str
) -> list[Edit]:
    """An edit for each correction.

    Args:
        seen: names of the persons with a face.
    """
    on, by = now(), annotator(by)
    edits = []
    for row in rows:
        try:
            person = clean_name(row.person) if row.person else ""
        except ConfigError as error:
            raise DatasetError(f"{path}: {error.message}", hint="correct the name of the speaker") from error
        edits.append(
            Edit(
                SET_WORDS if row.words is not None else SET_SPEAKER if row.text is None else SET_TEXT,
                by,
                on,
                at=anchors.at(person, row.start_ms / 1000, row.end_ms / 1000) if person in seen else (),
                person=person,
                start_ms=row.start_ms,
                end_ms=row.end_ms,
                text=row.text,
                words=row.words,
                beside=row.beside,
                file=path.name,
            )
        )
    return edits
