"""CASME II: spontaneous micro-expressions of 26 persons, filmed at 200 frames a second.

`CASME2-coding-20140508.xlsx` has one row per clip, with the columns Subject, Filename, OnsetFrame, ApexFrame,
OffsetFrame, Action Units, Estimated Emotion; a CSV export of it, `CASME2-coding-20140508.csv`, is used instead if it
exists. The frames are `Cropped/sub01/EP02_01f/reg_img46.jpg` (registered faces) or, if there is no such folder,
`CASME2_RAW_selected/sub01/EP02_01f/img46.jpg` (head and shoulders). A clip is all frames from onset to offset, and the
kept frames always include the apex. A few rows have `/` for the apex: frames of these clips are kept at even spacing.

The classes `repression` and `others`, more than half of the clips, are left out and counted: they are not emotions of
fercli. The set has no split.

Layout: Yan et al. 2014, "CASME II: An Improved Spontaneous Micro-Expression Database and the Baseline Evaluation",
doi 10.1371/journal.pone.0086041; columns and file names from public code of users of the set. The set needs a signed
licence: this reader was only tested on synthetic files.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from fercli.errors import DatasetError, MissingDependency, reason_of
from fercli.files import require_regular_file
from fercli.labels import canonical
from fercli.learn.datasets.archives import require_unpacked_size
from fercli.learn.datasets.folder import find_folder, listing, pictures, visible
from fercli.learn.datasets.samples import LeftOut, Listing, Problem, Sample

TERMS = "CASME II (Yan et al. 2014; research under a signed licence, images not redistributable)"
CLASSES = ("disgust", "fear", "happiness", "sadness", "surprise")
LEFT_OUT = ("repression", "others")
COLUMNS = ("Subject", "Filename", "OnsetFrame", "OffsetFrame", "Estimated Emotion")
APEX = "ApexFrame"
NO_APEX = ("", "/")
EXPECTED = """expected the sheet and the frames:
  ROOT/CASME2-coding-20140508.xlsx (or .csv)
  ROOT/Cropped/sub01/EP02_01f/reg_img46.jpg or ROOT/CASME2_RAW_selected/sub01/EP02_01f/img46.jpg"""


def read(root: Path) -> Listing:
    """List the clips of CASME II that show an emotion fercli knows.

    Raises:
        DatasetError: no sheet or no frames at `root`, or a sheet that cannot be read.
        MissingDependency: the sheet is a spreadsheet and openpyxl is not installed.
    """
    base = find_folder(root, lambda folder: bool(_sheets(folder)))
    if base is None:
        raise DatasetError(f"no CASME II under {root}: no CASME2-coding sheet", hint=EXPECTED, code="dataset-not-found")
    sheets = _sheets(base)
    if len(sheets) > 1:
        names = ", ".join(sheet.name for sheet in sheets)
        raise DatasetError(
            f"more than one sheet in {base}: {names}", hint="keep only one of them", code="dataset-ambiguous"
        )
    found = list(_read_sheet(sheets[0], _frames_folder(base)))
    unknown = sum(isinstance(item, Sample) and item.apex is None for item in found)
    notes = (f"{unknown} clips have no apex in {sheets[0].name}: their frames are evenly spaced",) if unknown else ()
    return listing("casme2", TERMS, CLASSES, found, notes)


def _sheets(folder: Path) -> list[Path]:
    """The coding sheets in a folder: CSV files if there are any, else spreadsheets."""
    named = [path for path in visible(folder) if path.name.startswith("CASME2-coding")]
    exports = [path for path in named if path.suffix.lower() == ".csv"]
    return exports or [path for path in named if path.suffix.lower() == ".xlsx"]


def _frames_folder(base: Path) -> Path:
    """The folder of the subjects' folders, the cropped faces first."""
    found = {path.parent for depth in ("", "*/", "*/*/") for path in base.glob(f"{depth}sub[0-9][0-9]")}
    if not found:
        raise DatasetError(f"{base} has the sheet of CASME II but no frames", hint=EXPECTED, code="dataset-not-found")
    return min(found, key=lambda folder: ("Cropped" not in str(folder.relative_to(base)), folder))


def _read_sheet(sheet: Path, frames: Path) -> Iterator[Sample | Problem | LeftOut]:
    for line, row in _rows(sheet):
        try:
            yield _read_row(row, frames)
        except ValueError as error:
            yield Problem(str(sheet), line, str(error))


def _read_row(row: dict[str, object], frames: Path) -> Sample | LeftOut:
    """The clip of a row; raises ValueError."""
    emotion = str(row["Estimated Emotion"]).strip().lower()
    if emotion in LEFT_OUT:
        return LeftOut(f"clips of {emotion!r}, which is not an emotion of fercli")
    label = canonical(emotion)
    if label not in CLASSES:
        raise ValueError(f"Estimated Emotion is {emotion!r}, expected one of {', '.join((*CLASSES, *LEFT_OUT))}")
    subject = f"{_whole(row, 'Subject'):02d}"
    onset, offset = _whole(row, "OnsetFrame"), _whole(row, "OffsetFrame")
    if offset < onset:
        raise ValueError(f"OffsetFrame {offset} is before OnsetFrame {onset}")
    apex = None if str(row[APEX]).strip() in NO_APEX else _whole(row, APEX)
    if apex is not None and not onset <= apex <= offset:
        raise ValueError(f"ApexFrame {apex} is not between OnsetFrame {onset} and OffsetFrame {offset}")
    folder = frames / f"sub{subject}" / str(row["Filename"]).strip()
    present = {path.stem.removeprefix("reg_"): path for path in pictures(folder)} if folder.is_dir() else {}
    wanted = [f"img{number}" for number in range(onset, offset + 1)]
    missing = [name for name in wanted if name not in present]
    if missing:
        raise ValueError(f"{len(missing)} of {len(wanted)} frames are not in {folder}, the first: {missing[0]}")
    place = None if apex is None else apex - onset
    return Sample(tuple(present[name] for name in wanted), label, subject=subject, apex=place)


def _whole(row: dict[str, object], column: str) -> int:
    try:
        number = float(str(row[column]))
    except ValueError:
        number = 0.5
    if not number.is_integer():
        raise ValueError(f"{column} is {row[column]!r}, expected a whole number")
    return int(number)


def _rows(sheet: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Line number, from 1, and the known columns of each row that is not empty."""
    lines = _csv_lines(sheet) if sheet.suffix.lower() == ".csv" else _xlsx_lines(sheet)
    names: list[str] = []
    for line, cells in lines:
        if not names:
            names = [str(cell or "").strip() for cell in cells]
            if not set(COLUMNS) <= set(names):
                raise DatasetError(
                    f"{sheet}:{line}: expected the columns {', '.join(COLUMNS)}, found {names}",
                    hint="use the downloaded sheet; an export must be CSV with commas",
                )
        elif any(cell not in (None, "") for cell in cells):
            row = dict(zip(names, cells, strict=False))
            yield line, {column: row.get(column) or "" for column in (*COLUMNS, APEX)}
    if not names:
        raise DatasetError(f"{sheet} is empty", hint=EXPECTED, code="dataset-empty")


def _csv_lines(sheet: Path) -> Iterator[tuple[int, Sequence[object]]]:
    line = 0
    require_regular_file(sheet, DatasetError)
    try:
        with sheet.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            for cells in reader:
                line = reader.line_num
                yield line, cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"{sheet}:{line + 1}: {reason_of(error)}", hint="export the sheet as CSV in UTF-8"
        ) from error


def _xlsx_lines(sheet: Path) -> Iterable[tuple[int, Sequence[object]]]:
    try:
        openpyxl = import_module("openpyxl")
    except ImportError as error:
        raise MissingDependency(
            f"{sheet.name} is a spreadsheet, and to read it needs the package openpyxl",
            hint="pip install openpyxl, or export the sheet as CSV beside it",
        ) from error
    require_unpacked_size(sheet)
    try:
        workbook = openpyxl.load_workbook(sheet, data_only=True)
    except (OSError, BadZipFile, KeyError, ValueError, ParseError) as error:
        raise DatasetError(
            f"cannot read {sheet}: {reason_of(error)}", hint="copy or download the sheet again", code="file-unreadable"
        ) from error
    return enumerate(workbook.worksheets[0].iter_rows(values_only=True), start=1)
