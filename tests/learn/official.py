"""Invented data sets in their official layouts, with pictures that show their class and can be learnt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.learn.datasets import raf
from fercli.learn.datasets.affectnet import COLUMNS, EXPRESSIONS
from fercli.learn.datasets.raf_parts import SHARED

RAF_NUMBERS = {label: number for number, label in raf.LABELS.items()}
AFFECTNET_NUMBERS = {label: number for number, label in EXPRESSIONS.items()}


def face(place: int, side: int = 100, *, colour: bool = True, seed: int = 0) -> NDArray[np.uint8]:
    """(side, side, 3) RGB: a bright bar at one of eight heights, reddish, on noise."""
    picture = np.random.default_rng(seed).integers(0, 60, (side, side, 1)).repeat(3, axis=2)
    picture[side * place // 8 : side * (place + 1) // 8] += 150
    if colour:
        picture[..., 0] += 40
    return picture.astype(np.uint8)


def write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture[..., ::-1])


def write_raf(root: Path, labels: Sequence[str], *, tests: int = 2, side: int = 100, colour: bool = True) -> Path:
    """`basic/` with a picture for each label in train, and the first `tests` of them in test."""
    lines = []
    for split, own in (("train", labels), ("test", labels[:tests])):
        for number, label in enumerate(own):
            name = f"{split}_{number:05d}"
            lines.append(f"{name}.jpg {RAF_NUMBERS[label]}")
            picture = face(int(RAF_NUMBERS[label]), side, colour=colour, seed=number)
            write_picture(root / "basic" / "Image" / "aligned" / f"{name}_aligned.jpg", picture)
    return _write_lines(root / "basic" / "EmoLabel" / raf.LIST, lines, root)


def write_compound(root: Path, numbers: Sequence[int], side: int = 100) -> Path:
    """`compound/` with a picture for each label in train and in test."""
    lines = []
    for split in ("train", "test"):
        for row, number in enumerate(numbers):
            name = f"{split}_{row:04d}"
            lines.append(f"{name}.jpg {number}")
            write_picture(root / "compound" / "Image" / "aligned" / f"{name}_aligned.jpg", face(number % 8, side))
    return _write_lines(root / "compound" / "EmoLabel" / raf.LIST, lines, root)


def write_multi(root: Path, shares: Sequence[Sequence[float]], splits: str = "") -> Path:
    """`multi/` with a picture for each row of shares; `splits` has a 0 or 1 for each, or there is no such file."""
    lines = []
    for row, values in enumerate(shares):
        assert len(values) == len(SHARED)
        lines.append(" ".join([f"{row:04d}.jpg", *map(str, values)]))
        write_picture(root / "multi" / "Image" / "aligned" / f"{row:04d}_aligned.jpg", face(int(np.argmax(values))))
    labels = root / "multi" / "EmoLabel"
    if splits:
        _write_lines(labels / "partition_label.txt", [f"{n:04d}.jpg {part}" for n, part in enumerate(splits)], root)
    return _write_lines(labels / "distribution.txt", lines, root)


def write_affectnet(root: Path, rows: Sequence[tuple[str, float, float]], tests: int = 2, side: int = 120) -> Path:
    """The release of 2017: label, valence and arousal of each picture; the first `tests` are in validation as well."""
    lists = root / "Manually_Annotated_file_lists"
    for name, own in (("training", rows), ("validation", rows[:tests])):
        lines = [",".join(COLUMNS)]
        for number, (label, valence, arousal) in enumerate(own):
            file = f"{name}/{number}.png"
            expression = AFFECTNET_NUMBERS[label]
            lines.append(f"{file},0,0,{side},{side},,{expression},{valence},{arousal}")
            picture = face(int(expression), side, seed=number)
            write_picture(root / "Manually_Annotated_Images" / file, picture)
        _write_lines(lists / f"{name}.csv", lines, root)
    return root


def write_folder(root: Path, labels: Sequence[str], side: int = 100, *, colour: bool = True) -> Path:
    """Class folders with a picture for each label."""
    for number, label in enumerate(labels):
        place = sum(map(ord, label)) % 8
        write_picture(root / label / f"{number}.png", face(place, side, colour=colour, seed=number))
    return root


def _write_lines(path: Path, lines: Sequence[str], root: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root
