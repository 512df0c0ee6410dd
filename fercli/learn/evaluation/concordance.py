"""Agreement of two series of values, such as predicted and annotated valence. Every function states range and formula.

A moment without a value is NaN, in either series, and does not count. Means, variances and covariances are those of the
population (divided by N), as in the evaluation of SEND, AVEC and ABAW.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST = 2
"""Fewer moments than that have no variance, so a video of fewer has no score."""

Values = NDArray[np.floating]
"""(T,) values, NaN where there is none."""


@dataclass(frozen=True)
class Concordance:
    """Agreement of two series.

    Attributes:
        n: moments that have a value in both.
        ccc: concordance correlation coefficient, in [-1, 1].
        pearson: correlation, in [-1, 1]; NaN if a series is constant.
        rmse: root of the mean squared difference, at least 0, in units of the values.
        sign_agreement: share of moments in which both have the same sign, in [0, 1].
    """

    n: int
    ccc: float
    pearson: float
    rmse: float
    sign_agreement: float


@dataclass(frozen=True)
class VideoConcordance:
    """Agreement over several videos.

    Attributes:
        per_video: video -> its agreement; videos with fewer than LEAST common moments are left out.
        mean: each figure averaged over the videos, each counting alike, as SEND does. `n` is the sum.
        pooled: over all moments of all videos, one behind the other. This is the convention of AVEC and ABAW.
        std: standard deviation of the CCC over the videos (population), at least 0.
    """

    per_video: dict[str, Concordance]
    mean: Concordance
    pooled: Concordance
    std: float


def ccc(predicted: Values, truth: Values) -> float:
    """2 cov(p, t) / (var p + var t + (mean p - mean t)^2), in [-1, 1] (Lin 1989, doi 10.2307/2532051).

    1 for two equal constants; 0 if only one of them is constant. NaN without a common moment.
    """
    ours, theirs = common(predicted, truth)
    if not len(ours):
        return math.nan
    around, beside = ours - ours.mean(), theirs - theirs.mean()
    spread = (around**2).mean() + (beside**2).mean() + (ours.mean() - theirs.mean()) ** 2
    return float(2 * (around * beside).mean() / spread) if spread > 0 else 1.0


def pearson(predicted: Values, truth: Values) -> float:
    """cov(p, t) / sqrt(var p var t), in [-1, 1]; NaN if a series is constant or there is no common moment."""
    ours, theirs = common(predicted, truth)
    if not len(ours):
        return math.nan
    around, beside = ours - ours.mean(), theirs - theirs.mean()
    scale = math.sqrt((around**2).mean() * (beside**2).mean())
    return float(np.clip((around * beside).mean() / scale, -1, 1)) if scale > 0 else math.nan


def rmse(predicted: Values, truth: Values) -> float:
    """sqrt(mean((p - t)^2)), at least 0; NaN without a common moment."""
    ours, theirs = common(predicted, truth)
    return float(np.sqrt(((ours - theirs) ** 2).mean())) if len(ours) else math.nan


def sign_agreement(predicted: Values, truth: Values) -> float:
    """Share of moments with sign(p) = sign(t), in [0, 1] (SAGR, Nicolaou et al. 2011, doi 10.1109/T-AFFC.2011.9).

    Of use for values around zero only. NaN without a common moment.
    """
    ours, theirs = common(predicted, truth)
    return float((np.sign(ours) == np.sign(theirs)).mean()) if len(ours) else math.nan


def concordance(predicted: Values, truth: Values) -> Concordance:
    """All figures of two (T,) series."""
    ours, theirs = common(predicted, truth)
    return Concordance(
        len(ours), ccc(ours, theirs), pearson(ours, theirs), rmse(ours, theirs), sign_agreement(ours, theirs)
    )


def over_videos(pairs: Mapping[str, tuple[Values, Values]]) -> VideoConcordance:
    """Agreement over videos.

    Args:
        pairs: video -> (T,) predicted and (T,) true values.

    Raises:
        ValueError: no video has LEAST moments with a value in both.
    """
    both = {video: common(*pair) for video, pair in pairs.items()}
    both = {video: pair for video, pair in both.items() if len(pair[0]) >= LEAST}
    if not both:
        raise ValueError(f"no video has {LEAST} moments with a value in both series")
    per_video = {video: concordance(*pair) for video, pair in both.items()}
    predicted, truth = (np.concatenate([pair[side] for pair in both.values()]) for side in (0, 1))
    correlations = [one.pearson for one in per_video.values() if not math.isnan(one.pearson)]
    mean = Concordance(
        len(truth),
        float(np.mean([one.ccc for one in per_video.values()])),
        float(np.mean(correlations)) if correlations else math.nan,
        float(np.mean([one.rmse for one in per_video.values()])),
        float(np.mean([one.sign_agreement for one in per_video.values()])),
    )
    return VideoConcordance(
        per_video, mean, concordance(predicted, truth), float(np.std([one.ccc for one in per_video.values()]))
    )


def common(predicted: Values, truth: Values) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The moments in which both (T,) series have a finite value, as float64."""
    ours, theirs = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    known = np.isfinite(ours) & np.isfinite(theirs)
    return ours[known], theirs[known]
