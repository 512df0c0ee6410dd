"""What `evaluate tracks` shows: how well faces are followed in sequences whose true identities are known."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

from fercli.cli import layout
from fercli.cli.outputs import json_to_stdout
from fercli.config import TracksParams
from fercli.errors import ConfigError
from fercli.learn.evaluation.track_files import Tracks, read_tracks
from fercli.learn.evaluation.tracks import TrackScores, score_tracks
from fercli.tracking.association import DROPPED, associate

WIDTH = 100
"""Columns the table needs; a narrower terminal wraps lines, which is better than cut figures."""
COLUMNS = {
    "idf1": "IDF1",
    "idp": "IDP",
    "mota": "MOTA",
    "hota": "HOTA",
    "id_switches": "switches",
    "fragments": "fragments",
    "true_tracks": "true",
    "found_tracks": "found",
    "mixed": "mixed",
}
"""Score -> heading."""


def tracks(files: list[Path], fps: float, params: TracksParams, *, as_json: bool) -> None:
    """Track the boxes of each file anew, as if it were one shot, and compare with the identities it gives.

    Args:
        files: at least one, as `read_tracks` reads them.
        fps: of all sequences; above 0.

    Raises:
        ConfigError: `fps` is not above 0.
        DatasetError: a file cannot be read.
    """
    if fps <= 0:
        raise ConfigError(f"fps is {fps:g}", hint="give the frame rate of the sequences, as in --fps 25")
    rows = [(str(path), _score(read_tracks(path), fps, params).as_json()) for path in files]
    means = {name: float(mean(row[name] for _, row in rows)) for name in rows[0][1]}
    if as_json:
        sequences = [{"file": name, **row} for name, row in rows]
        json_to_stdout({"fps": fps, "sequences": sequences, "mean": means})
    else:
        _show([*rows, ("mean", means)])


def _score(truth: Tracks, fps: float, params: TracksParams) -> TrackScores:
    owner = associate(
        truth.frame / fps,
        truth.boxes,
        min_iou=params.min_iou,
        max_gap_s=params.max_gap_s,
        min_faces=params.min_faces,
    )
    return score_tracks(truth, truth.renamed(owner, nobody=DROPPED))


def _show(rows: list[tuple[str, dict[str, float]]]) -> None:
    table = layout.table("sequence", numbers=tuple(COLUMNS.values()))
    for name, row in rows:
        figures = (row[score] for score in COLUMNS)
        table.add_row(name, *(str(figure) if isinstance(figure, int) else f"{figure:.3f}" for figure in figures))
    layout.console(at_least=WIDTH).print(table)
