"""The files FER2013 and FER+ come in, read into columns; what the columns mean is in `fer2013.py`.

- the Kaggle file `fer2013.csv` (columns `emotion,pixels,Usage`), and beside it, if there, `fer2013new.csv` of FER+ (the
  same rows in the same order: https://github.com/microsoft/FERPlus);
- an `.npz` with `images` (N,48,48) uint8, `fer2013_label` (N,) index into `fer2013_classes`, `usage` (N,) and, where
  present, `ferplus_votes` (N,10) with `ferplus_classes`, and `match_sim` (N,).
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.samples import Problem
from fercli.errors import DatasetError, reason_of
from fercli.labels import EMOTIONS, EMOTIONS_8, canonical

KAGGLE_CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
USAGES = {"train": "Training", "valid": "PublicTest", "test": "PrivateTest"}
VOTE_COLUMNS = (*EMOTIONS_8, "unknown", "NF")
"""What the taggers of FER+ could choose; NF is `not a face`."""
MIN_MATCH = 0.9
"""Reconstructed FER2013 labels whose image match is below this are not used as labels."""


@dataclass(frozen=True)
class Fer2013:
    """FER2013, column-wise.

    Attributes:
        images: (N, 48, 48) uint8 grey.
        labels: (N,) int64 index into EMOTIONS; -1 where the file's label is not to be trusted.
        usage: (N,) one of the values of USAGES.
        votes: (N, 10) float32 votes for VOTE_COLUMNS, or None.
        sources: (N,) where in the file each image is.
        problems: rows that could not be read.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    usage: NDArray[np.str_]
    votes: NDArray[np.float32] | None
    sources: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


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
        raise DatasetError(f"no such file or directory: {root}", hint="give --root the FER2013 file or its folder")
    candidates = _candidates(root)
    if not candidates:
        raise DatasetError(
            f"no FER2013 under {root}",
            hint="expected fer2013.csv (Kaggle) or an .npz whose name has fer2013 in it; for folders named after "
            "emotions use --dataset folder",
        )
    if len(candidates) > 1:
        names = ", ".join(str(path.relative_to(root)) for path in candidates)
        raise DatasetError(f"more than one FER2013 under {root}: {names}", hint="give --root one of these files")
    return candidates[0]


def _candidates(root: Path) -> list[Path]:
    if root.is_file():
        return [root] if root.suffix in (".npz", ".csv") else []
    return sorted([*root.rglob("fer2013.csv"), *root.glob("*fer2013*.npz")])


def _read_npz(path: Path) -> Fer2013:
    try:
        with ZipFile(path):  # np.load takes other kinds of file too
            pass
        with np.load(path, allow_pickle=False) as archive:
            data: dict[str, NDArray[Any]] = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zlib.error, BadZipFile) as error:
        raise DatasetError(f"cannot read {path}: {reason_of(error)}", hint="copy or make the file again") from error
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
    new = path.with_name("fer2013new.csv")
    votes = list(_read_votes(new)) if new.is_file() else None
    images, labels, usages, kept, problems = [], [], [], [], []
    order = [_canonical_index(name, path) for name in KAGGLE_CLASSES]
    for index, (line, row) in enumerate(_csv_rows(path, ("emotion", "pixels", "Usage"))):
        try:
            image, label, usage = _parse(row)
            if votes is not None and (index >= len(votes) or votes[index][0] != usage):
                raise ValueError(f"{new.name} has no row with Usage {usage} in its place")
        except (ValueError, OverflowError) as error:
            problems.append(Problem(str(path), line, str(error)))
            continue
        images.append(image)
        labels.append(order[label])
        usages.append(usage)
        kept.append((index, line))
    return Fer2013(
        np.stack(images) if images else np.zeros((0, 48, 48), np.uint8),
        np.asarray(labels, dtype=np.int64),
        np.asarray(usages, dtype=np.str_),
        None if votes is None else np.array([votes[index][1] for index, _ in kept], np.float32).reshape(-1, 10),
        tuple(f"{path.name}:{line}" for _, line in kept),
        tuple(problems),
    )


def _read_votes(path: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Usage and the ten votes of each row of fer2013new.csv."""
    for line, row in _csv_rows(path, ("Usage", *VOTE_COLUMNS)):
        try:
            votes = [float(row[name]) for name in VOTE_COLUMNS]
        except ValueError as error:
            raise DatasetError(
                f"{path}:{line}: {error}", hint="take the file from github.com/microsoft/FERPlus"
            ) from error
        yield row["Usage"], np.asarray(votes, dtype=np.float32)


def _csv_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and the named columns of each row; what a short row lacks is empty."""
    line = 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if not set(columns) <= set(reader.fieldnames or ()):
                raise DatasetError(f"{path}:1: expected the columns {','.join(columns)}, found {reader.fieldnames}")
            for row in reader:
                line = reader.line_num
                yield line, {column: row[column] or "" for column in columns}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"{path}:{line + 1}: {reason_of(error)}", hint="give --root the CSV file Kaggle offers"
        ) from error


def _parse(row: dict[str, str]) -> tuple[NDArray[np.uint8], int, str]:
    """Image, index into KAGGLE_CLASSES and usage of a row; raises ValueError or OverflowError."""
    if row["emotion"] not in {str(index) for index in range(len(KAGGLE_CLASSES))}:
        raise ValueError(f"emotion is {row['emotion']!r}, expected 0 to {len(KAGGLE_CLASSES) - 1}")
    if row["Usage"] not in USAGES.values():
        raise ValueError(f"Usage is {row['Usage']!r}, expected one of {', '.join(USAGES.values())}")
    pixels = np.array(row["pixels"].split(), dtype=np.int64)
    if pixels.size != 48 * 48:
        raise ValueError(f"{pixels.size} pixels, expected {48 * 48}")
    if pixels.min() < 0 or pixels.max() > 255:
        raise ValueError(f"pixels from {pixels.min()} to {pixels.max()}, expected 0 to 255")
    return pixels.astype(np.uint8).reshape(48, 48), int(row["emotion"]), row["Usage"]


def _canonical_index(name: str, path: Path) -> int:
    label = canonical(name)
    if label not in EMOTIONS:
        raise DatasetError(f"{path}: class {name!r} is not one of FER2013's")
    return EMOTIONS.index(label)
