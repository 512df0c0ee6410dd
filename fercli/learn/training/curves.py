"""Loss and accuracy of training runs, side by side, as a picture for a paper."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fercli.errors import ConfigError, InputError
from fercli.files import require_regular_file
from fercli.learn.evaluation.figures import GREY, STYLE, check_suffix, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

COLUMNS = ("epoch", "loss", "valid_accuracy")
"""What is read of a row of metrics.jsonl."""
PAGE_WIDTH_IN = 7.0
"""Width of both columns in the usual two-column layouts, inches."""
PAGE_WIDTH, LINE_WIDTH = 95, 10
"""Width of the page and of a line's sample in the legend, letters."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#000000", "#56B4E9")
"""Palette of Okabe and Ito, https://jfly.uni-koeln.de/color/, without its yellow, which is faint on white."""
DASHES = ("-", "--", "-.", ":")
"""With seven colours and four kinds of line, 28 runs differ."""

Curves = dict[str, list[float]]
"""Column -> its value in each epoch."""


def plot_runs(runs: Sequence[Path], out: Path) -> None:
    """Draw training loss and validation accuracy of each run over its epochs; a dot marks its best epoch.

    Runs are called by the name of their directory, or by the path given where two share a name.

    Args:
        runs: directories that `training.loop.train` wrote.
        out: `.png` (300 dpi), `.svg` or `.pdf`; replaced in one step.

    Raises:
        ConfigError: no run, or another suffix.
        InputError: a run has no metrics.jsonl, none finished an epoch, or a line cannot be read; names file and line.
        OutputError: `out` cannot be written.
    """
    if not runs:
        raise ConfigError(
            "no run to plot", hint="give the directory of a run, the --out of `fercli train`", code="option-missing"
        )
    check_suffix(out)
    curves = [_read(run / "metrics.jsonl") for run in runs]
    _write(_names(runs), curves, out)


def _read(path: Path) -> Curves:
    require_regular_file(path, InputError, "give the directory of a run, the --out of `fercli train`")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror or error}",
            hint="give the directory of a run, the --out of `fercli train`",
            code="file-unreadable",
        ) from error
    except ValueError as error:
        raise InputError(
            f"{path} is no text: {error}", hint="restore the file, or leave this run out", code="metrics-malformed"
        ) from error
    if not lines:
        raise InputError(
            f"{path} is empty: no epoch is finished",
            hint="wait for the first, or leave this run out",
            code="file-empty",
        )
    rows = [_row(line, f"{path}:{number}") for number, line in enumerate(lines, start=1)]
    return {name: [row[name] for row in rows] for name in COLUMNS}


def _row(line: str, place: str) -> dict[str, float]:
    try:
        document = json.loads(line)
        row = {name: float(document[name]) for name in COLUMNS}
        if not all(map(math.isfinite, row.values())):
            raise ValueError("not a finite number")
    except KeyError as error:
        reason = f"no {error}"
    except (ValueError, TypeError) as error:
        reason = str(error)
    else:
        return row
    raise InputError(
        f"{place}: not the row of an epoch: {reason}",
        hint="take the line out, or leave this run out",
        code="metrics-malformed",
    )


def _names(runs: Sequence[Path]) -> list[str]:
    names = [run.resolve().name for run in runs]
    return [str(run) if names.count(name) > 1 else name for run, name in zip(runs, names, strict=True)]


def _write(names: Sequence[str], curves: Sequence[Curves], out: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(PAGE_WIDTH_IN, 2.8), layout="constrained")
        loss, accuracy = figure.subplots(1, 2)
        _prepare(loss, "training loss")
        _prepare(accuracy, "validation accuracy")
        for number, run in enumerate(curves):
            line: Any = {"color": COLOURS[number % len(COLOURS)], "linestyle": DASHES[number % len(DASHES)]}
            loss.plot(run["epoch"], run["loss"], marker=_marker(run), **line)
            accuracy.plot(run["epoch"], run["valid_accuracy"], **line)
            accuracy.plot(*_best(run), marker="o", linestyle="none", color=line["color"], clip_on=False)
        dot = accuracy.plot([], [], marker="o", linestyle="none", color=GREY)
        _add_legend(figure, [*loss.lines, *dot], [*names, "best epoch"])
        # A tight box widens the picture where the names take more room than the page has.
        save_figure(figure, out, tight=True)


def _prepare(axes: Axes, title: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set(xlabel="epoch", ylabel=title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.margins(x=0.02)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_prop_cycle(linewidth=[1.2], markersize=[3.5])


def _marker(run: Curves) -> str:
    """One epoch makes no line, so it is a dot."""
    return "o" if len(run["epoch"]) == 1 else ""


def _best(run: Curves) -> tuple[float, float]:
    """Epoch and accuracy of the classifier that the run kept: of equal ones, the last."""
    best, epoch = max(zip(run["valid_accuracy"], run["epoch"], strict=True))
    return epoch, best


def _add_legend(figure: Figure, lines: Sequence[Line2D], names: Sequence[str]) -> None:
    widths = [len(name) + LINE_WIDTH for name in names]
    columns = len(names) if sum(widths) <= PAGE_WIDTH else max(1, PAGE_WIDTH // max(widths))
    legend = figure.legend(lines, names, loc="outside lower center", ncols=columns, frameon=False, handlelength=3.5)
    for text in legend.get_texts():
        text.set_parse_math(False)  # a $ in a name is a $
