"""Agreement of a clustering of tracks with the true persons. Pure numpy; every function states its formula.

n(k, p) is the weight of the items of person p in cluster k, n(k) and n(p) are its sums over persons and over clusters,
N is the sum of all. Items are tracks, their weight is their number of faces, which is equivalent to scoring single
faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ClusterScores:
    """Agreement of a clustering with the truth, all in [0, 1], 1 at best; `unassigned` 0 at best.

    Purity and precision leave out unassigned items, which would each be pure: they measure how reliable the assigned
    ones are. Recall and V-measure count each unassigned item as a separate cluster, so that unassigned items lower
    them.

    Attributes:
        wcp: `weighted_purity` of the assigned items; 0 if there are none.
        bcubed_precision: of the assigned items; 0 if there are none.
        bcubed_recall: of all items.
        bcubed_f: harmonic mean of the two.
        v_measure: of all items.
        unassigned: share of the weight without a cluster.
    """

    wcp: float
    bcubed_precision: float
    bcubed_recall: float
    bcubed_f: float
    v_measure: float
    unassigned: float


def score_clusters(clusters: Sequence[str | None], persons: Sequence[str], weights: NDArray[np.int64]) -> ClusterScores:
    """Score N > 0 items.

    Args:
        clusters: N names of their clusters; None for unassigned items.
        persons: N names of the true persons.
        weights: (N,) positive.
    """
    assigned = np.array([name is not None for name in clusters])
    apart: list[int | str] = [number if name is None else name for number, name in enumerate(clusters)]
    everything = contingency(apart, persons, weights)
    answered = contingency(
        [name for name in clusters if name is not None],
        [person for person, sure in zip(persons, assigned, strict=True) if sure],
        weights[assigned],
    )
    any_answer = answered.size > 0
    precision = bcubed_precision(answered) if any_answer else 0.0
    recall = bcubed_recall(everything)
    return ClusterScores(
        wcp=weighted_purity(answered) if any_answer else 0.0,
        bcubed_precision=precision,
        bcubed_recall=recall,
        bcubed_f=_harmonic_mean(precision, recall),
        v_measure=v_measure(everything),
        unassigned=float(weights[~assigned].sum() / weights.sum()),
    )


def contingency(
    clusters: Sequence[object], persons: Sequence[object], weights: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(K, P) n(k, p), clusters and persons in order of first appearance; no row and no column is empty."""
    row = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    column = {name: number for number, name in enumerate(dict.fromkeys(persons))}
    matrix = np.zeros((len(row), len(column)))
    np.add.at(matrix, ([row[name] for name in clusters], [column[name] for name in persons]), weights)
    return matrix


def weighted_purity(matrix: NDArray[np.float64]) -> float:
    """Weighted cluster purity, in (0, 1]: the share that belongs to the main person of its cluster.

    WCP = 1/N sum over k of max over p of n(k, p); Tapaswi et al. 2019, arXiv 1908.03381.
    """
    return float(matrix.max(axis=1).sum() / matrix.sum())


def bcubed_precision(matrix: NDArray[np.float64]) -> float:
    """Mean over all faces of the share of the face's cluster with the same person, in (0, 1].

    1/N sum over k, p of n(k, p)² / n(k); Bagga and Baldwin 1998, doi 10.3115/980451.980859, their algorithm B-CUBED
    with equal weights for all faces.
    """
    return float((matrix**2 / matrix.sum(axis=1, keepdims=True)).sum() / matrix.sum())


def bcubed_recall(matrix: NDArray[np.float64]) -> float:
    """Mean over all faces of the share of the face's person in the same cluster, in (0, 1].

    1/N sum over k, p of n(k, p)² / n(p); source as for `bcubed_precision`.
    """
    return bcubed_precision(matrix.T)


def v_measure(matrix: NDArray[np.float64]) -> float:
    """Harmonic mean of homogeneity and completeness, in [0, 1]; Rosenberg and Hirschberg 2007, aclanthology D07-1043.

    Homogeneity 1 - H(person | cluster) / H(person), completeness 1 - H(cluster | person) / H(cluster), each 1 if the
    denominator is 0. Their beta is 1.
    """
    return _harmonic_mean(_homogeneity(matrix), _homogeneity(matrix.T))


def _homogeneity(matrix: NDArray[np.float64]) -> float:
    persons = _entropy(matrix.sum(axis=0))
    # H(person | cluster) = H(person, cluster) - H(cluster)
    conditional = _entropy(matrix.ravel()) - _entropy(matrix.sum(axis=1))
    return 1 - conditional / persons if persons > 0 else 1.0


def _entropy(weights: NDArray[np.float64]) -> float:
    """In nats, from 0."""
    shares = weights[weights > 0] / weights.sum()
    return max(0.0, float(-(shares * np.log(shares)).sum()))


def _harmonic_mean(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b > 0 else 0.0
