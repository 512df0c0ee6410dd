"""True face boxes of images: WIDER FACE, FDDB, dlib's XML, and CSV."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ConfigError, DatasetError, reason_of
from fercli.files import require_regular_file
from fercli.learn.datasets.csv_rows import csv_columns, csv_rows

DIFFICULTIES = ("easy", "medium", "hard")
"""Of WIDER FACE; each holds the one before it."""
ALL = "all"
"""The only difficulty of the other sets."""
CORNERS, SIZES = ("image", "x1", "y1", "x2", "y2"), ("image", "x", "y", "w", "h")
PICTURES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class TrueImage:
    """The true faces of one image.

    Attributes:
        path: the picture.
        name: its name in the set, as in files of detections.
        boxes: (N, 4) float32 `x1, y1, x2, y2`, pixels.
        counted: difficulty -> (N,) whether a face is scored there; the others count neither as found nor as missed.
    """

    path: Path
    name: str
    boxes: NDArray[np.float32]
    counted: dict[str, NDArray[np.bool_]] = field(default_factory=dict)


def read_boxes(dataset: str, root: Path) -> list[TrueImage]:
    """The images of a set with their true boxes, by name.

    Args:
        dataset: a key of READERS.
        root: the directory of the set, with pictures and truth anywhere in it.

    Raises:
        ConfigError: no such set.
        DatasetError: the directory, the truth or a picture is missing, or the truth is malformed.
    """
    if dataset not in READERS:
        raise ConfigError(f"unknown data set {dataset!r}", hint=f"known: {', '.join(READERS)}", code="name-unknown")
    if not root.is_dir():
        raise DatasetError(f"no directory {root}", hint="check the path", code="dataset-not-found")
    images = sorted(READERS[dataset](root), key=lambda image: image.name)
    if not any(len(image.boxes) for image in images):
        raise DatasetError(f"{root} has no true face", hint=f"see {dataset} in docs/detectors.md", code="dataset-empty")
    return images


def wider(root: Path) -> Iterator[TrueImage]:
    """`wider_face_val.mat` with `wider_easy_val.mat` and so on, and the pictures `EVENT/NAME.jpg`."""
    base = matlab(_one(root, "wider_face_val.mat"))
    lists = {name: matlab(_one(root, f"wider_{name}_val.mat"))["gt_list"] for name in DIFFICULTIES}
    pictures = _pictures(root)
    for number, event in enumerate(base["event_list"][:, 0]):
        boxes_of, files = base["face_bbx_list"][number, 0], base["file_list"][number, 0]
        for row, file in enumerate(files[:, 0]):
            name = f"{event[0]}/{file[0]}"
            corner_and_size = np.asarray(boxes_of[row, 0], np.float32).reshape(-1, 4)
            boxes = np.concatenate([corner_and_size[:, :2], corner_and_size[:, :2] + corner_and_size[:, 2:]], axis=1)
            counted = {
                level: np.isin(np.arange(1, len(boxes) + 1), lists[level][number, 0][row, 0]) for level in DIFFICULTIES
            }
            yield TrueImage(_picture(pictures, name, root), name, boxes, counted)


def fddb(root: Path) -> Iterator[TrueImage]:
    """`FDDB-fold-*-ellipseList.txt` and the pictures they name; a box is the smallest upright one round an ellipse."""
    pictures = _pictures(root)
    lists = sorted(root.rglob("*ellipseList.txt"))
    if not lists:
        raise DatasetError(f"no *-ellipseList.txt in {root}", hint="unpack FDDB-folds.tgz", code="dataset-not-found")
    for file in lists:
        lines = iter(enumerate(text_of(file).splitlines(), start=1))
        for line, text in lines:
            if not text.strip():
                continue
            name = text.strip()
            try:
                line, count = next(lines)
                ellipses = []
                for _ in range(int(count)):
                    line, text = next(lines)
                    ellipses.append([float(value) for value in text.split()[:5]])
                boxes = np.array([_around(*ellipse) for ellipse in ellipses], np.float32).reshape(-1, 4)
            except (ValueError, TypeError, StopIteration) as error:
                raise DatasetError(
                    f"{file}:{line}: expected the number of faces, then 5 numbers a face: {name}",
                    hint="download FDDB-folds.tgz again",
                ) from error
            yield _whole(_picture(pictures, name, root), name, boxes)


def dlib_xml(root: Path) -> Iterator[TrueImage]:
    """The XML files of dlib's `imglab`; boxes with `ignore='1'` are left out. Of files about one picture the last, by
    name, counts."""
    found: dict[str, TrueImage] = {}
    for file, image in xml_images(root):
        boxes, kept = [], []
        for box in image.iter("box"):
            left, top, width, height = (_number(box, key, file) for key in ("left", "top", "width", "height"))
            boxes.append([left, top, left + width, top + height])
            kept.append(box.get("ignore") != "1")
        name = image.get("file", "")
        path = file.parent / name
        if not path.is_file():
            raise DatasetError(f"{file}: no picture {path}", hint="keep both together", code="dataset-not-found")
        found[name] = TrueImage(path, name, np.array(boxes, np.float32).reshape(-1, 4), {ALL: np.array(kept, bool)})
    yield from found.values()


def xml_images(root: Path) -> Iterator[tuple[Path, ElementTree.Element]]:
    """Each `image` of dlib's XML files in a directory, with its file.

    Raises:
        DatasetError: there is none, or one is not XML.
    """
    some = False
    for file in sorted(root.glob("*.xml")):
        try:
            require_regular_file(file, DatasetError)
            elements = list(ElementTree.parse(file).getroot().iter("image"))
        except (OSError, ElementTree.ParseError) as error:
            raise DatasetError(f"{file} is not XML: {reason_of(error)}", hint="write it with dlib's imglab") from error
        for element in elements:
            some = True
            yield file, element
    if not some:
        raise DatasetError(f"no XML of dlib's imglab in {root}", hint="check the path", code="dataset-not-found")


def folder(root: Path) -> Iterator[TrueImage]:
    """One CSV file with a row for each face: `image,x1,y1,x2,y2`, or `image,x,y,w,h`; other columns are ignored.

    A picture without a row is not read; one without a face has a row with empty numbers.
    """
    files = sorted(root.glob("*.csv"))
    if len(files) != 1:
        raise DatasetError(
            f"{root} has {len(files)} CSV files, expected one",
            hint=f"write boxes.csv with the columns {','.join(CORNERS)}",
            code="dataset-ambiguous" if files else "dataset-not-found",
        )
    columns = CORNERS if set(CORNERS) <= set(csv_columns(files[0])) else SIZES
    rows: dict[str, list[list[float]]] = {}
    for line, row in csv_rows(files[0], columns):
        own = rows.setdefault(row["image"], [])
        numbers = [row[name] for name in columns[1:]]
        if any(numbers):
            own.append(_corners(numbers, columns, f"{files[0]}:{line}"))
    for name, boxes in rows.items():
        path = root / name
        if not path.is_file():
            raise DatasetError(f"{files[0]}: no picture {path}", hint="keep both together", code="dataset-not-found")
        yield _whole(path, name, np.array(boxes, np.float32).reshape(-1, 4))


READERS: dict[str, Callable[[Path], Iterator[TrueImage]]] = {
    "wider": wider,
    "fddb": fddb,
    "folder": folder,
    "dlib": dlib_xml,
}


def _corners(numbers: list[str], columns: tuple[str, ...], place: str) -> list[float]:
    try:
        a, b, c, d = map(float, numbers)
    except ValueError as error:
        raise DatasetError(f"{place}: {','.join(numbers)} are not four numbers") from error
    box = [a, b, c, d] if columns is CORNERS else [a, b, a + c, b + d]
    if not all(map(math.isfinite, box)) or box[2] <= box[0] or box[3] <= box[1]:
        raise DatasetError(
            f"{place}: {','.join(numbers)} as {','.join(columns[1:])} is not a box",
            hint="check the order: face_recognition gives top, right, bottom, left",
        )
    return box


def _around(long: float, short: float, angle: float, x: float, y: float) -> tuple[float, float, float, float]:
    """The smallest upright box round an ellipse with these half axes, the first at an angle to the horizontal."""
    half_width = math.hypot(long * math.cos(angle), short * math.sin(angle))
    half_height = math.hypot(long * math.sin(angle), short * math.cos(angle))
    return x - half_width, y - half_height, x + half_width, y + half_height


def _whole(path: Path, name: str, boxes: NDArray[np.float32]) -> TrueImage:
    return TrueImage(path, name, boxes, {ALL: np.ones(len(boxes), bool)})


def _pictures(root: Path) -> dict[str, Path]:
    """Path without suffix, relative to the root -> picture."""
    return {
        path.relative_to(root).with_suffix("").as_posix(): path
        for path in root.rglob("*")
        if path.suffix.lower() in PICTURES
    }


def _picture(pictures: dict[str, Path], name: str, root: Path) -> Path:
    """The picture whose path ends in a name without suffix."""
    if name in pictures:
        return pictures[name]
    for key, path in pictures.items():
        if key.endswith(f"/{name}"):
            pictures[name] = path
            return path
    raise DatasetError(f"no picture {name}.jpg in {root}", hint="unpack the pictures there", code="dataset-not-found")


def _one(root: Path, name: str) -> Path:
    for path in sorted(root.rglob(name)):
        return path
    raise DatasetError(f"no {name} in {root}", hint="unpack eval_tools.zip there", code="dataset-not-found")


def matlab(path: Path) -> dict[str, Any]:
    """The variables of a MATLAB file.

    Raises:
        DatasetError: it is none.
    """
    from scipy.io import loadmat

    require_regular_file(path, DatasetError)
    try:
        content: dict[str, Any] = loadmat(str(path))
    except Exception as error:  # scipy raises any kind for damaged bytes
        raise DatasetError(f"{path} is not a MATLAB file: {reason_of(error)}", hint="download it again") from error
    return content


def text_of(path: Path, encoding: str = "utf-8") -> str:
    """The text in a file.

    Raises:
        DatasetError: it cannot be read, or has another encoding.
    """
    require_regular_file(path, DatasetError)
    try:
        return path.read_text(encoding=encoding)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot read {path}: {reason_of(error)}", hint="download it again") from error


def _number(box: ElementTree.Element, key: str, file: Path) -> float:
    try:
        return float(box.get(key, ""))
    except ValueError as error:
        raise DatasetError(f"{file}: a box without a number for {key}", hint="write it with dlib's imglab") from error
