from __future__ import annotations

import numpy as np
import pytest

from fercli.calibration import fit_temperature, probabilities, without_prior


def test_temperature_undoes_overconfidence() -> None:
    """Logits three times too large need a temperature of three."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, (1, 4000, 5)).astype(np.float32)
    labels = np.array([rng.choice(5, p=row / row.sum()) for row in probabilities(honest, 1.0).astype(np.float64)])
    assert fit_temperature(3 * honest, labels) == pytest.approx(3.0, rel=0.05)
    assert probabilities(np.concatenate([honest, honest + 7]), 2.0) == pytest.approx(
        probabilities(honest, 2.0), abs=1e-6
    )


def test_dividing_the_prior_out_is_bayes_rule_for_other_class_shares() -> None:
    """Two classes, one observation: what is seen is worked out from likelihoods, never from the formula."""
    prior, likelihoods = np.array([0.9, 0.1]), np.array([0.2, 0.6])
    seen = (prior * likelihoods / (prior * likelihoods).sum())[None].astype(np.float32)
    alike = likelihoods / likelihoods.sum()
    np.testing.assert_allclose(without_prior(seen, (0.9, 0.1), 1.0)[0], alike, rtol=1e-5)
    half = prior**0.5 * likelihoods
    np.testing.assert_allclose(without_prior(seen, (0.9, 0.1), 0.5)[0], half / half.sum(), rtol=1e-5)
    np.testing.assert_array_equal(without_prior(seen, (), 0.0), seen)
    assert without_prior(seen, (0.9, 0.1), 0.5).dtype == np.float32
