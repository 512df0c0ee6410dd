"""Boxes whose four numbers were read in a wrong order: the usual reason for a recall of nearly nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fercli.compare.box_truth import TrueImage
from fercli.compare.detectors import DetectorComparison, matches, recall, share
from fercli.compare.wider_ap import Found

GAIN = 0.3
"""Gain in recall from which another order is likely the right one."""
_AS_CORNERS = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [-1, 0, 1, 0], [0, -1, 0, 1]], np.float32)
"""From `x1, y1, x2, y2` to the `x, y, w, h` that was read."""
ORDERS = {"x1 y1 x2 y2": (0, 1, 2, 3), "top right bottom left": (3, 0, 1, 2)}
"""Order of the numbers in a line -> where x1, y1, x2, y2 are in it."""


def wrong_orders(comparison: DetectorComparison, from_files: Collection[str]) -> list[str]:
    """A warning for the truth, and for each detector whose detections come from files, that another order fits better.

    Args:
        comparison: the figures as they were read.
        from_files: names of the detectors whose boxes were read as `x y w h`.
    """
    warnings = []
    before = {score.detector: share(score.recall) for score in comparison.scores}
    turned = [replace(one, boxes=one.boxes[:, [1, 0, 3, 2]]) for one in comparison.images]
    after = [_share(turned, own, comparison.min_score) for own in comparison.found.values()]
    if max(after, default=0) >= max(before.values(), default=0) + GAIN:
        warnings.append(
            f"the true boxes seem to be y1, x1, y2, x2: with x and y exchanged {max(after):.0%} of the faces are "
            f"found, not {max(before.values()):.0%}"
        )
    for name in from_files:
        for order, places in ORDERS.items():
            read = [Found(_read(one.boxes, places), one.scores) for one in comparison.found[name]]
            reached = _share(comparison.images, read, comparison.min_score)
            if reached >= before[name] + GAIN:
                warnings.append(
                    f"the boxes of {name} seem to be {order}, not x y w h: read so, {reached:.0%} of the faces are "
                    f"found, not {before[name]:.0%}"
                )
    return warnings


def _read(boxes: NDArray[np.float32], places: Sequence[int]) -> NDArray[np.float32]:
    return np.asarray((boxes @ _AS_CORNERS.T)[:, list(places)], np.float32)


def _share(images: Sequence[TrueImage], found: Sequence[Found], min_score: float) -> float:
    return share(recall(images, [matches(one, own, min_score) for one, own in zip(images, found, strict=True)]))
