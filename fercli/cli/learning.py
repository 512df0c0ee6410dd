"""The commands about networks: train, evaluate, plot, and what a data set holds. `fercli.cli.app` adds them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.cli.default_group import group_with_default
from fercli.config import EmotionsParams, TracksParams, TrainConfig
from fercli.errors import ConfigError

evaluate_app = group_with_default("Scores: of a classifier or annotations, of tracks, of persons.")
dataset_app = typer.Typer(help="Data sets of labelled faces.", no_args_is_help=True)

Dataset = Annotated[str, typer.Option(help="Name of the data set; 'fercli dataset list' has them.", show_default=False)]
Root = Annotated[Path, typer.Option(help="The data set's file or directory, as downloaded.", show_default=False)]
Strict = Annotated[bool, typer.Option("--strict", help="A sample that cannot be used is fatal.")]


def train(
    dataset: Dataset,
    root: Root,
    out: Annotated[Path, typer.Option(help="Directory of the run; an interrupted run goes on.")] = Path("runs/last"),
    model: Annotated[
        str, typer.Option(help="resnet18, tsm-resnet18, tsm-resnet18-online, resnet18-lstm or resnet18-rca.")
    ] = TrainConfig.model,
    init: Annotated[Path | None, typer.Option(help="Weights to start from, a safetensors file.")] = TrainConfig.init,
    fold_div: Annotated[int, typer.Option(help="1/N of the channels are shifted each way.")] = TrainConfig.fold_div,
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = TrainConfig.epochs,
    batch: Annotated[int, typer.Option(help="Clips a step, of all processes together.")] = TrainConfig.batch,
    lr: Annotated[float, typer.Option(help="Peak learning rate.")] = TrainConfig.lr,
    weight_decay: Annotated[float, typer.Option(help="Of the weights, not of biases.")] = TrainConfig.weight_decay,
    sizes: Annotated[str, typer.Option(help="Sides of the input from first to last, pixels.")] = ",".join(
        map(str, TrainConfig.sizes)
    ),
    targets: Annotated[str, typer.Option(help="distribution (all votes) or label (most votes).")] = TrainConfig.targets,
    smoothing: Annotated[float, typer.Option(help="Label smoothing, 0 to 1.")] = TrainConfig.smoothing,
    balanced: Annotated[bool, typer.Option("--balanced", help="Weigh rare classes more.")] = False,
    extra: Annotated[
        list[str] | None,
        typer.Option(help="Add to the loss: word-cosine, relative-uncertainty or flip-attention; may be repeated."),
    ] = None,
    word_vectors: Annotated[
        Path | None, typer.Option(help="word2vec or GloVe file for word-cosine.")
    ] = TrainConfig.word_vectors,
    mix: Annotated[str, typer.Option(help="none, cutmix or mixup.")] = TrainConfig.mix,
    randaugment: Annotated[int, typer.Option(help="Magnitude of RandAugment, 0 to 10.")] = TrainConfig.randaugment,
    limit: Annotated[int, typer.Option(help="Images an epoch; 0 takes all.")] = TrainConfig.limit,
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
    from fercli.training.loop import train as run_training

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
    best = run_training(config, ConsoleReporter(quiet=quiet))
    print(f"next: fercli evaluate {best} --dataset {dataset} --root {root}", file=sys.stderr)


@evaluate_app.command("model")
def evaluate(
    target: Annotated[
        str, typer.Argument(help="A classifier (name or file), or exported annotations.", show_default=False)
    ],
    dataset: Annotated[str, typer.Option(help="Data set to score a classifier on.")] = "",
    root: Annotated[Path | None, typer.Option(help="The data set's file or directory.", show_default=False)] = None,
    split: Annotated[str, typer.Option(help="train, valid, test or all; by default test, if the set has one.")] = "",
    truth: Annotated[
        Path | None,
        typer.Option(help="Your own labels, .csv, .eaf, .TextGrid or .json, to score annotations against."),
    ] = None,
    figures: Annotated[Path | None, typer.Option(help="Directory for pictures of confusion and reliability.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Figures as JSON on stdout.")] = False,
    device: opt.Device = TrainConfig.device,
    strict: Strict = False,
    quiet: opt.Quiet = False,
) -> None:
    """Score a classifier on a data set, or exported annotations against labels of your own. May go unnamed."""
    from fercli.cli import scores

    reporter = ConsoleReporter(quiet=quiet)
    if truth is not None:
        scores.against_truth(Path(target), truth, as_json=json)
    else:
        scores.classifier(
            target, dataset, root, split, figures, as_json=json, device=device, strict=strict, reporter=reporter
        )


@evaluate_app.command("tracks")
def evaluate_tracks(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="True tracks: MOTChallenge gt.txt, or LTFT.", show_default=False),
    ],
    fps: Annotated[float, typer.Option(help="Frames a second of the sequences.")] = 25.0,
    min_iou: Annotated[float, typer.Option(help="Boxes overlap at least this much.")] = TracksParams.min_iou,
    max_gap: Annotated[float, typer.Option(help="Bridge gaps up to this, seconds.")] = TracksParams.max_gap_s,
    min_faces: Annotated[int, typer.Option(help="Drop tracks with fewer faces.")] = TracksParams.min_faces,
    json: Annotated[bool, typer.Option("--json", help="Figures as JSON on stdout.")] = False,
) -> None:
    """Strip the identities from true tracks, track the boxes again, and score that."""
    from fercli.cli.track_scores import tracks

    params = TracksParams(min_iou=min_iou, max_gap_s=max_gap, min_faces=min_faces)
    tracks(files, fps, params, as_json=json)


@evaluate_app.command("persons")
def evaluate_persons(
    workspace: opt.WorkspacePath,
    truth: Annotated[Path, typer.Option(help="Who is really seen when and where, JSON.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="Figures as JSON on stdout.")] = False,
) -> None:
    """Score who is who in a workspace against the truth."""
    from fercli.cli.person_scores import persons

    persons(workspace, truth, as_json=json)


def plot(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SOURCE...", help="Directories of training runs, or one workspace.", show_default=False),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="A .png, .svg or .pdf.")] = Path("plot.png"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a picture that is there.")] = False,
) -> None:
    """Draw loss and accuracy of training runs side by side, or who felt what when in a workspace."""
    if (sources[0] / "workspace.json").is_file():
        from fercli.cli.render import plot_workspace

        if len(sources) > 1:
            raise ConfigError("one workspace is drawn at a time", hint=f"fercli plot {sources[0]} -o {output}")
        plot_workspace(sources[0], output, overwrite=overwrite)
    else:
        from fercli.training.curves import plot_runs

        plot_runs(sources, output)
    print(output)


def explain(
    source: Annotated[Path, typer.Argument(help="A workspace, or an image.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write.")] = Path("explained.png"),
    model: opt.Model = EmotionsParams.model,
    faces: Annotated[int, typer.Option(help="Faces to show at most.")] = 24,
    device: opt.Device = TrainConfig.device,
    quiet: opt.Quiet = False,
) -> None:
    """Heat maps over faces: what the network looked at when it named the emotion."""
    from fercli.cli.explain import explain as draw

    draw(source, output, model, faces, device, ConsoleReporter(quiet=quiet))
    print(output)


@dataset_app.command("list")
def list_datasets() -> None:
    """All data sets that can be read."""
    from fercli.cli import scores

    scores.datasets()


@dataset_app.command("check")
def check_dataset(
    dataset: Annotated[str, typer.Argument(help="Name of the data set.", show_default=False)],
    root: Root,
    json: Annotated[bool, typer.Option("--json", help="Everything as JSON on stdout.")] = False,
    strict: Strict = False,
    quiet: opt.Quiet = False,
) -> None:
    """Classes, splits, subjects, unreadable files, and pictures that are on two sides of a split."""
    from fercli.cli import scores

    scores.check_dataset(dataset, root, as_json=json, strict=strict, reporter=ConsoleReporter(quiet=quiet))
