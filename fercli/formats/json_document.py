"""The full JSON document: video, persons, segments, provenance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fercli.labels import RECORD_NAMES
from fercli.results.model import Person, Result, Segment


def write(result: Result, path: Path) -> None:
    """Write the document; times in seconds, to the millisecond."""
    content = {
        "format": "fercli-annotations",
        "version": 1,
        "video": result.video,
        "persons": [as_json_person(person) for person in result.persons],
        "unassigned": as_json_person(result.unassigned) if result.unassigned else None,
        "segments": [segment.as_record() for segment in result.segments],
        "not_assessable": [_gap(segment) for segment in result.gaps],
        "provenance": result.provenance,
        "warnings": result.warnings,
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def as_json_person(person: Person) -> dict[str, Any]:
    """A person's sums, emotions under the names of records."""
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
