"""Networks for speech without weights: a loud window is a voice, and a passage has the words a test gives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.config import SpeechParams
from fercli.edits.edit import SET_SPEAKER, Edit
from fercli.edits.log import append, now
from fercli.media.audio import PIECE_S, RATE, encode
from fercli.models.loaded import Models
from fercli.models.silero import WINDOW
from fercli.models.spec import ModelSpec
from fercli.models.whisper import Encoded, HeardSentence, HeardWord
from fercli.stages import speech
from fercli.stages.base import StageContext
from fercli.workspace import Workspace
from tests.workspaces import add_receipt, make_workspace, stage_context

Samples = NDArray[np.float32]
LOUD = 0.3


def said(*words: tuple[str, float, float], repeats: bool = False) -> HeardSentence:
    """A sentence of words with start and end in the passage."""
    return HeardSentence([HeardWord(text, start, end, 0.9) for text, start, end in words], repeats)


class FakeVoice:
    """The probability of a voice is three times the loudness."""

    def begin(self) -> None:
        self._rest = np.zeros(0, np.float32)

    def probabilities(self, samples: Samples, *, last: bool = False) -> Samples:
        sound = np.concatenate((self._rest, samples))
        if last:
            sound = np.pad(sound, (0, -len(sound) % WINDOW))
        whole = len(sound) // WINDOW * WINDOW
        self._rest = sound[whole:]
        found: Samples = np.minimum(1, 3 * np.abs(sound[:whole].reshape(-1, WINDOW)).max(axis=1)).astype(np.float32)
        return found


class FakeRecogniser:
    """Answers with `heard`; `seen` has the length of each passage in seconds, `asked` the languages."""

    languages = ("de", "en", "es")

    def __init__(self, heard: Callable[[int], list[HeardSentence]], spoken: Sequence[dict[str, float]] = ()) -> None:
        self._heard, self._spoken = heard, list(spoken)
        self.seen: list[float] = []
        self.asked: list[tuple[str, bool]] = []

    def encode(self, sounds: Sequence[Samples]) -> list[Encoded]:
        return [Encoded(samples, np.zeros((1, 1), np.float32)) for samples in sounds]

    def spoken(self, passages: Sequence[Encoded]) -> list[dict[str, float]]:
        return [self._spoken.pop(0) if self._spoken else {"en": 0.9, "de": 0.1} for _ in passages]

    def sentences(self, passages: Sequence[Encoded], language: str, *, translate: bool) -> list[list[HeardSentence]]:
        found = []
        for passage in passages:
            self.seen.append(len(passage.samples) / RATE)
            self.asked.append((language, translate))
            found.append(self._heard(len(self.seen) - 1))
        return found


class FakeModels:
    """Hands out both; `voice` is another network for voice activity."""

    def __init__(self, recogniser: FakeRecogniser, voice: Any = None) -> None:
        self._recogniser, self._voice = recogniser, voice or FakeVoice()

    def load(self, spec: ModelSpec, given: str = "", device: str = "cpu") -> Any:
        return self._voice if spec.task == "voice" else self._recogniser


def sound_table(
    seconds: float, loud: Sequence[tuple[float, float]], start_s: float = 0.0, level: float = LOUD
) -> pa.Table:
    """Sound that is loud in some stretches, times from its start."""
    samples = np.zeros(round(seconds * RATE), np.float32)
    for begin, end in loud:
        samples[round(begin * RATE) : round(end * RATE)] = level
    return pieces_of(samples, start_s)


def pieces_of(samples: Samples, start_s: float) -> pa.Table:
    """The table of some samples."""
    rows = []
    for number, place in enumerate(range(0, len(samples), PIECE_S * RATE)):
        piece = samples[place : place + PIECE_S * RATE]
        begin_s = start_s + place / RATE
        rows.append({"piece": number, "start_s": begin_s, "end_s": begin_s + len(piece) / RATE, "flac": encode(piece)})
    return pa.Table.from_pylist(rows, schema=tables.SOUND)


def context_of(path: Path, sound: pa.Table, networks: FakeRecogniser | Models) -> StageContext:
    """The context of `transcribe` over this sound."""
    place = path / "workspace.json"
    workspace = Workspace.open(path) if place.exists() else make_workspace(path, sound=sound)
    context = stage_context(workspace)
    context.models = networks if isinstance(networks, Models) else FakeModels(networks)  # type: ignore[assignment]
    return context


def transcribed(context: StageContext, params: SpeechParams | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Counts, and the rows of each table."""
    counts = speech.run(context, params or SpeechParams())
    rows = {
        name: tables.read_table(context.out / f"{name}.parquet", schema).to_pylist()
        for name, schema in speech.SCHEMAS.items()
    }
    return counts, rows


def add_speech(workspace: Workspace, lines: list[tuple[float, float, str]]) -> Workspace:
    """As `transcribe` writes it, a word of the same length for each part."""
    words: list[dict[str, Any]] = []
    utterances = []
    for number, (start, end, text) in enumerate(lines):
        utterances.append({"utterance": number, "start_s": start, "end_s": end, "text": text, "score": 0.75})
        parts = text.split()
        step = (end - start) / len(parts)
        for k, part in enumerate(parts):
            begin = start + k * step
            words.append({"utterance": number, "text": part, "start_s": begin, "end_s": begin + step, "score": 0.75})
    voice = [{"start_s": a, "end_s": b, "score": 0.9} for a, b, _ in lines]
    content = {"voice": voice, "utterances": utterances, "words": words}
    found = {name: pa.Table.from_pylist(rows, schema=tables.SCHEMAS[name]) for name, rows in content.items()}
    for name, table in {"sound": sound_table(10, [(1, 9)]), **found}.items():
        workspace.table(name).parent.mkdir(exist_ok=True)
        tables.write_table(workspace.table(name), [table], table.schema)
    for stage in ("audio", "speech"):
        add_receipt(workspace, stage)
    return workspace


def add_speaker(workspace: Workspace, start_s: float, end_s: float, person: str = "") -> None:
    """Somebody says so by hand; nobody on screen without a person."""
    append(
        workspace,
        [Edit(SET_SPEAKER, "me", now(), person=person, start_ms=round(1000 * start_s), end_ms=round(1000 * end_s))],
    )
