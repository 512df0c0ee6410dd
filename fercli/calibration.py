"""Temperature scaling: it makes predictions with probability 0.8 correct in 80 % of cases; and other class shares than
those of the training data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax


def probabilities(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """The mean over views of softmax(logits / temperature).

    Args:
        logits: (V, N, C), V views of the same N faces.
        temperature: above 0.

    Returns:
        (N, C), rows summing to 1.
    """
    return np.asarray(softmax(logits / temperature, axis=-1).mean(axis=0), dtype=np.float32)


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature in [0.1, 10] that makes the labels most likely (Guo et al. 2017, arXiv 1706.04599).

    Args:
        logits: (V, N, C) on faces the network was not trained on.
        labels: (N,) true classes.
    """
    from scipy.optimize import minimize_scalar  # takes a third of a second, and only training needs it

    def negative_log_likelihood(log_temperature: float) -> float:
        chosen = probabilities(logits, float(np.exp(log_temperature)))[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    found = minimize_scalar(negative_log_likelihood, bounds=(np.log(0.1), np.log(10)), method="bounded")
    return float(np.exp(found.x))


def without_prior(probabilities: NDArray[np.float32], prior: tuple[float, ...], power: float) -> NDArray[np.float32]:
    """The probabilities where each class is as frequent as `prior ** (1 - power)` says, by Bayes' rule.

    A network answers with the class shares of its training data. `p / prior ** power`, scaled to sum to 1, takes a part
    of them out: post-hoc logit adjustment (Menon et al. 2021, arXiv 2007.07314, section 4.1; their tau is `power`).

    Args:
        probabilities: (N, C), rows summing to 1.
        prior: C class shares of the training data, above 0; may be empty for a power of 0.
        power: 0 changes nothing, 1 makes all classes alike.

    Returns:
        (N, C), rows summing to 1.
    """
    if not power:
        return probabilities
    divided = probabilities / np.asarray(prior, dtype=np.float64) ** power
    return np.asarray(divided / divided.sum(axis=1, keepdims=True), dtype=np.float32)
