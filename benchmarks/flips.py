"""How steady the answers are: changes of the label per minute of visible face, before and after smoothing.

    python benchmarks/flips.py WORKSPACE...

Before smoothing the label of a window is its most probable class; after it, that of the segment. Changes are counted
inside tracks only, between windows and segments that follow each other and are both assessable.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from fercli import tables
from fercli.labels import NOT_ASSESSABLE
from fercli.workspace import Workspace


def flips(workspace: Workspace) -> tuple[float, int, int]:
    """Minutes of assessable face, changes between windows, changes between segments."""
    windows = tables.read_table(workspace.table("emotions"))
    labels = windows.schema.names[len(tables.windows_schema(()).names) :]
    track, start, end = (windows[name].to_numpy() for name in ("track", "start_s", "end_s"))
    probabilities = np.stack([windows[label].to_numpy() for label in labels], axis=1)
    known = ~np.isnan(probabilities).any(axis=1)
    raw = smoothed = 0
    for number in np.unique(track):
        rows = np.flatnonzero((track == number) & known)
        best = probabilities[rows[np.argsort(start[rows])]].argmax(axis=1)
        raw += int((best[1:] != best[:-1]).sum())
    previous: dict[int, str] = {}
    for row in tables.read_table(workspace.table("segments"), tables.SEGMENTS).sort_by("start_s").to_pylist():
        before = previous.get(row["track"], NOT_ASSESSABLE)
        smoothed += NOT_ASSESSABLE not in (before, row["class"]) and before != row["class"]
        previous[row["track"]] = row["class"]
    return float((end - start)[known].sum() / 60), raw, smoothed


def main(paths: list[Path]) -> None:
    """Print one line a workspace."""
    print(f"{'workspace':40} {'face minutes':>12} {'flips/min raw':>14} {'smoothed':>9}")
    for path in paths:
        minutes, raw, smoothed = flips(Workspace.open(path))
        rates = (f"{count / minutes:.1f}" if minutes else "-" for count in (raw, smoothed))
        print(f"{path.name:40} {minutes:12.2f} {next(rates):>14} {next(rates):>9}")


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
