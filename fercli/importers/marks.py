"""One labelled stretch of time as a file has it, checked alike whatever the file."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fercli.errors import DatasetError
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES, canonical


@dataclass(frozen=True)
class Mark:
    """Somebody shows an emotion for a while, or cannot be assessed, says a file.

    Attributes:
        start_ms, end_ms: [start, end) in whole milliseconds; the end is later.
        emotion: canonical name, or `not assessable`.
        person: who, composed (Unicode NFC); empty where the file names nobody.
        place: where it stands, as errors name it: file with line, annotation or region.
        score: probability in [0, 1]; 1 where the file has none.
        track: number of the track, where the file has one.
        tier: name of the tier, where the file has tiers.
    """

    start_ms: int
    end_ms: int
    emotion: str
    person: str
    place: str
    score: float = 1.0
    track: Any = None
    tier: str = ""


def whole_milliseconds(start_s: float, end_s: float) -> tuple[int, int]:
    """How files with times in seconds write a segment."""
    return round(1000 * start_s), round(1000 * end_s)


def milliseconds_from_0(start_s: float, end_s: float) -> tuple[int, int]:
    """How files that know no time before 0 write a segment."""
    return max(0, round(1000 * start_s)), max(0, round(1000 * end_s))


@dataclass(frozen=True)
class Annotations:
    """What a file says.

    Attributes:
        marks: in the order of the file.
        has_gaps: whether fercli writes what is not assessable into such files too.
        written: start and end of a segment in seconds -> in milliseconds as such a file holds them.
        media: names of the videos that the file is about; empty where it names none.
        sha256: of the video; empty where the file does not say.
        notes: sentences on what was passed over.
    """

    marks: list[Mark]
    has_gaps: bool = False
    written: Callable[[float, float], tuple[int, int]] = whole_milliseconds
    media: tuple[str, ...] = ()
    sha256: str = ""
    notes: tuple[str, ...] = ()


def mark(record: Mapping[str, Any], place: str) -> Mark:
    """The mark in a record with the keys start and end (seconds), class, and if known object, score, track, tier.

    Raises:
        DatasetError: the class is no emotion, or it does not end after it starts; names the place.
    """
    start, end = (_milliseconds(record, key, place) for key in ("start", "end"))
    if end <= start:
        raise DatasetError(
            f"{place}: ends at {end / 1000:g} s but starts at {start / 1000:g} s", hint="let it end later"
        )
    emotion = emotion_of(record.get("class"))
    if emotion is None:
        raise DatasetError(
            f"{place}: {record.get('class')!r} is not an emotion, from {start / 1000:g} to {end / 1000:g} s",
            hint=f"known: {', '.join(RECORD_NAMES.values())}",
        )
    return Mark(
        start,
        end,
        emotion,
        person=unicodedata.normalize("NFC", str(record.get("object") or "").strip()),
        place=place,
        score=number(record.get("score"), 1.0),
        track=record.get("track"),
        tier=unicodedata.normalize("NFC", str(record.get("tier") or "").strip()),
    )


def emotion_of(name: object) -> str | None:
    """Canonical name of an emotion in any spelling, or `not assessable`; None if it is neither."""
    text = str(name or "").strip()
    return NOT_ASSESSABLE if text.lower() == NOT_ASSESSABLE else canonical(text)


def number(value: object, otherwise: float) -> float:
    """A number that may be written as text."""
    try:
        return float(str(value))
    except ValueError:
        return otherwise


def _milliseconds(record: Mapping[str, Any], key: str, place: str) -> int:
    milliseconds = 1000 * number(record.get(key), math.nan)
    if not math.isfinite(milliseconds):
        raise DatasetError(f"{place}: {key} is {record.get(key)!r}, expected seconds", hint="write them as 12.5")
    return round(milliseconds)
