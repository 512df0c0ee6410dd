"""Check of a data set before training: classes, splits, subjects, problems, duplicate pictures.

Pictures are compared by their difference hash (Krawetz 2013, `dHash`), clips by that of their last frame.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fercli.learn.datasets.faces import DatasetSplits, FaceSet
from fercli.learn.datasets.images import in_colour
from fercli.learn.datasets.samples import SPLITS, Problem

HASH_SIDE = 16
"""The hash of a picture is the signs of HASH_SIDE x HASH_SIDE differences between neighbouring grey values."""


@dataclass(frozen=True)
class Duplicate:
    """The same picture in two splits, so that a test includes training data."""

    first: str
    first_split: str
    second: str
    second_split: str


@dataclass(frozen=True)
class Contradiction:
    """The same picture in two classes, in one split or in two."""

    first: str
    first_label: str
    second: str
    second_label: str


@dataclass(frozen=True)
class Check:
    """The findings.

    Attributes:
        counts: labelling -> split -> class -> faces; unlabelled faces under an empty name.
        subjects: split -> subjects; empty if the set has none.
        shared_subjects: subjects found in more than one split.
        duplicates: pictures found in more than one split.
        contradictions: pictures found in more than one class of the main labelling.
        problems: samples that could not be used.
        notes: parts left out by design, and other information; no corrections needed.
    """

    counts: dict[str, dict[str, dict[str, int]]]
    subjects: dict[str, int]
    shared_subjects: tuple[str, ...]
    duplicates: tuple[Duplicate, ...]
    contradictions: tuple[Contradiction, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()

    @property
    def found_something(self) -> bool:
        """Whether there is anything to correct."""
        return bool(self.problems or self.duplicates or self.contradictions or self.shared_subjects)


def check(data: DatasetSplits) -> Check:
    """Check a data set that has been read."""
    parts = {split: data.part(split) for split in SPLITS}
    alike = _alike(parts)
    return Check(
        {name: {split: _classes(part, name) for split, part in parts.items()} for name in data.train.labellings},
        {split: len(set(part.subjects) - {""}) for split, part in parts.items()},
        _shared_subjects(parts),
        tuple(
            Duplicate(first.source, first.split, other.source, other.split)
            for first, *others in alike
            for other in others
            if other.split != first.split
        ),
        _contradictions(alike),
        data.problems,
        data.notes,
    )


def contradictions(data: DatasetSplits) -> tuple[Contradiction, ...]:
    """Pictures in more than one class of the main labelling, each paired with its first occurrence."""
    return _contradictions(_alike({split: data.part(split) for split in SPLITS}))


def _classes(part: FaceSet, name: str) -> dict[str, int]:
    labelling = part.labellings[name]
    counts = {label: int((labelling.labels == index).sum()) for index, label in enumerate(labelling.classes)}
    unlabelled = int((labelling.labels < 0).sum())
    return counts | ({"": unlabelled} if unlabelled else {})


def _shared_subjects(parts: dict[str, FaceSet]) -> tuple[str, ...]:
    homes = Counter(subject for part in parts.values() for subject in set(part.subjects) - {""})
    return tuple(sorted(subject for subject, count in homes.items() if count > 1))


@dataclass(frozen=True)
class _Occurrence:
    """An occurrence of a picture: its file, split, and class in the main labelling, empty without one."""

    source: str
    split: str
    label: str


def _alike(parts: dict[str, FaceSet]) -> list[list[_Occurrence]]:
    """Occurrences of each picture that occurs at least twice."""
    seen: dict[bytes, list[_Occurrence]] = defaultdict(list)
    for split, part in parts.items():
        names = (*part.main.classes, "")  # -1, no label, is the last
        for image, source, label in zip(_last_frames(part), part.sources, part.main.labels, strict=True):
            seen[difference_hash(image)].append(_Occurrence(source, split, names[label]))
    return [places for places in seen.values() if len(places) > 1]


def _contradictions(alike: list[list[_Occurrence]]) -> tuple[Contradiction, ...]:
    found = []
    for places in alike:
        labelled = [place for place in places if place.label]
        found += [
            Contradiction(labelled[0].source, labelled[0].label, other.source, other.label)
            for other in labelled[1:]
            if other.label != labelled[0].label
        ]
    return tuple(found)


def _last_frames(part: FaceSet) -> Iterator[NDArray[np.uint8]]:
    for row in range(len(part)):
        yield part.images[row : row + 1][0, -1]


def difference_hash(image: NDArray[np.uint8]) -> bytes:
    """The hash of an (H, W) or (H, W, 3) picture, the same for pictures that look the same."""
    grey = in_colour(image, False)
    small = cv2.resize(grey, (HASH_SIDE + 1, HASH_SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.packbits(small[:, 1:] > small[:, :-1]).tobytes()
