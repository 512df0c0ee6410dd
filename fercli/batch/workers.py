"""The workers of a scheduler of Dask: which of them have this fercli, and the results of what they do."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from fercli.batch.work import Kit
from fercli.errors import ConfigError
from fercli.version import VERSION

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
VIDEO, PIECE = "fercli-video", "fercli-piece"
"""Prefixes of the keys of tasks of Dask."""


class AnotherVersion(Exception):
    """A worker has another fercli than the process that gives the orders."""


def results(
    client: Client, tasks: Sequence[T], submit: Callable[[T], Any], workers: Workers, refused: Callable[[T, str], None]
) -> Iterator[tuple[T, Any]]:
    """The result of each task, or the exception that Dask has for it, as they come.

    Args:
        client: of the scheduler.
        tasks: what is to be done.
        submit: submits one of them, and returns its future.
        workers: those that are allowed.
        refused: called with a task and a sentence for each worker that joined late and is refused.
    """
    from distributed import as_completed

    futures = {submit(task): task for task in tasks}
    running = as_completed(futures)
    try:
        for future in running:
            task = futures.pop(future)
            error = future.exception() if future.status == "error" else None
            if isinstance(error, (AnotherVersion, ImportError, AttributeError)) and (problems := workers.check()):
                for problem in problems:
                    refused(task, problem)
                again = submit(task)
                futures[again] = task
                running.add(again)
            else:
                yield task, future.result() if error is None else error
    finally:
        client.cancel(list(futures), force=True)


class Workers:
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


def new_key(prefix: str) -> str:
    """A key of a task of Dask that no other task has."""
    return f"{prefix}-{uuid.uuid4().hex}"


def without_video(client: Client) -> list[str]:
    """Addresses of the workers that work on no video of their own."""
    running: Mapping[str, Sequence[str]] = client.processing()
    return [address for address, keys in running.items() if not any(str(key).startswith(VIDEO) for key in keys)]


def kit_of_worker(version: str) -> Kit:
    """The kit of the thread of a worker that calls this; each of its threads has its own networks.

    Raises:
        AnotherVersion: the orders come from another fercli.
    """
    from distributed import get_worker

    if version != VERSION:
        raise AnotherVersion(VERSION)
    kits: dict[int, Kit] = get_worker().__dict__.setdefault("fercli_kits", {})
    return kits.setdefault(threading.get_ident(), Kit())


def workers_of(client: Client) -> Mapping[str, Any]:
    """Address -> facts of each worker."""
    workers: Mapping[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
    return workers
