"""Persons, tracks, segments and signals of one video: the input of exports, reports and figures.

Every time is a presentation timestamp in seconds, every range is half-open, every box is x1, y1, x2, y2 in pixels of
the upright frame.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from fercli.expressions.courses import Course
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES
from fercli.persons.names import UNASSIGNED
from fercli.timing import outside

if TYPE_CHECKING:
    from fercli.results.details import Details

NO_TRACK = -1
"""Track number of a manual segment without a tracked face; null in the record."""
DOUBTFUL_BELOW = 0.5
"""Identity below which a track should be checked."""
TURN_PAUSE_S = 1.0
"""A pause from which speech of the same person is another turn, seconds."""
_ROUNDED_S = 1e-5
"""Tolerance; times of the video are rounded to a tenth of it."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Interval:
    """A stretch of time, [start_s, end_s)."""

    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        """Its duration."""
        return self.end_s - self.start_s

    @property
    def start_ms(self) -> int:
        """Its start in whole milliseconds."""
        return round(self.start_s * 1000)

    @property
    def end_ms(self) -> int:
        """Its end in whole milliseconds."""
        return round(self.end_s * 1000)

    def without(self, holes: Iterable[Interval]) -> list[Interval]:
        """The parts of it outside some other intervals, in order."""
        left = outside(self.start_s, self.end_s, ((hole.start_s, hole.end_s) for hole in holes))
        return [Interval(start_s, end_s) for start_s, end_s in left]


@dataclass(frozen=True)
class Segment(Interval):
    """A stretch of time in which a person shows one emotion, or is not assessable.

    Attributes:
        emotion: canonical name, or `not assessable`.
        person: displayed name.
        track: track number; for a manual segment that of the face nearest to its middle, or NO_TRACK.
        score: mean probability in [0, 1]; None if not assessable, and for manual segments.
        box: the face in the middle of the segment; None without a track.
        reason: why it is not assessable; empty otherwise.
        identity: identity score in [0, 1]; None for `Unassigned`, and for manual segments.
        by_hand: whether the person was named by a manual edit.
        source: `human` for a manual segment, which overrides predicted ones.
        doubtful: why the emotion is doubtful, such as `turned by 20 to 30 degrees`; empty if it is not.
        course: when the expression begins, is strongest and ends; None if `estimate-valence` has not run, for neutral,
            and for manual segments.
    """

    emotion: str
    person: str
    track: int = NO_TRACK
    score: float | None = None
    box: Box | None = None
    reason: str = ""
    identity: float | None = None
    by_hand: bool = False
    source: Literal["machine", "human"] = "machine"
    doubtful: str = ""
    course: Course | None = None

    @property
    def assessed(self) -> bool:
        """Whether it has an emotion."""
        return self.emotion != NOT_ASSESSABLE

    @property
    def short_name(self) -> str:
        """The emotion as in records, such as `happy`."""
        return RECORD_NAMES[self.emotion]

    @property
    def caption(self) -> str:
        """`Ross: happy`."""
        return f"{self.person}: {self.short_name}"

    def as_record(self) -> dict[str, Any]:
        """The exported record: the four keys of every record first, then the optional ones.

        `identity_source` and `source` are present only if they are `human`, `doubtful` only if there is a doubt, and
        `onset`, `apex`, `offset` and `intensity` only with a course.
        """
        record: dict[str, Any] = {
            "type": "emotion",
            "class": self.short_name,
            "seconds": round(self.start_s, 3),
            "object": self.person,
            "end": round(self.end_s, 3),
        }
        if self.score is not None:
            record["score"] = round(self.score, 3)
        if self.doubtful:
            record["doubtful"] = self.doubtful
        record["track"] = None if self.track == NO_TRACK else self.track
        record["box"] = None if self.box is None else [round(edge, 1) for edge in self.box]
        if self.identity is not None:
            record["identity"] = round(self.identity, 3)
        if self.by_hand:
            record["identity_source"] = "human"
        if self.source == "human":
            record["source"] = "human"
        if self.course is not None:
            times = {name: getattr(self.course, f"{name}_s") for name in ("onset", "apex", "offset")}
            record |= {name: round(time, 3) for name, time in times.items()}
            record["intensity"] = round(self.course.peak, 3)
        return record


@dataclass(frozen=True)
class Track(Interval):
    """The faces of one person in one shot, tracked from frame to frame.

    Attributes:
        track, shot: numbers.
        person: displayed name; `Unassigned` if unknown.
        faces: number of faces.
        best_face: number of the face that shows the person best.
        best_box, best_s: box and time of that face.
        identity: identity score in [0, 1]; None if the person is unknown.
        by_hand: whether the person was named by a manual edit.
        predicted: the predicted person, before any edit; None if unknown.
        ignored: left out of every export.
    """

    track: int
    shot: int
    person: str
    faces: int
    best_face: int
    best_box: Box
    best_s: float
    identity: float | None = None
    by_hand: bool = False
    predicted: str | None = None
    ignored: bool = False

    @property
    def doubtful(self) -> bool:
        """Whether its person should be checked: unknown or uncertain."""
        return self.person == UNASSIGNED or (self.identity is not None and self.identity < DOUBTFUL_BELOW)

    @property
    def distinctness(self) -> tuple[float, int, int]:
        """Sort key for the most distinct track of a person: number of faces, weighted by identity; ties go to the
        first."""
        return self.faces * (self.identity or 0.0), self.faces, -self.track


@dataclass(frozen=True)
class Person:
    """One person of a video, or all tracks without a person (`Unassigned`).

    Attributes:
        name: displayed name.
        tracks: tracks by number; none for a person with only manual segments, such as a narrator.
        segments: assessed and unassessed segments, by start.
        ignored: left out of every export.
    """

    name: str
    tracks: tuple[Track, ...] = ()
    segments: tuple[Segment, ...] = ()
    ignored: bool = False

    @cached_property
    def screen_time_s(self) -> float:
        """Total seconds of all tracks; of all segments if there is no track. Rounded to milliseconds."""
        return round(sum(one.seconds for one in self.tracks or self.segments), 3)

    @cached_property
    def seconds_by_emotion(self) -> dict[str, float]:
        """Canonical emotion, or `not assessable` -> seconds to the millisecond, longest first."""
        seconds: dict[str, float] = defaultdict(float)
        for segment in self.segments:
            seconds[segment.emotion] += segment.seconds
        ranked = sorted(seconds.items(), key=lambda item: (-item[1], item[0]))
        return {emotion: round(value, 3) for emotion, value in ranked}

    @property
    def shots(self) -> int:
        """Number of shots with the person."""
        return len({track.shot for track in self.tracks})

    @property
    def best(self) -> Track:
        """The track with the best face; the person must have a track."""
        return max(self.tracks, key=lambda track: track.distinctness)

    @property
    def identity(self) -> float | None:
        """Mean identity score of the tracks, weighted by their seconds; None if no track has one."""
        known = [(track.identity, track.seconds) for track in self.tracks if track.identity is not None]
        total = sum(seconds for _, seconds in known)
        return sum(identity * seconds for identity, seconds in known) / total if total else None

    @property
    def doubtful(self) -> list[int]:
        """Numbers of the tracks that should be checked."""
        return [track.track for track in self.tracks if track.doubtful]

    @property
    def by_hand(self) -> bool:
        """Whether a manual edit names any of the tracks."""
        return any(track.by_hand for track in self.tracks)


@dataclass(frozen=True)
class Column:
    """One column of a signal: its name, its unit (`probability`, `degrees`, ...), and what it means."""

    name: str
    unit: str
    meaning: str = ""


@dataclass(frozen=True)
class Signal:
    """A series of measurements of one track.

    Attributes:
        name: kind of the measurement, such as `emotions`. track, person: track and person of the measurements.
        start_s, end_s: (N,) float64, time interval of each row, by start.
        columns: (C,) descriptions of the columns.
        values: (N, C) float32; NaN if it could not be measured.
        source: `derived` for ratings that follow from the emotions, `trained` for those of a network that was trained
            on ratings, empty for all else.
        by_hand: start and end of the stretches in which derived ratings are those of the classes of manual annotations.
    """

    name: str
    track: int
    person: str
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    columns: tuple[Column, ...]
    values: NDArray[np.float32]
    source: Literal["", "derived", "trained"] = ""
    by_hand: tuple[tuple[float, float], ...] = ()


Ratings = Callable[[], Iterator[Signal]]
"""Of each track, by track: `valence` and `arousal` in [-1, 1] with the ends of their intervals, and `intensity` in
[0, 1], at ten moments a second."""


@dataclass(frozen=True)
class Word(Interval):
    """A word that is said.

    Attributes:
        text: the word, with the punctuation beside it.
        score: its probability, in [0, 1].
        utterance: number of its utterance.
        person, on_screen: as in `Utterance`.
    """

    text: str
    score: float
    utterance: int
    person: str | None = None
    on_screen: bool | None = None

    def as_record(self) -> dict[str, Any]:
        """The exported record."""
        return {**_said(self), "score": round(self.score, 3), "object": self.person}


@dataclass(frozen=True)
class Utterance(Interval):
    """A sentence that is said, or a part of one.

    Attributes:
        number: from 0, by start.
        text: what is said.
        score: mean probability of its words, in [0, 1].
        person: displayed name of who says it; None if unknown, or not on screen.
        on_screen: whether the person who says it is visible; None if unknown, as without `detect-speakers`.
        face: canonical emotion -> mean probability in the face of that person during it; None if it was not assessed.
        voice: canonical emotion -> probability in the voice, experimental; None if it was not assessed.
        both: canonical emotion -> probability from face and voice together; None if one of them is missing.
        sources: `face`, `voice` and `both` -> what these are from, as far as they are there.
    """

    number: int
    text: str
    score: float
    person: str | None = None
    on_screen: bool | None = None
    face: Mapping[str, float] | None = None
    voice: Mapping[str, float] | None = None
    both: Mapping[str, float] | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """The exported record."""
        return {
            "type": "speech",
            **_said(self),
            "score": round(self.score, 3),
            "object": self.person,
            "on_screen": self.on_screen,
            **{name: _in_records(getattr(self, name)) for name in ("face", "voice", "both")},
            "sources": dict(self.sources),
        }

    def voice_record(self) -> dict[str, Any] | None:
        """The exported record of the emotion in the voice, with the four keys of every record first; None without
        one."""
        if self.voice is None:
            return None
        emotion, score = max(self.voice.items(), key=lambda item: item[1])
        return {
            "type": "voice-emotion",
            "class": RECORD_NAMES[emotion],
            "seconds": round(self.start_s, 3),
            "object": self.person,
            "end": round(self.end_s, 3),
            "score": round(score, 3),
        }


@dataclass(frozen=True)
class Turn(Interval):
    """A stretch in which one person speaks.

    Attributes:
        person: displayed name; None if unknown, or not on screen.
        on_screen: as in `Utterance`.
        words: number of words.
    """

    person: str | None
    on_screen: bool | None
    words: int


def _in_records(probabilities: Mapping[str, float] | None) -> dict[str, float] | None:
    """Probabilities by the names of records."""
    if probabilities is None:
        return None
    return {RECORD_NAMES[emotion]: round(value, 3) for emotion, value in probabilities.items()}


def _said(one: Word | Utterance) -> dict[str, Any]:
    return {"text": one.text, "seconds": round(one.start_s, 3), "end": round(one.end_s, 3)}


@dataclass(frozen=True)
class Speech:
    """What is said in a video.

    Attributes:
        language: code of the language, such as `en`; empty if nothing was recognised.
        language_probability: in [0, 1]; None if the language was given, or nothing was recognised.
        voice: stretches in which someone speaks, by start.
        utterances, words: by start.
    """

    language: str
    language_probability: float | None
    voice: tuple[Interval, ...]
    utterances: tuple[Utterance, ...]
    words: tuple[Word, ...]

    @property
    def seconds(self) -> float:
        """Total seconds of speech."""
        return sum(one.seconds for one in self.voice)

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """Words of one person after each other, without a pause of TURN_PAUSE_S between them, by start."""
        turns: list[Turn] = []
        for word in self.words:
            last = turns[-1] if turns else None
            same = last is not None and (last.person, last.on_screen) == (word.person, word.on_screen)
            if last is not None and same and word.start_s - last.end_s < TURN_PAUSE_S:
                turns[-1] = replace(last, end_s=max(last.end_s, word.end_s), words=last.words + 1)
            else:
                turns.append(Turn(word.start_s, word.end_s, word.person, word.on_screen, 1))
        return tuple(turns)


@dataclass(frozen=True)
class Result:
    """The result of one video, with all manual edits applied.

    Attributes:
        video: facts of the video, with its name instead of its path; `analysed` is the analysed stretch, [from, to] in
            seconds, which is the whole video unless `extract-frames` had --start or --end.
        persons: persons by screen time, longest first.
        unassigned: the tracks without a person; None if there are none.
        segments: assessed segments by start.
        gaps: segments that could not be assessed, by start.
        provenance: version, models with the sha256 of their weights, networks with their licence, parameters of each
            stage.
        warnings: warnings of all stages.
        details: function that reads every face and window; see `Details`.
        ignored: persons left out of every export.
        speech: what is said; None if `transcribe` has not run, or not since the sound was extracted again.
        ratings: function that reads the ratings over time, see `Ratings`; None if `estimate-valence` has not run, or
            not since the emotions were classified again.
    """

    video: dict[str, Any]
    persons: list[Person]
    unassigned: Person | None
    segments: list[Segment]
    gaps: list[Segment]
    provenance: dict[str, Any]
    warnings: list[str]
    details: Callable[[], Details] = field(repr=False)
    ignored: list[Person] = field(default_factory=list)
    speech: Speech | None = None
    ratings: Ratings | None = field(default=None, repr=False)

    @property
    def utterances(self) -> Sequence[Utterance]:
        """What is said, by start; empty without `speech`."""
        return self.speech.utterances if self.speech else ()

    @property
    def words(self) -> Sequence[Word]:
        """Its words, by start; empty without `speech`."""
        return self.speech.words if self.speech else ()

    @property
    def turns(self) -> Sequence[Turn]:
        """Who speaks when, by start; empty without `speech`."""
        return self.speech.turns if self.speech else ()

    @property
    def everyone(self) -> list[Person]:
        """All persons that are not ignored, `Unassigned` last."""
        return [*self.persons, *([self.unassigned] if self.unassigned else [])]

    @property
    def tracks(self) -> list[Track]:
        """All tracks that are not ignored, by number."""
        return sorted((track for person in self.everyone for track in person.tracks), key=lambda track: track.track)

    @cached_property
    def all_segments(self) -> list[Segment]:
        """Segments and gaps, by start, then track."""
        return sorted([*self.segments, *self.gaps], key=lambda segment: (segment.start_s, segment.track))

    @property
    def whole(self) -> Interval:
        """The whole video."""
        return Interval(self.video["start_s"], self.video["start_s"] + self.video["duration_s"])

    @property
    def not_analysed(self) -> list[Interval]:
        """The stretches of the video that were not analysed."""
        return [left for left in self.whole.without([Interval(*self.video["analysed"])]) if left.seconds > _ROUNDED_S]

    @cached_property
    def signals(self) -> list[Signal]:
        """Of each track, by track: window by window `emotions` (probabilities) and `talking` (share), and face by face
        `pose` (degrees), `openings` (ratio) and `blendshapes` (share). See `tables.ATTRIBUTES` for signs and meanings.
        Then, if `estimate-valence` has run, of each track its `Ratings`.
        """
        return [*self.details().signals(), *(self.ratings() if self.ratings else ())]


def totals_key(person: Person) -> tuple[float, str]:
    """Sort key of persons: longest screen time first, then by name."""
    return -person.screen_time_s, person.name


def by_person(segments: Sequence[Segment]) -> dict[str, list[Segment]]:
    """Displayed name -> its segments, in the given order."""
    persons: dict[str, list[Segment]] = defaultdict(list)
    for segment in segments:
        persons[segment.person].append(segment)
    return persons
