"""Read back line by line, and with pandas."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from fercli.formats.json_records import write_lines
from tests.formats.samples import awkward, nobody


def test_every_line_is_a_record(tmp_path: Path) -> None:
    result = awkward(tmp_path / "w")
    write_lines(result, tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == [
        segment.as_record() | {"video": "épisode 1.mp4"} for segment in result.segments
    ]


def test_pandas_reads_a_table(tmp_path: Path) -> None:
    result = awkward(tmp_path / "w")
    write_lines(result, tmp_path / "out.jsonl")
    table = pd.read_json(tmp_path / "out.jsonl", lines=True)
    assert list(table.columns[:4]) == ["type", "class", "seconds", "object"]
    assert list(table["object"]) == [segment.person for segment in result.segments]


def test_a_video_without_faces_is_an_empty_file(tmp_path: Path) -> None:
    write_lines(nobody(tmp_path / "w"), tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == b""
