from __future__ import annotations

import numpy as np
import pytest

from fercli.calibration import fit_temperature, probabilities


def test_temperature_undoes_overconfidence() -> None:
    """Logits three times too large need a temperature of three."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, (1, 4000, 5)).astype(np.float32)
    labels = np.array([rng.choice(5, p=row / row.sum()) for row in probabilities(honest, 1.0).astype(np.float64)])
    assert fit_temperature(3 * honest, labels) == pytest.approx(3.0, rel=0.05)
    assert probabilities(np.concatenate([honest, honest + 7]), 2.0) == pytest.approx(
        probabilities(honest, 2.0), abs=1e-6
    )
