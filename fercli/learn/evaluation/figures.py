"""Figures of an evaluation, sized for one column of a paper, in colours for colour-blind people."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fercli.errors import ConfigError
from fercli.learn.evaluation.metrics import Bin
from fercli.writing import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
COLUMN_WIDTH_IN = 3.5
"""Width of a column in the usual two-column layouts, inches."""
DPI = 300
SKY_BLUE, VERMILION, GREY = "#56B4E9", "#D55E00", "#555555"
"""Both colours from the palette of Okabe and Ito, https://jfly.uni-koeln.de/color/."""
STYLE: Any = {
    "font.size": 8,
    "axes.linewidth": 0.6,
    "pdf.fonttype": 42,  # journals refuse the Type 3 fonts that are the default
    "svg.hashsalt": "fercli",  # the same figures make the same file
}


def confusion_figure(matrix: NDArray[np.int64], classes: Sequence[str], path: Path) -> None:
    """Draw (C, C) counts, row the true class: share of the row as colour and in percent, the count below it.

    A row without samples stays empty. 3.5 inches wide up to five classes, then half an inch more for each class.

    Args:
        path: `.png` (300 dpi), `.svg` or `.pdf`; replaced in one step.

    Raises:
        ConfigError: another suffix.
        OutputError: it cannot be written.
    """
    check_suffix(path)
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        side = max(COLUMN_WIDTH_IN, 0.5 * len(classes) + 0.9)
        figure = Figure(figsize=(side, side), layout="constrained")
        axes = figure.add_subplot()
        support = matrix.sum(axis=1, keepdims=True)
        shares = np.divide(matrix, support, out=np.zeros(matrix.shape), where=support > 0)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.6)  # stays light enough for black figures
        for row, column in np.argwhere(np.broadcast_to(support > 0, matrix.shape)):
            place: Any = {"ha": "center", "color": "black" if matrix[row, column] else GREY}
            axes.text(column, row, f"{100 * shares[row, column]:.0f} %", va="bottom", **place)
            axes.text(column, row, str(matrix[row, column]), va="top", fontsize=6, **place)
        axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(
            range(len(classes)), [f"{name}\nn = {n}" for name, n in zip(classes, support[:, 0], strict=True)]
        )
        axes.set_xlabel("predicted class")
        axes.set_ylabel("true class")
        save_figure(figure, path)


def reliability_figure(bins: Sequence[Bin], ece: float, path: Path) -> None:
    """Draw accuracy against confidence, perfect calibration as a diagonal; below it the share of samples in each bin.

    Reliability diagrams: Guo et al. 2017, arXiv 1706.04599.

    Args:
        bins: of `metrics.reliability_bins`.
        ece: expected calibration error, in [0, 1].
        path: `.png` (300 dpi), `.svg` or `.pdf`; replaced in one step.

    Raises:
        ConfigError: another suffix.
        OutputError: it cannot be written.
    """
    check_suffix(path)
    import matplotlib as mpl
    from matplotlib.figure import Figure

    left, width = [b.lower for b in bins], [b.upper - b.lower for b in bins]
    total = sum(b.count for b in bins)
    bar: Any = {"align": "edge", "color": SKY_BLUE, "edgecolor": "white", "linewidth": 0.6}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(COLUMN_WIDTH_IN, 4.2), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.bar(left, [b.accuracy for b in bins], width, label="accuracy in a bin", **bar)
        upper.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle="--", label="perfect calibration")
        upper.plot(
            [b.confidence for b in bins],
            [b.accuracy for b in bins],
            color=VERMILION,
            clip_on=False,
            zorder=3,
            marker="o",
            markersize=3,
            linestyle="none",
            label="mean confidence in a bin",
        )
        upper.set(xlim=(0, 1), ylim=(0, 1), ylabel="accuracy")
        # Above the axes: with few classes all confidences are high, so bars may be anywhere.
        figure.legend(loc="outside upper left", ncols=2, frameon=False, title=f"ECE = {ece:.3f}", alignment="left")
        lower.bar(left, [100 * b.count / total for b in bins], width, **bar)
        lower.set(xlabel="confidence", ylabel="samples (%)")
        save_figure(figure, path)


def check_suffix(path: Path) -> None:
    """Refuse an unknown kind of figure.

    Raises:
        ConfigError: another suffix than those of SUFFIXES.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"cannot draw {path}: unknown kind of picture", hint=f"name it {', '.join(SUFFIXES)}", code="suffix-unknown"
        )


def save_figure(figure: Figure, path: Path, *, tight: bool = False) -> None:
    """Write a figure in the format of its suffix, with the same bytes for the same figure, in one step.

    Args:
        figure, path: figure and file; the suffix is one of SUFFIXES.
        tight: whether the page is cropped to the drawing instead of the figure's size.

    Raises:
        OutputError: it cannot be written.
    """
    form = path.suffix.lower().removeprefix(".")
    undated: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    content = io.BytesIO()
    figure.savefig(content, format=form, dpi=DPI, bbox_inches="tight" if tight else None, metadata=undated.get(form))
    write_atomically(path, content.getvalue())
