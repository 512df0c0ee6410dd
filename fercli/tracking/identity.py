"""Open-set identification: match tracks with known persons, and score how certain that is.

All distances are Euclidean, in the space of the embedder. A group is the embeddings of the tracks of one person, an (n,
D) array.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from fercli.tracking.clustering import conflicts_of

NO_PERSON = -1
"""Index for a group that is none of the known persons."""

_EVEN = 0.606
"""Distance at which two embeddings of dlib's network are as likely from one person as from two."""
_STEEPNESS = 39.0
"""By how much the logarithm of the odds falls over a distance of 1. Both are what `benchmarks/identity.py` finds for 73
pictures of 19 people, sharp ones and the same at the size and sharpness of faces in video."""


def rms_distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Root mean square distance over all pairs of one of (n, D) and one of (m, D); infinite if either is empty.

    `clustering.cluster` uses the same distance, so one limit has the same meaning in both.
    """
    return float(rms_distances([a], [b])[0, 0])


def rms_distances(groups: Sequence[NDArray[np.float32]], others: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """(G, P) root mean square distance of each of G groups from each of P others; `rms_distance` of all pairs at once.

    Computed from means and mean squares, so the time is that of one product of (G, D) and (P, D).
    """
    if not len(groups) or not len(others):
        return np.full((len(groups), len(others)), np.inf)
    means, powers = _moments(groups)
    other_means, other_powers = _moments(others)
    # einsum and not `@`, for the reason given in `fercli.tracking.clustering`.
    products = np.einsum("gd,pd->gp", means, other_means)
    distances: NDArray[np.float64] = np.sqrt(np.maximum(powers[:, None] + other_powers - 2 * products, 0))
    return distances


def scatter(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """(N,) root mean square distance of each of (N, D) rows, at least one, from all of them, itself included."""
    exact = rows.astype(np.float64)
    powers = _power(exact)
    squared = powers + powers.mean() - 2 * np.einsum("nd,d->n", exact, exact.mean(axis=0))
    distances: NDArray[np.float64] = np.sqrt(np.maximum(squared, 0))
    return distances


def match(
    groups: Sequence[NDArray[np.float32]],
    known: Sequence[NDArray[np.float32]],
    conflicts: Iterable[tuple[int, int]],
    max_distance: float,
) -> NDArray[np.int32]:
    """Which known person each group of tracks is, if any.

    Greedy: the nearest pair of a group and a person is assigned first, then the next pair whose group is still free.
    Several groups may be one person, but not two groups with a cannot-link constraint: the farther one then gets the
    next person within the limit, or none. Ties go to the first group, then to the first person.

    Args:
        groups: (n, D) embeddings of each group.
        known: (m, D) embeddings of each known person.
        conflicts: pairs of groups of different persons, for example both visible in one frame.
        max_distance: groups whose root mean square distance from every known person is larger are unknown.

    Returns:
        (G,) indices into `known`, NO_PERSON for unknown persons.
    """
    return settle(rms_distances(groups, known), conflicts, max_distance)


def settle(
    distances: NDArray[np.float64], conflicts: Iterable[tuple[int, int]], max_distance: float
) -> NDArray[np.int32]:
    """`match` by (G, P) distances of groups from known persons, however they were measured."""
    conflicting = conflicts_of(conflicts)
    near = np.argwhere(distances <= max_distance)
    nearest_first = near[np.argsort(distances[tuple(near.T)], kind="stable")]
    who = np.full(len(distances), NO_PERSON, dtype=np.int32)
    for group, person in nearest_first.tolist():
        if who[group] == NO_PERSON and all(who[other] != person for other in conflicting[group]):
            who[group] = person
    return who


@overload
def same_person(distance: float) -> float: ...
@overload
def same_person(distance: NDArray[np.float64]) -> NDArray[np.float64]: ...
def same_person(distance: NDArray[np.float64] | float) -> NDArray[np.float64] | float:
    """Probability, in [0, 1], that two embeddings at this distance are one person, for a prior of 0.5.

    A logistic function of the distance, fitted for dlib's network. For another network, scale the distances so that its
    limit for one person becomes 0.55.
    """
    odds = _odds(np.asarray(distance, dtype=np.float64))
    probability = odds / (1 + odds)
    return float(probability) if np.ndim(distance) == 0 else probability


def identity_scores(
    embeddings: NDArray[np.float32], person: NDArray[np.integer], conflicts: Iterable[tuple[int, int]]
) -> NDArray[np.float32]:
    """Identity score of each track: how certain it is that the track belongs to its person.

    A track belongs to its assigned person, to the nearest other person, or to a third one. With the odds of
    `same_person` at the root mean square distance to the tracks of the first (own) and of the second (rival), and 1 for
    the third, the score is `own / (own + rival + 1)`. A person's only track cannot be compared with others of the same
    person; its score is `1 / (rival + 1)`, the probability that it is not the rival.

    Args:
        embeddings: (N, D) one per track; those of another network than dlib's must be scaled, see `same_person`.
        person: (N,) any number for each person.
        conflicts: pairs of tracks of different persons: the person of one is not a rival for the other.

    Returns:
        (N,) in [0, 1].
    """
    _, label, size = np.unique(person, return_inverse=True, return_counts=True)
    tracks = embeddings.astype(np.float64)
    means = np.zeros((len(size), tracks.shape[1]))
    np.add.at(means, label, tracks)
    means /= size[:, None]
    powers = np.bincount(label, _power(tracks), len(size)) / size
    conflicting = conflicts_of(conflicts)
    scores = np.empty(len(tracks), dtype=np.float32)
    for number, own in enumerate(label):
        squared = powers + _power(tracks[number]) - 2 * np.einsum("pd,d->p", means, tracks[number])
        odds = _odds(np.sqrt(np.maximum(squared, 0)))
        odds[[own, *(label[other] for other in conflicting[number])]] = 0
        rival = odds.max()
        if size[own] == 1:
            scores[number] = 1 / (rival + 1)
            continue
        # A track is not compared with itself: it adds 0 to the sum of squares, so the mean is over one track fewer.
        claim = _odds(np.sqrt(max(squared[own] * size[own] / (size[own] - 1), 0)))
        scores[number] = claim / (claim + rival + 1)
    return scores


def _odds(distance: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Odds of one person against two, 0 or more; no distance is negative, so they cannot overflow."""
    odds: NDArray[np.float64] = np.exp(_STEEPNESS * (_EVEN - np.asarray(distance)))
    return odds


def _moments(groups: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(G, D) mean of each group and (G,) mean squared length, infinite for one without rows."""
    means = np.zeros((len(groups), groups[0].shape[1]))
    powers = np.full(len(groups), np.inf)
    for number, rows in enumerate(groups):
        if len(rows):
            exact = rows.astype(np.float64)
            means[number] = exact.mean(axis=0)
            powers[number] = _power(exact).mean()
    return means, powers


def _power(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared length of each row of (..., D)."""
    power: NDArray[np.float64] = np.einsum("...d,...d->...", rows, rows)
    return power
