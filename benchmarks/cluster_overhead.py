"""What a run over many videos costs besides the work: processor time and bytes a task, and memory of the scheduler.

    python benchmarks/cluster_overhead.py --tasks 2000 --workers 2

The tasks do nothing, so all that is measured is fercli's and Dask's own. See docs/scaling.md.
"""

from __future__ import annotations

import argparse
import pickle
import resource
import time
from pathlib import Path

from fercli.api import plan_for
from fercli.batch.cluster import local_engine
from fercli.batch.events import EventReporter
from fercli.batch.jobs import Job
from fercli.batch.outcome import DONE, Outcome
from fercli.batch.places import Place
from fercli.batch.work import Kit, Order, Task
from fercli.config import Runtime


def nothing(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    """The work: one message of progress, and the outcome of a usual video."""
    with reporter.task("extract-frames", 1, "frame") as step:
        step.advance()
    outputs = (f"{task.place.base}.json",)
    return Outcome(str(task.job.video), DONE, 12.3, 7, 250, outputs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    order = Order(tuple(params for _, params in plan_for([])), ("json",), Runtime(device="cpu"))
    tasks = []
    for number in range(given.tasks):
        inside = Path(f"season {number // 24}", f"episode {number:05d}.mkv")
        base = Path("/data/annotations") / inside.with_suffix("")
        tasks.append(Task(number, Job(Path("/data/videos") / inside, inside), Place(base.with_suffix(".fercli"), base)))
    sent = len(pickle.dumps((nothing, tasks[0], order)))
    back = len(pickle.dumps(nothing(tasks[0], order, EventReporter(0, lambda event: None), Kit())))
    with local_engine(given.workers, "cpu") as engine:
        list(engine(nothing, tasks[: given.workers], order, lambda event: None))
        before, used, wall = _megabytes(), time.process_time(), time.monotonic()
        count = sum(1 for _ in engine(nothing, tasks, order, lambda event: None))
        used, wall = time.process_time() - used, time.monotonic() - wall
    print(f"{count} tasks on {given.workers} workers: {1000 * wall / count:.1f} ms a task")
    print(f"scheduler and client: {1000 * used / count:.2f} ms of processor time a task")
    print(f"bytes a task: {sent} sent, {back} back, without the envelope of Dask")
    print(f"memory of scheduler and client: {before:.0f} MB before, {_megabytes():.0f} MB at most")


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
