"""Emotions of an utterance: in the face of who says it, in the voice, and in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fercli import tables
from fercli.labels import EMOTIONS_8
from fercli.results.model import Utterance
from fercli.workspace import Workspace

BOTH = "mean of face and voice"


@dataclass(frozen=True)
class FaceEmotions:
    """The windows of the tracks that were assessed.

    Attributes:
        start_s, end_s: (N,), by start. persons: (N,) displayed name of the track of each.
        labels: the classes. probabilities: (N, C).
        source: the network.
    """

    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    persons: NDArray[np.object_]
    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]
    source: str

    def of(self, person: str, start_s: float, end_s: float) -> dict[str, float] | None:
        """Mean probabilities of a person in a stretch, by how long each window lies in it; None without a window."""
        share = np.minimum(self.end_s, end_s) - np.maximum(self.start_s, start_s)
        own = np.flatnonzero((share > 0) & (self.persons == person))
        if not len(own):
            return None
        mean = np.average(self.probabilities[own], axis=0, weights=share[own])
        return dict(zip(self.labels, (mean / mean.sum()).tolist(), strict=True))


def read_face_emotions(workspace: Workspace, names: Mapping[int, str], source: str) -> FaceEmotions:
    """The finished table of `classify-emotions`.

    Args:
        names: track -> displayed name; other tracks are left out.
        source: name of the network.

    Raises:
        CorruptTable: it cannot be read.
    """
    windows, labels = tables.read_windows(workspace.table("emotions"))
    probabilities = np.stack([windows[label].to_numpy() for label in labels], axis=1).astype(np.float64)
    tracks = windows["track"].to_pylist()
    assessed = np.flatnonzero(np.isfinite(probabilities).all(axis=1)).tolist()
    own = [row for row in assessed if tracks[row] in names]
    return FaceEmotions(
        windows["start_s"].to_numpy()[own],
        windows["end_s"].to_numpy()[own],
        np.array([names[tracks[row]] for row in own], object),
        labels,
        probabilities[own],
        source,
    )


def read_voices(workspace: Workspace) -> dict[int, dict[str, float]]:
    """The finished table of `classify-voices`: utterance -> emotion -> probability, only those that were assessed.

    Raises:
        CorruptTable: it cannot be read.
    """
    rows = tables.read_table(workspace.table("voices"), tables.VOICES).to_pylist()
    return {
        row["utterance"]: {label: row[label] for label in EMOTIONS_8 if row[label] is not None}
        for row in rows
        if any(row[label] is not None for label in EMOTIONS_8)
    }


def with_faces(utterances: Sequence[Utterance], faces: FaceEmotions) -> list[Utterance]:
    """Utterances with the emotions in the face of who says them, if that person is visible."""
    found = []
    for one in utterances:
        face = faces.of(one.person, one.start_s, one.end_s) if one.person and one.on_screen else None
        sources = one.sources if face is None else {**one.sources, "face": faces.source}
        found.append(replace(one, face=face, sources=sources))
    return found


def with_voices(
    utterances: Sequence[Utterance], voices: Mapping[int, dict[str, float]], source: str
) -> list[Utterance]:
    """Utterances with the emotions in their voices."""
    return [
        replace(one, voice=voices[one.number], sources={**one.sources, "voice": source})
        if one.number in voices
        else one
        for one in utterances
    ]


def with_both(utterances: Sequence[Utterance]) -> list[Utterance]:
    """Utterances with the mean of face and voice, where both are there; neither of them is changed."""
    found = []
    for one in utterances:
        if one.face is None or one.voice is None:
            found.append(one)
            continue
        labels = [label for label in EMOTIONS_8 if label in one.face or label in one.voice]
        both = {label: (one.face.get(label, 0.0) + one.voice.get(label, 0.0)) / 2 for label in labels}
        found.append(replace(one, both=both, sources={**one.sources, "both": BOTH}))
    return found
