"""`fercli dataset`: list the readable data sets, check one, and find labels that are doubtful."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.cli.corpus import build_corpus, export_corpus, pick_clips, rebuild_corpus, take_labels
from fercli.cli.groups import StrictGroup
from fercli.config import TrainConfig
from fercli.errors import EXIT_FOUND, command

if TYPE_CHECKING:
    from rich.console import Console

    from fercli.learn.datasets.check import Check
    from fercli.learn.datasets.over_time.rating_files import Truth

WIDTH = 100
"""Columns that a table of eight classes needs; a narrower terminal wraps lines instead of shortening names."""
SHOWN = 10
"""Problems and duplicates listed one by one; `--json` has all."""

dataset_app = typer.Typer(cls=StrictGroup, help="Data sets of labelled faces.", no_args_is_help=True)
dataset_app.command("build")(build_corpus)
dataset_app.command("rebuild")(rebuild_corpus)
dataset_app.command("export")(export_corpus)
dataset_app.command("pick")(pick_clips)
dataset_app.command("labels")(take_labels)


@dataset_app.command("list")
def list_datasets() -> None:
    """All data sets that can be read.

    Example: fercli dataset list
    """
    from fercli.learn.datasets import DATASETS
    from fercli.learn.datasets.over_time import OVER_TIME

    print("\n".join(sorted({*DATASETS, *OVER_TIME})))


@dataset_app.command("check")
def check_dataset(
    dataset: Annotated[str, typer.Argument(help="Name of the data set.", show_default=False)],
    root: opt.Root = None,
    json: Annotated[bool, opt.flag("--json", help="Print everything as JSON on stdout.")] = False,
    strict: opt.Strict = False,
    quiet: opt.Quiet = False,
) -> None:
    """List classes, splits, subjects, unreadable files, pictures in two splits or classes. Exit code 6 if there are
    problems.

    Example: fercli dataset check fer2013 --root fer2013.csv
    """
    from fercli.cli.outputs import json_to_stdout
    from fercli.learn.datasets import DATASETS, read_dataset
    from fercli.learn.datasets.check import check
    from fercli.learn.datasets.over_time import OVER_TIME
    from fercli.learn.datasets.roots import find_root

    if dataset in OVER_TIME and dataset not in DATASETS:
        _check_over_time(dataset, find_root(dataset, root), as_json=json, strict=strict)
        return
    found = check(read_dataset(dataset, find_root(dataset, root), ConsoleReporter(quiet=quiet), strict=strict))
    if json:
        json_to_stdout(asdict(found))
    else:
        _show(found)
    if found.found_something:
        raise typer.Exit(EXIT_FOUND)


@dataset_app.command("clean")
def clean_dataset(
    dataset: Annotated[str, typer.Argument(help="Name of the data set.", show_default=False)],
    root: opt.Root = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The list to write, CSV.", readable=False)] = Path(
        "suspects.csv"
    ),
    folds: Annotated[int, typer.Option(help="Networks to train, each without one part of the faces.")] = 5,
    reweigh: Annotated[
        bool, opt.flag("--reweigh", help="Let training draw doubted faces less often instead of leaving them out.")
    ] = False,
    workdir: Annotated[
        Path, typer.Option(help="Directory of their runs; continues those that are there.", readable=False)
    ] = Path("runs/clean"),
    model: Annotated[str, typer.Option(help="As for fercli train.")] = "resnet18",
    init: Annotated[Path | None, typer.Option(help="As for fercli train.", readable=False)] = TrainConfig.init,
    epochs: Annotated[int, typer.Option(help="As for fercli train.")] = 12,
    batch: Annotated[int, typer.Option(help="As for fercli train.")] = TrainConfig.batch,
    lr: Annotated[float, typer.Option(help="As for fercli train.")] = TrainConfig.lr,
    sizes: Annotated[str, typer.Option(help="As for fercli train.")] = ",".join(map(str, TrainConfig.sizes)),
    augment: Annotated[str, typer.Option(help="As for fercli train.")] = TrainConfig.augment,
    limit: Annotated[int, typer.Option(help="As for fercli train.")] = TrainConfig.limit,
    seed: Annotated[int, typer.Option(help="As for fercli train.")] = TrainConfig.seed,
    device: opt.Device = TrainConfig.device,
    overwrite: opt.Replace = False,
    quiet: opt.Quiet = False,
) -> None:
    """List faces whose labels networks that did not learn from them contradict, for `fercli train --without`.

    Example: fercli dataset clean raf --root RAF -o suspects.csv
    """
    from fercli.learn.datasets.roots import find_root
    from fercli.learn.datasets.suspects import write_suspects
    from fercli.learn.training.clean import find_suspects
    from fercli.outputs import refuse_existing

    place = find_root(dataset, root)
    refuse_existing(output, overwrite=overwrite, reads=[place])
    config = TrainConfig(
        dataset,
        place,
        workdir,
        model,
        init,
        epochs=epochs,
        batch=batch,
        lr=lr,
        sizes=opt.parse_sizes(sizes),
        augment=augment,
        limit=limit,
        seed=seed,
        device=device,
    )
    reporter = ConsoleReporter(quiet=quiet)
    suspects, labels = find_suspects(config, folds, reporter, reweigh=reweigh)
    write_suspects(output, suspects)
    reporter.note(f"{len(suspects)} of {labels} labels are doubted: {output}; look at some before you leave them out")
    reporter.note(f"next: {command('train', '--dataset', dataset, '--root', place, '--without', output)}")


def _check_over_time(name: str, root: Path, *, as_json: bool, strict: bool) -> None:
    """Videos, persons and annotated minutes of each split, and what cannot be used."""
    from fercli.cli import layout
    from fercli.cli.outputs import json_to_stdout
    from fercli.learn.datasets.over_time import read_recordings
    from fercli.learn.datasets.over_time.recordings import summary

    found = read_recordings(name, root, strict=strict)
    splits = summary(found)
    if as_json:
        problems = [asdict(problem) for problem in found.problems]
        json_to_stdout({"splits": splits, "notes": found.notes, "problems": problems})
    else:
        console = layout.console(at_least=WIDTH)
        table = layout.table("split", numbers=("videos", "persons", "minutes"))
        for split, row in splits.items():
            table.add_row(split or "(none)", str(row["videos"]), str(row["persons"]), f"{row['minutes']:.1f}")
        console.print(table)
        for note in found.notes:
            console.print(note, soft_wrap=True)
        _list(console, "files that cannot be used", [str(problem) for problem in found.problems])
    if found.problems:
        raise typer.Exit(EXIT_FOUND)


def _show(found: Check) -> None:
    from fercli.cli import layout

    console = layout.console(at_least=WIDTH)
    for name, splits in found.counts.items():
        table = layout.table(name, numbers=tuple(splits))
        for label in dict.fromkeys(label for counts in splits.values() for label in counts):
            table.add_row(label or "(no label)", *(str(counts.get(label, 0)) for counts in splits.values()))
        table.add_row("all", *(str(sum(counts.values())) for counts in splits.values()))
        console.print(table)
    if any(found.subjects.values()):
        console.print("subjects: " + ", ".join(f"{count} in {split}" for split, count in found.subjects.items()))
    if found.shared_subjects:
        console.print(f"subjects in more than one split: {', '.join(found.shared_subjects)}", soft_wrap=True)
    for note in found.notes:
        console.print(note, soft_wrap=True)
    _list(console, "samples that cannot be used", [str(problem) for problem in found.problems])
    _list(
        console,
        "pictures in more than one split",
        [f"{d.first} ({d.first_split}) = {d.second} ({d.second_split})" for d in found.duplicates],
    )
    _list(
        console,
        "pictures in more than one class",
        [f"{c.first} ({c.first_label}) = {c.second} ({c.second_label})" for c in found.contradictions],
    )


def _list(console: Console, title: str, lines: list[str]) -> None:
    console.print(f"{title}: {len(lines)}")
    for line in lines[:SHOWN]:
        console.print(f"  {line}", soft_wrap=True)
    if len(lines) > SHOWN:
        console.print(f"  and {len(lines) - SHOWN} more; --json lists all")


@dataset_app.command("ewe")
def weigh_raters(
    ratings: Annotated[
        list[Path],
        typer.Argument(
            metavar="RATINGS...",
            help="CSV files with time and a column a rater; or files of one rater each.",
            show_default=False,
            readable=False,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The estimate to write, CSV.", readable=False, show_default=False)
    ],
    name: Annotated[str, typer.Option(help="Name of what is rated.")] = "valence",
    delays: Annotated[
        str, typer.Option(help="Take out delays of raters by: none, ccc or mutual-information.")
    ] = "none",
    max_delay: Annotated[float, typer.Option(help="Longest delay, seconds.", min=0.0)] = 6.0,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="CSV with time and a signal of the video, for absolute delays; by default the mean of the others.",
            readable=False,
        ),
    ] = None,
    rate: Annotated[float, typer.Option(help="Values per second; 0 takes that of the files.", min=0.0)] = 0.0,
    json: Annotated[bool, opt.flag("--json", help="Weights, delays and agreement as JSON on stdout.")] = False,
    overwrite: opt.Replace = False,
    quiet: opt.Quiet = False,
) -> None:
    """Estimate the truth of several raters, weighted by how well each agrees with all (Grimm and Kroschel 2005).

    Example: fercli dataset ewe results_112_1.csv -o truth.csv
    """
    from fercli.cli.outputs import json_to_stdout
    from fercli.learn.datasets.over_time.rating_files import make_truth, read_ratings, reference_of, truth_csv
    from fercli.outputs import refuse_existing
    from fercli.writing import write_atomically

    refuse_existing(output, overwrite=overwrite, reads=ratings)
    videos = read_ratings(ratings, rate)
    signals = [reference_of(reference, video) if reference else None for video in videos]
    truths = [make_truth(video, delays, max_delay, signal) for video, signal in zip(videos, signals, strict=True)]
    write_atomically(output, truth_csv(truths, name))
    if json:
        json_to_stdout({truth.rated.video: _as_json(truth) for truth in truths})
    else:
        _show_raters(truths)
    ConsoleReporter(quiet=quiet).note(f"{output}: {name} of {len(truths)} {'video' if len(truths) == 1 else 'videos'}")


def _as_json(truth: Truth) -> dict[str, object]:
    found = truth.estimate
    raters = {
        name: {
            "weight": found.weights[name],
            "delay_s": truth.delays_s[name],
            "ccc": None if math.isnan(found.agreement[name]) else found.agreement[name],
        }
        for name in found.weights
    }
    human = found.human_agreement
    return {"raters": raters, "human_ccc": None if math.isnan(human) else human}


def _show_raters(truths: list[Truth]) -> None:
    from fercli.cli import layout

    console = layout.console()
    for truth in truths:
        table = layout.table(truth.rated.video, numbers=("weight", "delay s", "CCC with the others"))
        for rater, weight in truth.estimate.weights.items():
            agreement = f"{truth.estimate.agreement[rater]:.3f}"
            table.add_row(rater, f"{weight:.3f}", f"{truth.delays_s[rater]:.2f}", agreement.replace("nan", "-"))
        human = f"{truth.estimate.human_agreement:.3f}".replace("nan", "-")
        table.add_row("mean", "", "", human)
        console.print(table)
