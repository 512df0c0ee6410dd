"""FER2013: 48x48 grey faces in seven classes (Goodfellow et al. 2013, arXiv 1307.0414).

Two forms are read:

- the Kaggle file `fer2013.csv` (columns `emotion,pixels,Usage`), labels only;
- an `.npz` with `images` (N,48,48) uint8, `fer2013_label` (N,) index into `fer2013_classes`, `usage` (N,) and, where
  present, `ferplus_votes` (N,10) with `ferplus_classes` (FER+, Barsoum et al. 2016, arXiv 1608.01041) and `match_sim`.

`usage` Training fits, PublicTest chooses, PrivateTest is reported once. Where votes are there, the target of an image
is the mean of its FER2013 label (one-hot) and the votes of the FER+ annotators over the seven classes: the single
label is noisy, the ten votes know which images are ambiguous, and both test protocols stay comparable.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from fercli.datasets.faces import DatasetSplits, FaceSet, Problem
from fercli.errors import DatasetError
from fercli.labels import EMOTIONS, canonical

TERMS = "FER2013 (web-scraped, research use, images not redistributable)"
TERMS_PLUS = TERMS + " with FER+ votes (Microsoft, MIT)"
KAGGLE_CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
USAGES = {"train": "Training", "valid": "PublicTest", "test": "PrivateTest"}
FACE_SCALE = 1.0
"""Median over the 242 of 300 images in which CenterFace finds the face, by landmarks; 1.04 by boxes."""
MIN_MATCH = 0.9
"""Reconstructed FER2013 labels whose image match is below this are not used as labels."""


def read(root: Path) -> DatasetSplits:
    """Read FER2013 from a file, or from the one such file in a directory.

    Raises:
        DatasetError: nothing there, more than one, or not FER2013.
    """
    path = _find(root)
    return _read_npz(path) if path.suffix == ".npz" else _read_csv(path)


def _find(root: Path) -> Path:
    if not root.exists():
        raise DatasetError(f"no such file or directory: {root}", hint="give --root the FER2013 file or its folder")
    if root.is_file():
        candidates = [root] if root.suffix in (".npz", ".csv") else []
    else:
        candidates = sorted([*root.rglob("fer2013.csv"), *root.glob("*fer2013*.npz")])
    if not candidates:
        raise DatasetError(
            f"no FER2013 under {root}", hint="expected fer2013.csv (Kaggle) or an .npz whose name has fer2013 in it"
        )
    if len(candidates) > 1:
        names = ", ".join(str(path.relative_to(root)) for path in candidates)
        raise DatasetError(f"more than one FER2013 under {root}: {names}", hint="give --root one of these files")
    return candidates[0]


def _read_npz(path: Path) -> DatasetSplits:
    try:
        with ZipFile(path):  # np.load takes other kinds of file too
            pass
        with np.load(path, allow_pickle=False) as archive:
            data: dict[str, NDArray[Any]] = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zlib.error, BadZipFile) as error:
        raise DatasetError(f"cannot read {path}: {error}", hint="copy or make the file again") from error
    _check_arrays(path, data)

    order = [_canonical_index(str(name), path) for name in data["fer2013_classes"]]
    raw = data["fer2013_label"].astype(np.int64)
    if raw.size and (raw.min() < 0 or raw.max() >= len(order)):
        raise DatasetError(f"{path}: fer2013_label {raw.min()}..{raw.max()} does not fit {len(order)} classes")
    labels = np.asarray(order)[raw]
    trusted = data.get("match_sim", np.ones(len(labels))) >= MIN_MATCH
    targets, usable = _targets(labels, trusted, data, path)
    splits = {
        split: _select(data["images"], targets, labels, (data["usage"] == usage) & _keep(split, trusted, usable))
        for split, usage in USAGES.items()
    }
    for split, part in splits.items():
        if not len(part):
            raise DatasetError(f"{path} has no usable image with usage {USAGES[split]}")
    problems = tuple(
        Problem(str(path), int(row), "image match below 0.9 and no vote for a known class")
        for row in np.flatnonzero(~usable)
    )
    return DatasetSplits(
        "fer2013", TERMS_PLUS if "ferplus_votes" in data else TERMS, FACE_SCALE, **splits, problems=problems
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


def _keep(split: str, trusted: NDArray[np.bool_], usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Training may lean on the votes alone; figures are only ever computed against a trusted FER2013 label."""
    return usable if split == "train" else trusted


def _targets(
    labels: NDArray[np.int64], trusted: NDArray[np.bool_], data: dict[str, NDArray[Any]], path: Path
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    hard = np.eye(len(EMOTIONS), dtype=np.float32)[labels] * trusted[:, None]
    if "ferplus_votes" not in data:
        return hard, trusted
    votes = np.zeros_like(hard)
    for column, name in enumerate(data["ferplus_classes"]):
        label = canonical(str(name))
        if label in EMOTIONS:
            votes[:, EMOTIONS.index(label)] += data["ferplus_votes"][:, column]
    counted = votes.sum(axis=1, keepdims=True)
    soft = np.divide(votes, counted, out=np.zeros_like(votes), where=counted > 0)
    total = hard + soft
    weight = total.sum(axis=1, keepdims=True)
    usable = weight[:, 0] > 0
    return np.divide(total, weight, out=np.zeros_like(total), where=weight > 0), usable


def _read_csv(path: Path) -> DatasetSplits:
    images: dict[str, list[NDArray[np.uint8]]] = {usage: [] for usage in USAGES.values()}
    labels: dict[str, list[int]] = {usage: [] for usage in USAGES.values()}
    problems = []
    order = [_canonical_index(name, path) for name in KAGGLE_CLASSES]
    for line, row in _csv_rows(path):
        try:
            image, label, usage = _parse(row)
        except (ValueError, OverflowError) as error:
            problems.append(Problem(str(path), line, str(error)))
            continue
        images[usage].append(image)
        labels[usage].append(order[label])
    splits = {}
    for split, usage in USAGES.items():
        if not images[usage]:
            raise DatasetError(f"{path} has no usable row with Usage {usage}")
        index = np.asarray(labels[usage], dtype=np.int64)
        splits[split] = FaceSet(
            np.stack(images[usage]), np.eye(len(EMOTIONS), dtype=np.float32)[index], index, EMOTIONS
        )
    return DatasetSplits("fer2013", TERMS, FACE_SCALE, **splits, problems=tuple(problems))


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and the three columns of each row; what a short row lacks is empty."""
    columns = ("emotion", "pixels", "Usage")
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
        raise DatasetError(f"{path}:{line + 1}: {error}", hint="give --root the CSV file Kaggle offers") from error


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


def _select(
    images: NDArray[np.uint8], targets: NDArray[np.float32], labels: NDArray[np.int64], rows: NDArray[np.bool_]
) -> FaceSet:
    return FaceSet(images[rows], targets[rows].astype(np.float32), labels[rows], EMOTIONS)


def _canonical_index(name: str, path: Path) -> int:
    label = canonical(name)
    if label not in EMOTIONS:
        raise DatasetError(f"{path}: class {name!r} is not one of FER2013's")
    return EMOTIONS.index(label)
