"""What every data-set reader returns: faces with label distributions, and the problems met on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Problem:
    """One sample that could not be used, and why."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True)
class FaceSet:
    """One split of a data set, column-wise.

    Attributes:
        images: (N, H, W) uint8 grey.
        targets: (N, C) float32 label distributions, each row summing to 1.
        labels: (N,) int64 index of the label that counts in evaluation.
        classes: the C class names, canonical.
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class DatasetSplits:
    """A data set as fercli trains on it: fit on `train`, choose on `valid`, report `test` once.

    Attributes:
        name, terms: what it is, and under which terms it may be used.
        face_scale: side of an image as a multiple of the longer side of the default detector's box, both centred alike.
        train, valid, test: the splits.
        problems: samples that could not be used.
    """

    name: str
    terms: str
    face_scale: float
    train: FaceSet
    valid: FaceSet
    test: FaceSet
    problems: tuple[Problem, ...] = ()
