"""The part of `fercli annotate` that runs over many videos: its progress display, and the table at the end."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fercli.chain import STAGES
from fercli.cli import layout
from fercli.cli.terminal import visible
from fercli.errors import EXIT_FOUND, ConfigError, command
from fercli.files import address_of

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from fercli.batch.events import Event
    from fercli.batch.outcome import Outcome
    from fercli.batch.run import Display
    from fercli.batch.work import Order, Task


def annotate_many(
    videos: Sequence[Path],
    output: str | None,
    order: Order,
    *,
    recursive: bool,
    jobs: int,
    scheduler: str,
    quiet: bool,
    workdir: Path | None,
) -> int:
    """Annotate all videos that the arguments name; returns the exit code: 0, or EXIT_FOUND if one failed.

    Raises:
        ConfigError, InputError, ModelError: something that concerns all videos cannot be used.
        OutputError: the folder or the address cannot be written.
    """
    from fercli.batch.api import tasks_for
    from fercli.batch.cluster import has_distributed, open_engine
    from fercli.batch.outcome import FAILED
    from fercli.batch.run import run

    folder, url = _folder(output, workdir)
    tasks = tasks_for(videos, folder, recursive=recursive)
    if not (quiet or jobs or has_distributed()):
        print("one video at a time: to use all cores, run: pip install 'fercli[cluster]'", file=sys.stderr)
    with show_run(tasks, quiet=quiet) as display, open_engine(jobs, scheduler, order.runtime.device) as engine:
        outcomes = run(folder, tasks, order, engine, display, url=url)
    summarise(outcomes, folder, quiet=quiet)
    return EXIT_FOUND if any(outcome.state == FAILED for outcome in outcomes) else 0


def _folder(output: str | None, workdir: Path | None) -> tuple[Path, str]:
    """The local folder, and the address to which its files are sent; empty if -o is no address."""
    from fercli.batch.api import FOLDER

    folder = Path(output or FOLDER)
    if url := (output or "") if address_of(folder) else "":
        if folder.suffix and not url.endswith("/"):
            raise ConfigError(
                f"-o {url} looks like a file, and an address has to be that of a folder",
                hint=f"add a slash, or choose another: {folder.stem}/",
                code="output-is-no-folder",
            )
        return workdir or Path(FOLDER), url
    if workdir is not None:
        raise ConfigError(
            "--workdir is the workspace of one video",
            hint="leave it out: each video has its own beside its output",
            code="option-conflict",
        )
    if folder.is_file() or (folder.suffix and not folder.exists() and not str(output).endswith("/")):
        raise ConfigError(
            f"-o {output} is a file, and several videos need a folder",
            hint=f"give a folder, such as -o {FOLDER}/, and the format with --format",
            code="output-is-no-folder",
        )
    return folder, ""


@contextmanager
def show_run(tasks: Sequence[Task], *, quiet: bool) -> Iterator[Display]:
    """Shows a run: bars if stderr is a terminal, else a line for each video that has ended."""
    if quiet or not sys.stderr.isatty():
        yield _Lines(len(tasks), quiet=quiet)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(24),
        TextColumn("{task.fields[text]}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=layout.console(sys.stderr), transient=True) as progress:
        yield _Bars(progress, len(tasks), {task.number: visible(str(task.job.inside)) for task in tasks})


class _Lines:
    """Plain lines, for a pipe or a log."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self._total, self._quiet, self._ended = total, quiet, 0

    def event(self, event: Event) -> None:
        if event.kind == "warning":
            print(f"warning: {visible(event.text)}", file=sys.stderr)

    def ended(self, task: Task, outcome: Outcome) -> None:
        self._ended += 1
        for warning in outcome.warnings:
            print(visible(f"warning: {outcome.video}: {warning}"), file=sys.stderr)
        if not self._quiet or outcome.code:
            print(f"[{self._ended}/{self._total}] {_sentence(outcome)}", file=sys.stderr, flush=True)


class _Bars:
    """A bar for the whole and one for each running video."""

    def __init__(self, progress: Progress, total: int, names: dict[int, str]) -> None:
        self._progress, self._names, self._total = progress, names, total
        self._order = {stage.title: number for number, stage in enumerate(STAGES)}
        self._all = progress.add_task("all videos", total=total, text=f"0 of {total}")
        self._bar: dict[int, TaskID] = {}
        self._share: dict[int, float] = {}
        self._ended = 0

    def event(self, event: Event) -> None:
        if event.kind == "warning":
            self._progress.console.print(f"warning: {event.text}", soft_wrap=True)
        elif event.kind == "progress":
            bar = self._bar.get(event.number)
            if bar is None:
                bar = self._bar[event.number] = self._progress.add_task(self._names[event.number], text="")
            figures = f"{event.done} of {event.total}" if event.total is not None else str(event.done)
            text = f"{event.text}: {figures} {event.unit}s"
            self._progress.update(bar, completed=event.done, total=event.total, text=text)
            stage = self._order.get(event.text, 0) + (event.done / event.total if event.total else 0)
            self._share[event.number] = stage / len(self._order)
            self._update()

    def ended(self, task: Task, outcome: Outcome) -> None:
        self._ended += 1
        self._share.pop(task.number, None)
        if (bar := self._bar.pop(task.number, None)) is not None:
            self._progress.remove_task(bar)
        for warning in outcome.warnings:
            self._progress.console.print(f"warning: {outcome.video}: {warning}", soft_wrap=True)
        if outcome.seconds or outcome.code:
            self._progress.console.print(_sentence(outcome), soft_wrap=True)
        self._update()

    def _update(self) -> None:
        done = self._ended + sum(self._share.values())
        self._progress.update(self._all, completed=done, text=f"{self._ended} of {self._total}")


def _sentence(outcome: Outcome) -> str:
    if outcome.code:
        return visible(f"{outcome.video}: failed: error[{outcome.code}]: {outcome.message}")
    persons, segments = (
        layout.counted(count or 0, name)
        for count, name in ((outcome.persons, "persons"), (outcome.segments, "segments"))
    )
    took = f"{outcome.seconds:.1f} s" if outcome.seconds else "up to date"
    return visible(f"{outcome.video}: {persons}, {segments}, {took}")


def summarise(outcomes: Sequence[Outcome], folder: Path, *, quiet: bool) -> None:
    """The table of all videos, or of those that failed with --quiet; on stderr."""
    from fercli.batch.outcome import FAILED

    failed = [outcome for outcome in outcomes if outcome.state == FAILED]
    console = layout.console(sys.stderr)
    if not quiet:
        table = layout.table("video", "state", "error", numbers=("seconds", "persons", "segments"))
        for one in outcomes:
            counts = ("" if count is None else str(count) for count in (one.persons, one.segments))
            table.add_row(one.video, one.state, one.code, f"{one.seconds:.1f}", *counts)
        console.print(table)
    for one in failed:
        console.print(f"{one.video}: error[{one.code}]: {one.message}", soft_wrap=True)
        if one.hint:
            console.print(f"  hint: {one.hint}", soft_wrap=True)
    if not quiet:
        console.print(
            f"{len(outcomes) - len(failed)} of {layout.counted(len(outcomes), 'videos')} done", soft_wrap=True
        )
        console.print(f"outcomes     {folder / 'batch.json'}", soft_wrap=True)
        if len(failed) < len(outcomes):
            console.print(f"next: {command('show', folder)}", soft_wrap=True)
