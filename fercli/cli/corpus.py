"""`fercli dataset build` and `rebuild`: a corpus of clips. `fercli.cli.dataset` adds them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.cli.terminal import visible
from fercli.config import AudioParams, PersonsParams, Runtime, SpeakersParams, SpeechParams
from fercli.errors import EXIT_FOUND, ConfigError, InputError, command

if TYPE_CHECKING:
    from fercli.batch.events import Event
    from fercli.batch.outcome import Outcome
    from fercli.batch.work import Task
    from fercli.corpus.manifest import Clip
    from fercli.corpus.stretches import Wanted

Corpus = Annotated[
    Path, typer.Option("--output", "-o", help="Folder of the corpus.", show_default=False, readable=False)
]


def build_corpus(
    videos: opt.Videos,
    output: Corpus,
    gallery: opt.Gallery = None,
    person: Annotated[
        list[str] | None,
        typer.Option(help="Only this person; several times for several.", show_default="everyone named"),
    ] = None,
    speaking: Annotated[bool, opt.flag("--speaking", help="Only where the person speaks; transcribes.")] = False,
    transcribe: Annotated[bool, opt.flag("--transcribe", help="Keep what is said, too.")] = False,
    min_length: Annotated[float, typer.Option(help="Shortest clip, seconds.")] = 1.0,
    max_length: Annotated[float, typer.Option(help="Longest clip, seconds; longer ones are divided.")] = 10.0,
    emotion: Annotated[
        str, typer.Option(help="Only clips that show one of these throughout, with commas.", show_default="all")
    ] = "",
    manifest_only: Annotated[
        bool, opt.flag("--manifest-only", help="Only the manifest, from which others rebuild the clips.")
    ] = False,
    split_by: Annotated[str, typer.Option(help="What no two splits share: video, person, or both.")] = "video",
    licence: Annotated[str, typer.Option(help="Licence of the corpus, for its card.")] = "",
    recursive: opt.Recursive = False,
    jobs: opt.Jobs = 0,
    scheduler: opt.Scheduler = "",
    language: opt.Language = SpeechParams.language,
    speech_model: opt.SpeechModel = SpeechParams.model,
    device: opt.Device = Runtime.device,
    quiet: opt.Quiet = False,
) -> None:
    """Build a corpus of the clips in which a person is seen, with faces, sound and text. Exit code 6 if a video failed.

    Example: fercli dataset build season1/ --gallery people/ --person Ross -o corpus/
    """
    from fercli.batch.api import tasks_for
    from fercli.batch.cluster import open_engine
    from fercli.batch.work import Order
    from fercli.cli.batch import show_run
    from fercli.corpus.build import WORK, Settings, build, make_folder
    from fercli.corpus.finish import About, finish
    from fercli.corpus.splits import SPLIT_BY

    wanted = _wanted(person or [], min_length, max_length, emotion, speaking=speaking)
    if split_by not in SPLIT_BY:
        raise ConfigError(
            f"unknown --split-by {split_by!r}", hint=f"use one of {', '.join(SPLIT_BY)}", code="name-unknown"
        )
    make_folder(output)
    persons = PersonsParams(gallery=opt.absolute(gallery))
    heard: list[Any] = [AudioParams(), SpeechParams(opt.parse_speech_model(speech_model), language)]
    heard += [SpeakersParams()] if speaking else []
    order = Order((persons, *(heard if speaking or transcribe else ())), (), Runtime(device=device))
    tasks = tasks_for(videos, output / WORK, recursive=recursive)
    settings = Settings(output, wanted, files=not manifest_only)
    with show_run(tasks, quiet=quiet) as display, open_engine(jobs, scheduler, device) as engine:
        clips, outcomes = build(tasks, order, settings, engine, display, _Cuts(quiet=quiet))
    if not clips:
        _report_failures(outcomes)
        raise InputError(
            f"there is no clip for {output} in {len(outcomes)} videos",
            hint="check the names with --person, or use a shorter --min-length",
            code="corpus-empty",
        )
    finished = finish(output, clips, About(split_by, licence, gallery is not None))
    reporter = ConsoleReporter(quiet=quiet)
    for warning in finished.warnings:
        reporter.warn(warning)
    _print(output, finished.clips)
    reporter.note(f"card: {output / 'README.md'}")
    if manifest_only:
        reporter.note(
            f"next: {command('dataset', 'rebuild', output / 'manifest.parquet', '--videos', 'DIR', '-o', 'DIR')}"
        )
    if _report_failures(outcomes):
        raise typer.Exit(EXIT_FOUND)


def rebuild_corpus(
    manifest: Annotated[
        Path,
        typer.Argument(metavar="MANIFEST", help="manifest.parquet of a corpus.", show_default=False, readable=False),
    ],
    videos: Annotated[
        Path, typer.Option(help="Folder in which the videos lie, at any depth.", show_default=False, readable=False)
    ],
    output: Corpus,
    jobs: opt.Jobs = 0,
    scheduler: opt.Scheduler = "",
    quiet: opt.Quiet = False,
) -> None:
    """Cut the clips of a manifest from their videos again; each video must be the same file. Exit code 6 if one is not.

    Example: fercli dataset rebuild manifest.parquet --videos films/ -o corpus/
    """
    from fercli.batch.cluster import open_engine
    from fercli.corpus.build import Settings, rebuild
    from fercli.corpus.finish import copy_documents
    from fercli.corpus.manifest import read_manifest
    from fercli.corpus.stretches import Wanted

    clips = read_manifest(manifest)
    with open_engine(jobs, scheduler, Runtime.device) as engine:
        outcomes = rebuild(clips, videos, Settings(output, Wanted()), engine, _Cuts(quiet=quiet))
    copy_documents(manifest, output)
    _print(output, clips)
    if _report_failures(outcomes):
        raise typer.Exit(EXIT_FOUND)


def _wanted(persons: Sequence[str], min_s: float, max_s: float, emotions: str, *, speaking: bool) -> Wanted:
    from fercli.corpus.stretches import Wanted
    from fercli.labels import EMOTIONS, RECORD_NAMES

    if not 0 < min_s <= max_s:
        raise ConfigError(
            f"--min-length {min_s:g} and --max-length {max_s:g} leave no clip",
            hint="use --min-length above 0, and a --max-length of at least as much",
            code="option-out-of-range",
        )
    by_name = {name: emotion for emotion in EMOTIONS for name in (emotion, RECORD_NAMES[emotion])}
    names = [name.strip() for name in emotions.split(",") if name.strip()]
    for name in names:
        if name not in by_name:
            raise ConfigError(
                f"unknown --emotion {name!r}", hint=f"use some of {', '.join(EMOTIONS)}", code="name-unknown"
            )
    return Wanted(tuple(persons), speaking, min_s, max_s, tuple(by_name[name] for name in names))


class _Cuts:
    """A line for each video that is cut."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def event(self, event: Event) -> None:
        if event.kind == "warning":
            print(f"warning: {visible(event.text)}", file=sys.stderr)

    def ended(self, task: Task, outcome: Outcome) -> None:
        from fercli.cli.layout import counted

        if not self._quiet and not outcome.code:
            clips = counted(outcome.segments or 0, "clips")
            print(visible(f"{outcome.video}: {clips}"), file=sys.stderr, flush=True)


def _report_failures(outcomes: Sequence[Outcome]) -> int:
    failed = [one for one in outcomes if one.code]
    for one in failed:
        print(visible(f"{one.video}: error[{one.code}]: {one.message}"), file=sys.stderr)
        if one.hint:
            print(visible(f"  hint: {one.hint}"), file=sys.stderr)
    return len(failed)


def _print(folder: Path, clips: Sequence[Clip]) -> None:
    from fercli.cli.layout import counted

    minutes = sum(clip.seconds for clip in clips) / 60
    persons = counted(len({clip.person for clip in clips}), "persons")
    print(visible(f"{folder}: {counted(len(clips), 'clips')}, {minutes:.1f} minutes, {persons}"))


def export_corpus(
    corpus: Annotated[
        Path, typer.Argument(metavar="CORPUS", help="Folder of a corpus.", show_default=False, readable=False)
    ],
    to: Annotated[str, typer.Option("--to", help="imagefolder, audiofolder, webdataset or meld.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="A new folder.", show_default=False, readable=False)],
    quiet: opt.Quiet = False,
) -> None:
    """Write a corpus as other programs read it: Hugging Face datasets, WebDataset, or the CSV of MELD.

    Example: fercli dataset export corpus/ --to webdataset -o shards/
    """
    from fercli.corpus.exports import export

    count = export(corpus, to, output)
    ConsoleReporter(quiet=quiet).note(f"{output}: {count} clips as {to}")


def pick_clips(
    corpus: Annotated[
        Path, typer.Argument(metavar="CORPUS", help="Folder of a corpus.", show_default=False, readable=False)
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="A new folder.", show_default=False, readable=False)],
    pick: Annotated[int, typer.Option(help="Number of clips.")] = 500,
    balance: Annotated[str, typer.Option(help="Evenly over these, with commas: emotion, person, video.")] = "emotion",
    by: Annotated[str, typer.Option(help="Which ones first: uncertainty, or random.")] = "uncertainty",
    quiet: opt.Quiet = False,
) -> None:
    """Pick clips for people to label, two annotators each, as a project for Label Studio.

    Example: fercli dataset pick corpus/ --pick 500 --balance emotion,person --by uncertainty -o project/
    """
    from fercli.corpus.picking import ANNOTATORS, make_project

    names = [name.strip() for name in balance.split(",") if name.strip()]
    picked = make_project(corpus, output, pick, names, by)
    reporter = ConsoleReporter(quiet=quiet)
    reporter.note(f"{output}: {len(picked)} clips, {ANNOTATORS} annotators each")
    reporter.note(
        f"next: label them, export as JSON, then {command('dataset', 'labels', 'EXPORT.json', corpus, '-o', 'DIR')}"
    )


def take_labels(
    export: Annotated[
        Path, typer.Argument(metavar="EXPORT", help="JSON export of Label Studio.", show_default=False, readable=False)
    ],
    corpus: Annotated[
        Path, typer.Argument(metavar="CORPUS", help="Folder of the corpus.", show_default=False, readable=False)
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="A new folder.", show_default=False, readable=False)],
    quiet: opt.Quiet = False,
) -> None:
    """Take the labels of people: their agreement, a list of disagreements, and a data set to train with.

    Example: fercli dataset labels export.json corpus/ -o labelled/
    """
    from fercli.corpus.finish import add_agreement
    from fercli.corpus.labelled import take_labels as take

    agreement = take(export, corpus, output)
    add_agreement(corpus, agreement.sentence)
    print(agreement.sentence)
    reporter = ConsoleReporter(quiet=quiet)
    if agreement.disagreements:
        reporter.note(f"disagreements: {output / 'disagreements.csv'}")
    reporter.note(
        f"{agreement.usable} clips with a majority; next: {command('train', '--dataset', 'folder', '--root', output)}"
    )
