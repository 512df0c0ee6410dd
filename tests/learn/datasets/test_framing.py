"""What the detector says of a data set's pictures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fercli.learn.datasets import framing
from fercli.models.detections import Detections


class Fixed:
    """A detector that finds given boxes, as shares of the picture, and keeps what it was shown."""

    def __init__(self, *boxes: tuple[float, float, float, float, float]) -> None:
        self.boxes = boxes
        self.shapes: list[tuple[int, ...]] = []

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        self.shapes.append(image.shape)
        height, width = image.shape[:2]
        found = [(b[0] * width, b[1] * height, b[2] * width, b[3] * height) for b in self.boxes]
        return Detections(np.array(found, np.float32).reshape(-1, 4), np.array([b[4] for b in self.boxes], np.float32))


def use(monkeypatch: pytest.MonkeyPatch, *boxes: tuple[float, float, float, float, float]) -> Fixed:
    detector = Fixed(*boxes)
    monkeypatch.setattr(framing, "default_detector", lambda: detector)
    return detector


def blank(height: int, width: int) -> NDArray[np.uint8]:
    return np.zeros((height, width, 3), np.uint8)


def test_the_largest_face_in_pixels_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, (0, 0, 0.1, 0.1, 0.9), (0.5, 0.25, 1, 0.75, 0.6), (0, 0, 1, 1, 0.2))
    for height, width in ((100, 200), (1000, 2000), (40, 80)):
        box = framing.largest_face(blank(height, width))
        assert box is not None
        np.testing.assert_allclose(box, [0.5 * width, 0.25 * height, width, 0.75 * height], rtol=0.02)


def test_large_pictures_are_shrunk_and_small_ones_enlarged_for_the_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    detector = use(monkeypatch)
    for height, width in ((1000, 2000), (48, 48), (200, 300)):
        assert framing.largest_face(blank(height, width)) is None
    assert detector.shapes == [(320, 640, 3), (96, 96, 3), (200, 300, 3)]


def test_the_share_of_the_picture_that_is_face(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, (0.1, 0.1, 0.3, 0.6, 1.0))
    assert framing.face_share([blank(100, 200)]) == pytest.approx(0.5)
    assert framing.face_share([blank(200, 100)]) == pytest.approx(1.0)
    assert framing.face_share([blank(100, 200), blank(100, 200), blank(200, 100)]) == pytest.approx(0.5)


def test_no_face_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch)
    assert framing.face_share([blank(50, 50)]) is None
    assert framing.face_share([]) is None


def test_rows_are_spread_evenly() -> None:
    assert framing.spread(5, 10) == [0, 1, 2, 3, 4]
    assert framing.spread(101, 3) == [0, 50, 100]
    assert framing.spread(0) == []
    assert len(framing.spread(100_000)) == framing.LOOK_AT
