"""What is said: the tables of `transcribe`."""

from __future__ import annotations

from fercli import tables
from fercli.chain import SPEECH, needed_for
from fercli.errors import MissingStage
from fercli.results.model import Interval, Speech, Utterance, Word
from fercli.workspace import Digests, Workspace
from fercli.workspace.staleness import require_fresh


def load_speech(workspace: Workspace) -> tuple[Speech | None, list[str]]:
    """What is said, and warnings; None if `transcribe` has not run, or not since the sound was extracted again.

    Raises:
        CorruptTable: a table cannot be read.
    """
    receipt = workspace.receipt(SPEECH.name)
    if receipt is None:
        return None, []
    try:
        require_fresh(workspace, needed_for(*SPEECH.writes), "what is said", Digests(by_receipts=True))
    except MissingStage as error:
        return None, [f"what is said is left out: {error.message}; {error.hint}"]
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
    return speech, []
