"""What `evaluate persons` shows: a table for people on a terminal, JSON for programs, both on stdout."""

from __future__ import annotations

from pathlib import Path

from fercli.cli import layout
from fercli.cli.outputs import json_to_stdout
from fercli.learn.evaluation.person_scores import PersonScores, score_workspace
from fercli.workspace import Workspace


def persons(workspace_path: Path, truth: Path, *, as_json: bool) -> None:
    """Score the persons of a workspace against who is truly seen.

    Raises:
        WorkspaceError: not a workspace, or one without tracks.
        DatasetError: the truth cannot be used.
    """
    scores = score_workspace(Workspace.open(workspace_path), truth)
    if as_json:
        json_to_stdout(scores.as_json())
    else:
        _show(scores, f"{workspace_path} against {truth}")


def _show(scores: PersonScores, title: str) -> None:
    table = layout.table("figure", numbers=("value",))
    for name, value in scores.as_json().items():
        table.add_row(name, str(value) if isinstance(value, int) else f"{value:.4f}")
    table.add_row("clusters / persons", f"{scores.clusters / scores.persons:.2f}")
    console = layout.console()
    console.print(title, soft_wrap=True)
    console.print(table)
