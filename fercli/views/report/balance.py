"""How much of the probability lies on pleasant and how much on unpleasant expressions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIGNS = {"happiness": 1, "anger": -1, "disgust": -1, "fear": -1, "sadness": -1, "contempt": -1}
"""Canonical emotion -> positive or negative; those left out, surprise and neutral, count as neither."""


def balance(probabilities: NDArray[np.float64], labels: Sequence[str]) -> NDArray[np.float64]:
    """(N,) positive minus negative probability mass of (N, C) probabilities, in [-1, 1].

    A summary of the classes and nothing more: the network was never shown a rating of valence, and a faint smile that
    it is sure of counts as much as a broad one. Compare it with itself, not with valence as people rate it, and not
    with other programs' figures: FaceReader, for one, subtracts the intensity of the strongest negative expression
    alone (Loijens and Krips, FaceReader Methodology Note, Noldus).
    """
    signs = np.array([SIGNS.get(label, 0) for label in labels], np.float64)
    result: NDArray[np.float64] = probabilities @ signs
    return result
