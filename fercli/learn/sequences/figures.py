"""Pictures of an evaluation over series: the score of each person, and the course of each video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fercli.learn.evaluation.figures import COLUMN_WIDTH_IN, SKY_BLUE, STYLE, VERMILION, save_figure
from fercli.learn.sequences.scores import SequenceScores
from fercli.learn.sequences.series import Series
from fercli.models.sequence import SequenceHeader
from fercli.writing import writing

SHOWN = 6
"""Videos whose course is drawn."""


def draw_figures(
    folder: Path,
    found: SequenceScores,
    series: Sequence[Series],
    told: Sequence[NDArray[np.float32]],
    header: SequenceHeader,
) -> None:
    """Write `persons.png`, and for values and intensity `courses.png`.

    Raises:
        OutputError: they cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    persons_figure(found, folder / "persons.png")
    if header.task != "classes":
        courses_figure(series, told, header, folder / "courses.png")


def persons_figure(found: SequenceScores, path: Path) -> None:
    """The main figure of each person as a dot, lowest at the top, and its mean with the 95 % interval over persons.

    Args:
        path: `.png` (300 dpi), `.svg` or `.pdf`; replaced in one step.

    Raises:
        OutputError: it cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    name = found.main
    ranked = sorted(((figures.get(name, np.nan), person) for person, figures in found.by_person.items()), reverse=True)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(COLUMN_WIDTH_IN, 0.8 + 0.16 * len(ranked)), layout="constrained")
        axes = figure.add_subplot()
        axes.plot([value for value, _ in ranked], range(len(ranked)), "o", color=SKY_BLUE, markersize=4)
        if found.interval:
            axes.axvspan(*found.interval, color=VERMILION, alpha=0.2, linewidth=0)
        axes.axvline(float(np.nanmean([value for value, _ in ranked])), color=VERMILION, linewidth=0.8)
        axes.set_yticks(range(len(ranked)), [person for _, person in ranked])
        axes.set(xlabel=name.replace("_", " "), ylabel="person")
        save_figure(figure, path)


def courses_figure(
    series: Sequence[Series], told: Sequence[NDArray[np.float32]], header: SequenceHeader, path: Path
) -> None:
    """Annotated and predicted course of the first value, of up to SHOWN videos, from the longest on; gaps stay gaps.

    Args:
        path: `.png` (300 dpi), `.svg` or `.pdf`; replaced in one step.

    Raises:
        OutputError: it cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    chosen = sorted(zip(series, told, strict=True), key=lambda pair: -len(pair[0]))[:SHOWN]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(COLUMN_WIDTH_IN, 0.5 + 1.1 * len(chosen)), layout="constrained")
        for axes, (one, predicted) in zip(figure.subplots(len(chosen), 1, squeeze=False)[:, 0], chosen, strict=True):
            axes.axhline(0, color="#BBBBBB", linewidth=0.5)
            axes.plot(one.start_s, one.values[:, 0], color="black", linewidth=0.8, label="annotated")
            axes.plot(one.start_s, predicted[:, 0], color=VERMILION, linewidth=0.8, label="predicted")
            if header.error:
                low, high = predicted[:, 0] - header.error[0], predicted[:, 0] + header.error[0]
                axes.fill_between(
                    one.start_s, low.clip(-1, 1), high.clip(-1, 1), color=VERMILION, alpha=0.15, linewidth=0
                )
            axes.set_title(one.video, loc="left")
            axes.set(ylabel=header.columns[0], ylim=(-1.05, 1.05) if header.task == "valence" else (-0.05, 1.05))
        axes.set_xlabel("time (s)")
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2, frameon=False)
        save_figure(figure, path)
