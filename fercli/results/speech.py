"""What is said, by whom, with which face and in which voice: the tables of `transcribe`, `detect-speakers` and
`classify-voices`, joined with the persons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fercli import tables
from fercli.chain import EMOTIONS, SPEAKERS, SPEECH, VOICES, Stage, needed_for
from fercli.errors import MissingStage
from fercli.results.fusion import read_face_emotions, read_voices, with_both, with_faces, with_voices
from fercli.results.model import Interval, Speech, Track, Utterance, Word
from fercli.results.speakers import read_talking, with_speakers
from fercli.workspace import Digests, Workspace
from fercli.workspace.staleness import require_fresh


def load_speech(workspace: Workspace, tracks: Sequence[Track] = ()) -> tuple[Speech | None, list[str]]:
    """What is said, and warnings; None if `transcribe` has not run, or not since the sound was extracted again.

    Args:
        tracks: all tracks with their persons.

    Raises:
        CorruptTable: a table cannot be read.
    """
    receipt = workspace.receipt(SPEECH.name)
    problem = _unusable(workspace, SPEECH, "what is said")
    if receipt is None or problem:
        return None, [problem] if problem else []
    voice, utterances, words = (
        tables.read_table(workspace.table(name), tables.SCHEMAS[name]).to_pylist() for name in SPEECH.writes
    )
    speech = Speech(
        language=str(receipt.counts.get("language", "")),
        language_probability=receipt.counts.get("language_probability"),
        voice=tuple(Interval(row["start_s"], row["end_s"]) for row in voice),
        utterances=tuple(
            Utterance(row["start_s"], row["end_s"], row["utterance"], row["text"], row["score"]) for row in utterances
        ),
        words=tuple(Word(row["start_s"], row["end_s"], row["text"], row["score"], row["utterance"]) for row in words),
    )
    return _with_persons(workspace, speech, tracks)


def with_emotions(workspace: Workspace, speech: Speech, tracks: Sequence[Track]) -> Speech:
    """What is said with the emotions in the face of who says it, and in face and voice together.

    Args:
        speech: after all corrections, because who says something may be corrected.
        tracks: all tracks with their persons.

    Raises:
        CorruptTable: a table cannot be read.
    """
    utterances: Sequence[Utterance] = speech.utterances
    if any(one.person and one.on_screen for one in utterances):
        names = {track.track: track.person for track in tracks if not track.ignored}
        utterances = with_faces(utterances, read_face_emotions(workspace, names, _network(workspace, EMOTIONS)))
    return replace(speech, utterances=tuple(with_both(utterances)))


def _with_persons(workspace: Workspace, speech: Speech, tracks: Sequence[Track]) -> tuple[Speech, list[str]]:
    """What is said with who says it and the emotion of the voice, as far as these stages have run; and warnings."""
    problems, utterances, words = [], list(speech.utterances), list(speech.words)
    if problem := _unusable(workspace, SPEAKERS, "who talks"):
        problems.append(problem)
    elif _applies(workspace, SPEAKERS):
        persons = {track.track: None if track.ignored else track.person for track in tracks}
        utterances, words = with_speakers(utterances, words, read_talking(workspace, persons))
    if problem := _unusable(workspace, VOICES, "the emotion of voices"):
        problems.append(problem)
    elif _applies(workspace, VOICES):
        source = f"{_network(workspace, VOICES)}, experimental"
        utterances = with_voices(utterances, read_voices(workspace), source)
    return replace(speech, utterances=tuple(utterances), words=tuple(words)), problems


def _applies(workspace: Workspace, stage: Stage) -> bool:
    """Whether a stage ran, and was not skipped."""
    receipt = workspace.receipt(stage.name)
    return receipt is not None and not receipt.skipped


def _unusable(workspace: Workspace, stage: Stage, what: str) -> str:
    """Why the tables of a stage that ran cannot be used; empty if they can, or if it did not run."""
    if workspace.receipt(stage.name) is None:
        return ""
    try:
        require_fresh(workspace, needed_for(*stage.writes), what, Digests(by_receipts=True))
    except MissingStage as error:
        return f"{what} is left out: {error.message}; {error.hint}"
    return ""


def _network(workspace: Workspace, stage: Stage) -> str:
    """The classifier of a stage."""
    receipt = workspace.receipt(stage.name)
    return Path(str(receipt.params.get("model", ""))).name if receipt is not None else ""
