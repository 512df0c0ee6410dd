"""The engine on workers of Dask Distributed: processes of this machine, or a cluster that is running already.

Workers read the videos and write the workspaces themselves, so both must have the same paths there as here.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple
from importlib.util import find_spec
from logging import CRITICAL
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fercli.batch.events import Event, EventReporter
from fercli.batch.outcome import Outcome, failure
from fercli.batch.run import Engine, in_process
from fercli.batch.work import Kit, Order, Task, Work
from fercli.cores import environment_of, usable_cores
from fercli.errors import ConfigError, MissingDependency, WorkspaceError
from fercli.version import VERSION

if TYPE_CHECKING:
    from distributed import Client

MEMORY_OF_A_JOB = 1_500_000_000
"""Bytes that are free for each job on this machine; a worker needs about 1 GB, whatever the length of the video."""
_CONNECT_S, _WORKERS_S = 20, 60
"""How long a scheduler may take to answer, and its first workers to join."""


class AnotherVersion(Exception):
    """A worker has another fercli than the process that gives the orders."""


def has_distributed() -> bool:
    """Whether Dask Distributed is installed."""
    return find_spec("distributed") is not None


def require_distributed() -> None:
    """Raises MissingDependency if Dask Distributed is not installed."""
    if not has_distributed():
        raise MissingDependency(
            "several jobs at once need Dask Distributed, which is not installed",
            hint="run: pip install 'fercli[cluster]'; or add --jobs 1",
        )


def default_jobs(tasks: int, device: str) -> int:
    """Jobs at once on this machine: one a core, less if memory is short; one a GPU if GPUs are used."""
    import psutil

    gpus = visible_gpus() if device != "cpu" else []
    by_memory = int(psutil.virtual_memory().available) // MEMORY_OF_A_JOB
    return max(1, min(tasks, len(gpus) or usable_cores(), by_memory))


def visible_gpus() -> list[str]:
    """Numbers or names of the NVIDIA GPUs that this process may use, without importing torch."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name for name in given.split(",") if name.strip() and name.strip() != "-1"]
    return sorted(path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia[0-9]*"))


@contextmanager
def open_engine(jobs: int, scheduler: str, device: str) -> Iterator[Engine]:
    """The engine for a run; workers are only started when there is work.

    Args:
        jobs: videos at once on this machine; 0 for a number that fits it.
        scheduler: address of a running scheduler, used instead of this machine; empty for none.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        MissingDependency: several jobs or a scheduler need Dask Distributed. The engine raises as `cluster_engine`.
    """
    if scheduler or jobs > 1:
        require_distributed()
    with ExitStack() as stack:
        opened: list[Engine] = []

        def choose(tasks: int) -> Engine:
            if scheduler:
                return stack.enter_context(cluster_engine(scheduler))
            count = min(tasks, jobs or (default_jobs(tasks, device) if has_distributed() else 1))
            return stack.enter_context(local_engine(count, device)) if count > 1 else in_process

        def engine(
            work: Work, tasks: Sequence[Task], order: Order, send: Callable[[Event], None]
        ) -> Iterator[tuple[Task, Outcome]]:
            if not opened:
                opened.append(choose(len(tasks)))
            return opened[0](work, tasks, order, send)

        yield engine


@contextmanager
def local_engine(jobs: int, device: str) -> Iterator[Engine]:
    """An engine of `jobs` processes of this machine, with a share of the cores each, and a GPU each where there are
    GPUs."""
    import dask
    from distributed import Client, Nanny, Scheduler, SpecCluster

    gpus = visible_gpus() if device != "cpu" else []
    # Set before a worker starts, or its libraries would have made their threads already.
    environment = environment_of(max(1, usable_cores() // jobs)) | {"DASK_LOGGING__DISTRIBUTED": "critical"}

    def worker(number: int) -> dict[str, Any]:
        own = {"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} if gpus else {}
        return {"cls": Nanny, "options": {"nthreads": 1, "memory_limit": 0, "env": own, "silence_logs": CRITICAL}}

    local = {"host": "127.0.0.1", "port": 0, "dashboard": False, "dashboard_address": "127.0.0.1:0"}
    scheduler = {"cls": Scheduler, "options": local}
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": environment}),
        SpecCluster({number: worker(number) for number in range(jobs)}, scheduler, silence_logs=CRITICAL) as cluster,
        Client(cluster) as client,
    ):
        yield _engine(client)


@contextmanager
def cluster_engine(address: str, workers: int = 1) -> Iterator[Engine]:
    """An engine on the workers of a running scheduler, as `tcp://HOST:8786`, once that many have joined.

    Raises:
        ConfigError: no scheduler answers there, or no worker has this fercli.
    """
    from distributed import Client

    try:
        client = Client(address, timeout=_CONNECT_S)
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"no scheduler of Dask answers at {address}: {error}",
            hint="start one with `dask scheduler`, and workers with `dask worker ADDRESS`",
            code="scheduler-unreachable",
        ) from error
    with client:
        try:
            client.wait_for_workers(workers, timeout=_WORKERS_S)
        except TimeoutError as error:
            raise ConfigError(
                f"the scheduler at {address} has no workers",
                hint=f"start some with: dask worker {address}",
                code="scheduler-unreachable",
            ) from error
        yield _engine(client)


def _engine(client: Client) -> Engine:
    def engine(
        work: Work, tasks: Sequence[Task], order: Order, send: Callable[[Event], None]
    ) -> Iterator[tuple[Task, Outcome]]:
        topic = f"fercli-{uuid.uuid4().hex}"
        client.subscribe_topic(topic, lambda message: send(Event(*message[1])))
        try:
            yield from _outcomes(client, work, tasks, order, topic, send)
        finally:
            client.unsubscribe_topic(topic)

    return engine


def _outcomes(
    client: Client, work: Work, tasks: Sequence[Task], order: Order, topic: str, send: Callable[[Event], None]
) -> Iterator[tuple[Task, Outcome]]:
    from distributed import KilledWorker

    workers = _Workers(client)

    def submit(task: Task) -> Any:
        options = {"workers": workers.allowed, "priority": -task.number, "pure": False}
        return client.submit(_on_worker, work, task, order, topic, **options)

    for problem in workers.check():
        send(Event(tasks[0].number, "warning", problem))
    suspects = []
    for task, result in _results(client, tasks, submit, workers, send):
        if isinstance(result, KilledWorker):
            suspects.append(task)  # perhaps it only waited on a worker that another video killed
        else:
            yield task, _outcome(task, result)
    for suspect in suspects:
        yield from (
            (task, _outcome(task, result)) for task, result in _results(client, [suspect], submit, workers, send)
        )


def _results(
    client: Client,
    tasks: Sequence[Task],
    submit: Callable[[Task], Any],
    workers: _Workers,
    send: Callable[[Event], None],
) -> Iterator[tuple[Task, Outcome | BaseException]]:
    """The outcome of each task, or the error that Dask has for it, as they come."""
    from distributed import as_completed

    futures = {submit(task): task for task in tasks}
    running = as_completed(futures)
    try:
        for future in running:
            task = futures.pop(future)
            error = future.exception() if future.status == "error" else None
            if isinstance(error, (AnotherVersion, ImportError, AttributeError)) and (problems := workers.check()):
                for problem in problems:  # a worker that joined late
                    send(Event(task.number, "warning", problem))
                again = submit(task)
                futures[again] = task
                running.add(again)
            else:
                yield task, future.result() if error is None else error
    finally:
        client.cancel(list(futures), force=True)


def _outcome(task: Task, result: Outcome | BaseException) -> Outcome:
    from distributed import KilledWorker

    if isinstance(result, Outcome):
        return result
    if isinstance(result, KilledWorker):
        result = WorkspaceError(
            f"the workers that worked on {task.job.source} died, {result.allowed_failures + 1} times in a row",
            hint="there may be too little memory: try fewer --jobs; finished work is kept",
            code="worker-lost",
        )
    return failure(task.job.source, result)


class _Workers:
    """Which workers have this fercli; the others get no work.

    Attributes:
        allowed: addresses of the workers that may get work; None for all of them.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._version: dict[str, str] = {}
        self.allowed: list[str] | None = None

    def check(self) -> list[str]:
        """Ask the workers that have joined since; returns a sentence for each that is refused.

        Raises:
            ConfigError: none is left.
        """

        def version() -> str:  # pickled by value, because the worker may have no such module
            from importlib.metadata import PackageNotFoundError, version

            try:
                return version("fercli")
            except PackageNotFoundError:
                return "none"

        known = list(workers_of(self._client))
        new = [address for address in known if address not in self._version]
        self._version |= self._client.run(version, workers=new) if new else {}
        refused = [address for address in known if self._version[address] != VERSION]
        if refused:
            self.allowed = [address for address in known if address not in refused]
        if not self.allowed and len(refused) == len(known):
            raise ConfigError(
                f"no worker has fercli {VERSION}",
                hint=f"on the workers, run: pip install fercli=={VERSION}",
                code="worker-version",
            )
        return [
            f"the worker {address} has fercli {self._version[address]}, not {VERSION}; it gets no work"
            for address in refused
            if address in new
        ]


def _on_worker(work: Work, task: Task, order: Order, topic: str) -> Outcome:
    """Runs on a worker. Each of its threads has its own networks."""
    from distributed import get_worker

    worker = get_worker()
    if order.version != VERSION:
        raise AnotherVersion(VERSION)
    kits: dict[int, Kit] = worker.__dict__.setdefault("fercli_kits", {})
    kit = kits.setdefault(threading.get_ident(), Kit())

    def send(event: Event) -> None:
        worker.log_event(topic, astuple(event))

    return work(task, order, EventReporter(task.number, send), kit)


def workers_of(client: Client) -> Mapping[str, Any]:
    """Address -> facts of each worker."""
    workers: Mapping[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
    return workers
