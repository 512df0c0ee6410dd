"""Invented FER2013 files in the exact layout of the real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.learn.datasets.fer2013_files import KAGGLE_CLASSES

FERPLUS_CLASSES = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)
USAGES = ("Training", "PublicTest", "PrivateTest")


def pattern(label: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A 48x48 image that shows its label: a bright bar in the label's place, on noise."""
    image = rng.integers(0, 120, (48, 48))
    image[6 * label : 6 * label + 8] += 120
    return image.astype(np.uint8)


def npz_arrays(counts: tuple[int, int, int] = (14, 7, 7), *, votes: bool = False, seed: int = 0) -> dict[str, Any]:
    """The arrays of a file with so many images for Training, PublicTest, PrivateTest; labels go round."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(count) % 7 for count in counts])
    arrays: dict[str, Any] = {
        "images": np.stack([pattern(int(label), rng) for label in labels]),
        "fer2013_label": labels.astype(np.int8),
        "fer2013_classes": np.array(KAGGLE_CLASSES),
        "usage": np.repeat(USAGES, counts),
    }
    if votes:
        arrays["ferplus_votes"] = np.zeros((len(labels), 10), np.uint8)
        arrays["ferplus_classes"] = np.array(FERPLUS_CLASSES)
        arrays["match_sim"] = np.ones(len(labels), np.float32)
    return arrays


def write_npz(path: Path, arrays: dict[str, Any]) -> Path:
    """Write the arrays as the real file is written."""
    np.savez_compressed(path, **arrays)
    return path


def csv_row(emotion: object, pixels: object, usage: object) -> str:
    """A line of fer2013.csv as Kaggle writes it; an int in place of pixels is the value of all of them."""
    if isinstance(pixels, int):
        pixels = " ".join([str(pixels)] * 48 * 48)
    return f"{emotion},{pixels},{usage}"


def write_csv(path: Path, rows: list[str], header: str = "emotion,pixels,Usage") -> Path:
    """Write fer2013.csv."""
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def vote_row(number: int | None, usage: str, **votes: int) -> str:
    """A line of fer2013new.csv; without a number the image has no name, and all votes are for NF."""
    name = "" if number is None else f"fer{number:07d}.png"
    counts = {"NF": 10} if number is None else votes
    return ",".join([usage, name, *(str(counts.get(column, 0)) for column in FERPLUS_CLASSES)])


def write_votes(path: Path, rows: list[str]) -> Path:
    """Write fer2013new.csv."""
    path.write_text("\n".join([f"Usage,Image name,{','.join(FERPLUS_CLASSES)}", *rows]) + "\n", encoding="utf-8")
    return path
