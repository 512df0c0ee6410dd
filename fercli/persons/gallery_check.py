"""Problems of a gallery: unusable pictures, duplicate pictures, wrong faces, persons that look alike.

The purification step when a face dictionary is built: a wrong face among a person's pictures gives that name to every
person who looks like it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.persons.gallery import Gallery, Portraits
from fercli.tracking.identity import rms_distance

SAME_PICTURE = 0.15
"""Distance up to which two pictures are duplicates. Copies that were re-encoded, scaled, brightened or cropped at the
edge are 0.05 to 0.2 apart, different photographs of one man 0.17 to 0.55."""


@dataclass(frozen=True)
class Finding:
    """A problem to be corrected.

    Attributes:
        kind: `unusable`, `missing`, `same picture`, `wrong face` or `alike`.
        persons: the persons in question.
        files: the pictures; check the first one first.
        message: one sentence.
        distance: between the compared embeddings; None if none are compared.
        code: why a picture is unusable, as of `FercliError`; empty for other kinds.
    """

    kind: str
    persons: tuple[str, ...]
    files: tuple[Path, ...]
    message: str
    distance: float | None = None
    code: str = ""


def check_gallery(gallery: Gallery, max_distance: float) -> list[Finding]:
    """All findings, by kind.

    Args:
        gallery: read from its pictures.
        max_distance: root mean square distance up to which `track` assigns a face to a person.
    """
    alike = _alike(gallery.persons, max_distance)
    unusable = [Finding("unusable", (p.person,), (p.file,), p.reason, code=p.code) for p in gallery.problems]
    missing = [Finding("missing", (name,), (), f"{name} has no usable picture") for name in gallery.missing]
    return [*unusable, *missing, *_same_pictures(gallery), *_wrong_faces(gallery.persons, alike, max_distance), *alike]


def outliers(embeddings: NDArray[np.float32], max_distance: float) -> list[int]:
    """Rows of (n, D) that are not of the same person as the rest, the worst first.

    The row with the largest root mean square distance from all others is removed, then the next, until no row is
    further than `max_distance` from the rest: a wrong face also increases the distances of the correct ones.
    """
    squared = _distances(embeddings, embeddings) ** 2
    rest = np.arange(len(embeddings))
    found: list[int] = []
    while len(rest) > 1:
        mean = squared[np.ix_(rest, rest)].sum(axis=1) / (len(rest) - 1)
        worst = int(mean.argmax())
        if mean[worst] <= max_distance**2:
            break
        found.append(int(rest[worst]))
        rest = np.delete(rest, worst)
    return found


def _same_pictures(gallery: Gallery) -> list[Finding]:
    """Every picture whose nearest earlier picture is within SAME_PICTURE."""
    findings = []
    files: list[tuple[str, Path]] = []
    seen: list[NDArray[np.float32]] = []
    for name, own in gallery.persons.items():
        seen.append(own.embeddings)
        distances = _distances(own.embeddings, np.concatenate(seen))
        for row, file in enumerate(own.files):
            before = distances[row, : len(files)]
            if len(before) and before.min() <= SAME_PICTURE:
                other, first = files[int(before.argmin())]
                message = f"{file} shows the same as {first}"
                if other != name:
                    message += f", but is named {name} and not {other}"
                persons = (name,) if other == name else (name, other)
                findings.append(Finding("same picture", persons, (file, first), message, float(before.min())))
            files.append((name, file))
    return findings


def _wrong_faces(persons: dict[str, Portraits], alike: Sequence[Finding], max_distance: float) -> list[Finding]:
    """Pictures nearer to another person than to their own, and pictures far from all others of their own person."""
    excused = {frozenset(finding.persons) for finding in alike}
    findings = []
    for name, own in persons.items():
        strays = _strays(name, persons, excused, max_distance)
        kept = np.array([row for row in range(len(own.files)) if row not in strays], dtype=np.intp)
        odd = kept[outliers(own.embeddings[kept], max_distance)]
        for row in sorted({*strays, *odd.tolist()}):
            others = np.delete(own.embeddings, row, axis=0)
            distance = rms_distance(own.embeddings[row : row + 1], others)
            if row in strays:
                message = f"{own.files[row]} shows {strays[row]} rather than {name}"
                findings.append(Finding("wrong face", (name, strays[row]), (own.files[row],), message, distance))
            else:
                message = f"{own.files[row]} is unlike {_the_others(own, row)} of {name}"
                findings.append(Finding("wrong face", (name,), (own.files[row],), message, distance))
    return findings


def _strays(
    name: str, persons: dict[str, Portraits], excused: set[frozenset[str]], max_distance: float
) -> dict[int, str]:
    """Row of a person's pictures -> the other person it shows; persons who look like this one are not considered."""
    own = persons[name].embeddings
    rivals = {other: p.embeddings for other, p in persons.items() if other != name and {name, other} not in excused}
    found = {}
    for row in range(len(own)) if len(own) > 1 and rivals else ():
        here = own[row : row + 1]
        distance, nearest = min((rms_distance(here, embeddings), other) for other, embeddings in rivals.items())
        if distance <= max_distance and distance < rms_distance(here, np.delete(own, row, axis=0)):
            found[row] = nearest
    return found


def _the_others(own: Portraits, row: int) -> str:
    """Of two pictures, either may be the wrong one, so the message names both."""
    return str(own.files[1 - row]) if len(own.files) == 2 else "the other pictures"


def _alike(persons: dict[str, Portraits], max_distance: float) -> list[Finding]:
    """Pairs of persons that `track` would not distinguish."""
    names = list(persons)
    findings = []
    for number, name in enumerate(names):
        for other in names[number + 1 :]:
            distance = rms_distance(persons[name].embeddings, persons[other].embeddings)
            if distance <= max_distance:
                files = (persons[name].files[0], persons[other].files[0])
                message = f"{name} and {other} look like one person"
                findings.append(Finding("alike", (name, other), files, message, distance))
    return findings


def _distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, m) Euclidean distances."""
    from scipy.spatial.distance import cdist

    distances: NDArray[np.float64] = cdist(a, b)
    return distances
