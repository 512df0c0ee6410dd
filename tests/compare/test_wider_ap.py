"""Average precision of WIDER FACE, against the official steps written out one by one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.compare.wider_ap import Faces, Found, inclusive_iou, precision_curve


def synthetic(seed: int, images: int = 40) -> tuple[list[Faces], list[Found]]:
    """Faces of which some are not counted, and a mediocre detector: misses, doubles, false alarms, loose boxes."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for number in range(images):
        n = int(rng.integers(0, 12))
        corner, side = rng.uniform(0, 600, (n, 2)), rng.uniform(5, 90, (n, 1))
        boxes = np.concatenate([corner, corner + side * [1, 1.3]], axis=1).round().astype(np.float32)
        truth.append(Faces(boxes, rng.random(n) < 0.6))
        rows = rng.choice(n, size=int(rng.integers(0, n + 1)), replace=True) if n else np.zeros(0, int)
        loose = boxes[rows] + rng.normal(0, 0.12, (len(rows), 4)) * side[rows]
        extra = rng.uniform(0, 600, (int(rng.integers(0, 5)), 2))
        alarms = np.concatenate([extra, extra + 40], axis=1)
        scores = np.concatenate([rng.beta(4, 2, len(rows)), rng.beta(2, 4, len(alarms))]) * 0.9 + 0.02
        if number % 7 == 3:
            loose, alarms, scores = loose[:0], alarms[:0], scores[:0]
        found.append(Found(np.concatenate([loose, alarms]).astype(np.float32), scores.astype(np.float32)))
    return truth, found


def overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if width <= 0 or height <= 0:
        return 0.0
    both = (a[2] - a[0] + 1) * (a[3] - a[1] + 1) + (b[2] - b[0] + 1) * (b[3] - b[1] + 1)
    return float(width * height / (both - width * height))


def step_by_step(truth: list[Faces], found: list[Found]) -> float:
    """The official program, one detection, one threshold and one face at a time."""
    lowest = min([1.0, *(float(s) for one in found for s in one.scores)])
    highest = max([0.0, *(float(s) for one in found for s in one.scores)])
    totals = [[0, 0] for _ in range(1000)]
    faces_in_all = 0
    for faces, one in zip(truth, found, strict=True):
        faces_in_all += sum(bool(counted) for counted in faces.counted)
        if not len(faces.boxes) or not len(one.scores):
            continue
        ranked = sorted(zip(one.scores, one.boxes, strict=True), key=lambda pair: -float(pair[0]))
        state, proposals, hits = [0] * len(faces.boxes), [], []
        for _, box in ranked:
            overlaps = [overlap(box, face) for face in faces.boxes]
            best = overlaps.index(max(overlaps))
            proposals.append(1)
            if overlaps[best] >= 0.5 and not faces.counted[best]:
                state[best], proposals[-1] = -1, -1
            elif overlaps[best] >= 0.5 and state[best] == 0:
                state[best] = 1
            hits.append(state.count(1))
        scaled = [(float(score) - lowest) / (highest - lowest) for score, _ in ranked]
        for number in range(1000):
            within = [rank for rank, score in enumerate(scaled) if score >= 1 - (number + 1) / 1000]
            if within:
                totals[number][0] += proposals[: within[-1] + 1].count(1)
                totals[number][1] += hits[within[-1]]
    precision = [right / taken if taken else 0.0 for taken, right in totals]
    recall = [right / faces_in_all for _, right in totals]
    area, last = 0.0, 0.0
    for number, value in enumerate(recall):
        area += (value - last) * max(precision[number:])
        last = value
    return area


@pytest.mark.parametrize("seed", range(4))
def test_the_official_figure_to_a_thousandth(seed: int) -> None:
    truth, found = synthetic(seed)
    curve = precision_curve(truth, found)
    assert curve is not None and 0.1 < curve.ap < 0.9
    assert curve.ap == pytest.approx(step_by_step(truth, found), abs=1e-9)


def test_a_perfect_detector_has_one_and_a_blind_one_nothing() -> None:
    truth, _ = synthetic(9)
    rng = np.random.default_rng(1)
    perfect = [Found(faces.boxes, rng.uniform(0.5, 1, len(faces.boxes)).astype(np.float32)) for faces in truth]
    blind = [Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32)) for _ in truth]
    best, worst = precision_curve(truth, perfect), precision_curve(truth, blind)
    assert best is not None and best.ap == pytest.approx(1) and worst is not None and worst.ap == 0


def test_faces_of_another_difficulty_are_left_out_and_doubles_are_wrong() -> None:
    boxes = np.array([[0, 0, 10, 10], [50, 50, 60, 60]], np.float32)
    scores = np.array([0.9, 0.1], np.float32)
    other = [Faces(boxes, np.array([False, True]))]
    curve = precision_curve(other, [Found(boxes, scores)])
    assert curve is not None and curve.ap == 1  # the better detection is of a face that does not count
    twice = Found(boxes[[1, 1, 0]], np.array([0.9, 0.8, 0.1], np.float32))
    both = precision_curve([Faces(boxes, np.array([True, True]))], [twice])
    assert both is not None and both.ap == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert precision_curve([Faces(boxes, np.array([False, False]))], [twice]) is None


def test_boxes_hold_their_last_pixel() -> None:
    a, b = np.array([[0, 0, 9, 9]], np.float32), np.array([[5, 0, 14, 9]], np.float32)
    assert inclusive_iou(a, b)[0, 0] == pytest.approx(50 / 150)
