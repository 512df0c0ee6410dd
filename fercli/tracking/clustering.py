"""Which tracks are the same person: agglomerative clustering of face embeddings with cannot-link constraints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def cluster(
    embeddings: NDArray[np.float32], conflicts: Iterable[tuple[int, int]], max_distance: float
) -> NDArray[np.int32]:
    """Group tracks into persons; the number of persons is not given.

    Average linkage on squared Euclidean distances, cut at `max_distance`: two groups are joined while the root mean
    square distance between their members is at most that, nearest first, and never if two members have a cannot-link
    constraint. Computed by nearest-neighbour chains (Murtagh 1983, doi:10.1093/comjnl/26.4.354), which give the same
    groups as repeatedly joining the nearest pair. The mean square distance of two groups follows from their means and
    mean squares, so no matrix of distances is held: memory grows with N, time with N².

    Args:
        embeddings: (N, D) one a track.
        conflicts: cannot-link constraints: pairs of tracks of different persons, for example both visible in one frame.
        max_distance: Euclidean.

    Returns:
        (N,) numbers of persons from 0, in order of the first track of each.
    """
    groups = _Groups(embeddings, conflicts)
    chain: list[int] = []
    while groups.open.any():
        if not chain:
            chain = [int(np.argmax(groups.open))]
        top = chain[-1]
        before = chain[-2] if len(chain) > 1 else None
        nearest, squared = groups.nearest(top, prefer=before)
        if nearest is None or squared > max_distance**2:
            # Joining others never brings them nearer, so this group is complete.
            groups.open[top] = False
            chain.pop()
        elif nearest == before:
            groups.join(top, nearest)
            del chain[-2:]
        else:
            chain.append(nearest)
    _, first, numbers = np.unique(groups.member_of, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[numbers].astype(np.int32)


def conflicts_of(conflicts: Iterable[tuple[int, int]]) -> defaultdict[int, set[int]]:
    """Track or group -> those with which it has a cannot-link constraint, in both directions; by default none.

    Args:
        conflicts: pairs of different persons, for example both visible in one frame.
    """
    conflicting: defaultdict[int, set[int]] = defaultdict(set)
    for a, b in conflicts:
        conflicting[a].add(b)
        conflicting[b].add(a)
    return conflicting


class _Groups:
    """Groups of tracks, each named after its first track.

    Attributes:
        open: (N,) groups that may still be joined.
        member_of: (N,) group of every track.
    """

    def __init__(self, embeddings: NDArray[np.float32], conflicts: Iterable[tuple[int, int]]) -> None:
        self._means = embeddings.astype(np.float64)
        self._sizes = np.ones(len(embeddings))
        # Mean of |member|² of each group: |a - b|² averaged over pairs is power + power - 2 mean · mean.
        self._powers = np.einsum("nd,nd->n", self._means, self._means)
        self._conflicting = conflicts_of(conflicts)
        self.open = np.ones(len(embeddings), dtype=bool)
        self.member_of = np.arange(len(embeddings))

    def nearest(self, group: int, prefer: int | None) -> tuple[int | None, float]:
        """The open group nearest to one, and the mean square distance; of equals `prefer`, then the first."""
        # einsum and not `@`: products this thin are not worth BLAS threads, which are slow when other work uses the
        # cores.
        products = np.einsum("nd,d->n", self._means, self._means[group])
        squared = self._powers + self._powers[group] - 2 * products
        squared[~self.open] = np.inf
        squared[[group, *self._conflicting[group]]] = np.inf
        best = int(np.argmin(squared))
        if np.isinf(squared[best]):
            return None, np.inf
        if prefer is not None and squared[prefer] <= squared[best]:
            best = prefer
        return best, float(squared[best])

    def join(self, a: int, b: int) -> None:
        """Make one group of two."""
        keep, gone = min(a, b), max(a, b)
        share = self._sizes[gone] / (self._sizes[keep] + self._sizes[gone])
        self._means[keep] += share * (self._means[gone] - self._means[keep])
        self._powers[keep] += share * (self._powers[gone] - self._powers[keep])
        self._sizes[keep] += self._sizes[gone]
        self.open[gone] = False
        self.member_of[self.member_of == gone] = keep
        for other in self._conflicting.pop(gone, ()):
            self._conflicting[other].discard(gone)
            self._conflicting[other].add(keep)
            self._conflicting[keep].add(other)
