"""How far a face has moved from neutral, and whether mouth and brows look pleasant, by its blendshapes.

What a neutral face looks like differs from person to person, so the neutral face of each track is estimated from its
own windows, as far as they are neutral, and from NEUTRAL where there are few.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fercli.labels import BLENDSHAPES

NEUTRAL = {
    "browDown": 0.11,
    "browInnerUp": 0.16,
    "browOuterUp": 0.19,
    "eyeSquint": 0.26,
    "eyeWide": 0.02,
    "jawOpen": 0.03,
    "mouthFrown": 0.03,
    "mouthFunnel": 0.01,
    "mouthLowerDown": 0.03,
    "mouthPress": 0.06,
    "mouthPucker": 0.19,
    "mouthRollLower": 0.07,
    "mouthShrugLower": 0.1,
    "mouthShrugUpper": 0.05,
    "mouthSmile": 0.02,
    "mouthStretch": 0.02,
    "mouthUpperUp": 0.01,
}
"""Blendshape -> its mean in neutral faces, left and right together, as `benchmarks/valence.py` prints it. Those of gaze
and blinks, which say little of an expression, are left out, and so are those that the network hardly ever moves."""
SHAPES = tuple(NEUTRAL)
SIDES = {name: tuple(one for one in BLENDSHAPES if one in (name, f"{name}Left", f"{name}Right")) for name in SHAPES}
"""Each of SHAPES -> the columns of `tables.ATTRIBUTES` whose mean it is."""
PRIOR_S = 1.0
"""Seconds of neutral faces that NEUTRAL counts as beside those of the track."""
HALF_MOVED = 0.7
"""Distance from neutral at which a movement is half of the strongest: between the medians of neutral faces (.46 without
a neutral face of their own) and of happy ones (1.0)."""
FROWN, BROW = 2.0, 0.6
"""By how much a rise of `mouthFrown` and of `browDown` counts against a rise of `mouthSmile`. The network moves the
first one little: at most .24 in nine of ten angry or sad faces, while smiles reach .92."""


def from_neutral(
    shapes: NDArray[np.float64], neutral: NDArray[np.float64], seconds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Differences to the neutral face of a track.

    Args:
        shapes: (N, K) values of SHAPES in its windows, in [0, 1]; NaN if unknown.
        neutral: (N,) probability that the window is neutral; NaN if unknown.
        seconds: (N,) length of each window.
    """
    weights = np.where(np.isfinite(shapes).all(axis=1), np.nan_to_num(neutral) * seconds, 0.0)
    own = weights @ np.nan_to_num(shapes)
    prior = np.array([*NEUTRAL.values()])
    difference: NDArray[np.float64] = shapes - (own + PRIOR_S * prior) / (weights.sum() + PRIOR_S)
    return difference


def movement(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) movement in [0, 1) of (N, K) differences: 0 a neutral face, .5 at HALF_MOVED; NaN if unknown."""
    squared = (differences**2).sum(axis=1)
    moved: NDArray[np.float64] = squared / (squared + HALF_MOVED**2)
    return moved


def pleasantness(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) what mouth and brows say, in [-1, 1], of (N, K) differences: a smile less frowns; NaN if unknown."""
    smile, frown, brow = (differences[:, SHAPES.index(name)] for name in ("mouthSmile", "mouthFrown", "browDown"))
    found: NDArray[np.float64] = np.clip(smile - FROWN * np.maximum(frown, 0) - BROW * np.maximum(brow, 0), -1, 1)
    return found
