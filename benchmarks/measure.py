"""What the benchmarks share: run fercli as a person would, and see how long it took and how much memory it had."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Measured:
    """Of one finished process: wall clock time, processor time over all cores, most memory held at once (resident)."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def run_fercli(arguments: list[str]) -> Measured:
    """Run the command line in a process of its own, its messages on stderr.

    Raises:
        subprocess.CalledProcessError: it ended with an error, which it has already explained.
    """
    command = [sys.executable, "-c", "import sys; from fercli.cli.entry import main; sys.exit(main())", *arguments]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=sys.stderr)
    # Not `RUSAGE_CHILDREN`: that is the largest of all children so far, this is the one.
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _MAXRSS_UNIT)


def annotate(video: Path, directory: Path) -> Measured:
    """`fercli annotate` with default settings into `directory`, from nothing; the workspace is `directory/work`."""
    return run_fercli(["annotate", str(video), "-o", str(directory / "out.json"), "--workdir", str(directory / "work")])
