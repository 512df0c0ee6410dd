"""A service whose jobs make a small film, slowly enough to be watched:

    python -m tests.serve.film_server --root DIR --port 0 --films SECONDS

Everything but the engine is that of `fercli serve`. Of each job a line is added to DIR/worked when it ends.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fercli.batch.events import Event
from fercli.batch.outcome import DONE, Outcome, failure
from fercli.batch.run import Engine
from fercli.batch.work import Order, Task, Work
from fercli.errors import Cancelled
from fercli.media.index import read_index
from fercli.media.probe import probe
from fercli.serve import server, service
from fercli.serve.settings import Settings
from fercli.serve.work import CANCEL
from fercli.workspace import FileState
from tests.serve.films import make_for

STEPS = 20


def film_engine(root: Path, seconds: float) -> Callable[[], object]:
    """Opens an engine whose jobs take some seconds, one step after the other."""

    def work(task: Task, send: Callable[[Event], None]) -> Outcome:
        video = task.job.video
        for step in range(STEPS):
            send(Event(0, "progress", "detect-faces", step, STEPS, "frame"))
            time.sleep(seconds / STEPS)
            if (task.place.base.parent / CANCEL).exists():
                return failure(task.job.source, Cancelled("the job was cancelled"))
        if not task.place.workspace.exists():
            made = make_for(task.place.workspace, probe(video, read_index(video)))
            made._file = FileState.of(video)
        with (root / "worked").open("a") as log:
            log.write(f"{task.place.base.parent.name}\n")
        return Outcome(task.job.source, DONE, seconds, persons=2, segments=5)

    def run(
        work_of_a_job: Work, tasks: Sequence[Task], order: Order, send: Callable[[Event], None]
    ) -> Iterator[tuple[Task, Outcome]]:
        for task in tasks:
            yield task, work(task, send)

    @contextmanager
    def opened() -> Iterator[Engine]:
        yield run

    return opened


def main() -> None:
    """Serve until Ctrl-C."""
    options = argparse.ArgumentParser()
    options.add_argument("--root", type=Path, required=True)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--films", type=float, default=0.0)
    given = options.parse_args()
    service._engine_of = lambda settings, slots: film_engine(given.root, given.films)  # type: ignore[assignment,return-value]
    settings = Settings(given.root.absolute(), port=given.port, jobs=1)
    server.serve(settings, lambda address: print(f"fercli serves {address}", file=sys.stderr, flush=True))


if __name__ == "__main__":
    main()
