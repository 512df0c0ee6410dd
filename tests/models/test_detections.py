from __future__ import annotations

import numpy as np

from fercli.models.detections import Detections

TWO = Detections(
    boxes=np.array([[0, 0, 10, 20], [5, 6, 7, 8]], np.float32),
    scores=np.array([0.9, 0.4], np.float32),
    landmarks=np.arange(20, dtype=np.float32).reshape(2, 5, 2),
)


def test_take_keeps_rows_together_in_the_order_asked_for() -> None:
    swapped = TWO.take(np.array([1, 0]))
    assert swapped.scores.tolist() == TWO.scores[::-1].tolist()
    assert swapped.boxes.tolist() == TWO.boxes[::-1].tolist()
    assert swapped.landmarks is not None
    assert swapped.landmarks[0, 0].tolist() == [10, 11]
    assert len(TWO.take(np.array([], dtype=np.intp))) == 0


def test_scaled_moves_boxes_and_landmarks_by_axis() -> None:
    scaled = TWO.scaled(2, 3)
    assert scaled.boxes.tolist() == [[0, 0, 20, 60], [10, 18, 14, 24]]
    assert scaled.landmarks is not None
    assert scaled.landmarks[1, 4].tolist() == [36, 57]
    assert scaled.boxes.dtype == scaled.landmarks.dtype == np.float32


def test_landmarks_may_be_missing() -> None:
    without = Detections(TWO.boxes, TWO.scores)
    assert without.take(np.array([1])).landmarks is None
    assert without.scaled(2, 2).landmarks is None
