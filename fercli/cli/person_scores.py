"""What `evaluate persons` shows: a table for people on a terminal, JSON for programs, both on stdout."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fercli.evaluation.person_truth import PersonScores, score_workspace
from fercli.workspace import Workspace


def persons(workspace_path: Path, truth: Path, *, as_json: bool) -> None:
    """Score the persons of a workspace against who is truly seen.

    Raises:
        WorkspaceError: not a workspace, or one without tracks.
        DatasetError: the truth cannot be used.
    """
    scores = score_workspace(Workspace.open(workspace_path), truth)
    if as_json:
        print(json.dumps(scores.as_json(), indent=2))
    else:
        _show(scores, f"{workspace_path} against {truth}")


def _show(scores: PersonScores, title: str) -> None:
    console = Console(file=sys.stdout, highlight=False)
    console.print(title, soft_wrap=True, markup=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in scores.as_json().items():
        table.add_row(name, str(value) if isinstance(value, int) else f"{value:.4f}")
    table.add_row("clusters / persons", f"{scores.clusters / scores.persons:.2f}")
    console.print(table)
