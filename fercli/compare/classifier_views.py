"""Classifiers side by side: the picture of their scores, and the page of the faces on which they disagree."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fercli.compare.classifiers import ClassifierComparison
from fercli.compare.page import Card, colour, write_page
from fercli.learn.evaluation.classification import INTERVALS
from fercli.learn.evaluation.figures import STYLE, save_figure

MOST_CARDS = 120
FACE_SIDE = 140
"""Of a face on the page, pixels."""
TITLES = {"accuracy": "accuracy", "uar": "mean recall", "macro_f1": "macro F1"}


def draw_classifiers(comparison: ClassifierComparison, path: Path) -> None:
    """Draw three scores of each classifier with their 95 % intervals.

    Raises:
        OutputError: it cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    names = [Path(score.model).name for score in comparison.scores]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.9 + 0.32 * len(names)), layout="constrained")
        for number, metric in enumerate(INTERVALS, start=1):
            axes = figure.add_subplot(1, len(INTERVALS), number)
            for row, score in enumerate(comparison.scores):
                value, (low, high) = getattr(score, metric), score.intervals[metric]
                spread = [[max(0.0, value - low)], [max(0.0, high - value)]]
                axes.errorbar(value, row, xerr=spread, fmt="o", ms=4, color=colour(row)[0], capsize=2)
            axes.set_yticks(range(len(names)), names if number == 1 else [""] * len(names))
            axes.set_ylim(len(names) - 0.5, -0.5)
            axes.set_xlabel(TITLES[metric])
            axes.grid(axis="x", lw=0.3)
        save_figure(figure, path)


def write_disagreements(comparison: ClassifierComparison, path: Path) -> int:
    """Write the page of the faces that some classifiers have right and others wrong, and return how many there are.

    First those on which the wrong ones are surest.

    Raises:
        OutputError: it cannot be written.
    """
    right = np.array([one.predicted == comparison.truth.labels for one in comparison.answers])
    sure = np.array([one.confidence for one in comparison.answers])
    rows = np.flatnonzero(right.any(axis=0) & ~right.all(axis=0))
    order = rows[np.argsort(-np.where(right, 0, sure).max(axis=0)[rows], kind="stable")]
    cards = [_card(comparison, int(row)) for row in order[:MOST_CARDS]]
    scope = "classes of the set only" if comparison.restricted else "all classes of each classifier"
    intro = (
        f"{len(rows)} of {len(comparison.faces)} faces that some classifiers have right and others wrong ({scope}); "
        f"the {len(cards)} on which the wrong ones are surest."
    )
    write_page(path, "Classifiers: disagreements", intro, [], cards)
    return len(rows)


def _card(comparison: ClassifierComparison, row: int) -> Card:
    faces = comparison.faces
    picture = faces.images[row : row + 1][0, faces.images.shape[1] // 2]
    shown = picture if picture.ndim == 3 else cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
    shown = np.asarray(cv2.resize(shown, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)
    truth = comparison.truth.labels[row]
    lines = [f"label: {comparison.truth.classes[truth]}"]
    for one in comparison.answers:
        text = f"{Path(one.model).name}: {one.names[row]} {one.confidence[row]:.2f}"
        lines.append(text if one.predicted[row] == truth else f"!{text}")
    return Card(shown, "", lines)
