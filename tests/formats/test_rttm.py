"""Read back by splitting at blanks, and as pyannote.database does: with pandas, ten named columns."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from fercli.formats.rttm import write
from tests.formats.samples import COMMAS, ZOE, awkward, nobody, said

SHOWN = {ZOE: "Zoë_&_'Bob'_<b>", COMMAS: "{李},_明,_jr.\\N"}


def expected(folder: Path) -> list[tuple[str, str, int, int]]:
    result = awkward(folder)
    return sorted(
        (SHOWN.get(person, person), "<NA>" if emotion == "not assessable" else emotion, start, end)
        for person, emotion, start, end in said([*result.segments, *result.gaps])
    )


def test_all_segments_and_gaps_are_read_back(tmp_path: Path) -> None:
    write(awkward(tmp_path / "w"), tmp_path / "out.rttm")
    found = []
    for line in (tmp_path / "out.rttm").read_text(encoding="utf-8").splitlines():
        kind, file, channel, begin, duration, emotion, subtype, person, score, lookahead = line.split(" ")
        assert (kind, file, channel, subtype, lookahead) == ("SPEAKER", "épisode_1", "1", "<NA>", "<NA>")
        assert score == "<NA>" if emotion == "<NA>" else 0 < float(score) <= 1
        start, end = round(float(begin) * 1000), round((float(begin) + float(duration)) * 1000)
        found.append((person, emotion, start, end))
    assert sorted(found) == expected(tmp_path / "again")


def test_pandas_reads_it_as_pyannote_database_does(tmp_path: Path) -> None:
    write(awkward(tmp_path / "w"), tmp_path / "out.rttm")
    names = ["type", "uri", "channel", "start", "duration", "NA3", "NA4", "speaker", "NA5", "NA6"]
    types = {"uri": str, "start": float, "duration": float, "speaker": str}
    turns = pd.read_csv(tmp_path / "out.rttm", names=names, dtype=types, sep=r"\s+", keep_default_na=True)
    ends = (turns.start + turns.duration) * 1000
    found = zip(turns.speaker, (turns.start * 1000).round().astype(int), ends.round().astype(int), strict=True)
    assert sorted(found) == sorted((person, start, end) for person, _, start, end in expected(tmp_path / "again"))


def test_lines_are_sorted_and_have_the_score(tmp_path: Path) -> None:
    write(awkward(tmp_path / "w"), tmp_path / "out.rttm")
    lines = (tmp_path / "out.rttm").read_text(encoding="utf-8").splitlines()
    assert lines[:3] == [
        "SPEAKER épisode_1 1 10.000 1.500 happy <NA> Ross 0.900 <NA>",
        "SPEAKER épisode_1 1 10.200 0.700 <NA> <NA> Zoë_&_'Bob'_<b> <NA> <NA>",
        "SPEAKER épisode_1 1 10.900 1.600 surprised <NA> Zoë_&_'Bob'_<b> 0.625 <NA>",
    ]


def test_a_video_without_faces_is_an_empty_file(tmp_path: Path) -> None:
    write(nobody(tmp_path / "w"), tmp_path / "out.rttm")
    assert (tmp_path / "out.rttm").read_bytes() == b""
