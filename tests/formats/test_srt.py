"""Read back with the package `srt`; pysubs2 wrote it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import srt

from fercli.formats.srt import write
from tests.formats.samples import COMMAS, ZOE, awkward, nobody, said

SHOWN = {ZOE: 'Zoë & "Bob" (b)', COMMAS: "(李), 明, jr./N"}
"""Names as they can be written."""


def test_all_segments_are_read_back(tmp_path: Path) -> None:
    result = awkward(tmp_path / "w")
    write(result, tmp_path / "out.srt")
    cues = list(srt.parse((tmp_path / "out.srt").read_text(encoding="utf-8"), ignore_errors=False))
    unit = timedelta(milliseconds=1)
    expected = [
        (f"{SHOWN.get(person, person)}: {emotion}", start, end) for person, emotion, start, end in said(result.segments)
    ]
    assert sorted((cue.content, cue.start // unit, cue.end // unit) for cue in cues) == sorted(expected)
    assert [cue.index for cue in cues] == list(range(1, 8))


def test_no_sign_is_left_that_players_take_for_markup(tmp_path: Path) -> None:
    write(awkward(tmp_path / "w"), tmp_path / "out.srt")
    text = (tmp_path / "out.srt").read_text(encoding="utf-8").replace("-->", "")
    assert not set("<>{}\\") & set(text)


def test_a_video_without_faces_is_an_empty_file(tmp_path: Path) -> None:
    write(nobody(tmp_path / "w"), tmp_path / "out.srt")
    assert (tmp_path / "out.srt").read_bytes() == b""
