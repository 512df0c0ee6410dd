"""Names for the groups of tracks: from a gallery, from a cast, or numbered in order of appearance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.config import PersonsParams
from fercli.persons.cast import Group
from fercli.tracking.identity import NO_PERSON, identity_scores, match

Enrol = Callable[[Sequence[Group], Sequence[tuple[int, int]]], list[str]]
"""Callable: groups and their cannot-link pairs -> their names in a cast; see `fercli.persons.cast.enrol`."""


@dataclass(frozen=True)
class Tracks:
    """The tracks with faces that pass the quality filter.

    Attributes:
        embeddings: (N, D) float32.
        confidence: (N,) how well each track identifies its person, in [0, 1].
        conflicts: pairs of tracks of different persons.
    """

    embeddings: NDArray[np.float32]
    confidence: NDArray[np.float32]
    conflicts: Sequence[tuple[int, int]]


def identify(
    tracks: Tracks,
    group: NDArray[np.int32],
    gallery: Mapping[str, NDArray[np.float32]],
    enrol: Enrol | None,
    max_distance: float,
) -> tuple[list[str], NDArray[np.float32]]:
    """Name every track.

    Args:
        tracks: the tracks.
        group: (N,) person of each track, from `fercli.tracking.clustering.cluster`, numbered by first appearance.
        gallery: name -> (m, D) embeddings of pictures; groups within `max_distance` of a person get that name.
        enrol: finds the others in a cast; without it they are `Person 1, 2, ...`, or `Unknown 1, 2, ...` beside
            persons of a gallery.
        max_distance: see `fercli.tracking.identity.match`.

    Returns:
        The name of each track, and (N,) its identity score in [0, 1], for which pictures of the gallery count as
        further tracks of the person.
    """
    if not len(tracks.embeddings):
        return [], np.zeros(0, dtype=np.float32)
    conflicts = sorted({(int(group[a]), int(group[b])) for a, b in tracks.conflicts})
    members = [np.flatnonzero(group == number) for number in range(int(group.max()) + 1)]
    known = list(gallery.values())
    found = match([tracks.embeddings[rows] for rows in members], known, conflicts, max_distance)
    named: list[str | None] = [None if row == NO_PERSON else list(gallery)[row] for row in found]
    if enrol is None:
        names = _numbered(named, "Unknown" if gallery else "Person")
    else:
        names = enrol([_group(tracks, rows, name) for rows, name in zip(members, named, strict=True)], conflicts)
    of_track = [names[number] for number in group]
    return of_track, _scores(tracks, of_track, gallery, max_distance)


def _group(tracks: Tracks, rows: NDArray[np.intp], name: str | None) -> Group:
    return Group(tracks.embeddings[rows], tracks.confidence[rows], name)


def _numbered(named: Sequence[str | None], word: str) -> list[str]:
    unknown = 0
    names = []
    for name in named:
        if name is None:
            unknown += 1
            name = f"{word} {unknown}"
        names.append(name)
    return names


def _scores(
    tracks: Tracks, names: Sequence[str], gallery: Mapping[str, NDArray[np.float32]], max_distance: float
) -> NDArray[np.float32]:
    """Distances of another network than the default one are scaled so that its limit becomes the default's."""
    pictured = [name for name, pictures in gallery.items() for _ in pictures]
    everybody = np.unique([*names, *pictured], return_inverse=True)[1]
    rows = np.concatenate([tracks.embeddings, *gallery.values()])
    scale = PersonsParams.max_distance / max_distance if max_distance else 1.0
    return identity_scores(rows * np.float32(scale), everybody, tracks.conflicts)[: len(names)]
