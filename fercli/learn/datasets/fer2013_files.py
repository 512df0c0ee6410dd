"""The files of FER2013 and FER+, read into columns; the meaning of the columns is in `fer2013.py`.

- Kaggle's `fer2013.csv` (columns `emotion,pixels,Usage`), or that of the challenge, `icml_face_data.csv` (columns
  `emotion, Usage, pixels`, the same rows), and beside it, if there, `fer2013new.csv` of FER+ (`ferplus_votes.py`);
- Kaggle's later `train.csv` (columns `emotion,pixels`), and beside it `test.csv`, which has no labels;
- an `.npz` with `images` (N,48,48) uint8, `fer2013_label` (N,) index into `fer2013_classes`, `usage` (N,) and, where
  present, `ferplus_votes` (N,10) with `ferplus_classes`, and `match_sim` (N,).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import DatasetError
from fercli.labels import EMOTIONS, EMOTIONS_8, canonical
from fercli.learn.datasets.archives import read_npz
from fercli.learn.datasets.csv_rows import csv_columns, csv_rows
from fercli.learn.datasets.ferplus_votes import HINT, VOTE_COLUMNS, join_votes
from fercli.learn.datasets.samples import Problem, Sample
from fercli.learn.datasets.splits import VALID_SHARE, assign_splits

KAGGLE_CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
USAGES = {"train": "Training", "valid": "PublicTest", "test": "PrivateTest"}
FER2013, ICML, TRAIN, TEST, FERPLUS = "fer2013.csv", "icml_face_data.csv", "train.csv", "test.csv", "fer2013new.csv"
MIN_MATCH = 0.9
"""Reconstructed FER2013 labels whose image match is below this are not used as labels."""
CLEAR_FACES, MIN_AGREEMENT = 1000, 0.4
"""With at least this many faces with a FER+ majority, this share must agree with FER2013's label."""


@dataclass(frozen=True)
class Fer2013:
    """FER2013, column-wise.

    Attributes:
        images: (N, 48, 48) uint8 grey.
        labels: (N,) int64 index into EMOTIONS; -1 if the file's label is not reliable.
        usage: (N,) one of the values of USAGES.
        votes: (N, 10) float32 votes for VOTE_COLUMNS, or None.
        sources: (N,) position of each image in the file.
        problems: rows that could not be read.
        notes: other information about the files.
        official: whether the files define the splits.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    usage: NDArray[np.str_]
    votes: NDArray[np.float32] | None
    sources: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    official: bool = True


def is_file_form(root: Path) -> bool:
    """Whether a directory holds FER2013 as a file rather than as folders of images."""
    return bool(_candidates(root)) or not any(path.is_dir() for path in root.iterdir())


def read_files(root: Path) -> Fer2013:
    """Read FER2013 from a file, or from the one such file in a directory.

    Raises:
        DatasetError: nothing there, more than one, or not FER2013.
    """
    path = _find(root)
    return _read_npz(path) if path.suffix == ".npz" else _read_csv(path)


def _find(root: Path) -> Path:
    if not root.exists():
        raise DatasetError(
            f"no such file or directory: {root}", hint="give --root the FER2013 file or its folder", code="file-missing"
        )
    candidates = _candidates(root)
    if not candidates:
        raise DatasetError(
            f"no FER2013 under {root}",
            hint=f"expected {FER2013}, {ICML} or {TRAIN} (Kaggle), or an .npz whose name has fer2013 in it; for "
            "folders named after emotions use --dataset folder",
            code="dataset-not-found",
        )
    if len(candidates) > 1:
        names = ", ".join(str(path.relative_to(root)) for path in candidates)
        raise DatasetError(
            f"more than one FER2013 under {root}: {names}",
            hint="give --root one of these files",
            code="dataset-ambiguous",
        )
    return candidates[0]


def _candidates(root: Path) -> list[Path]:
    """The files to read, best first: the whole set, the file of the challenge, Training only."""
    if root.is_file():
        return [root] if root.suffix.lower() in (".npz", ".csv") else []
    whole = sorted([*root.rglob(FER2013), *root.glob("*fer2013*.npz")])
    return whole or sorted(root.rglob(ICML)) or [path for path in sorted(root.rglob(TRAIN)) if _has_faces(path)]


def _has_faces(path: Path) -> bool:
    return {"emotion", "pixels"} <= set(csv_columns(path))


def _read_npz(path: Path) -> Fer2013:
    data = read_npz(path)
    _check_arrays(path, data)

    order = [_canonical_index(str(name), path) for name in data["fer2013_classes"]]
    raw = data["fer2013_label"].astype(np.int64)
    if raw.size and (raw.min() < 0 or raw.max() >= len(order)):
        raise DatasetError(f"{path}: fer2013_label {raw.min()}..{raw.max()} does not fit {len(order)} classes")
    trusted = data.get("match_sim", np.ones(len(raw))) >= MIN_MATCH
    votes = None
    if "ferplus_votes" in data:
        votes = _vote_columns([str(name) for name in data["ferplus_classes"]], data["ferplus_votes"])
    return Fer2013(
        data["images"],
        np.where(trusted, np.asarray(order)[raw], -1),
        data["usage"].astype(str),
        votes,
        tuple(f"{path.name}[{row}]" for row in range(len(raw))),
    )


def _check_arrays(path: Path, data: dict[str, NDArray[Any]]) -> None:
    needed = {"images", "fer2013_label", "fer2013_classes", "usage"}
    if "ferplus_votes" in data:
        needed.add("ferplus_classes")
    missing = needed - data.keys()
    if missing:
        raise DatasetError(f"{path} is not FER2013: no array {', '.join(sorted(missing))}")
    images, labels = data["images"], data["fer2013_label"]
    if images.dtype != np.uint8 or images.shape[1:] != (48, 48):
        raise DatasetError(f"{path}: images is {images.dtype} {images.shape}, expected uint8 (N, 48, 48)")
    if labels.dtype.kind not in "iu":
        raise DatasetError(f"{path}: fer2013_label is {labels.dtype}, expected whole numbers")
    shapes: dict[str, tuple[int, ...]] = {
        "fer2013_label": (len(images),),
        "usage": (len(images),),
        "match_sim": (len(images),),
    }
    if "ferplus_votes" in data:
        shapes["ferplus_votes"] = (len(images), len(data["ferplus_classes"]))
    for name, shape in shapes.items():
        if name in data and data[name].shape != shape:
            raise DatasetError(f"{path}: {name} is {data[name].shape}, expected {shape}")


def _vote_columns(names: list[str], votes: NDArray[Any]) -> NDArray[np.float32]:
    """(N, 10) votes in the order of VOTE_COLUMNS; votes for anything else count as unknown."""
    columns = np.zeros((len(votes), len(VOTE_COLUMNS)), dtype=np.float32)
    for name, column in zip(names, votes.T, strict=True):
        known = canonical(name) or ("NF" if name.strip().lower() == "nf" else "unknown")
        columns[:, VOTE_COLUMNS.index(known)] += column
    return columns


def _read_csv(path: Path) -> Fer2013:
    columns = csv_columns(path)
    if columns == ("pixels",):
        raise DatasetError(
            f"{path} has no labels", hint=f"give --root {ICML} or {TRAIN}, which have them", code="dataset-empty"
        )
    if "Usage" not in columns and {"emotion", "pixels"} <= set(columns):
        return _read_train_csv(path)
    rows = _Rows()
    rows.read(path, ("emotion", "pixels", "Usage"))
    new = path.with_name(FERPLUS)
    votes, notes = None, _note_unread(path)
    if new.is_file():
        joined = join_votes(new, rows.raw_usages, path)
        votes = joined.votes[rows.places]
        rows.problems += joined.problems
        if joined.dropped:
            notes += (f"{joined.dropped} rows of {new.name} have no image name: FER+ drops these faces",)
        _refuse_contradicting_votes(path, new, np.asarray(rows.labels), votes)
    return rows.columns(votes, notes)


def _read_train_csv(path: Path) -> Fer2013:
    """Kaggle's later files: train.csv is only Training, and test.csv beside it has no labels."""
    rows = _Rows()
    rows.read(path, ("emotion", "pixels"), "Training")
    rows.split_valid()
    notes: tuple[str, ...] = (f"{path.name} has no split: {VALID_SHARE:.0%} of it are used for valid",)
    test = path.with_name(TEST)
    if test != path and test.is_file():
        if "emotion" in csv_columns(test):
            rows.read(test, ("emotion", "pixels"), "PrivateTest")
        else:
            notes += (f"{test.name} has no labels and is not read; {ICML} has its faces with their labels",)
    if path.with_name(FERPLUS).is_file():
        notes += (f"{FERPLUS} is not read: its rows are those of {FER2013} and {ICML}",)
    return rows.columns(None, notes, official=False)


class _Rows:
    """The usable rows of one or two CSV files, column-wise, and problems of the others."""

    def __init__(self) -> None:
        self.images: list[NDArray[np.uint8]] = []
        self.labels: list[int] = []
        self.usages: list[str] = []
        self.sources: list[str] = []
        self.places: list[int] = []
        """Number of each usable row among all rows, from 0."""
        self.raw_usages: list[str] = []
        """Usage of all rows; empty if invalid."""
        self.problems: tuple[Problem, ...] = ()

    def read(self, path: Path, columns: tuple[str, ...], usage: str = "") -> None:
        """Add the rows of a file; `usage` is used if the file has no such column."""
        order = [_canonical_index(name, path) for name in KAGGLE_CLASSES]
        for line, row in csv_rows(path, columns):
            row.setdefault("Usage", usage)
            self.raw_usages.append(row["Usage"] if row["Usage"] in USAGES.values() else "")
            try:
                image, label = _parse(row)
            except (ValueError, OverflowError) as error:
                self.problems += (Problem(str(path), line, str(error)),)
                continue
            self.images.append(image)
            self.labels.append(order[label])
            self.usages.append(row["Usage"])
            self.sources.append(f"{path.name}:{line}")
            self.places.append(len(self.raw_usages) - 1)

    def split_valid(self) -> None:
        """Move some rows of Training to valid, always the same ones."""
        stand_ins = [Sample((Path(source),), "", "train") for source in self.sources]
        self.usages = [USAGES[sample.split] for sample in assign_splits(stand_ins)]

    def columns(self, votes: NDArray[np.float32] | None, notes: tuple[str, ...], *, official: bool = True) -> Fer2013:
        """All columns."""
        return Fer2013(
            np.stack(self.images) if self.images else np.zeros((0, 48, 48), np.uint8),
            np.asarray(self.labels, dtype=np.int64),
            np.asarray(self.usages, dtype=np.str_),
            votes,
            tuple(self.sources),
            self.problems,
            notes,
            official,
        )


def _note_unread(path: Path) -> tuple[str, ...]:
    """A note about unread files with the same faces."""
    others = [name for name in (FER2013, ICML, TRAIN, TEST) if name != path.name and path.with_name(name).is_file()]
    return (f"not read, because {path.name} has the same faces: {', '.join(others)}",) if others else ()


def _refuse_contradicting_votes(path: Path, new: Path, labels: NDArray[np.int64], votes: NDArray[np.float32]) -> None:
    """Refuse votes that contradict the labels, because the rows of one file are in another order.

    In the published FER+, the class with most votes is FER2013's label for about two of three faces. By chance it would
    be one of five.
    """
    named = votes[:, : len(EMOTIONS_8)]
    clear = named.max(axis=1, initial=0) > votes.sum(axis=1) / 2
    if clear.sum() < CLEAR_FACES:
        return
    agree = float((named.argmax(axis=1) == labels)[clear].mean())
    if agree < MIN_AGREEMENT:
        raise DatasetError(
            f"{new} agrees with the labels of {path} on only {agree:.0%} of the faces: their rows are in another order",
            hint=HINT,
        )


def _parse(row: dict[str, str]) -> tuple[NDArray[np.uint8], int]:
    """Image and index into KAGGLE_CLASSES of a row; raises ValueError or OverflowError."""
    if row["emotion"] not in {str(index) for index in range(len(KAGGLE_CLASSES))}:
        raise ValueError(f"emotion is {row['emotion']!r}, expected 0 to {len(KAGGLE_CLASSES) - 1}")
    if row["Usage"] not in USAGES.values():
        raise ValueError(f"Usage is {row['Usage']!r}, expected one of {', '.join(USAGES.values())}")
    pixels = np.array(row["pixels"].split(), dtype=np.int64)
    if pixels.size != 48 * 48:
        raise ValueError(f"{pixels.size} pixels, expected {48 * 48}")
    if pixels.min() < 0 or pixels.max() > 255:
        raise ValueError(f"pixels from {pixels.min()} to {pixels.max()}, expected 0 to 255")
    return pixels.astype(np.uint8).reshape(48, 48), int(row["emotion"])


def _canonical_index(name: str, path: Path) -> int:
    label = canonical(name)
    if label not in EMOTIONS:
        raise DatasetError(f"{path}: class {name!r} is not one of FER2013's")
    return EMOTIONS.index(label)
