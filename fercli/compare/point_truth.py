"""True landmarks of faces, in the 68 points of iBUG (Sagonas et al. 2013, doi 10.1109/ICCVW.2013.59).

300-W, HELEN, AFW and LFPW come as `.pts` files beside the pictures. WFLW's 98 points have those of iBUG among them, and
AFLW2000-3D has the 68 points of a 3D model projected into the picture: behind a turned face its jaw is not the visible
edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.compare.box_truth import PICTURES, matlab, text_of, xml_images
from fercli.errors import ConfigError, DatasetError

N_POINTS = 68
OF_WFLW = (
    *range(0, 33, 2),
    *(33, 34, 35, 36, 37, 42, 43, 44, 45, 46),
    *range(51, 60),
    *(60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75),
    *range(76, 96),
)
"""Point of WFLW for each of the 68."""
MADE_BY_DLIB = "shape_predictor_68"
"""In the comment of dlib's example files, whose points were made by that network."""

Points = NDArray[np.float64]


@dataclass(frozen=True)
class TrueFace:
    """One face.

    Attributes:
        path: the picture, which may have several.
        name: of the picture, in the set.
        points: (68, 2) x, y in pixels, the middle of the first pixel being 0, 0.
    """

    path: Path
    name: str
    points: Points


def read_points(dataset: str, root: Path) -> tuple[list[TrueFace], list[str]]:
    """The faces of a set, by picture, and what limits the figures on it.

    Args:
        dataset: a key of READERS. root: its directory.

    Raises:
        ConfigError: no such set.
        DatasetError: the directory, the points or a picture are missing or malformed.
    """
    if dataset not in READERS:
        raise ConfigError(f"unknown data set {dataset!r}", hint=f"known: {', '.join(READERS)}", code="name-unknown")
    if not root.is_dir():
        raise DatasetError(f"no directory {root}", hint="check the path", code="dataset-not-found")
    faces = sorted(READERS[dataset](root), key=lambda face: face.name)
    if not faces:
        raise DatasetError(
            f"{root} has no face with points", hint=f"see {dataset} in docs/detectors.md", code="dataset-empty"
        )
    notes = []
    if dataset == "dlib" and any(MADE_BY_DLIB in text_of(file, "iso-8859-1") for file in root.glob("*.xml")):
        notes.append("the points of this set were made by dlib-68 itself: its own errors here say nothing")
    return faces, notes


def ibug(root: Path) -> Iterator[TrueFace]:
    """Every `.pts` file of 68 points below the directory, with the picture of the same name beside it."""
    for file in sorted(root.rglob("*.pts")):
        lines = text_of(file).split("{", 1)[-1].split("}", 1)[0].split("\n")
        # The points count pixels from 1, as MATLAB does.
        points = _points([line.split() for line in lines if line.strip()], str(file)) - 1
        picture = next((file.with_suffix(end) for end in _ENDINGS if file.with_suffix(end).is_file()), None)
        if picture is None:
            raise DatasetError(f"no picture beside {file}", hint="keep both together", code="dataset-not-found")
        yield TrueFace(picture, picture.relative_to(root).as_posix(), points)


def wflw(root: Path) -> Iterator[TrueFace]:
    """`list_98pt_rect_attr_test.txt`, and the pictures in `WFLW_images`."""
    lists = sorted(root.rglob("list_98pt*_test.txt"))
    folder = next(iter(sorted(root.rglob("WFLW_images"))), root)
    if not lists:
        raise DatasetError(
            f"no list_98pt_rect_attr_test.txt in {root}", hint="unpack both archives there", code="dataset-not-found"
        )
    for number, line in enumerate(text_of(lists[0]).splitlines(), start=1):
        cells = line.split()
        if not cells:
            continue
        place = f"{lists[0]}:{number}"
        pairs = [cells[at : at + 2] for at in range(0, 196, 2)] if len(cells) > 196 else []
        yield TrueFace(_existing(folder / cells[-1], place), cells[-1], _points(pairs, place, 98)[list(OF_WFLW)])


def aflw2000(root: Path) -> Iterator[TrueFace]:
    """`NAME.mat` with `pt3d_68`, and `NAME.jpg` beside it."""
    for file in sorted(root.rglob("*.mat")):
        content = matlab(file)
        if "pt3d_68" in content:
            rows = np.asarray(content["pt3d_68"], np.float64)
            points = _points(rows[:2].T.tolist(), str(file))
            picture = _existing(file.with_suffix(".jpg"), str(file))
            yield TrueFace(picture, picture.relative_to(root).as_posix(), points)


def dlib_xml(root: Path) -> Iterator[TrueFace]:
    """The boxes with 68 parts in the XML files of dlib's `imglab`."""
    for file, image in xml_images(root):
        name = image.get("file", "")
        for box in image.iter("box"):
            parts = sorted(box.iter("part"), key=lambda part: part.get("name", ""))
            if len(parts) == N_POINTS:
                points = _points([[part.get("x"), part.get("y")] for part in parts], str(file))
                yield TrueFace(_existing(file.parent / name, str(file)), name, points)


READERS: dict[str, Callable[[Path], Iterator[TrueFace]]] = {
    "300w": ibug,
    "helen": ibug,
    "afw": ibug,
    "lfpw": ibug,
    "wflw": wflw,
    "aflw2000": aflw2000,
    "dlib": dlib_xml,
}

_ENDINGS = (*PICTURES, *(end.upper() for end in PICTURES))


def _points(rows: Sequence[Sequence[object]], place: str, expected: int = N_POINTS) -> Points:
    try:
        points = np.array(rows, np.float64).reshape(-1, 2)
    except (ValueError, TypeError):
        points = np.zeros((0, 2))
    if len(points) != expected or not np.isfinite(points).all():
        raise DatasetError(f"{place} does not have {expected} points", hint="download it again")
    return points


def _existing(picture: Path, place: str) -> Path:
    if not picture.is_file():
        raise DatasetError(f"{place}: no picture {picture}", hint="keep both together", code="dataset-not-found")
    return picture
