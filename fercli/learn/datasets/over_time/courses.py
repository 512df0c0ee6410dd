"""Sets with onset, apex and offset of one expression a clip: CASME II, SAMM, SMIC, CK+ and MMI.

A clip begins with its first picture, at 0 s. `video` is the path of its folder or video below that of the pictures,
such as `sub01/EP02_01f`, so that clips of one name are told apart. Layouts and codes are those of the readers of the
same sets for stills (`casme2`, `ckplus`, `mmi`), and for SAMM and SMIC of public loaders:

    SAMM_Micro_FACS_Codes_v2.xlsx (or .csv): below some lines of notes Subject, Filename, Onset Frame, Apex Frame,
        Offset Frame, Estimated Emotion; frames 006/006_1_2/006_05562.jpg, 200 a second (Davison et al. 2018)
    SMIC .../HS/s1/micro/negative/s1_ne_01/image0001.bmp, 100 a second; a clip is the whole expression, and has no apex
        (Li et al. 2013)

All need agreements, so this was only tested on synthetic files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS_8, canonical
from fercli.learn.datasets import casme2, ckplus, mmi
from fercli.learn.datasets.folder import find_folder, folders, pictures, visible
from fercli.learn.datasets.over_time.recordings import Course, Recording, Recordings, Unusable, attempt, recordings
from fercli.learn.datasets.samples import LeftOut, Problem

_Item = Recording | Problem | LeftOut
NUMBER = re.compile(r"(\d+)$")
CASME2_FPS, SAMM_FPS, SMIC_FPS, CKPLUS_FPS, MMI_FPS = 200.0, 200.0, 100.0, 30.0, 25.0
SAMM_COLUMNS = ("Subject", "Filename", "Onset Frame", "Apex Frame", "Offset Frame", "Estimated Emotion")
SAMM_EXPECTED = "expected ROOT/SAMM_Micro_FACS_Codes_v2.xlsx (or .csv) and ROOT/.../006/006_1_2/006_05562.jpg"
SMIC_CLASSES = ("negative", "positive", "surprise")
SMIC_EXPECTED = "expected ROOT/HS/s1/micro/negative/s1_ne_01/ with pictures"
CKPLUS_EXPECTED = ckplus.EXPECTED
MMI_EXPECTED = "expected ROOT/Sessions/1841/ with session.xml, S035-004.xml and S035-004-oao_aucs.xml"


def read_casme2(root: Path) -> Recordings:
    """Read CASME II; raises DatasetError or MissingDependency as `casme2.read`."""
    base = find_folder(root, lambda folder: bool(casme2._sheets(folder)))
    if base is None:
        raise DatasetError(f"no CASME II under {root}", hint=casme2.EXPECTED, code="dataset-not-found")
    sheet, frames = casme2._sheets(base)[0], casme2._frames_folder(base)

    def recording(line: int, row: dict[str, object]) -> Recording | LeftOut:
        emotion = str(row["Estimated Emotion"]).strip().lower()
        if emotion in casme2.LEFT_OUT:
            return LeftOut(f"clips of {emotion!r}, which is not an emotion of fercli")
        subject = f"sub{_whole(sheet, line, row['Subject']):02d}"
        folder = frames / subject / str(row["Filename"]).strip()
        cells = [row["OnsetFrame"], row[casme2.APEX], row["OffsetFrame"]]
        return _numbered(sheet, line, folder, f"{subject}/{folder.name}", subject, emotion, cells, CASME2_FPS)

    found = _rows(sheet, casme2._rows(sheet), recording)
    return recordings("casme2", casme2.TERMS, found, casme2.EXPECTED, classes=casme2.CLASSES)


def read_samm(root: Path) -> Recordings:
    """Read SAMM; raises DatasetError if it is not under `root`, MissingDependency without openpyxl for the sheet."""
    base = find_folder(root, lambda folder: any(path.name.startswith("SAMM_Micro_FACS") for path in visible(folder)))
    if base is None:
        raise DatasetError(f"no SAMM under {root}", hint=SAMM_EXPECTED, code="dataset-not-found")
    sheets = [path for path in visible(base) if path.name.startswith("SAMM_Micro_FACS")]
    sheet = min(sheets, key=lambda path: path.suffix.lower() != ".csv")
    clips = {path.name: path for path in base.glob("**/[0-9][0-9][0-9]/[0-9][0-9][0-9]_*_*") if path.is_dir()}

    def recording(line: int, row: dict[str, object]) -> Recording | LeftOut:
        emotion = str(row["Estimated Emotion"]).strip().lower()
        if canonical(emotion) is None:
            return LeftOut(f"clips of {emotion!r}, which is not an emotion of fercli")
        subject, name = f"{_whole(sheet, line, row['Subject']):03d}", str(row["Filename"]).strip()
        if name not in clips:
            raise Unusable(sheet, line, f"no folder {subject}/{name}")
        cells = [row["Onset Frame"], row["Apex Frame"], row["Offset Frame"]]
        return _numbered(sheet, line, clips[name], f"{subject}/{name}", subject, emotion, cells, SAMM_FPS)

    found = _rows(sheet, _samm_rows(sheet), recording)
    terms = "SAMM (Davison et al. 2018; research under an agreement, not redistributable)"
    return recordings("samm", terms, found, SAMM_EXPECTED, classes=EMOTIONS_8)


def _samm_rows(sheet: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """The rows below the one with the names of the columns."""
    lines = casme2._csv_lines(sheet) if sheet.suffix.lower() == ".csv" else casme2._xlsx_lines(sheet)
    names: list[str] = []
    for line, cells in lines:
        texts = [str(cell or "").strip() for cell in cells]
        if names and any(texts):
            yield line, dict(zip(names, cells, strict=False))
        elif set(SAMM_COLUMNS) <= set(texts):
            names = texts
    if not names:
        raise DatasetError(f"{sheet} has no row with {', '.join(SAMM_COLUMNS)}", hint=SAMM_EXPECTED)


def read_smic(root: Path) -> Recordings:
    """Read the high-speed part of SMIC; raises DatasetError if it is not under `root`."""
    base = find_folder(root, lambda folder: folder.name == "HS") or root
    found: list[_Item] = []
    for subject in folders(base):
        for label in SMIC_CLASSES:
            for clip in sorted(path for path in subject.glob(f"**/{label}/*") if path.is_dir()):
                frames = pictures(clip)
                if not frames:
                    found.append(Problem(str(clip), 0, "no pictures in the folder"))
                    continue
                course = Course(0.0, None, len(frames) / SMIC_FPS)
                found.append(
                    _recording(f"{subject.name}/{clip.name}", subject.name, label, course, len(frames), SMIC_FPS)
                )
    terms = "SMIC (Li et al. 2013; research under an agreement, not redistributable)"
    notes = ("SMIC has no apex: its clips have a class and no intensity",)
    return recordings("smic", terms, found, SMIC_EXPECTED, notes=notes, classes=SMIC_CLASSES)


def read_ckplus(root: Path) -> Recordings:
    """Read the sequences of CK+ that have a label, from neutral to the apex; raises DatasetError if there are none."""
    images = find_folder(root, lambda folder: folder.name == "cohn-kanade-images")
    labels = find_folder(root, lambda folder: folder.name == "Emotion")
    if images is None or labels is None:
        raise DatasetError(f"no sequences of CK+ under {root}", hint=CKPLUS_EXPECTED, code="dataset-not-found")

    def recording(file: Path) -> Recording:
        subject, number = file.parts[-3:-1]
        try:
            label = ckplus._label(file)
            frames = ckplus._until_peak(images / subject / number, file.name.removesuffix("_emotion.txt"))
        except (OSError, ValueError, DatasetError) as error:
            raise Unusable(file, 1, str(error)) from error
        apex = (len(frames) - 1) / CKPLUS_FPS
        course = Course(0.0, apex, apex)
        return _recording(f"{subject}_{number}", subject, label, course, len(frames), CKPLUS_FPS)

    files = sorted(labels.glob("S*/*/S*_emotion.txt"))
    found = [attempt(lambda file=file: recording(file)) for file in files]  # type: ignore[misc]
    return recordings("ckplus", ckplus.TERMS, found, CKPLUS_EXPECTED, classes=EMOTIONS_8)


def read_mmi(root: Path) -> Recordings:
    """Read the recordings of MMI with a coded apex; raises DatasetError if there are none."""
    sessions = find_folder(root, lambda folder: any((one / "session.xml").is_file() for one in folders(folder)))
    files = [path for one in folders(sessions) for path in visible(one)] if sessions else []
    files = [path for path in files if mmi.RECORDING.fullmatch(path.name)]
    found = [attempt(lambda file=file: _mmi(file)) for file in files]  # type: ignore[misc]
    return recordings("mmi", mmi.TERMS, found, MMI_EXPECTED, classes=tuple(mmi.CODES.values()))


def _mmi(file: Path) -> Recording | LeftOut:
    coding = file.with_name(f"{file.stem}-oao_aucs.xml")
    try:
        tags = {tag.get("Name"): tag.get("Value") for tag in mmi._parse(file).iter("Metatag")}
        if tags.get("Emotion") not in mmi.CODES or not coding.is_file():
            return LeftOut("recordings without an emotion or without coded action units")
        markers = [(int(one.get("Frame", "")), one.get("Type", "")) for one in mmi._parse(coding).iter("Marker")]
        count = max(frame for frame, _ in markers)
        apex = mmi._apex(coding, count)
    except mmi._Unusable as error:
        raise Unusable(Path(error.problem.file), error.problem.line, error.problem.reason) from error
    except ValueError as error:
        raise Unusable(coding, 0, f"its markers have no frames: {error}") from error
    if apex is None:
        return LeftOut("recordings without an apex")
    moving = [frame for frame, kind in markers if kind in ("1", "2", "3")]
    ends = [frame for frame, kind in markers if kind == "0" and frame > apex.stop]
    edges = (min(moving) - 1, (apex.start + apex.stop - 1) // 2, (max(ends) if ends else count) - 1)
    course = Course(*(edge / MMI_FPS for edge in edges))
    emotion = mmi.CODES[tags["Emotion"] or ""]
    return _recording(file.stem, file.name[:4], emotion, course, count, MMI_FPS)


def _numbered(
    sheet: Path, line: int, folder: Path, name: str, person: str, emotion: str, cells: Sequence[object], fps: float
) -> Recording:
    """A clip whose onset, apex and offset are numbers in the names of its pictures."""
    numbers = (
        sorted(int(found[1]) for frame in pictures(folder) if (found := NUMBER.search(frame.stem)))
        if (folder.is_dir())
        else []
    )
    if not numbers:
        raise Unusable(sheet, line, f"no pictures in {folder}")
    onset, offset = _whole(sheet, line, cells[0]), _whole(sheet, line, cells[2])
    known = str(cells[1]).strip() not in casme2.NO_APEX
    apex = _whole(sheet, line, cells[1]) if known else None
    if not onset <= (onset if apex is None else apex) <= offset:
        raise Unusable(sheet, line, f"onset {onset}, apex {apex}, offset {offset} are not in order")
    label = canonical(emotion)
    if label is None:
        raise Unusable(sheet, line, f"the emotion is {emotion!r}")
    edges = [None if edge is None else (edge - numbers[0]) / fps for edge in (onset, apex, offset)]
    course = Course(float(edges[0] or 0.0), edges[1], float(edges[2] or 0.0))
    return _recording(name, person, label, course, numbers[-1] - numbers[0] + 1, fps)


def _recording(video: str, person: str, label: str, course: Course, count: int, fps: float) -> Recording:
    times = np.arange(count) / fps
    inside = (times >= course.onset_s - 1e-9) & (times <= course.offset_s + 1e-9)
    return Recording(video, person, times, {}, np.where(inside, label, ""), course=course)


def _rows(sheet: Path, rows: Iterator[tuple[int, dict[str, object]]], recording: object) -> Iterator[_Item]:
    for line, row in rows:
        yield attempt(lambda line=line, row=row: recording(line, row))  # type: ignore[misc, operator]


def _whole(sheet: Path, line: int, cell: object) -> int:
    try:
        number = float(str(cell))
    except ValueError:
        number = 0.5
    if not number.is_integer():
        raise Unusable(sheet, line, f"{cell!r} is not a whole number")
    return int(number)
