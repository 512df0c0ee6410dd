"""`fercli plot WORKSPACE`: emotion timelines as a figure for a paper."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fercli import tables
from fercli.colours import COLOURS, as_hex
from fercli.errors import InputError
from fercli.labels import EMOTIONS_8, NOT_ASSESSABLE, RECORD_NAMES
from fercli.learn.evaluation.figures import GREY, STYLE, check_suffix, save_figure
from fercli.results.load import load
from fercli.results.model import Person, Result, Segment, Signal
from fercli.timing import clock
from fercli.views.render.lettering import font_file
from fercli.views.render.sampled import Sampled
from fercli.workspace import Workspace, require_tables
from fercli.writing import require_free

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

MOST_PERSONS = 12
"""Largest number of rows."""
PAGE_WIDTH_IN, ROW_IN = 7.0, 0.27
"""Width of both columns in the usual two-column layouts, and height of a person's row, inches."""
LONGEST_NAME = 28
"""Largest number of letters of a name."""
TICKS_S, MOST_TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600), 8
"""Distances between marks on the axis, seconds: the smallest that does not make too many."""
MOST_CUTS = 100
"""If there are more, they are only marked above the rows, where they do not hide the bars."""
CUT_COLOUR = "#BBBBBB"
VALENCE_COLOUR = "#5B3A8C"
CURVE_IN = 0.62
"""Height of a curve of valence, inches."""
_LEGEND_COLUMNS = 5


def plot_timelines(workspace: Workspace, out: Path, *, overwrite: bool = False) -> None:
    """Draw a row for each person, longest on screen first, with a coloured bar for each segment.

    Stretches that are not assessable are thin grey bars, cuts are thin lines. Parts of the video that were not analysed
    are hatched, and show only manual annotations. Persons after the first MOST_PERSONS are counted below the figure.
    With ratings over time there is a curve of valence for each person, with its 90 % interval. Text stays text in SVG
    and PDF.

    Args:
        workspace: a workspace in which all stages up to classify-emotions have run.
        out: `.png` (300 dpi), `.svg` or `.pdf`; replaced in one step.
        overwrite: whether to replace `out`.

    Raises:
        ConfigError: another suffix, or `out` exists.
        InputError: there are no persons to draw.
        MissingStage: a stage has not run.
        OutputError: `out` cannot be written.
    """
    check_suffix(out)
    require_free(out, overwrite=overwrite)
    require_tables(workspace, "segments", "persons")
    result = load(workspace)
    frames = Sampled.of(tables.read_table(workspace.table("frames"), tables.FRAMES))
    everybody = result.everyone
    if not everybody:
        raise InputError(
            f"there are no persons in {workspace.path}, so there is nothing to plot",
            hint="lower --min-score of `fercli detect-faces`, or use a video with larger faces",
            code="nothing-to-show",
        )
    import matplotlib as mpl
    from matplotlib.figure import Figure

    persons = everybody[:MOST_PERSONS]
    rated = _rated(persons, result)
    heights = [ROW_IN * len(persons), *[CURVE_IN] * len(rated)]
    with mpl.rc_context({**STYLE, "svg.fonttype": "none"}):
        figure = Figure(figsize=(PAGE_WIDTH_IN, sum(heights) + 1.0), layout="constrained")
        axes, *curves = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
        emotions = _draw_segments(axes, persons, [*result.gaps, *result.segments])
        _prepare(axes, persons, result, frames.cuts_s)
        for curve, (name, signals) in zip(curves, rated.items(), strict=True):
            _draw_valence(curve, name, signals)
        _add_legend(figure, emotions, bool(frames.cuts_s))
        last = curves[-1] if curves else axes
        sources = {signal.source for signals in rated.values() for signal in signals}
        last.set_xlabel("; ".join(["time (m:ss)", *_remarks(result, len(everybody) - len(persons), sources)]))
        save_figure(figure, out, tight=True)


def _draw_segments(axes: Axes, persons: Sequence[Person], segments: Sequence[Segment]) -> list[str]:
    """Draw the bars; returns the emotions that occur, in canonical order."""
    rows = {person.name: row for row, person in enumerate(persons)}
    shown = [segment for segment in segments if segment.person in rows]
    present = {segment.emotion for segment in shown}
    emotions = [emotion for emotion in (*EMOTIONS_8, NOT_ASSESSABLE) if emotion in present]
    for emotion in emotions:
        height = 0.2 if emotion == NOT_ASSESSABLE else 0.7
        for name, row in rows.items():
            spans = [
                (segment.start_s, segment.end_s - segment.start_s)
                for segment in shown
                if segment.emotion == emotion and segment.person == name
            ]
            axes.broken_barh(spans, (row - height / 2, height), color=as_hex(COLOURS[emotion]), linewidth=0, zorder=2)
    return emotions


def _rated(persons: Sequence[Person], result: Result) -> dict[str, list[Signal]]:
    """Shown name -> valence of each track, in the order of the persons; only of those that have any."""
    found: dict[str, list[Signal]] = {person.name: [] for person in persons}
    for signal in result.ratings() if result.ratings else ():
        if signal.name == "valence" and signal.person in found and np.isfinite(signal.values).any():
            found[signal.person].append(signal)
    return {name: signals for name, signals in found.items() if signals}


def _draw_valence(axes: Axes, name: str, signals: Sequence[Signal]) -> None:
    """The curve of one person around the zero line, with its interval; nothing where it is unknown."""
    axes.axhline(0, color=CUT_COLOUR, linewidth=0.6, zorder=1)
    for signal in signals:
        value, low, high = signal.values.T
        middle = (signal.start_s + signal.end_s) / 2
        axes.fill_between(middle, low, high, color=VALENCE_COLOUR, alpha=0.2, linewidth=0, zorder=2)
        axes.plot(middle, value, color=VALENCE_COLOUR, linewidth=0.9, zorder=3)
    axes.set(ylim=(-1, 1), yticks=(-1, 0, 1))
    axes.set_ylabel(f"{_short(name)}\nvalence", rotation=0, ha="right", va="center")
    _plain(axes.yaxis.label)
    axes.spines[["top", "right"]].set_visible(False)


def _plain(text: Text) -> None:
    """A name as it is, in a font that has its letters."""
    from matplotlib.font_manager import FontProperties

    text.set_parse_math(False)  # a $ in a name is not markup
    text.set_fontproperties(FontProperties(fname=font_file(text.get_text()), size=STYLE["font.size"]))


def _prepare(axes: Axes, persons: Sequence[Person], result: Result, cuts_s: Sequence[float]) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    shown = [*result.segments, *result.gaps]
    begin_s, end_s = result.video["analysed"]
    begin_s, end_s = min([begin_s, *(one.start_s for one in shown)]), max([end_s, *(one.end_s for one in shown)])
    axes.set(xlim=(begin_s, end_s), ylim=(len(persons) - 0.5, -0.5))
    for left in result.not_analysed:
        axes.axvspan(
            left.start_s, left.end_s, facecolor="none", edgecolor=CUT_COLOUR, hatch="//", linewidth=0, zorder=0
        )
    step = next((step for step in TICKS_S if (end_s - begin_s) / step <= MOST_TICKS), end_s - begin_s)
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time_s, _: clock(time_s)))
    to_row = len(persons) - 0.5 if len(cuts_s) <= MOST_CUTS else -0.4
    axes.vlines(cuts_s, -0.5, to_row, color=CUT_COLOUR, linewidth=0.4, zorder=1)
    axes.set_yticks(range(len(persons)), [_short(person.name) for person in persons])
    for text in axes.get_yticklabels():
        _plain(text)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _remarks(result: Result, more: int, sources: Collection[str]) -> Iterator[str]:
    """Notes about what the figure does not show, and about where valence is from, if any."""
    if result.not_analysed:
        begin_s, end_s = result.video["analysed"]
        yield f"only {clock(begin_s, tenths=True)} to {clock(end_s, tenths=True)} was analysed"
    if more:
        yield f"and {more} more {'person' if more == 1 else 'persons'}"
    if sources:
        yield f"valence {' and '.join(sorted(sources))}, with its 90 % interval"


def _add_legend(figure: Figure, emotions: Sequence[str], has_cuts: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(facecolor=as_hex(COLOURS[emotion]), label=RECORD_NAMES[emotion]) for emotion in emotions
    ]
    if has_cuts:
        handles.append(Line2D([], [], color=CUT_COLOUR, linewidth=0.6, label="cut"))
    figure.legend(handles=handles, loc="outside lower center", ncols=_LEGEND_COLUMNS, frameon=False, labelcolor=GREY)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
