"""Balance of probability between pleasant and unpleasant expressions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIGNS = {"happiness": 1, "anger": -1, "disgust": -1, "fear": -1, "sadness": -1, "contempt": -1}
"""Canonical emotion -> positive or negative; the others, surprise and neutral, count as neither."""


def balance(probabilities: NDArray[np.float64], labels: Sequence[str]) -> NDArray[np.float64]:
    """(N,) positive minus negative probability mass of (N, C) probabilities, in [-1, 1].

    It only summarises the classes: the network was not trained on ratings of valence, and a faint smile with high
    probability counts as much as a broad one. Do not compare it with ratings of valence, or with values of other
    programs: FaceReader, for example, subtracts only the intensity of the strongest negative expression (Loijens and
    Krips, FaceReader Methodology Note, Noldus).
    """
    signs = np.array([SIGNS.get(label, 0) for label in labels], np.float64)
    result: NDArray[np.float64] = probabilities @ signs
    return result
