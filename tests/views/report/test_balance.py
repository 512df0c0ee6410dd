from __future__ import annotations

import numpy as np
import pytest

from fercli.labels import EMOTIONS_8
from fercli.views.report.balance import balance


def test_balance_is_positive_minus_negative_mass_by_name() -> None:
    labels = ("neutral", "happiness", "surprise", "anger", "sadness")
    rows = np.array([[0.1, 0.5, 0.1, 0.2, 0.1], [0.0, 0.0, 1.0, 0.0, 0.0], [0.5, 0.0, 0.0, 0.25, 0.25]])
    assert balance(rows, labels).tolist() == pytest.approx([0.2, 0.0, -0.5])


def test_balance_runs_from_minus_one_to_one() -> None:
    values = dict(zip(EMOTIONS_8, balance(np.eye(8), EMOTIONS_8).tolist(), strict=True))
    assert {name for name, value in values.items() if value == 1} == {"happiness"}
    assert {name for name, value in values.items() if value == 0} == {"surprise", "neutral"}
    assert min(values.values()) == -1
