"""The work on one video of a run; the same in this process and on a worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fercli.api import for_video, plan_for, up_to_date
from fercli.batch.events import EventReporter
from fercli.batch.finished import digest_of, recall, remember
from fercli.batch.jobs import Job
from fercli.batch.outcome import DONE, Outcome, failure
from fercli.batch.places import Place
from fercli.chain import PERSONS, Plan, Stage
from fercli.config import AudioParams, FramesParams, PersonsParams, Runtime
from fercli.errors import FercliError
from fercli.exports import check_output, write_export
from fercli.formats import FORMATS
from fercli.media.remote import fetch
from fercli.models.loaded import Models
from fercli.pipeline import Share
from fercli.version import VERSION
from fercli.workspace import Digests
from fercli.writing import writing


@dataclass(frozen=True)
class Task:
    """One video of a run, with the place of its files; `number` is its place in the run."""

    number: int
    job: Job
    place: Place


@dataclass(frozen=True)
class Order:
    """What is the same for all videos of a run.

    Attributes:
        params: parameters of the stages.
        formats: names of the formats to write.
        runtime: device and batch size.
        force, verify, overwrite: as for one video.
        version: the fercli that gave the order.
    """

    params: tuple[Any, ...]
    formats: tuple[str, ...]
    runtime: Runtime = field(default_factory=Runtime)
    force: bool = False
    verify: bool = False
    overwrite: bool = False
    version: str = VERSION

    @property
    def cast(self) -> str:
        """The cast of the series; empty if there is none."""
        return next((one.cast for one in self.params if isinstance(one, PersonsParams)), "")


@dataclass
class Kit:
    """What one process keeps from video to video: loaded networks, and digests of networks and galleries; and how other
    processes do a part of its work, if there are any."""

    models: Models = field(default_factory=Models)
    digests: Digests = field(default_factory=Digests)
    share: Share | None = None


Work = Callable[[Task, Order, EventReporter, Kit], Outcome]


def annotate(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    """All stages and the exports of one video. Errors become a failed outcome, so that the other videos go on."""
    return _isolated(_annotate, task, order, reporter, kit)


def analyse(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    """All stages but that of the persons, which a series runs for one video after the other."""
    return _isolated(_analyse, task, order, reporter, kit)


def find_persons(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    """The stage of the persons alone."""
    return _isolated(_find_persons, task, order, reporter, kit)


def finished(task: Task, order: Order, kit: Kit) -> Outcome | None:
    """The outcome of a video for which nothing has to be done; None if something may have to be."""
    if order.force or order.verify:
        return None
    try:
        made_from = _made_from(task, order, kit)
    except FercliError:  # raised again, and reported, when the video is worked on
        return None
    found = recall(task.place.workspace, made_from, _files(task, order))
    return replace(found, video=task.job.source) if found else None


def plan_of(task: Task, order: Order) -> Plan:
    """The stages with the parameters for one video."""
    job, params = task.job, []
    for one in order.params:
        if isinstance(one, (FramesParams, AudioParams)):
            start = one.start_s if job.start_s is None else job.start_s
            one = replace(one, start_s=start, end_s=one.end_s if job.end_s is None else job.end_s)
        elif isinstance(one, PersonsParams) and job.gallery:
            one = replace(one, gallery=job.gallery)
        params.append(one)
    return for_video(plan_for(params), job.video, task.place.workspace)


def outputs_of(task: Task, order: Order) -> list[Path]:
    """The files that are written for one video, one a format."""
    return [task.place.output(FORMATS[name].suffix) for name in order.formats]


def _isolated(work: Work, task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    started = time.monotonic()
    try:
        outcome = work(task, order, reporter, kit)
    except Exception as error:
        outcome = failure(task.job.source, error)
    return replace(outcome, seconds=round(time.monotonic() - started, 1), warnings=tuple(reporter.warnings))


def _annotate(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    place, video, outputs = task.place, task.job.video, outputs_of(task, order)
    with writing(place.base.parent):
        place.base.parent.mkdir(parents=True, exist_ok=True)
    for output in outputs:
        check_output(output, place.workspace, [video], overwrite=order.overwrite)
    with _stages(task, order, reporter, kit, lambda stage: True) as workspace:
        result = write_export(workspace, order.formats, outputs, reporter)
        outcome = Outcome(
            task.job.source,
            DONE,
            persons=len(result.persons),
            segments=len(result.segments),
            outputs=tuple(str(output) for output in outputs),
        )
        remember(place.workspace, _made_from(task, order, kit), _files(task, order), outcome)
    return outcome


def _analyse(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    with _stages(task, order, reporter, kit, lambda stage: stage is not PERSONS):
        return Outcome(task.job.source, DONE)


def _find_persons(task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    with _stages(task, order, reporter, kit, lambda stage: stage is PERSONS):
        return Outcome(task.job.source, DONE)


def _stages(task: Task, order: Order, reporter: EventReporter, kit: Kit, wanted: Callable[[Stage], bool]) -> Any:
    if task.job.url:
        fetch(task.job.url, task.job.video, reporter, sha256=task.job.sha256)
    plan = [(stage, params) for stage, params in plan_of(task, order) if wanted(stage)]
    return up_to_date(
        task.place.workspace,
        task.job.video,
        plan,
        order.runtime,
        reporter,
        force=order.force,
        verify=order.verify,
        models=kit.models,
        digests=kit.digests,
        share=kit.share,
    )


def _made_from(task: Task, order: Order, kit: Kit) -> str:
    plan = plan_of(task, order)
    used = [(kit.digests.of_weights(stage, params), kit.digests.of_outside(stage, params)) for stage, params in plan]
    return digest_of([order.version, order.formats, [(stage.name, stage.version, p) for stage, p in plan], used])


def _files(task: Task, order: Order) -> list[Path]:
    return [task.job.video, *outputs_of(task, order), *([Path(order.cast)] if order.cast else [])]
