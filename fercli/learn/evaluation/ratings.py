"""How well a network rates valence and arousal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fercli.learn.datasets.faces import FaceSet
from fercli.learn.evaluation.concordance import ccc, rmse
from fercli.models.weights import RATINGS


@dataclass(frozen=True)
class RatingScore:
    """Agreement of one rating.

    Attributes:
        n: faces that have the rating.
        ccc: concordance correlation coefficient (Lin 1989), in [-1, 1].
        rmse: root of the mean squared difference, in units of the rating.
    """

    n: int
    ccc: float
    rmse: float


def rating_scores(predicted: NDArray[np.float32], truth: NDArray[np.float32]) -> dict[str, RatingScore]:
    """Rating -> scores, of the faces that have both ratings; empty if there are fewer than two.

    Args:
        predicted: (N, 2) outputs; what lies outside [-1, 1] counts as its end.
        truth: (N, 2) in [-1, 1], NaN if unknown.
    """
    known = np.isfinite(truth).all(axis=1)
    if known.sum() < 2:
        return {}
    columns = zip(RATINGS, predicted[known].clip(-1, 1).T.astype(float), truth[known].T.astype(float), strict=True)
    return {name: _score(ours, theirs) for name, ours, theirs in columns}


def rating_figures(split: str, outputs: NDArray[np.float32], faces: FaceSet) -> dict[str, float]:
    """Figures for the header of a classifier, of (V, N, 2) outputs for V views of the faces of a split."""
    if faces.ratings is None:
        return {}
    figures: dict[str, float] = {}
    for name, row in rating_scores(outputs.mean(axis=0), faces.ratings).items():
        figures |= {f"{split}_{name}_ccc": round(row.ccc, 4), f"{split}_{name}_rmse": round(row.rmse, 4)}
    return figures


def _score(predicted: NDArray[np.float64], truth: NDArray[np.float64]) -> RatingScore:
    return RatingScore(len(truth), ccc(predicted, truth), rmse(predicted, truth))
