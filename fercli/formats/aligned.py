"""Subtitles aligned with the voice: shifted as a whole if that fits better, and each word confined to speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Span = tuple[float, float]
Cue = tuple[float, float, str]
"""Start and end in seconds, and text."""

LARGEST_SHIFT_S = 5.0
_STEP_S = 0.1
_BETTER = 1.1
"""How much more of the cues must lie in speech for a shift to be taken."""
NEAR_S = 0.3
"""How far before and after its cue a text may be said, seconds."""


@dataclass(frozen=True)
class Aligned:
    """Subtitles in speech.

    Attributes:
        sentences: words of each cue, with start and end in seconds.
        shift_s: what was added to all times.
        lost: number of cues at which nobody speaks, which are left out.
    """

    sentences: list[list[tuple[str, float, float]]]
    shift_s: float
    lost: int


def aligned(cues: Sequence[Cue], voice: Sequence[Span]) -> Aligned:
    """Align cues, by start, with the stretches in which someone speaks."""
    shift = _shift(cues, voice)
    sentences = []
    reached = -np.inf
    for start_s, end_s, text in cues:
        begin, end = max(start_s + shift - NEAR_S, reached), end_s + shift + NEAR_S
        inside = [(max(a, begin), min(b, end)) for a, b in voice if a < end and begin < b]
        words = _spread(text.split(), inside)
        if words:
            sentences.append(words)
            reached = words[-1][2]
    return Aligned(sentences, shift, len(cues) - len(sentences))


def _spread(words: Sequence[str], spans: Sequence[Span]) -> list[tuple[str, float, float]]:
    """Words over stretches of speech, by their number of letters; none if there is no speech."""
    length = sum(b - a for a, b in spans)
    letters = sum(map(len, words))
    if not letters or length <= 0:
        return []
    found, done = [], 0
    for word in words:
        first = length * done / letters
        done += len(word)
        found.append(
            (word, _place(first, spans), max(_place(first, spans), _place(length * done / letters, spans, end=True)))
        )
    return found


def _place(passed_s: float, spans: Sequence[Span], *, end: bool = False) -> float:
    """The time at which so much of the stretches has passed; at a border the end of one or the start of the next."""
    for a, b in spans:
        if passed_s < b - a or (end and passed_s <= b - a + 1e-9):
            return min(a + passed_s, b)
        passed_s -= b - a
    return spans[-1][1]


def _shift(cues: Sequence[Cue], voice: Sequence[Span]) -> float:
    """The shift with which most of the cues lies in speech; 0 unless another one is clearly better."""
    ends = [end for _, end, _ in cues] + [end for _, end in voice]
    if not cues or not voice:
        return 0.0
    margin = round(LARGEST_SHIFT_S / _STEP_S)
    size = int(max(ends) / _STEP_S) + 2 * margin + 2
    said, heard = _marked([(a, b) for a, b, _ in cues], size, margin), _marked(voice, size, margin)
    steps = range(-margin, margin + 1)
    inside = [int((np.roll(said, step) & heard).sum()) for step in steps]
    best = max(steps, key=lambda step: (inside[step + margin], -abs(step)))
    clearly = inside[best + margin] > _BETTER * inside[margin] + 1 / _STEP_S
    return round(best * _STEP_S, 3) if clearly else 0.0


def _marked(spans: Sequence[Span], size: int, margin: int) -> NDArray[np.bool_]:
    found = np.zeros(size, np.bool_)
    for a, b in spans:
        found[max(0, round(a / _STEP_S) + margin) : max(0, round(b / _STEP_S) + margin)] = True
    return found
