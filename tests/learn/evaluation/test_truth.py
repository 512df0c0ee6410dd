"""Labelled spans from every kind of file, and what is said of files that cannot be used."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fercli.errors import DatasetError
from fercli.formats import FORMATS
from fercli.formats.annotations import Label
from fercli.learn.evaluation.truth import count_human, read_labels, read_truth
from fercli.persons.names import UNASSIGNED
from fercli.results.model import Result, Segment
from tests.failing import fails
from tests.workspaces import FACTS, no_details

EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2024-05-01T10:00:00+01:00" FORMAT="3.0" VERSION="3.0"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/>
    <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1250"/>
    <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="2000"/>
    <TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="3000"/>
  </TIME_ORDER>
  <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="Ross">
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
        <ANNOTATION_VALUE>Happy </ANNOTATION_VALUE>
      </ALIGNABLE_ANNOTATION>
    </ANNOTATION>
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
        <ANNOTATION_VALUE>sadness</ANNOTATION_VALUE>
      </ALIGNABLE_ANNOTATION>
    </ANNOTATION>
  </TIER>
  <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="Speech">
    <ANNOTATION>
      <ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts4">
        <ANNOTATION_VALUE>We were on a break.</ANNOTATION_VALUE>
      </ALIGNABLE_ANNOTATION>
    </ANNOTATION>
  </TIER>
  <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def segment(emotion: str, start: float, end: float, person: str, track: int, score: float | None = 0.5) -> Segment:
    return Segment(start, end, emotion, person, track, score, (1.0, 2.0, 3.0, 4.0), "")


def document() -> Result:
    segments = [
        segment("happiness", 0.1234, 1.5, "Ross, jr.", 0, score=0.75),
        segment("neutral", 2, 3, UNASSIGNED, 4),
        segment("contempt", 2, 3, UNASSIGNED, 7),
    ]
    gaps = [segment("not assessable", 1.5, 2, "Ross, jr.", 0, score=None)]
    made = {"fercli": "0", "models": {}, "stages": {}}
    return Result(FACTS, [], None, segments, gaps, made, [], no_details)


@pytest.mark.parametrize(("exporter", "name"), [("json", "a.json"), ("records", "records.json"), ("csv", "a.CSV")])
def test_every_export_is_read_back(exporter: str, name: str, tmp_path: Path) -> None:
    FORMATS[exporter].write(document(), tmp_path / name)
    assert read_labels(tmp_path / name) == [
        Label(123, 1500, "happiness", "Ross, jr.", 0.75),
        Label(2000, 3000, "neutral", "Unassigned, track 4", 0.5),
        Label(2000, 3000, "contempt", "Unassigned, track 7", 0.5),
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.records.json"])
def test_corrections_in_an_export_are_counted(name: str, tmp_path: Path) -> None:
    exporter = FORMATS[{"a.csv": "csv", "a.json": "json", "a.records.json": "records"}[name]]
    made = document()
    first, *others = made.segments
    corrected = replace(first, person="Ross\u2028human", source="human")
    exporter.write(replace(made, segments=[corrected, *others]), tmp_path / name)
    assert count_human(tmp_path / name) == 1
    exporter.write(made, tmp_path / name)
    assert count_human(tmp_path / name) == 0


def test_other_kinds_of_files_do_not_say_whose_a_segment_is(tmp_path: Path) -> None:
    assert count_human(write(tmp_path / "truth.eaf", EAF)) == 0


def test_an_export_without_segments_has_no_spans(tmp_path: Path) -> None:
    FORMATS["records"].write(Result({}, [], None, [], [], {}, [], no_details), tmp_path / "a.json")
    assert read_labels(tmp_path / "a.json") == []


@pytest.mark.parametrize(
    "header",
    [
        "start,end,class,object",
        "seconds,end,label,person",
        " Start , END,Emotion,Object",
        "\ufeffstart,end,class,object",
    ],
)
def test_columns_have_several_names(header: str, tmp_path: Path) -> None:
    path = write(tmp_path / "truth.csv", f"{header}\n0,1.5,happy,Ross\n1.5,2,FEARFUL,Ross\n")
    assert read_truth(path) == [Label(0, 1500, "happiness", "Ross"), Label(1500, 2000, "fear", "Ross")]


def test_columns_stand_in_any_order_and_persons_may_be_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "truth.csv", "note,class,end,start\nloud,sad,2,1\n\n,not assessable,9,2\n")
    assert read_truth(path) == [Label(1000, 2000, "sadness", "")]


def test_elan_tiers_are_persons_and_tiers_without_emotions_are_passed_over(tmp_path: Path) -> None:
    spans = read_truth(write(tmp_path / "truth.eaf", EAF))
    assert spans == [Label(0, 1250, "happiness", "Ross"), Label(1250, 2000, "sadness", "Ross")]


def test_a_word_that_is_no_emotion_in_a_tier_of_emotions_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "truth.eaf", EAF.replace("sadness", "melancholy"))
    with fails(DatasetError, "emotion-unknown", "Ross", "'melancholy'") as caught:
        read_truth(path)
    assert "happy" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "begin,stop,class\n0,1,happy\n", r"t\.csv:1: no column start, end"),
        ("t.csv", "", r"t\.csv:1: no column start, end, class"),
        ("t.csv", "start,end,class\n0,1,happy\n1,2,bored\n", r"t\.csv:3: 'bored' is not an emotion"),
        ("t.csv", "start,end,class\n0,1\n", r"t\.csv:2: None is not an emotion"),
        ("t.csv", "start,end,class\n0,0:75,happy\n", r"t\.csv:2: end is '0:75', expected seconds"),
        ("t.csv", "start,end,class\nnan,1,happy\n", r"t\.csv:2: start is 'nan', expected seconds"),
        ("t.csv", "start,end,class\n2,1,happy\n", r"t\.csv:2: ends at 1 s but starts at 2 s"),
        ("t.csv", "start,end,class\n1,1,happy\n", r"t\.csv:2: ends at 1 s but starts at 1 s"),
        ("t.csv", "start,end,class\n", r"t\.csv has no labels"),
        ("t.eaf", "<ANNOTATION_DOCUMENT>", r"cannot read .*t\.eaf: no element found"),
        ("t.eaf", "<html/>", r"t\.eaf is not an ELAN file: its root is <html>"),
        ("t.eaf", "<ANNOTATION_DOCUMENT/>", r"t\.eaf has no labels"),
        ("t.json", "{", r"cannot read .*t\.json: Expecting property name"),
        ("t.json", '{"segments": []}', r"t\.json is not an annotation of fercli"),
        ("t.json", '{"format": "fercli-annotations"}', r"t\.json is not an annotation of fercli"),
        ("t.json", "[3]", r"t\.json: segment 1 is not a record"),
        ("t.json", '[{"class": "happy", "seconds": 1, "end": "x"}]', r"t\.json: segment 1: end is 'x'"),
        ("t.json", '[{"type": "emotion", "class": "happy"}]', r"t\.json: segment 1: start is None"),
        ("t.csv", "sep=;\nbegin;end;class\n0;1;happy\n", r"t\.csv:2: no column start"),
        ("t.csv", "sep=;\nstart;end;class\n0;1;bored\n", r"t\.csv:3: 'bored' is not an emotion"),
        ("t.json", "[" * 100_000, r"cannot read .*t\.json"),
        ("t.txt", "", r"cannot read labels from .*t\.txt"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(name: str, text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=message) as caught:
        read_truth(write(tmp_path / name, text))
    assert caught.value.hint


def test_missing_and_binary_files_are_refused(tmp_path: Path) -> None:
    for name in ("none.csv", "none.eaf", "none.json"):
        with pytest.raises(DatasetError, match=rf"there is no file .*{name}"):
            read_labels(tmp_path / name)
        (tmp_path / name).write_bytes(bytes(range(256)))
        with pytest.raises(DatasetError, match=rf"cannot read .*{name}"):
            read_labels(tmp_path / name)


def test_one_person_cannot_have_two_emotions_at_once(tmp_path: Path) -> None:
    rows = "start,end,class,object\n0,9,happy,Ross\n1,2,happy,Ross\n0,9,sad,Rachel\n4,5,sad,Ross\n"
    with fails(DatasetError, "labels-contradict", "Ross", "happiness", "sadness", "4"):
        read_truth(write(tmp_path / "truth.csv", rows))


def test_labels_may_touch_and_differ_between_persons(tmp_path: Path) -> None:
    rows = "start,end,class,object\n5,9,sad,Ross\n0,5.0001,happy,Ross\n0,9,sad,Rachel\n"
    assert len(read_truth(write(tmp_path / "truth.csv", rows))) == 3


def test_an_annotation_may_overlap(tmp_path: Path) -> None:
    rows = [{"class": "happy", "seconds": 0, "end": 2}, {"class": "sad", "seconds": 1, "end": 3}]
    path = write(tmp_path / "a.json", json.dumps(rows))
    assert [span.emotion for span in read_labels(path)] == ["happiness", "sadness"]


@pytest.mark.parametrize(
    ("name", "word"), [("t.eaf", "ELAN"), ("t.TextGrid", "Praat"), ("t.json", "record"), ("t.csv", "columns")]
)
def test_hints_are_about_the_format_that_was_given(tmp_path: Path, name: str, word: str) -> None:
    clicks = '"TextTier"\n"clicks"\n0\n9\n1\n5\n"x"\n'
    empty_grid = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n9\n<exists>\n1\n{clicks}'
    texts = {"t.eaf": "<ANNOTATION_DOCUMENT/>", "t.TextGrid": empty_grid, "t.json": "[]", "t.csv": "start,end,class\n"}
    with pytest.raises(DatasetError, match="has no labels") as caught:
        read_truth(write(tmp_path / name, texts[name]))
    assert word in caught.value.hint


def test_records_of_the_same_person_at_the_same_time_are_refused(tmp_path: Path) -> None:
    records = [{"class": name, "seconds": 1, "object": "Ross"} for name in ("happy", "sad")]
    with fails(DatasetError, "labels-contradict", "Ross", "happiness", "sadness", "1"):
        read_truth(write(tmp_path / "t.json", json.dumps(records)))
