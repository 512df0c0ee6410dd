"""Loaded by a worker of Dask before it begins: the chain is the fake one, and a chunk kills its process if it is asked
to."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from fercli import chain
from tests import fake_stages

_LOG = Path(os.environ["FERCLI_FAKE_LOG"])


class WorkerLog(fake_stages.Log):
    """Writes what is done, and by which process."""

    path = _LOG
    pause_s = 0.2

    @classmethod
    def add(cls, line: str) -> None:
        super().add(f"{line} by {os.getpid()}")
        mark = _LOG.with_suffix(".killed")
        if line == os.environ.get("FERCLI_FAKE_KILL") and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


chain.STAGES = fake_stages.STAGES
fake_stages.Log = WorkerLog  # type: ignore[misc]
