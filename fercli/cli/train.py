"""`fercli train`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.config_file import recorded
from fercli.cli.console import ConsoleReporter
from fercli.config import TrainConfig
from fercli.errors import command


def train(
    dataset: opt.Dataset,
    root: opt.Root = None,
    out: Annotated[
        Path, typer.Option(help="Directory of the run; continues one that is there.", readable=False)
    ] = Path("runs/last"),
    model: Annotated[
        str,
        typer.Option(
            help="resnet18, tsm-resnet18, tsm-resnet18-online, resnet18-lstm, resnet18-rca, dlib-resnet or "
            "tsm-dlib-resnet."
        ),
    ] = TrainConfig.model,
    init: Annotated[
        Path | None,
        typer.Option(
            help="Weights to start from: a safetensors file, or resnet18, tsm-resnet18 or dlib-resnet.", readable=False
        ),
    ] = TrainConfig.init,
    fold_div: Annotated[int, typer.Option(help="1/N of the channels are shifted each way.")] = TrainConfig.fold_div,
    epochs: Annotated[int, typer.Option(help="Passes over the training split.")] = TrainConfig.epochs,
    batch: Annotated[int, typer.Option(help="Images or clips per step, over all processes.")] = TrainConfig.batch,
    lr: Annotated[float, typer.Option(help="Peak learning rate.")] = TrainConfig.lr,
    weight_decay: Annotated[float, typer.Option(help="Weight decay, not for biases.")] = TrainConfig.weight_decay,
    sizes: Annotated[str, typer.Option(help="Sides of the input from first to last, pixels.")] = ",".join(
        map(str, TrainConfig.sizes)
    ),
    targets: Annotated[str, typer.Option(help="distribution (all votes) or label (most votes).")] = TrainConfig.targets,
    smoothing: Annotated[float, typer.Option(help="Label smoothing, 0 to 1.")] = TrainConfig.smoothing,
    balanced: Annotated[bool, opt.flag("--balanced", help="Give rare classes a higher weight.")] = False,
    extra: Annotated[
        list[str] | None,
        typer.Option(help="Additional loss: word-cosine, relative-uncertainty or flip-attention; may be repeated."),
    ] = None,
    word_vectors: Annotated[
        Path | None, typer.Option(help="word2vec or GloVe file for word-cosine.", readable=False)
    ] = TrainConfig.word_vectors,
    mix: Annotated[str, typer.Option(help="none, cutmix or mixup.")] = TrainConfig.mix,
    randaugment: Annotated[int, typer.Option(help="Magnitude of RandAugment, 0 to 10.")] = TrainConfig.randaugment,
    ema: Annotated[
        float, typer.Option(help="Keep an average of the weights with this decay, 0.999 for example; 0 keeps none.")
    ] = TrainConfig.ema,
    limit: Annotated[int, typer.Option(help="Images or clips per epoch; 0 takes all.")] = TrainConfig.limit,
    patience: Annotated[
        int, typer.Option(help="Stop after this many epochs without improvement; 0 never stops.")
    ] = TrainConfig.patience,
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = TrainConfig.precision,
    seed: Annotated[int, typer.Option(help="Random seed.")] = TrainConfig.seed,
    device: opt.Device = TrainConfig.device,
    strict: opt.Strict = False,
    config: opt.Config = None,
    quiet: opt.Quiet = False,
) -> None:
    """Train a classifier, or continue an interrupted run. `torchrun` starts it on several GPUs.

    Example: fercli train --dataset fer2013 --root fer2013.csv --out runs/first
    """
    from fercli.learn.datasets.roots import find_root
    from fercli.learn.training.loop import train as run_training

    root = find_root(dataset, root)
    parameters = TrainConfig(
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
        ema=ema,
        limit=limit,
        patience=patience,
        precision=precision,
        seed=seed,
        device=device,
        strict=strict,
        config=recorded(config),
    )
    reporter = ConsoleReporter(quiet=quiet)
    best = run_training(parameters, reporter)
    if os.environ.get("RANK", "0") == "0":  # only one of several processes prints
        reporter.note(f"next: {_scoring(best, dataset, root)}")


def _scoring(best: Path, dataset: str, root: Path) -> str:
    """The command that scores a classifier on faces that were not used for training."""
    from fercli.models.weights import read_header

    was_tested = any("test_n" in figures for figures in read_header(best).metrics.values())
    split = "test" if was_tested else "valid"
    return command("evaluate", best, "--dataset", dataset, "--root", root, "--split", split)
