"""The commands about networks: train, evaluate, and what a data set holds. `fercli.cli.app` adds them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.cli.default_group import group_with_default
from fercli.config import TracksParams, TrainConfig
from fercli.errors import EXIT_FOUND, ConfigError, command

evaluate_app = group_with_default("Scores: of a classifier or annotations, of tracks, of persons.")
dataset_app = typer.Typer(help="Data sets of labelled faces.", no_args_is_help=True)

Dataset = Annotated[str, typer.Option(help="Name of the data set; 'fercli dataset list' has them.", show_default=False)]
Root = Annotated[
    Path, typer.Option(help="The data set's file or directory, as downloaded.", show_default=False, readable=False)
]
Strict = Annotated[bool, opt.flag("--strict", help="A sample that cannot be used is fatal.")]


def train(
    dataset: Dataset,
    root: Root,
    out: Annotated[Path, typer.Option(help="Directory of the run; an interrupted run goes on.", readable=False)] = Path(
        "runs/last"
    ),
    model: Annotated[
        str, typer.Option(help="resnet18, tsm-resnet18, tsm-resnet18-online, resnet18-lstm or resnet18-rca.")
    ] = TrainConfig.model,
    init: Annotated[
        Path | None, typer.Option(help="Weights to start from, a safetensors file.", readable=False)
    ] = TrainConfig.init,
    fold_div: Annotated[int, typer.Option(help="1/N of the channels are shifted each way.")] = TrainConfig.fold_div,
    epochs: Annotated[int, typer.Option(help="Passes over the training split.")] = TrainConfig.epochs,
    batch: Annotated[int, typer.Option(help="Images or clips a step, of all processes together.")] = TrainConfig.batch,
    lr: Annotated[float, typer.Option(help="Peak learning rate.")] = TrainConfig.lr,
    weight_decay: Annotated[float, typer.Option(help="Of the weights, not of biases.")] = TrainConfig.weight_decay,
    sizes: Annotated[str, typer.Option(help="Sides of the input from first to last, pixels.")] = ",".join(
        map(str, TrainConfig.sizes)
    ),
    targets: Annotated[str, typer.Option(help="distribution (all votes) or label (most votes).")] = TrainConfig.targets,
    smoothing: Annotated[float, typer.Option(help="Label smoothing, 0 to 1.")] = TrainConfig.smoothing,
    balanced: Annotated[bool, opt.flag("--balanced", help="Weigh rare classes more.")] = False,
    extra: Annotated[
        list[str] | None,
        typer.Option(help="Add to the loss: word-cosine, relative-uncertainty or flip-attention; may be repeated."),
    ] = None,
    word_vectors: Annotated[
        Path | None, typer.Option(help="word2vec or GloVe file for word-cosine.", readable=False)
    ] = TrainConfig.word_vectors,
    mix: Annotated[str, typer.Option(help="none, cutmix or mixup.")] = TrainConfig.mix,
    randaugment: Annotated[int, typer.Option(help="Magnitude of RandAugment, 0 to 10.")] = TrainConfig.randaugment,
    limit: Annotated[int, typer.Option(help="Images or clips an epoch; 0 takes all.")] = TrainConfig.limit,
    patience: Annotated[
        int, typer.Option(help="Stop after so many epochs without progress; 0 never stops.")
    ] = TrainConfig.patience,
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = TrainConfig.precision,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = TrainConfig.seed,
    device: opt.Device = TrainConfig.device,
    strict: Strict = False,
    quiet: opt.Quiet = False,
) -> None:
    """Train a classifier, or go on with a run that was interrupted. `torchrun` starts it on several GPUs."""
    from fercli.learn.training.loop import train as run_training

    config = TrainConfig(
        dataset=dataset,
        root=root,
        out=out,
        model=model,
        init=init,
        fold_div=fold_div,
        epochs=epochs,
        batch=batch,
        lr=lr,
        weight_decay=weight_decay,
        sizes=opt.parse_sizes(sizes),
        targets=targets,
        smoothing=smoothing,
        balanced=balanced,
        extras=tuple(extra or ()),
        word_vectors=word_vectors,
        mix=mix,
        randaugment=randaugment,
        limit=limit,
        patience=patience,
        precision=precision,
        seed=seed,
        device=device,
        strict=strict,
    )
    reporter = ConsoleReporter(quiet=quiet)
    best = run_training(config, reporter)
    if os.environ.get("RANK", "0") == "0":  # of several processes one speaks
        reporter.note(f"next: {_scoring(best, dataset, root)}")


def _scoring(best: Path, dataset: str, root: Path) -> str:
    """The command that scores a classifier on faces it has not seen."""
    from fercli.models.weights import read_header

    was_tested = any("test_n" in figures for figures in read_header(best).metrics.values())
    split = "test" if was_tested else "valid"
    return command("evaluate", best, "--dataset", dataset, "--root", root, "--split", split)


@evaluate_app.command("model")
def evaluate(
    target: Annotated[
        str, typer.Argument(help="A classifier (name or file), or exported annotations.", show_default=False)
    ],
    dataset: Annotated[str, typer.Option(help="Data set to score a classifier on.")] = "",
    root: Annotated[
        Path | None, typer.Option(help="The data set's file or directory.", show_default=False, readable=False)
    ] = None,
    split: Annotated[str, typer.Option(help="train, valid, test or all; by default test, if the set has one.")] = "",
    truth: Annotated[
        Path | None,
        typer.Option(
            help="Your own labels, .csv, .eaf, .TextGrid, .json or .jsonl, to score annotations against.",
            readable=False,
        ),
    ] = None,
    lasting: Annotated[
        float | None,
        typer.Option(
            help="Labels without an end last to the person's next one, at most this, seconds; 0 compares at the moment "
            "alone. By default 4.",
            show_default=False,
        ),
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(help="Directory for pictures of confusion and reliability.", readable=False)
    ] = None,
    json: Annotated[bool, opt.flag("--json", help="Figures as JSON on stdout.")] = False,
    device: opt.Device = TrainConfig.device,
    strict: Strict = False,
    quiet: opt.Quiet = False,
) -> None:
    """Score a classifier on a data set, or exported annotations against labels of your own. May go unnamed."""
    from fercli.cli import scores

    reporter = ConsoleReporter(quiet=quiet)
    if truth is not None:
        _refuse_beside_truth(dataset=dataset, root=root, split=split, figures=figures, strict=strict)
        scores.against_truth(Path(target), truth, as_json=json, reporter=reporter, lasting_s=lasting)
    elif lasting is not None:
        raise ConfigError("--lasting is about labels of your own", hint="name the file with them: --truth FILE")
    else:
        scores.classifier(
            target, dataset, root, split, figures, as_json=json, device=device, strict=strict, reporter=reporter
        )


def _refuse_beside_truth(**options: object) -> None:
    given = [f"--{name}" for name, value in options.items() if value]
    if given:
        raise ConfigError(
            f"--truth scores annotations, and only a classifier is scored with {', '.join(given)}",
            hint="leave out --truth or what is named here",
        )


@evaluate_app.command("tracks")
def evaluate_tracks(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="True tracks: MOTChallenge gt.txt, or LTFT.", show_default=False, readable=False
        ),
    ],
    fps: Annotated[float, typer.Option(help="Frames a second of the sequences.")] = 25.0,
    min_iou: Annotated[float, typer.Option(help="Boxes overlap at least this much.")] = TracksParams.min_iou,
    max_gap: Annotated[float, typer.Option(help="Bridge gaps up to this, seconds.")] = TracksParams.max_gap_s,
    min_faces: Annotated[int, typer.Option(help="Drop tracks with fewer faces.")] = TracksParams.min_faces,
    json: Annotated[bool, opt.flag("--json", help="Figures as JSON on stdout.")] = False,
) -> None:
    """Strip the identities from true tracks, track the boxes again, and score that."""
    from fercli.cli.track_scores import tracks

    params = TracksParams(min_iou=min_iou, max_gap_s=max_gap, min_faces=min_faces)
    tracks(files, fps, params, as_json=json)


@evaluate_app.command("persons")
def evaluate_persons(
    workspace: opt.WorkspacePath,
    truth: Annotated[
        Path, typer.Option(help="Who is really seen when and where, JSON.", show_default=False, readable=False)
    ],
    json: Annotated[bool, opt.flag("--json", help="Figures as JSON on stdout.")] = False,
) -> None:
    """Score who is who in a workspace against the truth."""
    from fercli.cli.person_scores import persons

    persons(workspace, truth, as_json=json)


@dataset_app.command("list")
def list_datasets() -> None:
    """All data sets that can be read."""
    from fercli.cli import scores

    scores.datasets()


@dataset_app.command("check")
def check_dataset(
    dataset: Annotated[str, typer.Argument(help="Name of the data set.", show_default=False)],
    root: Root,
    json: Annotated[bool, opt.flag("--json", help="Everything as JSON on stdout.")] = False,
    strict: Strict = False,
    quiet: opt.Quiet = False,
) -> None:
    """Classes, splits, subjects, unreadable files, pictures in two splits or classes. Ends with 6 if there are any."""
    from fercli.cli import scores

    reporter = ConsoleReporter(quiet=quiet)
    if scores.check_dataset(dataset, root, as_json=json, strict=strict, reporter=reporter):
        raise typer.Exit(EXIT_FOUND)
