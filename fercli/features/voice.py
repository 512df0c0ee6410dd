"""Features of the voice of a track: what the encoder of Whisper knows of it, second by second, while its face is on
screen and it is the one who speaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fercli.media.audio import RATE, Samples
from fercli.media.kept_sound import KeptSound
from fercli.models.registry import find_model, weights_key
from fercli.models.voice import ENCODER, LAYER, LEVEL, SHORTEST_S, load_voice_encoder
from fercli.models.whisper_encoder import LONGEST_S, WhisperEncoder
from fercli.progress import Reporter
from fercli.results.load import load_persons
from fercli.results.model import Track, Utterance
from fercli.results.speech import load_speech
from fercli.workspace import Workspace, require_tables

READS = ("persons", "sound", "voice", "utterances", "words", "talking")
"""Tables that are read; the last one only if it is there."""
STEP_S = 1.0
"""About the length of a vector's interval: an utterance is divided into equal ones."""
SILENT = 1e-4
"""Root mean square below which there is no voice."""
LONGEST_PASSAGE_S = LONGEST_S - 1
"""What the encoder sees at once, seconds."""

Row = tuple[int, float, float, NDArray[np.float32]]


def voice_source() -> str:
    """What computes the vectors; raises ModelError if the network is not there."""
    ((name, sha256),) = weights_key(find_model(ENCODER, "speech")).items()
    return f"mean of layer {LAYER} of {name}, sha256 {sha256}"


def voice_rows(workspace: Workspace, reporter: Reporter) -> Iterator[Row]:
    """Track, interval and vector of each second that a track is heard.

    A person's utterance belongs to the tracks of that person on screen in it. If `detect-speakers` has not run, nobody
    knows whose it is, unless there is one person only; then nothing is measured, and a warning says so.

    Raises:
        MissingStage: `transcribe` has not run. ModelError: the encoder is not there.
        CorruptTable: a table cannot be read.
    """
    require_tables(workspace, "persons", "utterances")
    tracks = _tracks(workspace)
    speech, problems = load_speech(workspace, tracks)
    for problem in problems:
        reporter.warn(problem)
    said = () if speech is None else speech.utterances
    sound = KeptSound(workspace.table("sound"))
    owned = list(_owned(said, tracks, reporter)) if sound.pieces else []
    encoder = load_voice_encoder(LAYER) if owned else None
    with reporter.task("measure voices", len(owned), "utterance") as task:
        for one, own in owned:
            assert encoder is not None
            for start_s, end_s, vector in _heard(encoder, sound, one):
                for track in own:
                    begin_s, until_s = max(start_s, track.start_s), min(end_s, track.end_s)
                    if begin_s < until_s:
                        yield track.track, begin_s, until_s, vector
            task.advance()


def _tracks(workspace: Workspace) -> list[Track]:
    """The tracks with their predicted persons; manual corrections do not change what is measured."""
    return [
        replace(track, person=track.predicted or f"track {track.track}", ignored=False)
        for person in load_persons(workspace)[0]
        for track in person.tracks
    ]


def _owned(
    said: Sequence[Utterance], tracks: Sequence[Track], reporter: Reporter
) -> Iterator[tuple[Utterance, list[Track]]]:
    """Each utterance with the tracks on screen of who says it; only those that have any."""
    of_person: Mapping[str, list[Track]] = {
        name: [track for track in tracks if track.person == name] for name in {track.person for track in tracks}
    }
    unknown = 0
    for one in said:
        alone = next(iter(of_person)) if len(of_person) == 1 and one.on_screen is None else None
        unknown += one.on_screen is None and alone is None
        seen = [
            track
            for track in of_person.get(one.person or alone or "", [])
            if track.start_s < one.end_s and one.start_s < track.end_s
        ]
        if seen:
            yield one, seen
    if unknown and tracks:
        reporter.warn(f"whose voice it is is unknown in {unknown} utterances: run detect-speakers for voice features")


def _heard(
    encoder: WhisperEncoder, sound: KeptSound, one: Utterance
) -> Iterator[tuple[float, float, NDArray[np.float32]]]:
    """Start, end and vector of each part of an utterance; none of what is too short or silent."""
    passages = max(1, int(np.ceil((one.end_s - one.start_s) / LONGEST_PASSAGE_S)))
    edges = np.linspace(one.start_s, one.end_s, passages + 1)
    for start_s, end_s in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        samples = sound.between(start_s, end_s)
        seconds = len(samples) / RATE
        level = float(np.sqrt((samples**2).mean())) if len(samples) else 0.0
        if seconds < SHORTEST_S or level < SILENT:
            continue
        vectors = _means(encoder, np.asarray(samples * (LEVEL / level), np.float32))
        begins = start_s + seconds * np.arange(len(vectors) + 1) / len(vectors)
        yield from zip(begins[:-1].tolist(), begins[1:].tolist(), vectors, strict=True)


def _means(encoder: WhisperEncoder, samples: Samples) -> list[NDArray[np.float32]]:
    """The means of the states over equal parts of about STEP_S."""
    states = encoder.states(samples)[: max(1, len(samples) // 320)]
    parts = min(len(states), max(1, round(len(samples) / RATE / STEP_S)))
    return [part.mean(axis=0) for part in np.array_split(states, parts)]
