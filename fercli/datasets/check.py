"""What a person should know of a data set before training on it: classes, splits, subjects, problems, duplicates."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.datasets.faces import DatasetSplits, FaceSet
from fercli.datasets.samples import SPLITS, Problem

HASH_SIDE = 16
"""A picture is known by the signs of HASH_SIDE x HASH_SIDE differences between neighbouring grey values."""


@dataclass(frozen=True)
class Duplicate:
    """The same picture on two sides of a split, where it lets a test see what was trained on."""

    first: str
    first_split: str
    second: str
    second_split: str


@dataclass(frozen=True)
class Check:
    """What was found.

    Attributes:
        counts: labelling -> split -> class -> faces; unlabelled faces under an empty name.
        subjects: split -> subjects; empty where the set does not say.
        shared_subjects: subjects found in more than one split.
        duplicates: pictures found in more than one split.
        problems: samples that could not be used.
    """

    counts: dict[str, dict[str, dict[str, int]]]
    subjects: dict[str, int]
    shared_subjects: tuple[str, ...]
    duplicates: tuple[Duplicate, ...]
    problems: tuple[Problem, ...]

    @property
    def found_something(self) -> bool:
        """Whether there is anything to put right."""
        return bool(self.problems or self.duplicates or self.shared_subjects)


def check(data: DatasetSplits) -> Check:
    """Look through a data set that has been read."""
    parts = {split: data.part(split) for split in SPLITS}
    return Check(
        {name: {split: _classes(part, name) for split, part in parts.items()} for name in data.train.labellings},
        {split: len(set(part.subjects) - {""}) for split, part in parts.items()},
        _shared_subjects(parts),
        _duplicates(parts),
        data.problems,
    )


def _classes(part: FaceSet, name: str) -> dict[str, int]:
    labelling = part.labellings[name]
    counts = {label: int((labelling.labels == index).sum()) for index, label in enumerate(labelling.classes)}
    unlabelled = int((labelling.labels < 0).sum())
    return counts | ({"": unlabelled} if unlabelled else {})


def _shared_subjects(parts: dict[str, FaceSet]) -> tuple[str, ...]:
    homes = Counter(subject for part in parts.values() for subject in set(part.subjects) - {""})
    return tuple(sorted(subject for subject, count in homes.items() if count > 1))


def _duplicates(parts: dict[str, FaceSet]) -> tuple[Duplicate, ...]:
    """Pictures that look the same to a difference hash (Krawetz 2013, `dHash`), each paired with its first sight."""
    seen: dict[bytes, list[tuple[str, str]]] = defaultdict(list)
    for split, part in parts.items():
        for image, source in zip(part.images[:, -1], part.sources, strict=True):
            seen[_difference_hash(image)].append((source, split))
    found = []
    for places in seen.values():
        (first, first_split), *others = places
        found += [Duplicate(first, first_split, other, split) for other, split in others if split != first_split]
    return tuple(found)


def _difference_hash(image: NDArray[np.uint8]) -> bytes:
    small = cv2.resize(image, (HASH_SIDE + 1, HASH_SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes()
