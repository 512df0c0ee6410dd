"""Erasing everything of a job: an uploaded video, the workspace with all biometric data, and the row in the table."""

from __future__ import annotations

import logging
import shutil
import time
from contextlib import suppress
from pathlib import Path

from fercli.errors import FercliError, WorkspaceLocked
from fercli.serve.orders import WORKSPACE
from fercli.serve.table import JobTable, Row
from fercli.workspace import Workspace

LOG = logging.getLogger("fercli.serve")
SECONDS_OF_A_DAY = 86400.0


def erase(row: Row, folder: Path, jobs: JobTable) -> bool:
    """Erase a job that no worker uses; a video below the root that was not uploaded stays.

    Returns:
        False if something still works in the workspace, or a file cannot be removed; to be tried again.
    """
    try:
        if (folder / WORKSPACE / "workspace.json").exists():
            with Workspace.open(folder / WORKSPACE).lock():
                pass
    except WorkspaceLocked:
        return False
    except FercliError:
        pass  # a damaged workspace is removed like any other
    try:
        while folder.exists():
            with suppress(FileNotFoundError):  # another thread erases the same
                shutil.rmtree(folder)
    except OSError as error:
        LOG.error("cannot erase %s: %s", folder, error)
        return False
    jobs.remove(row.id)
    return True


def erase_old(jobs: JobTable, days: float) -> list[Row]:
    """Mark the jobs for erasure that ended more than so many days ago; returns them."""
    old = jobs.ended_before(time.time() - days * SECONDS_OF_A_DAY)
    for row in old:
        jobs.to_erase(row.id)
    return old


def remove_strays(jobs: JobTable, folder: Path) -> None:
    """Remove the folders of jobs that were never in the table, because the service was killed during an upload."""
    known = jobs.known()
    for stray in folder.iterdir():
        if stray.name not in known and not stray.is_symlink() and stray.is_dir():
            shutil.rmtree(stray, ignore_errors=True)
