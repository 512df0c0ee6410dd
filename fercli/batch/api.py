"""`fercli.annotate_many`: many videos from Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from fercli.api import plan_for
from fercli.batch.cluster import open_engine
from fercli.batch.events import Event
from fercli.batch.jobs import find_jobs
from fercli.batch.outcome import Outcome
from fercli.batch.places import assign_places
from fercli.batch.run import run
from fercli.batch.work import Order, Task
from fercli.config import Runtime
from fercli.files import address_of
from fercli.formats import choose_format
from fercli.models.licences import require_licences

FOLDER = "annotations"
"""The folder of the outputs if none is given."""


def annotate_many(
    videos: Iterable[str | Path],
    output: str | Path,
    *,
    formats: Sequence[str] = ("json",),
    jobs: int = 1,
    scheduler: str = "",
    recursive: bool = False,
    gallery: str | Path | None = None,
    cast: str | Path | None = None,
    params: Sequence[Any] = (),
    runtime: Runtime | None = None,
    licences: str = "all",
    force: bool = False,
    verify: bool = False,
    overwrite: bool = False,
    workdir: str | Path = FOLDER,
    ended: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Annotate many videos, as `fercli annotate` does: a video that fails does not stop the others, and finished ones
    are not run again.

    Args:
        videos: videos, folders, `.txt` lists and `.csv` tables of videos.
        output: the folder for workspaces, annotations, `batch.json` and `batch.csv`. Or an address, as
            `s3://BUCKET/season/`, to which all but the workspaces is sent.
        formats: names from `fercli formats`, one file each.
        jobs: processes of this machine, each for one video, or for pieces of a long one; 0: as many as fit it. With
            other than 1, the caller's script needs `if __name__ == "__main__":`, because each process imports it.
        scheduler: address of a running Dask scheduler, used instead.
        recursive: whether folders in a folder are searched, too.
        gallery, cast, params, runtime, licences, force, verify: as for `fercli.annotate`.
        overwrite: whether files are replaced that fercli did not write, or that were changed since.
        workdir: the folder for workspaces and a copy of the outputs, if `output` is an address.
        ended: called with each outcome as it comes.

    Returns:
        How each video ended, in the order of the videos: `state` is `done` or `failed`, with the code and the message
        of the error. `fercli.open` reads a workspace, `NAME.fercli` in `output`.

    Raises:
        ConfigError, InputError, ModelError: something that concerns all videos cannot be used.
        OutputError: the folder or the address cannot be written.
    """
    url = str(output) if address_of(Path(output)) else ""
    folder = Path(workdir if url else output)
    plan = plan_for(params, gallery=gallery, cast=cast)
    require_licences(licences, plan)
    names = tuple(choose_format(Path(), name) for name in formats)
    order = Order(
        tuple(own for _, own in plan), names, runtime or Runtime(), force=force, verify=verify, overwrite=overwrite
    )
    tasks = tasks_for([Path(video) for video in videos], folder, recursive=recursive)
    with open_engine(jobs, scheduler, order.runtime.device) as engine:
        return run(folder, tasks, order, engine, _Callback(ended), url=url)


def tasks_for(videos: Iterable[Path], folder: Path, *, recursive: bool) -> list[Task]:
    """A task for each video that the arguments name, with the places of its files.

    Raises:
        ConfigError, InputError: as `find_jobs` and `assign_places`.
    """
    found = find_jobs(videos, recursive=recursive, fetched=folder / "videos")
    places = assign_places(found, folder)
    return [Task(number, job, place) for number, (job, place) in enumerate(zip(found, places, strict=True))]


class _Callback:
    """A display that only tells of videos that have ended."""

    def __init__(self, ended: Callable[[Outcome], None] | None) -> None:
        self._ended = ended

    def event(self, event: Event) -> None:
        pass

    def ended(self, task: Task, outcome: Outcome) -> None:
        if self._ended is not None:
            self._ended(outcome)
