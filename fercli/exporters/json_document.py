"""The full JSON document: video, persons, segments, provenance."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fercli.exporters.document import Document, Segment
from fercli.labels import RECORD_NAMES


def write(document: Document, path: Path) -> None:
    """Write the document; times in seconds, to the millisecond."""
    content = {
        "format": "fercli-annotations",
        "version": 1,
        "video": document.video,
        "persons": [
            {**asdict(person), "seconds_by_emotion": _short(person.seconds_by_emotion)} for person in document.persons
        ],
        "segments": [segment.as_record() for segment in document.segments],
        "not_assessable": [_gap(segment) for segment in document.gaps],
        "provenance": document.provenance,
        "warnings": document.warnings,
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _short(seconds: dict[str, float]) -> dict[str, float]:
    return {RECORD_NAMES[emotion]: value for emotion, value in seconds.items()}


def _gap(segment: Segment) -> dict[str, Any]:
    record = segment.as_record()
    del record["class"]
    return {**record, "type": "not assessable", "reason": segment.reason}
