"""Labelled spans of time from a file: a person's own labels, or what fercli exported.

Whatever the file, class names are understood in all spellings of `fercli.labels.canonical`, and spans that are
`not assessable` are left out: they say nothing about the emotion.

- `.csv`: a header with `start` (or `seconds`), `end`, `class` (or `label`, `emotion`) and, where persons are told
  apart, `object` (or `person`); in any order, others are ignored. Times in seconds. So is fercli's own CSV.
- `.eaf` of ELAN (schema: http://www.mpi.nl/tools/elan/EAFv3.0.xsd), one tier a person: annotations that are aligned
  with the time line. Those that only refer to another annotation, and tiers that name no emotion, are passed over.
- `.json`: fercli's document or its bare list of records.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from fercli.errors import DatasetError
from fercli.exporters.document import UNASSIGNED
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES, canonical

COLUMNS = {
    "start": ("start", "seconds"),
    "end": ("end",),
    "class": ("class", "label", "emotion"),
    "object": ("object", "person"),
}
"""Key of a record -> the names its column may have."""
LAYOUT_HINT = "the columns are start,end,class and, for several persons, object"


@dataclass(frozen=True)
class Span:
    """One person showing one emotion for a while.

    Attributes:
        start_ms, end_ms: [start, end) in whole milliseconds, to which exports are rounded; the end is later.
        emotion: canonical name.
        person: who; empty where the file names nobody. Tracks that fercli could give to nobody are a person each.
        score: probability in [0, 1]; 1 where the file has none.
    """

    start_ms: int
    end_ms: int
    emotion: str
    person: str = ""
    score: float = 1.0


def read_spans(path: Path) -> list[Span]:
    """Read the spans of a file, in its order.

    Raises:
        DatasetError: it is missing, unreadable, of another kind, or a span in it is not usable; names file and place.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DatasetError(f"cannot read labels from {path}", hint=f"give one of {', '.join(_READERS)}")
    try:
        return list(reader(path))
    except (OSError, ValueError, csv.Error, RecursionError) as error:
        raise DatasetError(f"cannot read {path}: {error}", hint="check the name, and export the file again") from error


def read_truth(path: Path) -> list[Span]:
    """Read a person's own labels.

    Raises:
        DatasetError: as `read_spans`; also if nothing is labelled, or somebody has two emotions at the same time.
    """
    spans = read_spans(path)
    if not spans:
        raise DatasetError(f"{path} labels nothing", hint=LAYOUT_HINT)
    latest: dict[str, Span] = {}
    for span in sorted(spans, key=lambda span: span.start_ms):
        before = latest.get(span.person, span)
        if before.end_ms > span.start_ms and before.emotion != span.emotion:
            who = span.person or "the person"
            raise DatasetError(
                f"{path}: {who} is labelled {before.emotion} and {span.emotion} at {span.start_ms / 1000:g} s",
                hint="let one label end where the next begins; for several persons, name them",
            )
        latest[span.person] = max(before, span, key=lambda span: span.end_ms)
    return spans


def _read_csv(path: Path) -> Iterator[Span]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        found = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
        columns = {key: next((found[n] for n in names if n in found), None) for key, names in COLUMNS.items()}
        missing = [key for key in ("start", "end", "class") if columns[key] is None]
        if missing:
            raise DatasetError(f"{path}:1: no column {', '.join(missing)}", hint=LAYOUT_HINT)
        for row in reader:
            cells = {key: row.get(name) if name is not None else None for key, name in columns.items()}
            yield from _span(cells | {key: row.get(key) for key in ("score", "track")}, f"{path}:{reader.line_num}")


def _read_json(path: Path) -> Iterator[Span]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict) and content.get("format") == "fercli-annotations":
        content = content.get("segments")
    if not isinstance(content, list):
        raise DatasetError(f"{path} is not an annotation of fercli", hint="make one with `fercli export`")
    for number, record in enumerate(content, start=1):
        if not isinstance(record, dict):
            raise DatasetError(f"{path}: segment {number} is not a record", hint="make the file with `fercli export`")
        yield from _span(record | {"start": record.get("seconds")}, f"{path}: segment {number}")


def _read_eaf(path: Path) -> Iterator[Span]:
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, LookupError) as error:
        raise DatasetError(f"cannot read {path}: {error}", hint="save it again in ELAN") from error
    if root.tag != "ANNOTATION_DOCUMENT":
        raise DatasetError(f"{path} is not an ELAN file: it holds <{root.tag}>", hint="save it again in ELAN")
    times = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    for tier in root.iter("TIER"):
        annotations = list(tier.iter("ALIGNABLE_ANNOTATION"))
        values = [(annotation.findtext("ANNOTATION_VALUE") or "").strip() for annotation in annotations]
        if not any(_emotion(value) for value in values):
            continue
        for annotation, value in zip(annotations, values, strict=True):
            place = f"{path}: tier {tier.get('TIER_ID')}, annotation {annotation.get('ANNOTATION_ID')}"
            start, end = (_seconds(times.get(annotation.get(f"TIME_SLOT_REF{side}"))) for side in (1, 2))
            record = {"start": start, "end": end, "class": value, "object": tier.get("TIER_ID")}
            yield from _span(record, place)


_READERS: dict[str, Callable[[Path], Iterable[Span]]] = {".csv": _read_csv, ".eaf": _read_eaf, ".json": _read_json}


def _span(record: dict[str, Any], place: str) -> Iterator[Span]:
    """The span of a record, or none if it is not assessable; `place` is named in errors."""
    emotion = _emotion(record.get("class"))
    if emotion is None:
        known = ", ".join(RECORD_NAMES.values())
        raise DatasetError(f"{place}: {record.get('class')!r} is not an emotion", hint=f"known: {known}")
    start, end = (_milliseconds(record, key, place) for key in ("start", "end"))
    if end <= start:
        raise DatasetError(
            f"{place}: ends at {end / 1000:g} s but starts at {start / 1000:g} s", hint="let it end later"
        )
    person = str(record.get("object") or "").strip()
    if person == UNASSIGNED:
        person = f"{UNASSIGNED}, track {record.get('track')}"
    if emotion != NOT_ASSESSABLE:
        yield Span(start, end, emotion, person, _number(record.get("score"), 1.0))


def _emotion(name: object) -> str | None:
    text = str(name or "").strip()
    return NOT_ASSESSABLE if text.lower() == NOT_ASSESSABLE else canonical(text)


def _milliseconds(record: dict[str, Any], key: str, place: str) -> int:
    seconds = _number(record.get(key), math.nan)
    if not math.isfinite(seconds):
        raise DatasetError(f"{place}: {key} is {record.get(key)!r}, expected seconds", hint="write them as 12.5")
    return round(1000 * seconds)


def _number(value: object, otherwise: float) -> float:
    try:
        return float(str(value))
    except ValueError:
        return otherwise


def _seconds(milliseconds: str | None) -> float:
    return _number(milliseconds, math.nan) / 1000
