"""Files as other programs save them, and what is said of those that cannot be used. CSV, EAF and JSON of fercli are
read in tests/learn/evaluation/test_truth.py too."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import parselmouth
import pytest
from parselmouth.praat import call
from pympi.Elan import Eaf

from fercli.errors import DatasetError
from fercli.formats import READERS
from fercli.formats.annotations import Label
from fercli.formats.ratings import read_ratings
from fercli.formats.reading import read_annotations
from fercli.importers.corrections import import_file
from fercli.learn.evaluation.person_truth import read_person_truth
from fercli.learn.evaluation.truth import read_labels, read_truth
from tests.importers.films import by_hand, export, film, plain

SHORT_TEXTGRID = '''File type = "ooTextFile"
Object class = "TextGrid"

0
10
<exists>
3
"IntervalTier"
"Zoë ""Z"""
0
10
3
0
2.5
"happy"
2.5
4
""
4
10
" Sad "
"TextTier"
"clicks"
0
10
1
5
"happy"
"IntervalTier"
"words"
0
10
1
0
10
"we were on a break"
'''
"""The short text form, as Praat saves it."""


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_praats_short_form_and_both_its_encodings(tmp_path: Path, encoding: str) -> None:
    read = read_annotations(write(tmp_path / "a.TextGrid", SHORT_TEXTGRID, encoding))
    assert plain(read.marks) == [('Zoë "Z"', "happy", 0, 2500), ('Zoë "Z"', "sad", 4000, 10000)]
    assert (read.has_gaps, read.media, read.sha256) == (False, (), "")


def praats_grid(*tiers: tuple[str, str]) -> parselmouth.TextGrid:
    """Nine seconds with a label from 1.25 to 2.5 s in each tier."""
    grid = parselmouth.TextGrid(0.0, 9.0, [str(number) for number in range(len(tiers))])
    for number, (name, label) in enumerate(tiers, start=1):
        call(grid, "Set tier name", number, name)
        for time_s in (1.25, 2.5):
            call(grid, "Insert boundary", number, time_s)
        call(grid, "Set interval text", number, 2, label)
    return grid


@pytest.mark.parametrize("form", ["text", "short text"])
def test_a_textgrid_that_praat_saved(tmp_path: Path, form: str) -> None:
    grid = praats_grid(("Ross", "angry"), ("Ross (2)", "calm"), ('Zoë "Z" (2)', "scared"))
    call(grid, f"Save as {form} file", str(tmp_path / "b.textgrid"))
    read = read_annotations(tmp_path / "b.textgrid")
    assert plain(read.marks) == [
        ("Ross", "angry", 1250, 2500),
        ("Ross", "neutral", 1250, 2500),
        ('Zoë "Z" (2)', "afraid", 1250, 2500),
    ]
    assert [mark.tier for mark in read.marks] == ["Ross", "Ross (2)", 'Zoë "Z" (2)']


def test_praats_binary_form_is_to_be_saved_as_text(tmp_path: Path) -> None:
    call(praats_grid(("Zoë", "angry")), "Save as binary file", str(tmp_path / "a.TextGrid"))
    with pytest.raises(DatasetError, match=r"cannot read .*a\.TextGrid: it is not text in UTF-8 or UTF-16") as caught:
        read_annotations(tmp_path / "a.TextGrid")
    assert "as text" in caught.value.hint


def test_two_tiers_of_one_name_are_refused(tmp_path: Path) -> None:
    call(praats_grid(("Ross", "angry"), ("Ross", "calm")), "Save as text file", str(tmp_path / "a.TextGrid"))
    with pytest.raises(DatasetError, match=r"a\.TextGrid has two tiers with the same name") as caught:
        read_annotations(tmp_path / "a.TextGrid")
    assert caught.value.hint


def test_a_textgrid_is_truth_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.TextGrid", SHORT_TEXTGRID)
    assert read_labels(path)[0] == Label(0, 2500, "happiness", 'Zoë "Z"')


def test_an_unknown_word_in_a_tier_of_emotions_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.TextGrid", SHORT_TEXTGRID.replace(" Sad ", "bored"))
    with pytest.raises(
        DatasetError, match=r"a\.TextGrid: tier Zoë \"Z\", label 2: 'bored' is not an emotion, from 4 to 10 s"
    ):
        read_annotations(path)


@pytest.mark.parametrize("text", ["", "hello", SHORT_TEXTGRID[:150], '{"tiers": []}'])
def test_what_is_no_textgrid_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DatasetError, match=r"cannot read .*a\.TextGrid: .+"):
        read_annotations(write(tmp_path / "a.TextGrid", text))


@pytest.mark.parametrize("suffix", READERS)
def test_missing_files_are_named(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(DatasetError, match=rf"there is no file .*none\{suffix}$"):
        read_annotations(tmp_path / f"none{suffix}")


def test_other_suffixes_name_those_that_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"cannot read labels from .*a\.docx") as caught:
        read_annotations(write(tmp_path / "a.docx", ""))
    assert all(suffix in caught.value.hint for suffix in READERS)


def test_elan_tiers_by_pympi_with_more_of_a_person_and_other_tiers(tmp_path: Path) -> None:
    eaf = Eaf(author="somebody")
    eaf.add_linked_file("file:///media/ep 1.mp4", "./ep 1.mp4", "video/mp4")
    for tier, participant, value in (
        ("Ross", "Ross", "happy"),
        ("Ross (2)", "Ross", "sad"),
        ("Ben (2)", "", "not assessable"),
        ("speech", "Ross", "hello"),
    ):
        eaf.add_tier(tier, part=participant)
        eaf.add_annotation(tier, 1000, 2000, value)
    eaf.to_file(str(tmp_path / "a.eaf"))
    read = read_annotations(tmp_path / "a.eaf")
    assert plain(read.marks) == [
        ("Ben (2)", "not assessable", 1000, 2000),
        ("Ross", "happy", 1000, 2000),
        ("Ross", "sad", 1000, 2000),
    ]
    assert (read.media, read.sha256, read.has_gaps) == (("ep 1.mp4",), "", True)


def test_an_elan_tier_with_emotions_and_a_typo_is_an_error(tmp_path: Path) -> None:
    path = export(film(tmp_path / "w"), "eaf", tmp_path)
    text = path.read_text(encoding="utf-8").replace(">neutral</ANNOTATION_VALUE>", ">neutrall</ANNOTATION_VALUE>")
    with pytest.raises(DatasetError, match=r"tier Person 2, annotation a\d: 'neutrall' is not an emotion"):
        read_annotations(write(path, text))


def test_elan_tiers_without_an_emotion_are_passed_over_and_said_so(tmp_path: Path) -> None:
    eaf = Eaf(str(export(film(tmp_path / "w"), "eaf", tmp_path)))
    for tier in ("notes", "sounds"):
        eaf.add_tier(tier, ling="emotion")
        eaf.add_annotation(tier, 1000, 2000, "he coughs")
    eaf.to_file(str(tmp_path / "b.eaf"))
    read = read_annotations(tmp_path / "b.eaf")
    assert {mark.person for mark in read.marks} == {"Person 1", "Person 2"}
    assert read.notes == (f"{tmp_path / 'b.eaf'}: no emotions in tiers notes, sounds: skipped",)


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    record = '{"class": "happy", "seconds": 1, "end": 2, "object": "Ross"}'
    for name, text in (
        ("a.json", f"[{record}]"),
        ("a.jsonl", record),
        ("a.csv", "start,end,class,object\n1,2,joy,Ross"),
    ):
        read = read_annotations(write(tmp_path / name, text, "utf-8-sig"))
        assert plain(read.marks) == [("Ross", "happy", 1000, 2000)]


def test_the_examples_of_the_manual_can_be_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "truth.md").read_text(encoding="utf-8")
    (labels, ratings), (record, persons) = (
        re.findall(f"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("text", "json")
    )
    assert len(read_truth(write(tmp_path / "a.jsonl", record))) == 1
    assert [(span.person, span.end_ms) for span in read_truth(write(tmp_path / "a.csv", labels))] == [
        ("Ross", 4200),
        ("Ross", 6500),
        ("Rachel", 12000),
    ]
    rated = read_ratings(write(tmp_path / "ratings.csv", ratings))
    assert {(one.name, one.person): one.values.tolist() for one in rated} == {
        ("valence", "Ross"): [-0.25, -0.3],
        ("arousal", "Ross"): [0.1, 0.15],
    }
    shots = read_person_truth(write(tmp_path / "a.json", persons))
    assert [(shot.person, [face.person for face in shot.faces]) for shot in shots] == [
        ("Ross", []),
        ("", ["Ross", "Rachel"]),
        ("", []),
    ]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_spreadsheet_where_commas_are_decimal(tmp_path: Path, separator: str) -> None:
    lines = ["object;class;seconds;end;score", '"Zoë; Z";happy;0,852;1,5;0,25', "Ross;sad;2.5;3;", ";;;;"]
    text = "\r\n".join(lines).replace("; Z", "\0").replace(";", separator).replace("\0", "; Z")
    read = read_annotations(write(tmp_path / "a.csv", text, "utf-8-sig"))
    assert plain(read.marks) == [("Ross", "sad", 2500, 3000), ("Zoë; Z", "happy", 852, 1500)]
    assert [mark.score for mark in read.marks] == [0.25, 1.0]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_a_spreadsheet_in_another_encoding_is_to_be_saved_as_utf_8(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "a.csv", "start,end,class,object\n1,2,joy,Zoë\n", encoding)
    with pytest.raises(DatasetError, match=r"cannot read .*a\.csv: it is not UTF-8") as caught:
        read_annotations(path)
    assert "CSV UTF-8" in caught.value.hint


def test_a_quote_that_is_never_closed_does_not_swallow_the_rows_after_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'start,end,class,note\n1,2,joy,"so\n2,3,sad,\n')
    with pytest.raises(DatasetError, match=r"cannot read .*a\.csv: unexpected end of data"):
        read_annotations(path)


@pytest.mark.parametrize(
    ("time", "milliseconds"),
    [("0:02.5", 2500), (" 1:02:03.250", 3723250), ("00:00:02", 2000), ("75:30", 4530000), ("0:2.", 2000)],
)
def test_times_may_be_those_of_a_clock(tmp_path: Path, time: str, milliseconds: int) -> None:
    path = write(tmp_path / "a.csv", f"start,end,class\n0:00,{time},joy\n")
    assert plain(read_annotations(path).marks) == [("", "happy", 0, milliseconds)]


@pytest.mark.parametrize(
    ("first", "separator"),
    [("sep=;", ";"), ("SEP=,", ","), ("sep=\t", "\t"), ("sep=|", "|"), ('"sep=;"', ";"), ("\ufeffsep=;;;;", ";")],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_first_line_of_excel_names_the_separator(tmp_path: Path, first: str, separator: str, end: str) -> None:
    rows = [["object", "start", "end", "class"], ["Ross", "0", "0.8", "neutral"], ["Ross", "0.8", "2.6", "sad"]]
    if separator != ",":
        rows = [[cell.replace(".", ",") for cell in row] for row in rows]
    text = end.join([first, *map(separator.join, rows), ""])
    (tmp_path / "a.csv").write_bytes(text.encode())
    read = read_annotations(tmp_path / "a.csv")
    assert plain(read.marks) == [("Ross", "neutral", 0, 800), ("Ross", "sad", 800, 2600)]
    assert [mark.place for mark in read.marks] == [f"{tmp_path / 'a.csv'}:3", f"{tmp_path / 'a.csv'}:4"]


def test_records_without_an_end_are_imported_up_to_the_next_and_the_end_of_the_video(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    times = {"happy": 20, "sad": 22, "angry": 58}
    records = [{"type": "emotion", "class": name, "seconds": time, "object": "Ben"} for name, time in times.items()]
    done = import_file(workspace, write(tmp_path / "a.json", json.dumps(records)))
    assert [row for row in by_hand(workspace) if row[0] == "Ben"] == [
        ("Ben", "angry", 58000, 60000),
        ("Ben", "happy", 20000, 22000),
        ("Ben", "sad", 22000, 26000),
    ]
    assert any("3 labels have no end" in note and "at most 4 s" in note for note in done.notes)


def test_a_pipe_is_no_file_of_labels(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    for path in (tmp_path / "a.csv", Path("/dev/fd/63"), Path("-")):
        with pytest.raises(DatasetError) as caught:
            read_annotations(path)
        assert "copy" in caught.value.hint


def test_clocks_of_spreadsheets_have_decimal_commas_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "start;end;class\n0:01,5;0:02,25;joy\n")
    assert plain(read_annotations(path).marks) == [("", "happy", 1500, 2250)]


@pytest.mark.parametrize("time", ["1e308", "-inf", "nan", "1,5", "", "0:75", "1:75:03", "1:2:3:4", "12:", "0:0x"])
def test_a_time_that_is_no_number_is_named(tmp_path: Path, time: str) -> None:
    path = write(tmp_path / "a.csv", f'start,end,class\n0,"{time}",joy\n')
    with pytest.raises(DatasetError, match=rf"a\.csv:2: end is '{time}', expected seconds"):
        read_annotations(path)


def test_lines_of_json_are_named_by_number(tmp_path: Path) -> None:
    good = '{"class": "happy", "seconds": 1, "end": 2, "object": "Ross"}\n'
    assert (
        plain(read_annotations(write(tmp_path / "a.jsonl", good + "\n" + good)).marks)
        == [("Ross", "happy", 1000, 2000)] * 2
    )
    for bad, message in (
        ("{", "not JSON"),
        ("[]", "is not a record"),
        (good.replace("happy", "bored"), "'bored' is not an emotion"),
        (good.replace("2", '"x"'), "end is 'x', expected seconds"),
    ):
        with pytest.raises(DatasetError, match=rf"a\.jsonl:2:? ?{message}"):
            read_annotations(write(tmp_path / "a.jsonl", good + bad))


# Label Studio


def region(name: str, label: str, start: int, end: int, person: Any = ("Ross",)) -> list[dict[str, Any]]:
    """A region of the timeline as Label Studio exports it, with the text that says whose it is."""
    ranges = [{"start": start, "end": end}]
    common = {"id": name, "to_name": "video", "origin": "manual"}
    emotion = {"ranges": ranges, "timelinelabels": [label]}
    return [
        {**common, "from_name": "emotion", "type": "timelinelabels", "value": emotion},
        {**common, "from_name": "person", "type": "textarea", "value": {"ranges": ranges, "text": person}},
    ]


def task(*regions: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    result = [item for parts in regions for item in parts]
    data = {"video": "/data/upload/1/ab12-ep.mp4", "fps": 25.0, "sha256": "ab" * 32}
    annotation = {"id": 7, "was_cancelled": False, "updated_at": "2026-01-02T00:00:00Z", "result": result}
    return {"id": 1, "data": data, "annotations": [annotation], "predictions": [{"result": []}], **more}


def write_task(path: Path, *tasks: Any) -> Path:
    return write(path, json.dumps(list(tasks)))


def test_frames_of_label_studio_count_from_1_and_both_ends_belong_to_a_region(tmp_path: Path) -> None:
    path = write_task(tmp_path / "ls.json", task(region("a", "happy", 1, 25), region("b", "Sad", 26, 26, "Rachel ")))
    read = read_annotations(path)
    assert plain(read.marks) == [("Rachel", "sad", 1000, 1040), ("Ross", "happy", 0, 1000)]
    assert (read.sha256, read.has_gaps, read.notes) == ("ab" * 32, True, ())


def test_the_annotation_saved_last_counts(tmp_path: Path) -> None:
    older = {"was_cancelled": False, "updated_at": "2026-01-01T00:00:00Z", "result": region("a", "sad", 1, 25)}
    skipped = {"was_cancelled": True, "updated_at": "2026-01-09T00:00:00Z", "result": []}
    both = task(region("a", "happy", 1, 25))
    both["annotations"] += [older, skipped]
    read = read_annotations(write_task(tmp_path / "ls.json", both))
    assert [mark.emotion for mark in read.marks] == ["happiness"]
    assert read.notes == (f"{tmp_path / 'ls.json'} has 2 annotations: the one saved last is used",)


def test_a_saved_task_is_imported_as_it_was_corrected(tmp_path: Path) -> None:
    workspace = film(tmp_path / "w")
    path = export(workspace, "label-studio", tmp_path)
    (content,) = json.loads(path.read_text(encoding="utf-8"))
    result = content["predictions"][0]["result"]
    angry = next(item for item in result if item["value"].get("timelinelabels") == ["angry"])
    angry["value"]["timelinelabels"] = ["disgusted"]
    # 0.2 s shorter; the text beside a region keeps the range it was made with
    angry["value"]["ranges"][0]["end"] -= 5
    content["annotations"] = [{"id": 1, "was_cancelled": False, "updated_at": "2026", "result": result}]
    done = import_file(workspace, write_task(path, content))
    assert (done.changed, done.added, done.deleted) == (1, 0, 0)
    assert by_hand(workspace) == [("Person 1", "disgusted", 8000, 9800)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([task(), task()], "has 2 tasks"),
        ([task(annotations=[], predictions=[])], "has no annotation"),
        ([task(data={"video": "ep.mp4"})], "the task has no fps"),
        ([task(region("abc", "bored", 1, 2))], "region abc: 'bored' is not an emotion"),
        ([task(region("abc", "happy", 5, 3))], "region abc: ends at 0.12 s but starts at 0.16 s"),
        ([task([{"type": "timelinelabels", "id": "abc", "value": {}}])], "does not have the layout of Label Studio"),
        (
            [task([{"type": "timelinelabels", "id": "x", "value": {"timelinelabels": ["sad", "happy"]}}])],
            "region x has 2 labels: sad, happy",
        ),
    ],
)
def test_tasks_that_cannot_be_used_are_refused(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read_annotations(write(tmp_path / "ls.json", json.dumps(content)))
    assert message in caught.value.message and caught.value.hint


def test_the_short_forms_of_label_studio_do_not_say_whose_a_label_is(tmp_path: Path) -> None:
    spans = [{"ranges": [{"start": first, "end": first + 9}], "timelinelabels": ["sad"]} for first in (1, 11)]
    saved = {"id": 1, "annotator": 1, "annotation_id": 7, "created_at": "2026", "updated_at": "2026", "lead_time": 4.2}
    task = {"video": "ep.mp4", "fps": 25.0, "emotion": spans, "person": ["Ross", "Rachel"], **saved}
    line = ",".join(task)
    for path in (
        write(tmp_path / "min.json", json.dumps([task])),
        write(tmp_path / "ls.csv", f'{line}\nep.mp4,25.0,"[]","[]",1,1,7,2026,2026,4.2\n'),
    ):
        with pytest.raises(DatasetError, match=rf"{path.name} does not name the persons of labels") as caught:
            read_annotations(path)
        assert "Export > JSON" in caught.value.hint and "JSON-MIN" in caught.value.hint
