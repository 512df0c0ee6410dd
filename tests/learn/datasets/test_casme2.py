"""CASME II, invented; the reader never opens a picture, so empty files do."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fercli.errors import DatasetError, MissingDependency
from fercli.learn.datasets.casme2 import read
from fercli.learn.datasets.pack import pack
from fercli.learn.datasets.samples import Problem, Sample
from tests.failing import fails

HEADER = ["Subject", "Filename", "", "OnsetFrame", "ApexFrame", "OffsetFrame", "", "Action Units", "Estimated Emotion"]


def row(
    subject: object = 1,
    filename: str = "EP02_01f",
    onset: object = 46,
    offset: object = 48,
    emotion: str = "happiness",
    apex: object = "/",
) -> list[object]:
    return [subject, filename, "", onset, apex, offset, "", "6+12", emotion]


def write_csv(root: Path, *rows: list[object], header: list[str] = HEADER) -> Path:
    root.mkdir(exist_ok=True)
    path = root / "CASME2-coding-20140508.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def write_xlsx(root: Path, *rows: list[object]) -> Path:
    openpyxl: Any = pytest.importorskip("openpyxl")
    path = root / "CASME2-coding-20140508.xlsx"
    workbook = openpyxl.Workbook()
    for cells in ([cell or None for cell in HEADER], *rows):
        workbook.active.append(cells)
    workbook.save(path)
    return path


def make_clip(root: Path, folder: str, numbers: range, prefix: str = "reg_img") -> tuple[Path, ...]:
    clip = root / folder
    clip.mkdir(parents=True)
    frames = tuple(clip / f"{prefix}{number}.jpg" for number in numbers)
    for frame in frames:
        frame.touch()
    return frames


def test_a_clip_is_the_frames_from_onset_to_offset(tmp_path: Path) -> None:
    frames = make_clip(tmp_path, "Cropped/sub01/EP02_01f", range(8, 13))
    write_csv(tmp_path, row(onset=9, offset=11))
    found = read(tmp_path)
    assert found.samples == (Sample(frames[1:4], "happiness", subject="01"),)  # img9, img10, img11
    assert found.classes == ("disgust", "fear", "happiness", "sadness", "surprise")
    assert (found.name, found.problems) == ("casme2", ())
    assert found.notes == ("1 clips have no apex in CASME2-coding-20140508.csv: their frames are evenly spaced",)


def test_the_apex_is_known_and_kept(tmp_path: Path) -> None:
    frames = []
    for number in range(1, 41):
        path = tmp_path / "Cropped" / "sub01" / "EP02_01f" / f"reg_img{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((60, 60), 5 * number, np.uint8))
        frames.append(path)
    write_csv(tmp_path, row(onset=4, apex=31, offset=40), row(subject=1, onset=4, apex=4, offset=40))
    found = read(tmp_path)
    assert [sample.frames for sample in found.samples] == [tuple(frames[3:])] * 2
    assert [sample.apex for sample in found.samples] == [27, 0]
    assert found.notes == ()
    packed = pack(found, face_scale=1.0).part("all")
    shown = [[round(int(image[0, 0]) / 5) for image in clip] for clip in packed.images]
    assert sorted(shown) == [[4, 16, 28, 40], [4, 16, 31, 40]]  # onset, between, apex, offset


@pytest.mark.parametrize("apex", [45, 49])
def test_an_apex_outside_the_clip_is_a_problem(tmp_path: Path, apex: int) -> None:
    make_clip(tmp_path, "Cropped/sub01/EP02_01f", range(40, 60))
    sheet = write_csv(tmp_path, row(apex=apex), row(apex=48))
    found = read(tmp_path)
    assert found.problems == (
        Problem(str(sheet), 2, f"ApexFrame {apex} is not between OnsetFrame 46 and OffsetFrame 48"),
    )
    assert [sample.apex for sample in found.samples] == [2]


def test_repression_and_others_are_left_out(tmp_path: Path) -> None:
    make_clip(tmp_path, "Cropped/sub01/EP02_01f", range(46, 49))
    names = ("repression", "others", "disgust", "Fear", "others", " sadness", "surprise", "happiness")
    write_csv(tmp_path, *(row(emotion=name) for name in names))
    found = read(tmp_path)
    assert [sample.label for sample in found.samples] == ["disgust", "fear", "sadness", "surprise", "happiness"]
    assert found.problems == ()
    assert found.notes[1:] == (
        "left out: 1 clips of 'repression', which is not an emotion of fercli",
        "left out: 2 clips of 'others', which is not an emotion of fercli",
    )


def test_uncropped_frames_serve_where_there_are_no_cropped_ones(tmp_path: Path) -> None:
    raw = make_clip(tmp_path, "CASME2_RAW_selected/CASME2_RAW_selected/sub01/EP02_01f", range(46, 49), "img")
    write_csv(tmp_path, row())
    assert read(tmp_path).samples[0].frames == raw
    cropped = make_clip(tmp_path, "Cropped/sub01/EP02_01f", range(46, 49))
    assert read(tmp_path).samples[0].frames == cropped


def test_subjects_are_numbers_in_any_spelling(tmp_path: Path) -> None:
    for subject in ("05", "17"):
        make_clip(tmp_path, f"Cropped/sub{subject}/EP02_01f", range(46, 49))
    write_csv(tmp_path, row(subject="05"), row(subject="5"), row(subject="17.0"))
    assert [sample.subject for sample in read(tmp_path).samples] == ["05", "05", "17"]


def test_rows_that_cannot_be_used_are_problems_with_their_line(tmp_path: Path) -> None:
    make_clip(tmp_path, "Cropped/sub01/EP02_01f", range(46, 49))
    sheet = write_csv(
        tmp_path,
        row(emotion="boredom"),
        row(onset="/"),
        row(offset=""),
        row(onset=46.5),
        row(onset=48, offset=46),
        row(offset=50),
        row(filename="EP03_02"),
        row(subject="one"),
        ["", "", "", ""],
        row(),
    )
    found = read(tmp_path)
    clips = tmp_path / "Cropped" / "sub01"
    assert found.problems == tuple(
        Problem(str(sheet), line, reason)
        for line, reason in (
            (
                2,
                "Estimated Emotion is 'boredom', expected one of disgust, fear, happiness, sadness, surprise, "
                "repression, others",
            ),
            (3, "OnsetFrame is '/', expected a whole number"),
            (4, "OffsetFrame is '', expected a whole number"),
            (5, "OnsetFrame is '46.5', expected a whole number"),
            (6, "OffsetFrame 46 is before OnsetFrame 48"),
            (7, f"2 of 5 frames are not in {clips / 'EP02_01f'}, the first: img49"),
            (8, f"3 of 3 frames are not in {clips / 'EP03_02'}, the first: img46"),
            (9, "Subject is 'one', expected a whole number"),
        )
    )
    assert len(found.samples) == 1


def test_a_row_that_is_cut_short_is_a_problem(tmp_path: Path) -> None:
    make_clip(tmp_path, "Cropped/sub01/EP02_01f", range(46, 49))
    write_csv(tmp_path, [1, "EP02_01f"])
    (problem,) = read(tmp_path).problems
    assert problem.line == 2 and "Estimated Emotion is ''" in problem.reason


def test_the_spreadsheet_itself(tmp_path: Path) -> None:
    frames = make_clip(tmp_path, "Cropped/sub01/EP02_01f", range(46, 49))
    sheet = write_xlsx(tmp_path, row(), [None] * 9, row(onset="/"), row(emotion="others"))
    found = read(tmp_path)
    assert found.samples == (Sample(frames, "happiness", subject="01"),)
    assert found.problems == (Problem(str(sheet), 4, "OnsetFrame is '/', expected a whole number"),)


def test_a_spreadsheet_that_is_none(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    make_clip(tmp_path, "Cropped/sub01/EP02_01f", range(46, 49))
    sheet = tmp_path / "CASME2-coding-20140508.xlsx"
    sheet.write_text("Subject,Filename")
    with pytest.raises(DatasetError, match=f"cannot read {sheet}"):
        read(tmp_path)


def test_without_openpyxl_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    frames = make_clip(tmp_path, "Cropped/sub01/EP02_01f", range(46, 49))
    (tmp_path / "CASME2-coding-20140508.xlsx").touch()
    with pytest.raises(MissingDependency, match="openpyxl") as caught:
        read(tmp_path)
    assert caught.value.hint.startswith("pip install openpyxl")
    write_csv(tmp_path, row())  # the export beside it needs no package
    assert read(tmp_path).samples[0].frames == frames


def test_sheets_that_lack_columns(tmp_path: Path) -> None:
    make_clip(tmp_path, "Cropped/sub01/EP02_01f", range(46, 49))
    sheet = write_csv(tmp_path, header=["Subject;Filename;OnsetFrame"])
    with pytest.raises(DatasetError, match="expected the columns Subject, Filename") as caught:
        read(tmp_path)
    assert caught.value.message.startswith(f"{sheet}:1:") and "CSV with commas" in caught.value.hint
    sheet.write_text("")
    with pytest.raises(DatasetError, match="is empty"):
        read(tmp_path)
    sheet.write_bytes(b"Subject,\xff\xfe")
    with pytest.raises(DatasetError, match=f"{sheet}:1: .*decode"):
        read(tmp_path)


def test_two_sheets(tmp_path: Path) -> None:
    make_clip(tmp_path, "Cropped/sub01/EP02_01f", range(46, 49))
    sheet = write_csv(tmp_path, row())
    sheet.with_name("CASME2-coding-20190701.csv").write_text("x")
    with fails(DatasetError, "dataset-ambiguous", "20140508.csv", "20190701.csv"):
        read(tmp_path)


def test_a_sheet_without_frames(tmp_path: Path) -> None:
    write_csv(tmp_path, row())
    with pytest.raises(DatasetError, match="no frames") as caught:
        read(tmp_path)
    assert "ROOT/Cropped/sub01/EP02_01f/reg_img46.jpg" in caught.value.hint


def test_roots_where_there_is_no_casme2(tmp_path: Path) -> None:
    make_clip(tmp_path, "Cropped/sub01/EP02_01f", range(46, 49))
    with pytest.raises(DatasetError, match=f"no CASME II under {tmp_path}") as caught:
        read(tmp_path)
    assert "ROOT/CASME2-coding-20140508.xlsx" in caught.value.hint
