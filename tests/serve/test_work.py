"""The work on one job."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from fercli.serve import work


@pytest.mark.skipif(not hasattr(os, "setpriority"), reason="this system has no priorities of that kind")
def test_jobs_take_what_the_service_leaves_and_no_less_the_second_time() -> None:
    def priorities() -> list[int]:
        found = []
        for _ in range(2):
            work._give_way()
            found.append(os.getpriority(os.PRIO_PROCESS, 0))
        return found

    before = os.getpriority(os.PRIO_PROCESS, 0)
    with ThreadPoolExecutor(1) as pool:  # a priority belongs to a thread
        assert pool.submit(priorities).result() == [max(before, work.NICENESS)] * 2
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
