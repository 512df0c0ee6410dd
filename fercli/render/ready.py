"""What has to be so before anything is drawn."""

from __future__ import annotations

from pathlib import Path

from fercli.errors import ConfigError, MissingStage
from fercli.workspace import TABLE_HOMES, Workspace


def require_stages(workspace: Workspace) -> None:
    """Refuse a workspace in which not all is found yet.

    Raises:
        MissingStage: a table is missing.
    """
    for name, directory in TABLE_HOMES.items():
        if not workspace.table(name).exists():
            stage = directory.partition("-")[2]
            raise MissingStage(
                f"{workspace.path} cannot be drawn: {stage} has not run yet",
                hint=f"run: fercli annotate {workspace.video.path} --workdir {workspace.path}",
            )


def refuse_existing(out: Path, *, overwrite: bool) -> None:
    """Keep a file that is there.

    Raises:
        ConfigError: it is, and was not to be replaced.
    """
    if out.exists() and not overwrite:
        raise ConfigError(f"{out} exists", hint="choose another name with -o, or add --overwrite")
