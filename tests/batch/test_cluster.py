"""The engine on processes of Dask Distributed: a scheduler, workers that die, join late or have another version."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fercli.batch import cluster
from fercli.batch.cluster import cluster_engine, default_jobs, local_engine, open_engine, visible_gpus
from fercli.batch.events import Event, EventReporter
from fercli.batch.outcome import DONE, Outcome
from fercli.batch.run import Engine
from fercli.batch.work import Kit, Order, Task, Work
from fercli.config import Runtime
from fercli.errors import ConfigError, MissingDependency
from tests.batch.test_run import tasks_of
from tests.failing import fails

CPU = Order((), ("json",), Runtime(device="cpu"))
ROOT = Path(__file__).parents[2]


def work(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    """Says which process did it, with which cores."""
    with reporter.task("extract-frames", 3, "frame") as step:
        step.advance(3)
    return Outcome(str(task.job.video), DONE, outputs=(str(os.getpid()), os.environ.get("OMP_NUM_THREADS", "")))


def die_once(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    """The first process that works on `b` is killed."""
    mark = task.place.base.parent / "killed"
    if task.job.video.stem == "b" and not mark.exists():
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return work(task, order, reporter, kit)


def die(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    """Every process that works on `b` is killed, as by a system without memory."""
    if task.job.video.stem == "b":
        os.kill(os.getpid(), signal.SIGKILL)
    return work(task, order, reporter, kit)


def wait_for_two(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    """Ends when two processes have begun to work: needs a worker that joins while this one waits."""
    folder = task.place.base.parent / "pids"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(os.getpid())).touch()
    end = time.monotonic() + 60
    while len(list(folder.iterdir())) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    return work(task, order, reporter, kit)


def results(
    engine: Engine, doing: Work, tasks: Sequence[Task], order: Order = CPU, events: list[Event] | None = None
) -> dict[str, Outcome]:
    seen = [] if events is None else events
    return {task.job.video.stem: outcome for task, outcome in engine(doing, tasks, order, seen.append)}


@contextmanager
def running(*command: str, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A command of Dask in the background."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "DASK_LOGGING__DISTRIBUTED": "critical", **(environment or {})}
    # Not in the checkout, whose fercli.egg-info would tell its version.
    process = subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + command[0], *command[1:]], env=variables, cwd="/"
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def scheduler(folder: Path) -> Iterator[str]:
    file = folder / "scheduler.json"
    with running("dask_scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)):
        end = time.monotonic() + 60
        while not file.exists() and time.monotonic() < end:
            time.sleep(0.1)
        import json

        yield str(json.loads(file.read_text())["address"])


def worker(address: str, **environment: str) -> Any:
    return running("dask_worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny", environment=environment)


@pytest.mark.slow
def test_two_processes_share_the_work_and_the_cores(tmp_path: Path) -> None:
    events: list[Event] = []
    with local_engine(2, "cpu") as engine:
        found = results(engine, wait_for_two, tasks_of(tmp_path, "abcd"), events=events)
    assert [found[name].state for name in "abcd"] == ["done"] * 4
    assert len({outcome.outputs[0] for outcome in found.values()}) == 2
    assert str(os.getpid()) not in {outcome.outputs[0] for outcome in found.values()}
    assert {outcome.outputs[1] for outcome in found.values()} == {str(max(1, len(os.sched_getaffinity(0)) // 2))}
    first = next(event for event in events if event.number == 0)
    assert (first.kind, first.text, first.total, first.unit) == ("progress", "extract-frames", 3, "frame")


def which_gpu(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    """Says which GPUs its process may use, after both processes have begun."""
    wait_for_two(task, order, reporter, kit)
    return Outcome(str(task.job.video), DONE, outputs=(os.environ["CUDA_VISIBLE_DEVICES"],))


@pytest.mark.slow
def test_each_worker_has_a_gpu_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,GPU-5f")
    with local_engine(2, "auto") as engine:
        found = results(engine, which_gpu, tasks_of(tmp_path, "ab"), Order((), ("json",)))
    assert {outcome.outputs[0] for outcome in found.values()} == {"2", "GPU-5f"}


@pytest.mark.slow
def test_a_worker_that_dies_costs_nothing_but_time_and_a_video_that_kills_workers_fails_alone(tmp_path: Path) -> None:
    with local_engine(2, "cpu") as engine:
        tasks = tasks_of(tmp_path, "abc")
        assert {outcome.state for outcome in results(engine, die_once, tasks).values()} == {"done"}
        found = results(engine, die, tasks)
    assert [found[name].state for name in "abc"] == ["done", "failed", "done"]
    assert (found["b"].code, "memory" in found["b"].hint) == ("worker-lost", True)


@pytest.mark.slow
def test_a_running_cluster_with_a_worker_that_joins_late(tmp_path: Path) -> None:
    with scheduler(tmp_path) as address, worker(address), cluster_engine(address) as engine:
        outcomes = engine(wait_for_two, tasks_of(tmp_path, "ab"), CPU, lambda event: None)
        with worker(address):
            found = [outcome for _, outcome in outcomes]
    assert len({outcome.outputs[0] for outcome in found}) == 2


@pytest.mark.slow
def test_a_worker_with_another_fercli_gets_no_work_and_is_named(tmp_path: Path) -> None:
    other = tmp_path / "other" / "fercli-0.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: fercli\nVersion: 0.1\n")
    path = f"{other.parent}{os.pathsep}{ROOT}"
    events: list[Event] = []
    with scheduler(tmp_path) as address, worker(address, PYTHONPATH=path):
        with cluster_engine(address) as engine, fails(ConfigError, "worker-version"):
            results(engine, work, tasks_of(tmp_path, "a"))
        with worker(address), cluster_engine(address, workers=2) as engine:
            found = results(engine, work, tasks_of(tmp_path, "abc"), events=events)
    assert {outcome.state for outcome in found.values()} == {"done"}
    assert len({outcome.outputs[0] for outcome in found.values()}) == 1
    assert any("0.1" in event.text and "tcp://" in event.text for event in events if event.kind == "warning")


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_CONNECT_S", 1)
    with fails(ConfigError, "scheduler-unreachable", "tcp://127.0.0.1:9"), cluster_engine("tcp://127.0.0.1:9"):
        pass


def test_one_job_needs_no_dask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("fercli.batch.cluster.find_spec", lambda name: None)
    for jobs in (0, 1):
        with open_engine(jobs, "", "cpu") as engine:
            found = results(engine, work, tasks_of(tmp_path, "ab"))
        assert {outcome.outputs[0] for outcome in found.values()} == {str(os.getpid())}
    for jobs, address in ((2, ""), (1, "tcp://127.0.0.1:8786")):
        with pytest.raises(MissingDependency), open_engine(jobs, address, "cpu"):
            pass


@pytest.mark.parametrize(
    ("tasks", "cores", "free", "gpus", "device", "expected"),
    [
        (10, 8, 64e9, "", "auto", 8),
        (3, 8, 64e9, "", "auto", 3),
        (10, 8, 4e9, "", "auto", 2),
        (10, 8, 1e8, "", "auto", 1),
        (10, 8, 64e9, "0,1", "auto", 2),
        (10, 8, 64e9, "0,1", "cpu", 8),
        (10, 8, 64e9, "-1", "auto", 8),
    ],
)
def test_jobs_fit_cores_memory_and_gpus(
    monkeypatch: pytest.MonkeyPatch, tasks: int, cores: int, free: float, gpus: str, device: str, expected: int
) -> None:
    import psutil

    monkeypatch.setattr("fercli.batch.cluster.usable_cores", lambda: cores)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": free}))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", gpus)
    assert default_jobs(tasks, device) == expected
    assert visible_gpus() == [name for name in gpus.split(",") if name and name != "-1"]
