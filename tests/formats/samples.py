"""A document that asks much of every format, gathered from a hand-made workspace as `fercli export` does it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from fercli import tables
from fercli.labels import EMOTIONS, RECORD_NAMES
from fercli.results.load import load
from fercli.results.model import Interval, Result, Segment, Speech, Utterance, Word
from tests.workspaces import (
    VIDEO,
    face_row,
    faces_table,
    frames_table,
    make_workspace,
    persons_table,
    segments_table,
    tracks_table,
)

ZOE = 'Zoë & "Bob" <b>'
COMMAS = "{李}, 明, jr.\\N"
PERSONS = ("Ross", ZOE, COMMAS)
LATE = replace(VIDEO, start_s=10.0, duration_s=9.0)
"""A video whose first timestamp is not 0."""

_PEOPLE = [(0, "Ross", 10.0, 14.0), (1, ZOE, 10.0, 12.5), (2, COMMAS, 12.0, 14.0)]
_SPLIT_SCREEN = (3, "Ross", 12.0, 13.0)
_SEGMENTS = [
    (0, 10.0, 11.5004, "happiness", 0.9, "", 0),
    (1, 10.2, 10.9, "not assessable", None, "too small", 1),
    (1, 10.9, 12.5, "surprise", 0.6254, "", 2),
    (0, 11.5004, 13.0, "anger", 0.8, "", 3),
    (2, 12.0, 13.9996, "neutral", 0.5, "", 4),
    (3, 12.0, 13.0, "sadness", 0.7, "", 5),
    (4, 13.0, 13.5, "fear", 0.4, "", 6),
    (0, 13.25, 14.0, "disgust", 0.55, "", 7),
]
_FRAMES = [10.0, 10.2, 10.9, 11.5004, 12.0, 13.0, 13.25]
_FACES = [0, 1, 2, 3, 4, 4, 5, 6]
"""Frame of each face."""


def awkward(folder: Path) -> Result:
    """Names with signs that formats use, a track of nobody known, two tracks of one person at a time, a gap."""
    labels = pa.Table.from_pylist([_window(*row) for row in _SEGMENTS], schema=tables.windows_schema(EMOTIONS))
    workspace = make_workspace(
        folder,
        video=LATE,
        frames=frames_table(_FRAMES),
        faces=faces_table([face_row(frame, x1=100.0 + face) for face, frame in enumerate(_FACES)]),
        tracks=tracks_table({0: [0, 3, 7], 1: [1, 2], 2: [4], 3: [5], 4: [6]}),
        persons=persons_table([*_PEOPLE, _SPLIT_SCREEN, (4, None, 13.0, 13.5)]),
        segments=segments_table(_SEGMENTS),
        emotions=labels,
    )
    return load(workspace)


def spoken(result: Result) -> Result:
    """The document, in which every person says something, and somebody off screen."""
    words, utterances = [], []
    speakers: list[tuple[str | None, bool | None]] = [*((name, True) for name in PERSONS), (None, False), (None, None)]
    for number, (person, on_screen) in enumerate(speakers):
        start = 10.0 + number
        parts = [
            (start, start + 0.25, "<i>{\\b1}A"),
            (start + 0.25, start + 0.25, "&"),
            (start + 0.3, start + 0.9, "=-->"),
        ]
        words += [Word(a, b, text, 0.5, number, person, on_screen) for a, b, text in parts]
        text = " ".join(text for _, _, text in parts)
        one = Utterance(start, start + 0.9, number, text, 0.5, person, on_screen)
        if number == 0:
            face, voice = {"happiness": 0.75, "neutral": 0.25}, {"anger": 0.6, "contempt": 0.4}
            sources = {"face": "tsm-resnet18", "voice": "voice", "both": "mean"}
            one = replace(one, face=face, voice=voice, both={"happiness": 0.4, "anger": 0.6}, sources=sources)
        utterances.append(one)
    speech = Speech("en", 0.9, (Interval(10.0, 15.0),), tuple(utterances), tuple(words))
    return replace(result, speech=speech)


def other_hash_seed() -> str:
    """A PYTHONHASHSEED under which sets have another order than in this process."""
    return "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"


def nobody(folder: Path) -> Result:
    """A video without a face."""
    workspace = make_workspace(
        folder,
        frames=frames_table([0.0, 0.1]),
        faces=faces_table([]),
        tracks=tracks_table({}),
        persons=persons_table([]),
        segments=segments_table([]),
        emotions=tables.windows_schema(EMOTIONS).empty_table(),
    )
    return load(workspace)


def said(segments: list[Segment]) -> list[tuple[str, str, int, int]]:
    """(person, short name of the emotion, start, end) a segment, in milliseconds."""
    return [
        (segment.person, RECORD_NAMES[segment.emotion], round(segment.start_s * 1000), round(segment.end_s * 1000))
        for segment in segments
    ]


def _window(
    track: int, start: float, end: float, emotion: str, score: float | None, reason: str, face: int
) -> dict[str, object]:
    rest = None if score is None else (1 - score) / (len(EMOTIONS) - 1)
    probabilities = {label: score if label == emotion else rest for label in EMOTIONS}
    return {"track": track, "face": face, "start_s": start, "end_s": end, "reason": reason, **probabilities}
