"""Where the workspace and the outputs of each video lie in the folder of a run: no two share a name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fercli.batch.jobs import Job
from fercli.errors import ConfigError
from fercli.files import fitting_name
from fercli.workspace.places import SUFFIX, is_workspace_of


@dataclass(frozen=True)
class Place:
    """The paths of one job.

    Attributes:
        workspace: the workspace.
        base: path of the outputs without their suffix.
    """

    workspace: Path
    base: Path

    def output(self, suffix: str) -> Path:
        """The file of one format."""
        return self.base.parent / fitting_name(self.base.name, suffix)


def assign_places(jobs: Sequence[Job], folder: Path) -> list[Place]:
    """A place for each job, the same in every run over the same videos.

    `season1/e01.mkv` in the folder `shows` becomes `season1/e01`; of two videos that differ in their suffix only, the
    later one keeps its suffix, as in `e01.mp4`; two files of the same name get the name of their folder in front. A
    workspace that exists already stays with its video.

    Raises:
        ConfigError: two jobs have the same name, or are parts of one video without names.
    """
    taken: dict[str, Job] = {}
    places: list[Place | None] = [None] * len(jobs)
    for existing in (True, False):
        for number, job in enumerate(jobs):
            if places[number] is None:
                base = _free_base(job, folder, taken, existing=existing)
                if base is not None:
                    taken[_key(base)] = job
                    places[number] = Place(base.parent / fitting_name(base.name, SUFFIX), base)
    for place, job in zip(places, jobs, strict=True):
        if place is None:
            other = taken[_key(next(_bases(job, folder)))]
            raise ConfigError(
                f"{job.video} and {other.video} would have the same outputs, {next(_bases(job, folder))}",
                hint="give each its own name, in the column `name` of a CSV table",
                code="jobs-alike",
            )
    return [place for place in places if place is not None]


def _free_base(job: Job, folder: Path, taken: dict[str, Job], *, existing: bool) -> Path | None:
    """The first base that is not taken: among those with a workspace of this video, or among all others."""
    for base in _bases(job, folder):
        if _key(base) in taken:
            continue
        own = is_workspace_of(base.parent / fitting_name(base.name, SUFFIX), job.video)
        if own if existing else own is None:
            return base
    return None


def _bases(job: Job, folder: Path) -> Iterator[Path]:
    if job.name:
        yield folder / job.name
        return
    yield folder / job.inside.with_name(job.inside.stem)
    yield folder / job.inside
    above = job.video.absolute().parent.parts[1:]
    for count in range(len(job.inside.parts), len(above) + 1):
        yield folder.joinpath(*above[-count:], job.video.stem)
        yield folder.joinpath(*above[-count:], job.video.name)


def _key(base: Path) -> str:
    """Names that differ in upper and lower case only are one file on some disks."""
    return os.path.normpath(base).casefold()
