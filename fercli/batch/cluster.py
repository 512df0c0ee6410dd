"""The engine on workers of Dask Distributed: processes of this machine, or a cluster that is running already.

Workers read the videos and write the workspaces themselves, so both must have the same paths there as here.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import astuple, replace
from importlib.util import find_spec
from logging import CRITICAL
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fercli.batch.events import Event, EventReporter
from fercli.batch.outcome import Outcome, failure
from fercli.batch.run import Engine, in_process, sharing
from fercli.batch.split import share_from_worker, share_through
from fercli.batch.work import Order, Task, Work
from fercli.batch.workers import VIDEO, Workers, kit_of_worker, new_key, results
from fercli.cores import environment_of, usable_cores
from fercli.errors import ConfigError, MissingDependency, WorkspaceError
from fercli.pipeline import Share

if TYPE_CHECKING:
    from distributed import Client

MEMORY_OF_A_JOB = 1_500_000_000
"""Bytes that are free for each job on this machine; a worker needs about 1 GB, whatever the length of the video."""
_CONNECT_S, _WORKERS_S = 20, 60
"""How long a scheduler may take to answer, and its first workers to join."""


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
        jobs: processes on this machine, each for one video, or for pieces of one if there are fewer videos; 0: as many
            as videos, if that fits the machine.
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
            if tasks == 1 and jobs > 1:
                return sharing(stack.enter_context(open_share(jobs, "", device)))
            count = jobs or (default_jobs(tasks, device) if has_distributed() else 1)
            return stack.enter_context(local_engine(count, device)) if count > 1 else in_process

        def engine(
            work: Work, tasks: Sequence[Task], order: Order, send: Callable[[Event], None]
        ) -> Iterator[tuple[Task, Outcome]]:
            if not opened:
                opened.append(choose(len(tasks)))
            return opened[0](work, tasks, order, send)

        yield engine


@contextmanager
def open_share(jobs: int, scheduler: str, device: str) -> Iterator[Share | None]:
    """How other processes do pieces of the work on one video that is annotated in this process; None without `jobs` and
    `scheduler`. Processes of this machine are started when there is enough to do. Arguments and errors as
    `open_engine`."""
    if not scheduler and jobs < 2:
        yield None
        return
    require_distributed()
    with ExitStack() as stack:
        opened = [stack.enter_context(cluster_client(scheduler))] if scheduler else []

        def client() -> Client:
            if not opened:
                opened.append(stack.enter_context(local_client(jobs, device)))
            return opened[0]

        yield share_through(client)


@contextmanager
def local_engine(jobs: int, device: str) -> Iterator[Engine]:
    """An engine of `jobs` processes of this machine, see `local_client`."""
    with local_client(jobs, device) as client:
        yield _engine(client)


@contextmanager
def local_client(jobs: int, device: str) -> Iterator[Client]:
    """A scheduler with `jobs` worker processes on this machine, with a share of the cores each, and a GPU each where
    there are GPUs."""
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
        client.wait_for_workers(jobs)  # or one video would be all of them there is
        yield client


@contextmanager
def cluster_engine(address: str, workers: int = 1) -> Iterator[Engine]:
    """An engine on the workers of a running scheduler, see `cluster_client`."""
    with cluster_client(address, workers) as client:
        yield _engine(client)


@contextmanager
def cluster_client(address: str, workers: int = 1) -> Iterator[Client]:
    """A running scheduler, as `tcp://HOST:8786`, once that many workers have joined.

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
        yield client


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

    workers = Workers(client)

    def submit(task: Task) -> Any:
        options = {"workers": workers.allowed, "priority": -task.number, "key": new_key(VIDEO)}
        return client.submit(_on_worker, work, task, order, topic, **options)

    def refused(task: Task, problem: str) -> None:
        send(Event(task.number, "warning", problem))

    for problem in workers.check():
        refused(tasks[0], problem)
    suspects = []
    for task, result in results(client, tasks, submit, workers, refused):
        if isinstance(result, KilledWorker):
            suspects.append(task)  # perhaps it only waited on a worker that another video killed
        else:
            yield task, _outcome(task, result)
    for suspect in suspects:
        yield from (
            (task, _outcome(task, result)) for task, result in results(client, [suspect], submit, workers, refused)
        )


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


def _on_worker(work: Work, task: Task, order: Order, topic: str) -> Outcome:
    """Runs on a worker."""
    from distributed import get_worker

    worker = get_worker()
    kit = replace(kit_of_worker(order.version), share=share_from_worker(task.number))

    def send(event: Event) -> None:
        worker.log_event(topic, astuple(event))

    return work(task, order, EventReporter(task.number, send), kit)
