"""Detectors side by side: the picture of their curves, and the page of the images on which they disagree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fercli.compare.detectors import DetectorComparison, false_alarms, matches
from fercli.compare.page import Card, colour, rectangle, write_page
from fercli.learn.evaluation.figures import STYLE, save_figure
from fercli.media.images import read_image

MOST_CARDS = 60


def draw_detectors(comparison: DetectorComparison, path: Path) -> None:
    """Draw precision over recall of each detector, a panel for each difficulty.

    Raises:
        OutputError: it cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    levels = comparison.difficulties
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.2 * len(levels) + 0.4, 3.6), layout="constrained")
        for number, level in enumerate(levels, start=1):
            axes = figure.add_subplot(1, len(levels), number)
            for row, score in enumerate(comparison.scores):
                curve, ap = comparison.curves[score.detector][level], score.ap[level]
                if curve is not None:
                    drawn = curve.recall > 0
                    line: Any = {"color": colour(row)[0], "lw": 1.4, "drawstyle": "steps-pre"}
                    axes.plot(curve.recall[drawn], curve.precision[drawn], label=f"{score.detector}  {ap:.3f}", **line)
            axes.set(xlim=(0, 1.02), ylim=(0, 1.05), xlabel="recall", ylabel="precision")
            axes.set_title("" if level == "all" else level, fontsize=9)
            if axes.lines:
                axes.legend(loc="lower left", frameon=False, title="average precision", alignment="left")
        save_figure(figure, path)


def write_disagreements(comparison: DetectorComparison, path: Path) -> int:
    """Write the page of the images on which the detectors differ most, and return how many differ.

    Raises:
        InputError: a picture cannot be read again.
        OutputError: it cannot be written.
    """
    differing = sorted(_differing(comparison), key=lambda pair: -pair[1])
    cards = [_card(comparison, row) for row, _ in differing[:MOST_CARDS]]
    intro = (
        f"{len(differing)} of {len(comparison.images)} images on which not all detectors find the same faces, at score "
        f"{comparison.min_score:g}; the {len(cards)} with the largest differences."
    )
    write_page(path, "Detectors: disagreements", intro, list(comparison.found), cards)
    return len(differing)


def _differing(comparison: DetectorComparison) -> Iterator[tuple[int, int]]:
    """Row of an image, and in how many faces and false alarms its detectors differ."""
    for row, image in enumerate(comparison.images):
        kept = [own[row] for own in comparison.found.values()]
        hits = np.array([matches(image, one, comparison.min_score) > 0 for one in kept])
        alarms = [len(false_alarms(image, one, comparison.min_score)) for one in kept]
        difference = int((hits.any(axis=0) & ~hits.all(axis=0)).sum()) + max(alarms) - min(alarms)
        if difference:
            yield row, difference


def _card(comparison: DetectorComparison, row: int) -> Card:
    image = comparison.images[row]
    marks = [rectangle(box, None) for box in image.boxes]
    lines = [image.name]
    for number, (name, found) in enumerate(comparison.found.items()):
        one = found[row]
        marks += [rectangle(box, number) for box in _shown(one.boxes, one.scores, comparison.min_score)]
        hit = int((matches(image, one, comparison.min_score) > 0).sum())
        alarms = len(false_alarms(image, one, comparison.min_score))
        text = f"{name}: {hit} of {len(image.boxes)} faces, {alarms} false alarms"
        lines.append(f"!{text}" if hit < len(image.boxes) or alarms else text)
    return Card(read_image(image.path), "".join(marks), lines)


def _shown(boxes: NDArray[np.float32], scores: NDArray[np.float32], min_score: float) -> NDArray[np.float32]:
    return boxes[scores >= min_score]
