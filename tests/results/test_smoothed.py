"""Probabilities beside a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fercli.results.details import Details
from fercli.results.model import Segment
from fercli.results.smoothed import SmoothedProbabilities

LABELS = ("happiness", "neutral")


def smoothed(happiness: Sequence[float | None], track: int = 0) -> SmoothedProbabilities:
    """Windows of 0.2 s."""
    rows = [
        {
            "track": track,
            "start_s": 0.2 * place,
            "end_s": 0.2 * (place + 1),
            "happiness": value,
            "neutral": None if value is None else 1 - value,
        }
        for place, value in enumerate(happiness)
    ]
    kinds: dict[str, Any] = {"track": pa.int32(), "start_s": pa.float64(), "end_s": pa.float64()}
    kinds |= dict.fromkeys(LABELS, pa.float32())
    return SmoothedProbabilities(Details(LABELS, pa.table({}), pa.Table.from_pylist(rows, schema=pa.schema(kinds))))


def segment(start_s: float, end_s: float, emotion: str = "happiness", **values: Any) -> Segment:
    return Segment(start_s, end_s, emotion=emotion, person="Zoë", **{"track": 0, **values})


def test_the_windows_within_a_second_are_averaged() -> None:
    found = smoothed([0.6] * 5 + [1.0] * 15)
    assert found.at(segment(0, 4), 0.45) == pytest.approx([5 / 7, 2 / 7], abs=1e-6)  # seven windows up to 1.45 s
    assert found.at(segment(0, 4), 3.0) == pytest.approx([1, 0])


def test_windows_of_the_next_segment_do_not_count() -> None:
    found = smoothed([0.9] * 5 + [0.1] * 5)
    assert found.at(segment(0, 1), 0.95) == pytest.approx([0.9, 0.1])
    assert found.at(segment(1, 2, "neutral"), 1.0) == pytest.approx([0.1, 0.9])


def test_where_another_class_would_be_on_top_the_whole_segment_speaks() -> None:
    """At the end of a happy segment a second of the network says neutral: the bars stay happy."""
    found = smoothed([0.9] * 15 + [0.3] * 5)
    near_end = found.at(segment(0, 4), 4.0)
    assert near_end == pytest.approx([0.75, 0.25])


def test_a_boundary_within_a_window_has_that_window() -> None:
    assert smoothed([0.9, 0.8]).at(segment(0.21, 0.29), 0.25) == pytest.approx([0.8, 0.2])


def test_unassessable_windows_count_for_nothing() -> None:
    assert smoothed([0.9, None, 0.7]).at(segment(0, 0.6), 0.3) == pytest.approx([0.8, 0.2])
    assert smoothed([None, None]).at(segment(0, 0.4), 0.1) is None


def test_manual_annotations_and_other_tracks_have_none() -> None:
    found = smoothed([0.9] * 5)
    assert found.at(segment(0, 1, source="human"), 0.5) is None
    assert found.at(segment(0, 1, track=3), 0.5) is None


def test_the_longest_bar_is_that_of_the_label_wherever_the_mean_of_the_segment_is() -> None:
    """As the score of a segment is the mean of its label, this is how labels and bars never contradict."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = rng.uniform(0, 1, 20)
        label = LABELS[0] if values.mean() > 0.5 else LABELS[1]
        found = smoothed(values.tolist())
        bars = [found.at(segment(0, 4, label), time) for time in np.arange(0, 4, 0.1)]
        assert {LABELS[int(bar.argmax())] for bar in bars if bar is not None} == {label}
