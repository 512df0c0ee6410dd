"""Which faces show one person: strangers, doubles and what is more than wanted are sorted out.

The person is the largest group of faces that are alike, as `track` groups tracks: average linkage with cannot-link
constraints (`tracking.clustering`), at the embedder's limit for one person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.errors import InputError
from fercli.persons.gallery_check import SAME_PICTURE
from fercli.tracking.clustering import cluster
from fercli.tracking.identity import rms_distance

STRANGER, DOUBLE, SURPLUS = "another person", "double", "more than wanted"
NEAR_SIZE = 2 / 3
"""Size of the second largest group, compared with the largest, from which the choice is reported as uncertain."""


@dataclass(frozen=True)
class Removed:
    """Why a face is left out.

    Attributes:
        row: the face.
        reason: STRANGER, DOUBLE or SURPLUS.
        distance: root mean square distance from the person, or distance from the face that it doubles.
        of: that face; None for other reasons.
    """

    row: int
    reason: str
    distance: float | None = None
    of: int | None = None


@dataclass(frozen=True)
class Purified:
    """What is left.

    Attributes:
        kept: rows of the faces that are kept, the best first.
        removed: the other rows, each once.
        group, second: number of faces of the person, and of the next most frequent one.
    """

    kept: tuple[int, ...]
    removed: tuple[Removed, ...]
    group: int
    second: int


def purify(
    embeddings: NDArray[np.float32],
    quality: Sequence[float],
    conflicts: Iterable[tuple[int, int]],
    max_distance: float,
    at_most: int,
) -> Purified:
    """Find the faces of one person.

    Args:
        embeddings: (N, D), N at least 1.
        quality: (N,) of two doubles the better one is kept.
        conflicts: pairs of faces in one picture.
        max_distance: root mean square distance up to which faces are one person.
        at_most: largest number of faces that are kept.

    Raises:
        InputError: no person is more frequent than all others.
    """
    groups = cluster(embeddings, conflicts, max_distance)
    counts = np.bincount(groups)
    largest = int(counts.argmax())
    second = int(np.delete(counts, largest).max(initial=0))
    if second == counts[largest]:
        raise InputError(
            f"{second} {'faces each show' if second > 1 else 'face each shows'} different persons, and none of them is "
            "the most frequent one",
            hint="give more pictures of the person",
            code="gallery-ambiguous",
        )
    own = np.flatnonzero(groups == largest)
    kept, removed = _distinct(embeddings, own[np.argsort(-np.asarray(quality)[own], kind="stable")])
    removed += [Removed(row, SURPLUS) for row in kept[at_most:]]
    for row in np.flatnonzero(groups != largest).tolist():
        removed.append(Removed(row, STRANGER, rms_distance(embeddings[row : row + 1], embeddings[own])))
    return Purified(tuple(kept[:at_most]), tuple(removed), len(own), second)


def _distinct(embeddings: NDArray[np.float32], ranked: NDArray[np.int64]) -> tuple[list[int], list[Removed]]:
    """The rows that are no doubles of earlier ones, and those that are."""
    kept: list[int] = []
    removed: list[Removed] = []
    for row in ranked.tolist():
        distances = np.linalg.norm(embeddings[kept] - embeddings[row], axis=1)
        if kept and distances.min() <= SAME_PICTURE:
            nearest = int(distances.argmin())
            removed.append(Removed(row, DOUBLE, float(distances[nearest]), kept[nearest]))
        else:
            kept.append(row)
    return kept, removed
