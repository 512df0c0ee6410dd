"""Landmarks side by side: the picture of cumulative errors, and the page of the faces on which finders differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fercli.compare.landmarks import LIMIT, LandmarkComparison
from fercli.compare.page import Card, colour, dots, write_page
from fercli.compare.point_finders import GROUPS
from fercli.compare.point_truth import Points
from fercli.learn.evaluation.figures import STYLE, save_figure
from fercli.media.images import read_image

MOST_CARDS = 40
MARGIN = 0.6
"""Shown round the points, in widths of the face."""
TITLES = {"68": "68 points", "51": "51 inner points", "5": "5 points", "corners": "eye corners, base of nose"}


def draw_landmarks(comparison: LandmarkComparison, path: Path) -> None:
    """Draw the share of faces with at most an error, a panel for each set of points.

    Raises:
        OutputError: it cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    groups = [group for group in GROUPS if any(score.points == group for score in comparison.scores)]
    names = list(comparison.placed)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2.7 * len(groups) + 0.4, 3.2), layout="constrained")
        for number, group in enumerate(groups, start=1):
            axes = figure.add_subplot(1, len(groups), number)
            for (name, own), errors in comparison.errors.items():
                if own == group:
                    at = np.sort(errors[np.isfinite(errors)])
                    share = np.arange(1, len(at) + 1) / len(errors)
                    line = colour(names.index(name))[0]
                    axes.step(
                        [0, *at, 1],
                        [0, *share, *share[-1:]] if len(at) else [0, 0],
                        where="post",
                        color=line,
                        label=name,
                    )
            axes.axvline(LIMIT, color="#999", lw=0.6, ls=":")
            axes.set(xlim=(0, 0.2), ylim=(0, 1.02), xlabel="error, of the eyes' distance")
            axes.set_title(TITLES[group], fontsize=9)
            if number == 1:
                axes.set_ylabel("share of faces")
            axes.legend(loc="lower right", frameon=False)
        save_figure(figure, path)


def write_disagreements(comparison: LandmarkComparison, path: Path) -> int:
    """Write the page of the faces with the largest errors of one finder compared with another, and return how many
    are on it.

    Raises:
        InputError: a picture cannot be read again.
        OutputError: it cannot be written.
    """
    worst = np.max([np.where(np.isfinite(own), own, 1.0) for own in comparison.errors.values()], axis=0)
    rows = np.argsort(-worst, kind="stable")[:MOST_CARDS]
    cards = [_card(comparison, int(row)) for row in rows]
    intro = f"The {len(cards)} of {len(comparison.faces)} faces with the largest errors."
    write_page(path, "Landmarks: disagreements", intro, list(comparison.placed), cards)
    return len(cards)


def _card(comparison: LandmarkComparison, row: int) -> Card:
    face = comparison.faces[row]
    picture = read_image(face.path)
    low, high = face.points.min(axis=0), face.points.max(axis=0)
    side = float((high - low).max())
    left, top = np.clip((low - MARGIN * side).astype(int), 0, None).tolist()
    right, bottom = (high + MARGIN * side).astype(int).tolist()
    crop = picture[top:bottom, left:right]
    scale = max(1, round(360 / max(crop.shape[:2])))
    shown = crop.repeat(scale, axis=0).repeat(scale, axis=1)
    marks = [dots(_on_crop(face.points, left, top, scale), 1.6, None)]
    lines = [face.name]
    for number, (name, placed) in enumerate(comparison.placed.items()):
        points = placed[row]
        if points is None:
            lines.append(f"!{name}: face not found")
            continue
        marks.append(dots(_on_crop(points, left, top, scale), 1.8, number))
        errors = {group: own[row] for (finder, group), own in comparison.errors.items() if finder == name}
        text = f"{name}: " + ", ".join(f"{error:.3f} ({group})" for group, error in errors.items())
        lines.append(f"!{text}" if max(errors.values()) > LIMIT else text)
    return Card(shown, "".join(marks), lines)


def _on_crop(points: Points, left: int, top: int, scale: int) -> Points:
    """Points of a picture in the enlarged crop of it, in the coordinates of SVG."""
    placed: Points = (points - np.array([left, top]) + 0.5) * scale
    return placed
