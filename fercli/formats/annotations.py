"""Labelled stretches of time from files, with the same checks for all formats."""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fercli.errors import DatasetError
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES, canonical
from fercli.persons.names import UNASSIGNED

_CLOCK = re.compile(r"(?:(?P<hours>\d+):(?=[0-5]?\d:))?(?P<minutes>\d+):(?P<seconds>[0-5]?\d(?:\.\d*)?)")
"""`m:ss` or `h:mm:ss`, with or without decimals, as players and fercli write times."""


LASTING_S = 4.0
"""Longest duration of a label without an end: that of everyday expressions, half a second to four (Ekman 2003,
Emotions Revealed)."""
MOMENT_MS = 10
"""Duration of a label that is a single moment: the step in which annotations are compared."""


@dataclass(frozen=True)
class Video:
    """The video of a file of labels.

    Attributes:
        name: its file name; empty if unknown.
        end_s: end of the video, seconds; infinite if unknown.
    """

    name: str = ""
    end_s: float = math.inf


@dataclass(frozen=True)
class Label:
    """One labelled stretch of time in a file: a person shows an emotion, or is not assessable.

    Two labels are equal if they say the same, wherever they stand.

    Attributes:
        start_ms, end_ms: [start, end) in whole milliseconds; the end is later.
        emotion: canonical name, or `not assessable`.
        person: name, composed (Unicode NFC); empty if the file names no person.
        score: probability in [0, 1]; 1 if the file has none.
        place: its position for error messages: file with line, annotation or region.
        track: number of the track, if the file has it.
        tier: name of the tier, if the file has tiers.
        is_open: whether the file has no end for it; `closed` sets one.
        video: name of the video; empty if the file does not name a video for each mark.
    """

    start_ms: int
    end_ms: int
    emotion: str
    person: str = ""
    score: float = 1.0
    place: str = field(default="", compare=False)
    track: Any = field(default=None, compare=False)
    tier: str = field(default="", compare=False)
    is_open: bool = False
    video: str = field(default="", compare=False)


@dataclass(frozen=True)
class Line:
    """One line of what is said.

    Attributes:
        start_ms, end_ms: as in `Label`.
        text: in one line.
        speaker: name, composed; empty if the file names none.
        place: as in `Label`.
    """

    start_ms: int
    end_ms: int
    text: str
    speaker: str = ""
    place: str = field(default="", compare=False)


def line(start_ms: int, end_ms: int, text: object, speaker: object, place: str, *, may_be_empty: bool = False) -> Line:
    """A line, with text and speaker in one line.

    Args:
        may_be_empty: whether it may end at its start.

    Raises:
        DatasetError: it does not end after its start.
    """
    if end_ms < start_ms or (end_ms == start_ms and not may_be_empty):
        raise DatasetError(
            f"{place}: ends at {end_ms / 1000:g} s but starts at {start_ms / 1000:g} s", hint="correct its end"
        )
    return Line(start_ms, end_ms, " ".join(str(text or "").split()), composed(speaker), place)


def timed_line(record: Mapping[str, Any], place: str, *, may_be_empty: bool = False) -> Line:
    """A line from a record with the keys start, end, text and object; times as in `mark`, errors as `line`."""
    start, end = _milliseconds(record, "start", place), _milliseconds(record, "end", place)
    return line(start, end, record.get("text"), record.get("object"), place, may_be_empty=may_be_empty)


def whole_milliseconds(start_s: float, end_s: float) -> tuple[int, int]:
    """A segment in milliseconds as in files with times in seconds."""
    return round(1000 * start_s), round(1000 * end_s)


def milliseconds_from_0(start_s: float, end_s: float) -> tuple[int, int]:
    """A segment in milliseconds as in files without times before 0."""
    return max(0, round(1000 * start_s)), max(0, round(1000 * end_s))


@dataclass(frozen=True)
class Annotations:
    """The content of a file.

    Attributes:
        marks: marks in file order.
        has_gaps: whether fercli also writes stretches that are not assessable into such files.
        written: start and end of a segment in seconds -> in milliseconds as stored in such a file.
        media: names of the videos of the file; empty if it names none.
        origins: name of a video -> its time, in milliseconds, at time 0 of the marks.
        video_end_s: end of the video, seconds; infinite if unknown. sha256: sha256 of the video; empty if unknown.
        notes: messages about skipped parts.
        said: lines of what is said; None if the file is not about it. They are utterances, or with `cues` captions.
        words: lines of words; None if the file has none.
        unread: lines of the tiers of voices, which are not read.
        cues: whether they are cut to captions, as fercli writes subtitles.
        prefixed: whether the speaker stands in front of the text, as in `Ross: Hello.`
        unusable: names of tiers without emotions -> error of their first label. They are skipped; if one belongs to a
            known person, it is an error instead of a note.
    """

    marks: list[Label]
    has_gaps: bool = False
    written: Callable[[float, float], tuple[int, int]] = whole_milliseconds
    media: tuple[str, ...] = ()
    origins: tuple[tuple[str, int], ...] = ()
    video_end_s: float = math.inf
    sha256: str = ""
    notes: tuple[str, ...] = ()
    unusable: Mapping[str, DatasetError] = field(default_factory=dict)
    said: tuple[Line, ...] | None = None
    words: tuple[Line, ...] | None = None
    unread: tuple[Line, ...] = ()
    cues: bool = False
    prefixed: bool = False

    @property
    def only_said(self) -> bool:
        """Whether the file holds what is said, and nothing about emotions."""
        return self.said is not None and not self.marks and not self.has_gaps


def closed(annotations: Annotations, path: Path, lasting_s: float, end_s: float) -> Annotations:
    """Set the end of open marks to the start of the person's next mark.

    Args:
        lasting_s: longest duration, seconds; 0 makes each a moment of MOMENT_MS.
        end_s: end of the video, which is not exceeded.
    """
    starts: dict[tuple[str, Any], list[int]] = defaultdict(list)
    for one in annotations.marks:
        starts[_who(one)].append(one.start_ms)
    for times in starts.values():
        times.sort()
    longest = max(MOMENT_MS, round(1000 * lasting_s))
    marks = []
    for one in annotations.marks:
        if one.is_open:
            times = starts[_who(one)]
            after = times[(place := bisect_right(times, one.start_ms)) : place + 1]
            end = min([one.start_ms + longest, *after, *([round(1000 * end_s)] if math.isfinite(end_s) else [])])
            one = replace(one, end_ms=max(end, one.start_ms + 1), is_open=False)
        marks.append(one)
    if not (count := sum(one.is_open for one in annotations.marks)):
        return annotations
    what = "1 label has no end: it" if count == 1 else f"{count} labels have no end: each"
    how = f"lasts to the next of the same person, at most {lasting_s:g} s" if lasting_s else "is a single moment"
    return replace(annotations, marks=marks, notes=(*annotations.notes, f"{path}: {what} {how}"))


def _who(one: Label) -> tuple[str, Any]:
    return one.person, one.track if one.person == UNASSIGNED else None


def of_video(annotations: Annotations, video: str, path: Path) -> Annotations:
    """The marks of one video, if the file names a video for each mark.

    Args:
        video: name of the video; may be empty if the file has only one.

    Raises:
        DatasetError: the file has several videos, but not this one.
    """
    videos = tuple(dict.fromkeys(one.video for one in annotations.marks if one.video))
    if not videos:
        return annotations
    named = replace(annotations, media=annotations.media or videos)
    if len(videos) == 1:
        return named
    own = [one for one in annotations.marks if one.video == composed(video)]
    if not own:
        raise DatasetError(
            f"{path} has {len(videos)} videos: {', '.join(videos[:3])} ..."
            + (f", and none is {video!r}" if video else ""),
            hint="keep the rows of one video",
        )
    return replace(named, marks=own, media=(composed(video),))


def in_video(annotations: Annotations, video: str, path: Path) -> Annotations:
    """The marks in times of the video, if the file has another time origin.

    Args:
        video: name of the video; may be empty if the file names only one.

    Raises:
        DatasetError: it names several videos with different origins, but not this one.
    """
    origins = {origin for name, origin in annotations.origins if name == composed(video)}
    origins = origins or {origin for _, origin in annotations.origins} or {0}
    if len(origins) > 1:
        names = ", ".join(annotations.media)
        raise DatasetError(
            f"{path} shifts {names} by different times, and it is unknown which of them was annotated",
            hint="unlink the others in ELAN (Edit > Linked Files), and save the file",
        )
    (origin,) = origins
    if not origin:
        return annotations
    moved = [replace(one, start_ms=one.start_ms + origin, end_ms=one.end_ms + origin) for one in annotations.marks]
    note = f"{path}: {origin / 1000:g} s added, because its time 0 is at that time of the video (TIME_ORIGIN)"
    said, words, unread = (
        lines and tuple(replace(one, start_ms=one.start_ms + origin, end_ms=one.end_ms + origin) for one in lines)
        for lines in (annotations.said, annotations.words, annotations.unread)
    )
    annotations = replace(annotations, said=said, words=words, unread=unread or ())
    return replace(annotations, marks=moved, notes=(*annotations.notes, note))


def mark(record: Mapping[str, Any], place: str, *, may_be_open: bool = False) -> Label:
    """The mark of a record with the keys start, end and class, and optionally object, score, track, tier.

    Times are seconds, or clock times such as `1:02:03.25`. If `may_be_open`, the end may be missing.

    Raises:
        DatasetError: the class is not an emotion, or the end is not after the start; the message names the place.
    """
    start = _milliseconds(record, "start", place)
    is_open = may_be_open and record.get("end") is None
    end = start + 1 if is_open else _milliseconds(record, "end", place)
    if end <= start:
        raise DatasetError(
            f"{place}: ends at {end / 1000:g} s but starts at {start / 1000:g} s", hint="correct its end"
        )
    emotion = emotion_of(record.get("class"))
    if emotion is None:
        raise not_an_emotion(record.get("class"), place, f", from {start / 1000:g} to {end / 1000:g} s")
    return Label(
        start,
        end,
        emotion,
        person=composed(record.get("object")),
        place=place,
        score=number(record.get("score"), 1.0),
        track=record.get("track"),
        tier=composed(record.get("tier")),
        is_open=is_open,
        video=composed(record.get("video")),
    )


def not_an_emotion(name: object, place: str, when: str = "") -> DatasetError:
    """The error for an unknown label."""
    return DatasetError(
        f"{place}: {name!r} is not an emotion{when}",
        hint=f"known: {', '.join(RECORD_NAMES.values())}",
        code="emotion-unknown",
    )


def without_emotions(tiers: Mapping[str, DatasetError], path: Path) -> tuple[str, ...]:
    """A note about skipped tiers, if any."""
    if not tiers:
        return ()
    which = "tier" if len(tiers) == 1 else "tiers"
    return (f"{path}: no emotions in {which} {', '.join(tiers)}: skipped",)


def composed(name: object) -> str:
    """A name in Unicode NFC, stripped; empty for None."""
    return unicodedata.normalize("NFC", str(name or "").strip())


def emotion_of(name: object) -> str | None:
    """Canonical name of an emotion in any spelling, or `not assessable`; None if it is neither."""
    text = str(name or "").strip()
    return NOT_ASSESSABLE if text.lower() == NOT_ASSESSABLE else canonical(text)


def number(value: object, otherwise: float) -> float:
    """A number, which may be given as text."""
    try:
        return float(str(value))
    except ValueError:
        return otherwise


def _milliseconds(record: Mapping[str, Any], key: str, place: str) -> int:
    milliseconds = 1000 * _seconds(record.get(key))
    if not math.isfinite(milliseconds):
        reason = f"{place}: {key} is {record.get(key)!r}, expected seconds"
        raise DatasetError(reason, hint="write them as 12.5, or as clock time 0:12.5")
    return round(milliseconds)


def _seconds(value: object) -> float:
    clock = _CLOCK.fullmatch(str(value).strip())
    if clock is None:
        return number(value, math.nan)
    return 3600 * int(clock["hours"] or 0) + 60 * int(clock["minutes"]) + float(clock["seconds"])


_RECORD = '{"type": "emotion", "class": "happy", "seconds": 15.0, "end": 17.5, "object": "Ross"}'
_LAYOUTS = {
    ".csv": "the columns are start,end,class and, for several persons, object",
    ".eaf": "in ELAN, a tier is a person, and the text of an annotation an emotion",
    ".json": f"it holds a list of records such as {_RECORD}",
    ".jsonl": f"a line is a record such as {_RECORD}",
    ".srt": "subtitles hold what is said, and no emotions",
    ".vtt": "subtitles hold what is said, and no emotions",
    ".textgrid": "in Praat, an interval tier is a person, and the text of an interval an emotion",
}
_NAMING = {
    ".csv": "add the column object with the names",
    ".json": 'name the person of each segment, in records with "object"',
    ".jsonl": 'add "object" with the name to each record',
}


def layout_hint(path: Path) -> str:
    """The layout of labels in a file with this suffix, one of the READERS."""
    return _LAYOUTS[path.suffix.lower()]


def naming_hint(path: Path) -> str:
    """How to name the person of an emotion in such a file."""
    return _NAMING.get(path.suffix.lower(), "give the tier the name of the person")
