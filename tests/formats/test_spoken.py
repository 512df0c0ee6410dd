"""Formats of what is said, read back by other programs' readers."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from praatio.textgrid import openTextgrid
from pympi.Elan import Eaf
from pysubs2 import SSAFile

from fercli.errors import ConfigError, MissingStage
from fercli.formats import FORMATS, require_sound
from fercli.formats.reading import read_annotations
from fercli.formats.spoken import CUE_LETTERS
from fercli.results.model import Interval, Result, Speech, Utterance, Word
from tests.failing import fails
from tests.formats.samples import COMMAS, PERSONS, ZOE, awkward, spoken

TEXT = "<i>{\\b1}A & =-->"


@pytest.fixture
def result(tmp_path: Path) -> Result:
    return spoken(awkward(tmp_path / "w"))


def written(result: Result, name: str, folder: Path) -> Path:
    path = folder / f"out{FORMATS[name].suffix}"
    FORMATS[name].write(result, path)
    return path


def said_by(*lines: tuple[float, float, str, str | None], language: str = "en") -> Speech:
    """An utterance of each line, with words of the same length."""
    words, utterances = [], []
    for number, (start, end, text, person) in enumerate(lines):
        parts = text.split()
        step = (end - start) / len(parts)
        words += [Word(start + k * step, start + (k + 1) * step, w, 0.5, number, person) for k, w in enumerate(parts)]
        utterances.append(Utterance(start, end, number, text, 0.5, person))
    return Speech(language, 0.9, (Interval(0, 20),), tuple(utterances), tuple(words))


def test_webvtt_names_who_speaks_and_escapes_what_is_said(result: Result, tmp_path: Path) -> None:
    text = written(result, "webvtt-speech", tmp_path).read_text(encoding="utf-8")
    blocks = text.split("\n\n")
    assert blocks[0] == "WEBVTT"
    assert blocks[1] == "00:00:10.000 --> 00:00:10.900\n<v Ross>&lt;i&gt;{\\b1}A &amp; =--&gt;"
    assert blocks[2].startswith('00:00:11.000 --> 00:00:11.900\n<v Zoë &amp; "Bob" &lt;b&gt;>')
    assert blocks[4].split("\n")[1].startswith("<v Off screen>")
    assert blocks[5].split("\n")[1].startswith("&lt;i&gt;")  # nobody is known
    assert text.count("-->") == 5


@pytest.mark.parametrize("name", ["srt-speech", "ass-speech"])
def test_subtitles_show_who_speaks(result: Result, tmp_path: Path, name: str) -> None:
    events = SSAFile.load(str(written(result, name, tmp_path)))
    assert [(event.start, event.end) for event in events][:2] == [(10_000, 10_900), (11_000, 11_900)]
    assert events[0].plaintext.startswith("Ross: ") and "{" not in events[0].text and "\\" not in events[0].text
    assert events[3].plaintext.startswith("Off screen: ")
    assert not events[4].plaintext.startswith("Off screen")
    if name == "ass-speech":
        assert [event.name for event in events] == ["Ross", ZOE, COMMAS.replace(",", ";"), "Off screen", ""]


def test_long_utterances_are_several_cues(result: Result, tmp_path: Path) -> None:
    long = " ".join(["twelve letter"] * 16)
    result = replace(result, speech=said_by((0.0, 16.0, long, "Ross"), (16.0, 17.0, "Yes.", None)))
    events = SSAFile.load(str(written(result, "srt-speech", tmp_path)))
    texts = [event.plaintext.removeprefix("Ross: ") for event in events]
    assert " ".join(texts[:-1]) == long and texts[-1] == "Yes."
    assert all(len(text) <= CUE_LETTERS for text in texts) and min(map(len, texts[:-1])) > CUE_LETTERS / 2
    assert [event.start for event in events][1:] == [event.end for event in events][:-1]


def test_rttm_has_a_line_a_turn(result: Result, tmp_path: Path) -> None:
    rows = [line.split() for line in written(result, "rttm-speech", tmp_path).read_text(encoding="utf-8").splitlines()]
    assert all(len(row) == 10 for row in rows)
    assert rows[0] == ["SPEAKER", "film", "1", "10.000", "0.900", "<NA>", "<NA>", "Ross", "<NA>", "<NA>"] or (
        rows[0][3:5] == ["10.000", "0.900"] and rows[0][7] == "Ross"
    )
    assert [row[7] for row in rows][-2:] == ["off_screen", "unknown"]


def test_whisperx_has_utterances_with_their_words(result: Result, tmp_path: Path) -> None:
    found = json.loads(written(result, "whisperx", tmp_path).read_text(encoding="utf-8"))
    assert found["language"] == "en" and len(found["segments"]) == 5 and len(found["word_segments"]) == 15
    first = found["segments"][0]
    assert {**first, "words": []} == {"start": 10.0, "end": 10.9, "text": TEXT, "words": [], "speaker": "Ross"}
    assert first["words"][0] == {"word": "<i>{\\b1}A", "start": 10.0, "end": 10.25, "score": 0.5, "speaker": "Ross"}
    assert "speaker" not in found["segments"][4]


@pytest.mark.parametrize("name", ["csv-utterances", "parquet-utterances"])
def test_tables_have_a_row_an_utterance(result: Result, tmp_path: Path, name: str) -> None:
    path = written(result, name, tmp_path)
    rows: list[dict[str, Any]]
    if name.startswith("csv"):
        with path.open(newline="", encoding="utf-8") as file:
            rows = [{key: value or None for key, value in row.items()} for row in csv.DictReader(file)]
    else:
        rows = pq.read_table(path).to_pylist()
    first, last = rows[0], rows[-1]
    assert first["person"] == "Ross" and first["face"] == "happy" and first["voice"] == "angry"
    assert float(first["face_happy"]) == 0.75 and float(first["voice_contemptuous"]) == pytest.approx(0.4, abs=1e-4)
    assert first["face_sad"] is None and first["text"] == TEXT and float(first["end_s"]) == pytest.approx(10.9)
    assert last["person"] is None and last["on_screen"] is None and last["voice"] is None
    assert str(rows[3]["on_screen"]).lower() == "false" and str(first["on_screen"]).lower() == "true"


def test_meld_has_its_columns_and_its_emotions(result: Result, tmp_path: Path) -> None:
    result = replace(result, video={**result.video, "name": "Friends.S01E02.mp4"})
    with written(result, "meld", tmp_path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first = rows[0]
    assert (first["Sr No."], first["Utterance_ID"], first["Season"], first["Episode"]) == ("1", "0", "1", "2")
    assert (first["Emotion"], first["Sentiment"]) == ("anger", "negative")
    assert (first["StartTime"], first["EndTime"]) == ("00:00:10,000", "00:00:10,900")
    assert (rows[1]["Speaker"], rows[1]["Emotion"]) == (ZOE, "")


def test_elan_and_praat_have_tiers_of_what_is_said(result: Result, tmp_path: Path) -> None:
    eaf = Eaf(str(written(result, "eaf", tmp_path)))
    tiers = eaf.get_tier_names()
    assert {"Ross", "speech@Ross", "words@Ross", "voice@Ross", f"speech@{ZOE}", "speech@Off screen", "speech"} <= {
        *tiers
    }
    assert f"voice@{ZOE}" not in tiers
    assert eaf.get_annotation_data_for_tier("speech@Ross") == [(10_000, 10_900, TEXT)]
    words = eaf.get_annotation_data_for_tier("words@Ross")
    assert [row[2] for row in words] == TEXT.split() and words[1][:2] == (10_250, 10_260)
    assert eaf.get_annotation_data_for_tier("voice@Ross") == [(10_000, 10_900, "angry")]
    grid = openTextgrid(str(written(result, "textgrid", tmp_path)), includeEmptyIntervals=False)
    assert [(one.start, one.end, one.label) for one in grid.getTier("speech@Ross").entries] == [(10.0, 10.9, TEXT)]
    assert len(grid.getTier("words").entries) == 3


@pytest.mark.parametrize("name", ["eaf", "textgrid"])
def test_tiers_of_what_is_said_are_no_emotions_of_anybody(result: Result, tmp_path: Path, name: str) -> None:
    spoken_too = read_annotations(written(result, name, tmp_path))
    mute = read_annotations(written(replace(result, speech=None), name, tmp_path))
    assert spoken_too.marks == mute.marks and spoken_too.notes == mute.notes
    assert {mark.person for mark in spoken_too.marks} == {*PERSONS, "Unassigned"}


def test_without_transcribe_there_is_nothing_to_write(result: Result, tmp_path: Path) -> None:
    for name, format in FORMATS.items():
        if format.said:
            with fails(MissingStage, "stage-missing", "transcribe"):
                format.write(replace(result, speech=None), tmp_path / "out")
            with fails(ConfigError, "option-conflict", name):
                require_sound([name])
    assert not (tmp_path / "out").exists()
    require_sound(["json", "eaf"])
