"""Read back with webvtt-py, strictly."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from pathlib import Path

import webvtt

from fercli.formats.webvtt import write
from tests.formats.samples import ZOE, awkward, nobody, said


def milliseconds(time: webvtt.models.Timestamp) -> int:
    return ((time.hours * 60 + time.minutes) * 60 + time.seconds) * 1000 + time.milliseconds


def test_all_segments_are_read_back_with_the_person_as_voice(tmp_path: Path) -> None:
    result = awkward(tmp_path / "w")
    write(result, tmp_path / "out.vtt")
    found = []
    for cue in webvtt.read(str(tmp_path / "out.vtt"), strict=True).captions:
        person = unescape(cue.voice or "")
        shown, emotion = unescape(cue.text).rsplit(": ", 1)
        assert shown == person
        found.append((person, emotion, milliseconds(cue.start_time), milliseconds(cue.end_time)))
    assert sorted(found) == sorted(said(result.segments))


def test_a_cue_as_it_is_written(tmp_path: Path) -> None:
    result = awkward(tmp_path / "w")
    late = replace(result.segments[0], person=ZOE, start_s=36_061.0015, end_s=36_062.5)
    write(replace(result, segments=[late]), tmp_path / "out.vtt")
    assert (tmp_path / "out.vtt").read_text(encoding="utf-8") == (
        'WEBVTT\n\n10:01:01.002 --> 10:01:02.500\n<v Zoë &amp; "Bob" &lt;b&gt;>Zoë &amp; "Bob" &lt;b&gt;: happy\n'
    )


def test_a_video_without_faces_is_a_file_without_cues(tmp_path: Path) -> None:
    write(nobody(tmp_path / "w"), tmp_path / "out.vtt")
    assert len(webvtt.read(str(tmp_path / "out.vtt"), strict=True).captions) == 0
