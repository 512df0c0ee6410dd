"""The contract of every exporter: a file other programs read, with the same segments in it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fercli.formats import FORMATS
from fercli.formats.csv_segments import COLUMNS
from fercli.results.model import Result, Segment
from tests.workspaces import FACTS, no_details, person

NAMES = ["Ross", 'Zoë "Z" O\'Brien, jr.', "李 明\nzwei", "=1+1"]
DOCUMENT = Result(
    video=FACTS,
    persons=[person(name, 1, 5.0, {"happiness": 3.25, "not assessable": 1.0}) for name in NAMES],
    unassigned=None,
    segments=[
        Segment(1.0 + i, 1.5004 + i, emotion, NAMES[i % 4], i, 0.5 + i / 16, (10.25 + i, 20, 30, 40.75), "")
        for i, emotion in enumerate(
            ("happiness", "sadness", "neutral", "contempt", "anger", "disgust", "fear", "surprise")
        )
    ],
    gaps=[Segment(0.25, 1.0, "not assessable", NAMES[1], 0, None, (1, 2, 3, 4), "too small")],
    provenance={"fercli": "0", "models": {"tsm-resnet18": "ab" * 32}, "stages": {}},
    warnings=["detect-faces: die Datei ist beschädigt"],
    details=no_details,
)
EMPTY = replace(DOCUMENT, persons=[], segments=[], gaps=[], warnings=[])
RECORDS = [segment.as_record() for segment in DOCUMENT.segments]


def from_csv(path: Path) -> list[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {
                "type": "emotion",
                "class": row["class"],
                "seconds": float(row["seconds"]),
                "object": row["object"].removeprefix("'"),
                "end": float(row["end"]),
                "score": float(row["score"]),
                "track": int(row["track"]),
                "box": [float(row[edge]) for edge in ("x1", "y1", "x2", "y2")],
            }
            for row in csv.DictReader(file)
        ]


READERS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    "json": lambda path: json.loads(path.read_text(encoding="utf-8"))["segments"],
    "records": lambda path: json.loads(path.read_text(encoding="utf-8")),
    "csv": from_csv,
}
"""Each format as another program reads it, brought to the form of the records."""


@pytest.mark.parametrize("name", list(READERS))
def test_what_is_written_is_read_back_by_others(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"out{FORMATS[name].suffix}"
    FORMATS[name].write(DOCUMENT, path)
    assert READERS[name](path) == RECORDS


@pytest.mark.parametrize("name", list(READERS))
def test_no_segments_make_a_valid_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"out{FORMATS[name].suffix}"
    FORMATS[name].write(EMPTY, path)
    assert READERS[name](path) == []


@pytest.mark.parametrize("name", list(READERS))
def test_the_same_document_gives_the_same_bytes_in_utf8(tmp_path: Path, name: str) -> None:
    for copy in ("a", "b"):
        FORMATS[name].write(DOCUMENT, tmp_path / copy)
    content = (tmp_path / "a").read_bytes()
    assert content == (tmp_path / "b").read_bytes()
    assert "李" in content.decode("utf-8")


@pytest.mark.parametrize("name", list(READERS))
def test_an_old_file_is_replaced(tmp_path: Path, name: str) -> None:
    path = tmp_path / "out"
    path.write_text("x" * 100_000)
    FORMATS[name].write(EMPTY, path)
    assert READERS[name](path) == []


def test_records_are_the_bare_list_a_record_a_line(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    FORMATS["records"].write(DOCUMENT, path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(RECORDS) + 2
    assert lines[1] == (
        '{"type": "emotion", "class": "happy", "seconds": 1.0, "object": "Ross", "end": 1.5, "score": 0.5, "track": 0, '
        '"box": [10.2, 20, 30, 40.8]},'
    )


def test_a_record_says_why_its_class_is_doubtful() -> None:
    first = DOCUMENT.segments[0]
    assert "doubtful" not in first.as_record()
    assert replace(first, doubtful="turned by 20 to 30 degrees").as_record()["doubtful"] == "turned by 20 to 30 degrees"


def test_the_document_tells_all(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    FORMATS["json"].write(DOCUMENT, path)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert list(content) == [
        "format",
        "version",
        "video",
        "persons",
        "unassigned",
        "segments",
        "not_assessable",
        "provenance",
        "warnings",
    ]
    assert (content["format"], content["version"]) == ("fercli-annotations", 1)
    assert content["video"] == DOCUMENT.video
    assert content["persons"][0] == {
        "name": "Ross",
        "tracks": 1,
        "screen_time_s": 5.0,
        "seconds_by_emotion": {"happy": 3.25, "not assessable": 1.0},
    }
    assert content["not_assessable"] == [
        {
            "type": "not assessable",
            "seconds": 0.25,
            "object": NAMES[1],
            "end": 1.0,
            "track": 0,
            "box": [1, 2, 3, 4],
            "reason": "too small",
        }
    ]
    assert content["provenance"] == DOCUMENT.provenance
    assert content["warnings"] == DOCUMENT.warnings


def test_csv_has_a_header_and_a_row_a_segment(tmp_path: Path) -> None:
    path, first = tmp_path / "out.csv", DOCUMENT.segments[0]
    FORMATS["csv"].write(
        replace(DOCUMENT, segments=[first, replace(first, doubtful="turned by 20 to 30 degrees")]), path
    )
    assert path.read_bytes().decode().split("\r\n") == [
        ",".join(COLUMNS),
        "Ross,happy,1.0,1.5,0.5,0,10.2,20,30,40.8,machine,,épisode 1.mp4",
        "Ross,happy,1.0,1.5,0.5,0,10.2,20,30,40.8,machine,turned by 20 to 30 degrees,épisode 1.mp4",
        "",
    ]
