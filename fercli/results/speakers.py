"""Who says each word: the most probable sequence of visible talkers, or nobody visible (Viterbi over the words)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from fercli import tables
from fercli.results.model import Utterance, Word
from fercli.workspace import Workspace

NOBODY = 0.35
"""Probability with which nobody visible says a word; a face whose talking is less probable is not named alone."""
CHANGE, CHANGE_BETWEEN = 0.2, 0.6
"""Share of words after which another person goes on: inside an utterance, and at the start of one."""
AROUND_S = 0.1
"""Faces this long before and after a word count as well, seconds: times of words are known to about that."""
_LEAST = 1e-3
_Who = str | int | None
"""A person; the track of one without a name; or None for nobody visible."""


@dataclass(frozen=True)
class _Step:
    """The best way to a word of somebody: its score, who said the word before, and the track that says this one."""

    score: float
    origin: _Who
    track: int | None


@dataclass(frozen=True)
class Talking:
    """The faces of tracks, by time.

    Attributes:
        times_s: (N,) ascending. tracks: (N,). talks: (N,) probability that the face is heard talking; NaN if unknown.
        persons: track -> its displayed name; None if it is ignored.
    """

    times_s: NDArray[np.float64]
    tracks: NDArray[np.int64]
    talks: NDArray[np.float64]
    persons: Mapping[int, str | None]


def read_talking(workspace: Workspace, persons: Mapping[int, str | None]) -> Talking:
    """The finished table of `detect-speakers`; raises CorruptTable if a table cannot be read."""
    rows = tables.read_table(workspace.table("talking"), tables.TALKING_FACES)
    tracks = tables.read_table(workspace.table("tracks"), tables.TRACKS)
    frames = tables.read_table(workspace.table("frames"), tables.FRAMES)
    faces = tables.read_table(workspace.table("faces"), tables.FACES).select(["frame"]).take(rows["face"])
    place = np.searchsorted(frames["frame"].to_numpy(), faces["frame"].to_numpy())
    own = np.searchsorted(tracks["face"].to_numpy(), rows["face"].to_numpy())
    return Talking(
        frames["pts_s"].take(pa.array(place)).to_numpy(),
        tracks["track"].to_numpy()[own].astype(np.int64),
        rows["talks"].to_numpy().astype(np.float64),
        persons,
    )


def with_speakers(
    utterances: Sequence[Utterance], words: Sequence[Word], talking: Talking
) -> tuple[list[Utterance], list[Word]]:
    """Utterances and words with who says them: of an utterance, who says most of it.

    A word that no visible face says is said by somebody who is not on screen.
    """
    seen = [_candidates(word, talking) for word in words]
    said = [
        replace(word, person=talking.persons.get(track) if track is not None else None, on_screen=track is not None)
        for word, track in zip(words, _sequence(words, seen, talking.persons), strict=True)
    ]
    seconds: dict[int, dict[tuple[str | None, bool | None], float]] = {}
    for word in said:
        own = seconds.setdefault(word.utterance, {})
        own[word.person, word.on_screen] = own.get((word.person, word.on_screen), 0.0) + word.seconds + _LEAST
    named = []
    for one in utterances:
        person, on_screen = max(seconds.get(one.number, {(None, None): 0.0}).items(), key=lambda item: item[1])[0]
        named.append(replace(one, person=person, on_screen=on_screen))
    return named, said


def _candidates(word: Word, talking: Talking) -> dict[int, float]:
    """Track -> mean probability that it talks during a word; only tracks of which it is known."""
    first, after = np.searchsorted(talking.times_s, (word.start_s - AROUND_S, max(word.end_s, word.start_s) + AROUND_S))
    if first == after and len(talking.times_s):  # fewer faces a second than words: those of the frame before
        first = int(np.searchsorted(talking.times_s, talking.times_s[max(0, first - 1)]))
        if word.start_s - talking.times_s[first] > 1.0:
            return {}
    tracks, talks = talking.tracks[first:after], talking.talks[first:after]
    return {
        int(track): float(np.nanmean(talks[tracks == track]))
        for track in np.unique(tracks)
        if np.isfinite(talks[tracks == track]).any()
    }


def _sequence(
    words: Sequence[Word], seen: Sequence[dict[int, float]], persons: Mapping[int, str | None]
) -> list[int | None]:
    """The most probable track of each word; None for nobody visible. A person goes on over cuts, so tracks of one count
    as one."""
    path: list[dict[_Who, _Step]] = []
    before: dict[_Who, _Step] = {}
    utterance = None
    for word, own in zip(words, seen, strict=True):
        change = float(np.log(CHANGE if word.utterance == utterance else CHANGE_BETWEEN))
        utterance = word.utterance
        leader = max(before, key=lambda who: before[who].score) if before else None
        step: dict[_Who, _Step] = {}
        for who, (value, track) in _states(own, persons).items():
            score, origin = (before[leader].score + change, leader) if before else (0.0, None)
            if who in before and before[who].score >= score:
                score, origin = before[who].score, who
            step[who] = _Step(score + value, origin, track)
        path.append(step)
        before = step
    found: list[int | None] = []
    state = max(before, key=lambda who: before[who].score) if before else None
    for step in reversed(path):
        found.append(step[state].track)
        state = step[state].origin
    return found[::-1]


def _states(own: dict[int, float], persons: Mapping[int, str | None]) -> dict[_Who, tuple[float, int | None]]:
    """Who may say a word, with the log of how probable that is, and by which track."""
    states: dict[_Who, tuple[float, int | None]] = {None: (float(np.log(NOBODY)), None)}
    for track, talks in own.items():
        who = persons.get(track) or track
        value = float(np.log(max(talks, _LEAST)))
        if who not in states or value > states[who][0]:
            states[who] = value, track
    return states
