"""RAF-DB, basic emotions: 15,339 faces from the web in seven classes (Li, Deng and Du, CVPR 2017).

Two forms are read:

- the official `basic/`, or the folder that holds it:
    EmoLabel/list_patition_label.txt the official spelling; a line is `train_00001.jpg 5`, labels 1 to 7
    Image/aligned/train_00001_aligned.jpg the face only; used if present Image/original/train_00001.jpg the whole
    picture; otherwise used, with the face in Annotation/boundingbox/train_00001_boundingbox.txt `x1 y1 x2 y2`, pixels
- the copy on Kaggle, `DATASET/{train,test}/{1..7}/*.jpg`, using its folders; its CSV files are not needed.

A name begins with its split, train or test. The subjects are unknown. Of the folders beside `basic/`, `compound/` (two
emotions at once) and `multi/` (several) are the sets `raf-compound` and `raf-multi`, read by `raf_parts`.

The set is available on request, so this was only tested on a synthetic tree. Layout: `src/parse_RAF.py` of
https://github.com/JanghoonChoi/VTT_vid_emotion (list, originals, boxes) and the many loaders on GitHub that read
`Image/aligned` and the Kaggle copy (kaggle.com/datasets/shuvoalok/raf-db-dataset).
"""

from __future__ import annotations

import re
from math import isfinite
from pathlib import Path

from fercli.errors import DatasetError, reason_of
from fercli.files import require_regular_file
from fercli.labels import EMOTIONS
from fercli.learn.datasets.folder import folders
from fercli.learn.datasets.samples import Listing, Problem, Sample

TERMS = "RAF-DB (non-commercial research only, on request, images not redistributable)"
LABELS = {
    "1": "surprise",
    "2": "fear",
    "3": "disgust",
    "4": "happiness",
    "5": "sadness",
    "6": "anger",
    "7": "neutral",
}
COMPOUND_ONLY = {"8", "9", "10", "11"}
"""Labels that only occur in the list of compound emotions, which has the same file name."""
LIST = "list_patition_label.txt"
EXPECTED = f"""expected RAF-DB's basic/ as it is unpacked, or the folder that holds it:
  ROOT/EmoLabel/{LIST}
  ROOT/Image/aligned/train_00001_aligned.jpg
or the Kaggle copy: ROOT/DATASET/train/1 to 7, ROOT/DATASET/test/1 to 7"""

_LINE = re.compile(r"((train|test)_[\w-]+)\.jpg\s+(\S+)")


def read(root: Path) -> Listing:
    """List RAF-DB.

    Raises:
        DatasetError: `root` holds neither form, the list cannot be read or is that of the compound emotions, or there
            are no pictures.
    """
    for base in (root / "basic", root):
        for path in sorted([*base.glob(LIST), *base.glob(f"*/{LIST}")]):
            _refuse_compound(path)
            return _listing(*read_official(base, path, LABELS), _beside(base) if base != root else ())
    for base in (root / "DATASET", root):
        if all(_subfolders(base / split) == set(LABELS) for split in ("train", "test")):
            return _listing(_read_kaggle(base), [])
    raise DatasetError(f"no RAF-DB under {root}: no {LIST}", hint=EXPECTED, code="dataset-not-found")


def _listing(samples: list[Sample], problems: list[Problem], notes: tuple[str, ...] = ()) -> Listing:
    return Listing("raf", TERMS, EMOTIONS, tuple(samples), tuple(problems), notes)


def _beside(basic: Path) -> tuple[str, ...]:
    """Notes about parts of the set that exist but are not read."""
    others = [folder for folder in folders(basic.parent) if folder.name != basic.name]
    return tuple(f"not read: {folder}; compound/ is --dataset raf-compound, multi/ is raf-multi" for folder in others)


def read_official(base: Path, path: Path, classes: dict[str, str]) -> tuple[list[Sample], list[Problem]]:
    """The faces of a list in a folder, with the classes of its numbers; raises DatasetError if it cannot be read."""
    lines = lines_of(path)
    folder = picture_folder(base, path)
    aligned = folder.name == "aligned"
    suffix = "_aligned.jpg" if aligned else ".jpg"
    present = {picture.name for picture in folder.iterdir()}  # one listing instead of a check of each file
    samples, problems = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            name, split, label = _parse(line, classes)
            if name + suffix not in present:
                raise ValueError(f"no {name}{suffix} in {folder}")
            box = None if aligned else _box(base / "Annotation" / "boundingbox" / f"{name}_boundingbox.txt")
        except ValueError as error:
            problems.append(Problem(str(path), number, str(error)))
            continue
        samples.append(Sample((folder / (name + suffix),), label, split, box=box))
    return samples, problems


def lines_of(path: Path) -> list[str]:
    """The lines of a list; raises DatasetError if it cannot be read."""
    require_regular_file(path, DatasetError, "unpack EmoLabel again")
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"cannot read {path}: {reason_of(error)}", hint="unpack EmoLabel again", code="file-unreadable"
        ) from error


def _refuse_compound(path: Path) -> None:
    if {line.split()[-1] for line in lines_of(path) if line.strip()} >= COMPOUND_ONLY:
        raise DatasetError(
            f"{path} lists the compound emotions, labels 1 to 11",
            hint=f"read it with --dataset raf-compound; {EXPECTED}",
            code="dataset-not-found",
        )


def _parse(line: str, classes: dict[str, str]) -> tuple[str, str, str]:
    """Name without suffix, split and class of a line; raises ValueError."""
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise ValueError(f"{line.strip()!r}, expected a line like 'train_00001.jpg 5'")
    name, split, label = match.groups()
    if label not in classes:
        raise ValueError(f"label is {label!r}, expected 1 to {len(classes)}")
    return name, split, classes[label]


def picture_folder(base: Path, path: Path) -> Path:
    """The folder of the pictures of a list; raises DatasetError if there is none."""
    folders = [base / "Image" / "aligned", base / "Image" / "original"]
    for folder in folders:
        if any(folder.glob("*.jpg")):
            return folder
    raise DatasetError(
        f"no pictures for {path}: none in {folders[0]}, none in {folders[1]}",
        hint="unpack the archive of aligned pictures in Image/",
        code="dataset-not-found",
    )


def _box(path: Path) -> tuple[float, float, float, float]:
    """The face in an original picture; raises ValueError."""
    try:
        require_regular_file(path, DatasetError)
        values = [float(word) for word in path.read_text(encoding="utf-8-sig").split()]
    except (OSError, ValueError, DatasetError) as error:
        raise ValueError(f"no face box: {path}: {reason_of(error)}") from error
    if len(values) != 4:
        raise ValueError(f"no face box: {path} has {len(values)} numbers, expected 4")
    x1, y1, x2, y2 = values
    if not (all(map(isfinite, values)) and x1 < x2 and y1 < y2):
        raise ValueError(f"no face box: {path} has x1 {x1}, y1 {y1}, x2 {x2}, y2 {y2}")
    return x1, y1, x2, y2


def _subfolders(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()


def _read_kaggle(base: Path) -> list[Sample]:
    return [
        Sample((picture,), label, split)
        for split in ("train", "test")
        for number, label in LABELS.items()
        for picture in sorted((base / split / number).glob("*.jpg"))
    ]
