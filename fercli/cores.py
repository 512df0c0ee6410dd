"""How many cores this process uses, and the environment that gives a worker its share of them."""

from __future__ import annotations

import os

_LIMIT = "OMP_NUM_THREADS"


def usable_cores() -> int:
    """Cores that this process may use: those that it is bound to, or OMP_NUM_THREADS if that is fewer."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    given = os.environ.get(_LIMIT, "")
    return min(bound, int(given)) if given.isdecimal() and int(given) else bound


def environment_of(cores: int) -> dict[str, str]:
    """Environment variables that keep torch, numpy, OpenCV and onnxruntime of a new process to that many threads."""
    return {name: str(cores) for name in (_LIMIT, "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")}
