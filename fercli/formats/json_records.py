"""JSON: the full document, the list of records, and one record per line.

The reader also accepts .json of Label Studio and of WhisperX. A record may lack an `end`, as in
`{"type": "emotion", "class": "happy", "seconds": 15.0, "object": "Ross"}`; see `fercli.formats.annotations.closed`.
Records of another type than `emotion` are skipped with a note.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fercli.errors import DatasetError
from fercli.formats import label_studio, whisperx
from fercli.formats.annotations import Annotations, Label, Line, layout_hint, mark, number, timed_line
from fercli.formats.spoken import OFF_SCREEN
from fercli.formats.streams import joined
from fercli.labels import NOT_ASSESSABLE, RECORD_NAMES
from fercli.results.model import Person, Result, Segment, Signal


def write_document(result: Result, path: Path) -> None:
    """Write the document; times in seconds, to the millisecond."""
    content = {
        "format": "fercli-annotations",
        "version": 1,
        "video": result.video,
        "persons": [as_json_person(person) for person in result.persons],
        "unassigned": as_json_person(result.unassigned) if result.unassigned else None,
        "segments": [segment.as_record() for segment in result.segments],
        "not_assessable": [_gap(segment) for segment in result.gaps],
        **_speech(result),
        "provenance": result.provenance,
        "warnings": result.warnings,
    }
    text = json.dumps(content, indent=1, ensure_ascii=False)
    with path.open("w", encoding="utf-8") as file:
        if result.ratings is None:
            file.write(text + "\n")
            return
        file.write(text.removesuffix("\n}") + ',\n "signals": [\n')
        file.writelines(joined(json.dumps(as_json_signal(signal), ensure_ascii=False) for signal in result.ratings()))
        file.write("\n ]\n}\n")


def as_json_signal(signal: Signal) -> dict[str, Any]:
    """A rating of one track over time; null where the face is not assessable."""
    columns = [[None if np.isnan(one) else round(one, 3) for one in column] for column in signal.values.T.tolist()]
    return {
        "name": signal.name,
        "object": signal.person,
        "track": signal.track,
        "source": signal.source,
        "seconds": np.round(signal.start_s, 3).tolist(),
        **dict(zip(("values", "low", "high"), columns, strict=False)),
        **({"by_hand": [list(one) for one in signal.by_hand]} if signal.by_hand else {}),
    }


def _speech(result: Result) -> dict[str, Any]:
    """What is said; nothing if `transcribe` has not run."""
    if result.speech is None:
        return {}
    return {
        "language": result.speech.language or None,
        "utterances": [utterance.as_record() for utterance in result.utterances],
        "words": [word.as_record() for word in result.words],
    }


def as_json_person(person: Person) -> dict[str, Any]:
    """A person's totals, with the emotion names of records."""
    seconds = {RECORD_NAMES[emotion]: value for emotion, value in person.seconds_by_emotion.items()}
    return {
        "name": person.name,
        "tracks": len(person.tracks),
        "screen_time_s": person.screen_time_s,
        "seconds_by_emotion": seconds,
    }


def _gap(segment: Segment) -> dict[str, Any]:
    record = segment.as_record()
    del record["class"]
    return {**record, "type": "not assessable", "reason": segment.reason}


def write_records(result: Result, path: Path) -> None:
    """Write `[{"type": "emotion", "class": ..., "seconds": ..., "object": ..., ...}, ...]`, one record per line; then
    what is said, and the emotions of voices."""
    lines = [json.dumps(record, ensure_ascii=False) for record in _records(result)]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n", encoding="utf-8")


def write_lines(result: Result, path: Path) -> None:
    """Write the same records as `write_records`, each with the name of the video."""
    video = {"video": result.video["name"]}
    lines = [json.dumps(record | video, ensure_ascii=False) + "\n" for record in _records(result)]
    path.write_text("".join(lines), encoding="utf-8")


def _records(result: Result) -> list[dict[str, Any]]:
    """Segments, utterances, and emotions of voices."""
    voices = (utterance.voice_record() for utterance in result.utterances)
    return [
        *(segment.as_record() for segment in result.segments),
        *(utterance.as_record() for utterance in result.utterances),
        *(voice for voice in voices if voice is not None),
    ]


HINT = "make the file with `fercli export`"
TYPES = ("emotion", NOT_ASSESSABLE)
"""Types of the records that are read; the first is the default."""


def read(path: Path) -> Annotations:
    """Read a .json; places are numbers of segments, from 1.

    Raises:
        DatasetError: it is of another kind, or a record in it is invalid.
        OSError, ValueError, RecursionError: it cannot be read.
    """
    content = json.loads(path.read_text(encoding="utf-8-sig"))
    if label_studio.is_one(content):
        return label_studio.read(path, content)
    if whisperx.is_one(content):
        return whisperx.read(path, content)
    if isinstance(content, dict) and content.get("format") == "fercli-annotations":
        return _document(path, content)
    if isinstance(content, list) and content and isinstance(content[0], dict):
        label_studio.refuse_short(path, content[0])
    return Annotations(list(_marks(path, content, "segment")), notes=_passed_over(path, content))


def read_lines(path: Path) -> Annotations:
    """Read a .jsonl; places are its lines. Errors as `read`."""
    marks: list[Label] = []
    records: list[object] = []
    for line, text in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if text.strip():
            try:
                records.append(json.loads(text))
            except ValueError as error:
                raise DatasetError(f"{path}:{line}: not JSON: {error}", hint=layout_hint(path)) from error
            if not _is_other(records[-1]):
                marks.append(_mark(records[-1], f"{path}:{line}:", ""))
    return Annotations(marks, notes=_passed_over(path, records))


def _is_other(record: object) -> bool:
    return isinstance(record, dict) and record.get("type", TYPES[0]) not in TYPES


def _passed_over(path: Path, records: list[object]) -> tuple[str, ...]:
    others = sum(map(_is_other, records))
    return (f"{path}: {others} of the records are of another type than {TYPES[0]}: skipped",) if others else ()


def _document(path: Path, content: dict[str, Any]) -> Annotations:
    marks = [
        *_marks(path, content.get("segments"), "segment"),
        *_marks(path, content.get("not_assessable", []), "not_assessable", NOT_ASSESSABLE),
    ]
    video = content.get("video")
    facts = video if isinstance(video, dict) else {}
    media = (str(facts["name"]),) if facts.get("name") else ()
    end_s = number(facts.get("start_s"), 0.0) + number(facts.get("duration_s"), math.inf)
    return Annotations(
        marks,
        has_gaps=True,
        media=media,
        video_end_s=end_s,
        sha256=str(facts.get("sha256", "")),
        said=_said(path, content["utterances"]) if "utterances" in content else None,
        words=_words(path, content["words"]) if "words" in content else None,
    )


def _said(path: Path, records: object) -> tuple[Line, ...]:
    """The lines of records of utterances; as with words, some may have no length."""
    lines = []
    for position, record in enumerate(_records_of(path, records, "utterances"), start=1):
        speaker = record.get("object") or (OFF_SCREEN if record.get("on_screen") is False else "")
        values = {**record, "start": record.get("seconds"), "object": speaker}
        lines.append(timed_line(values, f"{path}: utterance {position}", may_be_empty=True))
    return tuple(lines)


def _words(path: Path, records: object) -> tuple[Line, ...]:
    """The lines of records of words; some are recognised without a length."""
    lines = []
    for position, record in enumerate(_records_of(path, records, "words"), start=1):
        values = {**record, "start": record.get("seconds")}
        lines.append(timed_line(values, f"{path}: word {position}", may_be_empty=True))
    return tuple(lines)


def _records_of(path: Path, records: object, what: str) -> list[dict[str, Any]]:
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise DatasetError(f"{path}: the {what} are not a list of records", hint=HINT)
    return records


def _marks(path: Path, records: object, what: str, emotion: str = "") -> Iterator[Label]:
    if not isinstance(records, list):
        hint = f"make one with `fercli export`; in your own file, {layout_hint(path)}"
        raise DatasetError(f"{path} is not an annotation of fercli", hint=hint)
    yield from _numbered(path, records, what, emotion)


def _numbered(path: Path, records: Iterable[object], what: str, emotion: str) -> Iterator[Label]:
    for position, record in enumerate(records, start=1):
        if not _is_other(record):
            yield _mark(record, f"{path}: {what} {position}", emotion)


def _mark(record: object, place: str, emotion: str) -> Label:
    if not isinstance(record, dict):
        raise DatasetError(f"{place} is not a record", hint=HINT)
    named = {"class": emotion} if emotion else {}
    return mark({**named, **record, "start": record.get("seconds")}, place.rstrip(":"), may_be_open=True)
