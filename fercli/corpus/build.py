"""`fercli dataset build` and `rebuild`: from videos, or from a manifest and its videos, to a corpus.

Videos are annotated in `work/`, on the engine of `fercli annotate`, then cut on the same engine. What is finished is
kept: the workspaces, the clips, and for each video its part of the manifest in `work/parts/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fercli.batch.events import EventReporter
from fercli.batch.jobs import Job
from fercli.batch.outcome import DONE, Outcome, failure, write_outcomes
from fercli.batch.places import Place
from fercli.batch.run import Display, Engine, run
from fercli.batch.work import Kit, Order, Task
from fercli.corpus.clip_files import clips_by_video, remove_clip, write_clips
from fercli.corpus.clip_sound import sound_of
from fercli.corpus.likeness import write_likeness
from fercli.corpus.manifest import Clip, Source, clips_of, read_manifest, safe_name, write_manifest
from fercli.corpus.stretches import Wanted, find_stretches
from fercli.errors import ConfigError, InputError, VideoError
from fercli.files import fitting_name, require_regular_file
from fercli.hashing import sha256_file
from fercli.media.index import FrameIndex, read_index
from fercli.media.kept_index import frame_index
from fercli.results.load import load
from fercli.workspace import Workspace
from fercli.writing import OWNER_ONLY_DIRECTORY, writing

WORK, PARTS = "work", "parts"


@dataclass(frozen=True)
class Settings:
    """What is the same for all videos of a corpus.

    Attributes:
        folder: the corpus.
        wanted: which stretches.
        files: whether clips are cut; otherwise only the manifest is written.
    """

    folder: Path
    wanted: Wanted
    files: bool = True


def make_folder(folder: Path) -> None:
    """The folder of a corpus, readable for its owner only: it holds faces and voices.

    Raises:
        ConfigError: it holds something else.
        OutputError: it cannot be made.
    """
    with writing(folder):
        if folder.is_dir() and any(folder.iterdir()) and not (folder / WORK).is_dir():
            raise ConfigError(
                f"{folder} is not empty, and no corpus", hint="choose a new folder with -o", code="output-exists"
            )
        folder.mkdir(mode=OWNER_ONLY_DIRECTORY, parents=True, exist_ok=True)
        (folder / WORK / PARTS).mkdir(parents=True, exist_ok=True)


def build(
    tasks: Sequence[Task], order: Order, settings: Settings, engine: Engine, display: Display, cuts: Display
) -> tuple[list[Clip], list[Outcome]]:
    """Annotate and cut all videos; one that fails does not stop the others.

    Args:
        tasks: the videos, with places in `work/`.
        order: as for `fercli annotate`, without formats.
        settings: which clips, and where.
        engine, display: as for `batch.run.run`. cuts: shows the second pass.

    Returns:
        The clips of all videos that are done, in the order of the videos; and how each video ended, also in
        `work/batch.json`.

    Raises:
        ConfigError, InputError, ModelError: something that concerns all videos cannot be used.
        OutputError: the folder cannot be written.
    """
    make_folder(settings.folder)
    work = settings.folder / WORK
    found = run(work, tasks, order, engine, display)
    outcomes = {task.number: outcome for task, outcome in zip(tasks, found, strict=True)}
    ready = [task for task in tasks if outcomes[task.number].state == DONE]
    for task, outcome in engine(partial(cut, settings), ready, order, cuts.event):
        outcomes[task.number] = outcome
        cuts.ended(task, outcome)
    found = [outcomes[task.number] for task in tasks]
    write_outcomes(work, found)
    done = [task for task in tasks if outcomes[task.number].state == DONE]
    parts = [part_of(settings.folder, name_of(task, settings.folder)) for task in done]
    return [clip for part in parts for clip in read_manifest(part)], found


def cut(settings: Settings, task: Task, order: Order, reporter: EventReporter, kit: Kit) -> Outcome:
    """The part of a corpus from one video. Errors become a failed outcome."""
    try:
        return _cut(settings, task, reporter, kit)
    except Exception as error:
        return failure(task.job.source, error)


def _cut(settings: Settings, task: Task, reporter: EventReporter, kit: Kit) -> Outcome:
    name = name_of(task, settings.folder)
    workspace = Workspace.open(task.place.workspace)
    result, index, video = load(workspace), frame_index(workspace), task.job.video
    facts = workspace.video
    source = Source(video.name, facts.sha256, facts.size, *sound_of(video))
    clips = clips_of(find_stretches(result, settings.wanted), result.details(), index, source, name)
    part = part_of(settings.folder, name)
    _remove_others(settings.folder, part, clips)
    write_manifest(part, clips)
    if settings.files:
        _write(video, index, clips, part, settings, reporter, kit)
    return _outcome(task, clips, reporter)


def rebuild(clips: Sequence[Clip], videos: Path, settings: Settings, engine: Engine, display: Display) -> list[Outcome]:
    """Cut the clips of a manifest from their videos again.

    Args:
        clips: of the manifest.
        videos: folder in which the videos lie, at any depth, under their names.
        settings, engine, display: as for `build`.

    Returns:
        How each video ended: one that is missing, or is another file than the clips are from, has failed.

    Raises:
        OutputError: the folder cannot be written.
    """
    make_folder(settings.folder)
    tasks = []
    for number, (name, sha256) in enumerate(clips_by_video(clips)):
        found = sorted(path for path in videos.rglob(name) if path.is_file())
        job = Job(found[0] if found else videos / name, Path(name), sha256=sha256)
        tasks.append(Task(number, job, Place(settings.folder / WORK / f"{number}", settings.folder / WORK / name)))
    outcomes = {}
    for task, outcome in engine(partial(recut, settings, tuple(clips)), tasks, Order((), ()), display.event):
        outcomes[task.number] = outcome
        display.ended(task, outcome)
    found_all = [outcomes[task.number] for task in tasks]
    write_outcomes(settings.folder / WORK, found_all)
    return found_all


def recut(
    settings: Settings, clips: Sequence[Clip], task: Task, order: Order, reporter: EventReporter, kit: Kit
) -> Outcome:
    """The clips of one video of a manifest. Errors become a failed outcome."""
    try:
        own = clips_by_video(clips)[task.job.video.name, task.job.sha256]
        part = part_of(settings.folder, f"rebuilt{task.number}")
        require_regular_file(task.job.video, VideoError, "give the folder of the videos with --videos")
        if sha256_file(task.job.video) != task.job.sha256:
            raise InputError(
                f"{task.job.video} is not the file that {len(own)} clips are from: its sha256 is another one",
                hint=f"find the file with the sha256 {task.job.sha256}",
                code="source-other",
            )
        _remove_others(settings.folder, part, own)
        write_manifest(part, own)
        _write(task.job.video, read_index(task.job.video), own, part, settings, reporter, kit)
        return _outcome(task, own, reporter)
    except Exception as error:
        return failure(task.job.source, error)


def name_of(task: Task, folder: Path) -> str:
    """Name of a video in the ids of its clips, different for each."""
    return safe_name("-".join(task.place.base.relative_to(folder / WORK).parts))


def part_of(folder: Path, name: str) -> Path:
    """The part of the manifest from one video."""
    return folder / WORK / PARTS / fitting_name(name, ".parquet")


def _write(
    video: Path,
    index: FrameIndex,
    clips: Sequence[Clip],
    part: Path,
    settings: Settings,
    reporter: EventReporter,
    kit: Kit,
) -> None:
    write_clips(video, index, clips, settings.folder, reporter)
    write_likeness(part.with_suffix(".npz"), clips, settings.folder, kit.models)


def _remove_others(folder: Path, part: Path, clips: Sequence[Clip]) -> None:
    """Remove the files of clips of an earlier run that are cut otherwise now. The manifest of a part is written before
    its clips, so it has all that may be there."""
    if not part.is_file():
        return
    for old in read_manifest(part):
        if old not in clips:
            remove_clip(folder, old)


def _outcome(task: Task, clips: Sequence[Clip], reporter: EventReporter) -> Outcome:
    persons = len({clip.person for clip in clips})
    return Outcome(task.job.source, DONE, persons=persons, segments=len(clips), warnings=tuple(reporter.warnings))
