"""Read back with pandas."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from fercli.formats.audacity import write
from tests.formats.samples import awkward, nobody, said


def test_all_segments_are_read_back(tmp_path: Path) -> None:
    result = awkward(tmp_path / "w")
    write(result, tmp_path / "out.txt")
    labels = pd.read_csv(tmp_path / "out.txt", sep="\t", names=["start", "end", "label"], quoting=csv.QUOTE_NONE)
    found = [
        (*row.label.rsplit(": ", 1), round(row.start * 1000), round(row.end * 1000)) for row in labels.itertuples()
    ]
    assert sorted(found) == sorted(said(result.segments))


def test_a_label_as_it_is_written(tmp_path: Path) -> None:
    write(awkward(tmp_path / "w"), tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_bytes().split(b"\n")[0] == b"10.000\t11.500\tRoss: happy"


def test_a_video_without_faces_is_an_empty_file(tmp_path: Path) -> None:
    write(nobody(tmp_path / "w"), tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_bytes() == b""
