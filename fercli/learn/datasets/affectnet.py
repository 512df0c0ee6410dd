"""AffectNet: faces from the web in eight classes, with valence and arousal (Mollahosseini et al., arXiv 1708.03985).

The manually annotated part of two releases is read:

- of 2017, whole pictures with a box around the face:
    Manually_Annotated_file_lists/{training,validation}.csv     (also at the root; one of them may have no header)
    Manually_Annotated_Images/103/29a3...jpg                    (also below Manually_Annotated/)
- of 2021, pictures of the face only:
    {train_set,val_set}/images/N.jpg
    {train_set,val_set}/annotations/N_{exp,val,aro}.npy         (one value each; N_lnd.npy is not needed)

Pictures marked none, uncertain or no face (expressions 8 to 10) have no class; they are left out and counted, and so is
contempt for `read_7`. The labels of the test part are not public: papers report on `validation`, so its split is test.

The set is available on request (http://mohammadmahoor.com/affectnet/), so this was only tested on a synthetic tree.
Layout: columns, expression numbers and rows without a box as in `src/parse_AffectNet.py` of
https://github.com/JanghoonChoi/VTT_vid_emotion and many others; that validation.csv can lack the header, from loaders
on GitHub that skip a row of training.csv alone; the 2021 release and -2 for unrated from its documentation
(AffectNet8Labels, March 2021) as its users quote it.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from functools import cache
from math import isfinite
from pathlib import Path

from fercli.errors import DatasetError
from fercli.files import require_regular_file
from fercli.labels import EMOTIONS, EMOTIONS_8
from fercli.learn.datasets.archives import read_npy
from fercli.learn.datasets.folder import listing
from fercli.learn.datasets.samples import LeftOut, Listing, Problem, Sample

TERMS = "AffectNet (research only, on request, images not redistributable)"
EXPRESSIONS = {
    "0": "neutral",
    "1": "happiness",
    "2": "sadness",
    "3": "surprise",
    "4": "fear",
    "5": "disgust",
    "6": "anger",
    "7": "contempt",
    "8": "none",
    "9": "uncertain",
    "10": "no face",
}
COLUMNS = [
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
]
UNRATED = -2.0
"""Valence and arousal of a picture that has none."""
LISTS = {"training.csv": "train", "validation.csv": "test"}
SETS = {"train_set": "train", "val_set": "test"}
EXPECTED = """expected AffectNet as it is unpacked, either
  ROOT/Manually_Annotated_file_lists/training.csv, validation.csv and ROOT/Manually_Annotated_Images/
or
  ROOT/train_set/images, ROOT/train_set/annotations and the same below ROOT/val_set"""


def read(root: Path) -> Listing:
    """List AffectNet in eight classes.

    Raises:
        DatasetError: `root` holds neither release, or half of one, or a list that cannot be read.
    """
    return _read(root, EMOTIONS_8)


def read_7(root: Path) -> Listing:
    """List AffectNet in seven classes, without contempt. Raises as `read` does."""
    return _read(root, EMOTIONS)


def _read(root: Path, classes: tuple[str, ...]) -> Listing:
    lists = next((base for base in (root / "Manually_Annotated_file_lists", root) if _has_any(base, LISTS)), None)
    if lists is not None:
        found = list(_read_lists(lists, root, classes))
    elif _has_any(root, SETS):
        found = list(_read_sets(root, classes))
    else:
        raise DatasetError(f"no AffectNet under {root}", hint=EXPECTED, code="dataset-not-found")
    return listing("affectnet", TERMS, classes, found)


def _has_any(folder: Path, names: dict[str, str]) -> bool:
    return any((folder / name).exists() for name in names)


def _read_lists(lists: Path, root: Path, classes: tuple[str, ...]) -> Iterator[Sample | Problem | LeftOut]:
    folders = [root / "Manually_Annotated_Images", root / "Manually_Annotated" / "Manually_Annotated_Images"]
    images = next((folder for folder in folders if folder.is_dir()), None)
    if images is None:
        raise DatasetError(f"no pictures for {lists}: no folder {folders[0]}", hint=EXPECTED, code="dataset-not-found")

    @cache  # listing each folder is much faster than checking each of 400,000 pictures
    def pictures(folder: str) -> dict[str, Path]:
        return {path.name: path for path in (images / folder).glob("*")}

    for name, split in LISTS.items():
        path = lists / name
        for line, row in _rows(path):
            try:
                label = _label(row)
                if label not in classes:
                    yield _left_out(label)
                    continue
                folder, _, file = row[0].rpartition("/")
                if file not in pictures(folder):
                    raise ValueError(f"no {row[0]} in {images}")
                picture, box = pictures(folder)[file], _box(row[1:5])
                yield Sample((picture,), label, split, box=box, valence=_rating(row[7]), arousal=_rating(row[8]))
            except ValueError as error:
                yield Problem(str(path), line, str(error))


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and columns of each row but the header."""
    line = 0
    require_regular_file(path, DatasetError, EXPECTED)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            for row in reader:
                if line == 0:
                    _check_first(row, path)
                line = reader.line_num
                if row and row != COLUMNS:
                    yield line, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}:{line + 1}: {error}", hint=EXPECTED) from error
    if line == 0:
        raise DatasetError(f"{path} is empty", hint=EXPECTED, code="dataset-empty")


def _check_first(row: list[str], path: Path) -> None:
    if len(row) != len(COLUMNS) or (row[0] == COLUMNS[0] and row != COLUMNS):
        raise DatasetError(f"{path}:1: expected the columns {','.join(COLUMNS)}, found {','.join(row)}", hint=EXPECTED)


def _label(row: list[str]) -> str:
    if len(row) != len(COLUMNS):
        raise ValueError(f"{len(row)} columns, expected {len(COLUMNS)}")
    return _expression(row[6])


def _expression(expression: str) -> str:
    if expression not in EXPRESSIONS:
        raise ValueError(f"expression is {expression!r}, expected 0 to 10")
    return EXPRESSIONS[expression]


def _box(columns: list[str]) -> tuple[float, float, float, float]:
    try:
        x, y, width, height = map(float, columns)
    except ValueError as error:
        raise ValueError(f"no face box: {error}") from error
    if not (all(map(isfinite, (x, y, width, height))) and width > 0 and height > 0):
        raise ValueError(f"no face box: x {x}, y {y}, width {width}, height {height}")
    return x, y, x + width, y + height


def _rating(text: str) -> float | None:
    value = float(text)
    if value == UNRATED:
        return None
    if not -1 <= value <= 1:
        raise ValueError(f"valence or arousal is {text}, expected -1 to 1, or -2 for none")
    return value


def _read_sets(root: Path, classes: tuple[str, ...]) -> Iterator[Sample | Problem | LeftOut]:
    for name, split in SETS.items():
        images, notes = root / name / "images", root / name / "annotations"
        for folder in (images, notes):
            if not folder.is_dir():
                raise DatasetError(f"no folder {folder}", hint=EXPECTED, code="dataset-not-found")
        pictures = {file.removesuffix(".jpg") for file in os.listdir(images) if file.endswith(".jpg")}
        labelled = {file.removesuffix("_exp.npy") for file in os.listdir(notes) if file.endswith("_exp.npy")}
        for number in sorted(pictures | labelled, key=lambda number: (len(number), number)):
            picture = images / f"{number}.jpg"
            if number not in pictures:
                yield Problem(str(picture), 0, f"no such picture, but there is {number}_exp.npy")
            elif number not in labelled:
                yield Problem(str(picture), 0, f"no {number}_exp.npy in {notes}")
            else:
                yield _annotated(picture, notes, split, classes)


def _annotated(picture: Path, notes: Path, split: str, classes: tuple[str, ...]) -> Sample | Problem | LeftOut:
    """The sample, problem or left-out part for a picture and its annotations."""
    try:
        label = _expression(_value(notes / f"{picture.stem}_exp.npy"))
        if label not in classes:
            return _left_out(label)
        valence, arousal = (_rating(_value(notes / f"{picture.stem}_{kind}.npy")) for kind in ("val", "aro"))
    except (OSError, ValueError, DatasetError) as error:
        return Problem(str(picture), 0, f"annotations: {error}")
    return Sample((picture,), label, split, valence=valence, arousal=arousal)


def _left_out(label: str) -> LeftOut:
    return LeftOut(f"pictures marked {label!r}")


def _value(path: Path) -> str:
    """The one value of an .npy file, which may be a number or a string; raises OSError or ValueError."""
    try:
        require_regular_file(path, DatasetError)
        with path.open("rb") as file:
            return str(read_npy(file, path.stat().st_size).item())
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
