"""`fercli train`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.config_file import recorded
from fercli.cli.console import ConsoleReporter
from fercli.cli.sequences import SERIES, given_options, refuse_series_options, train_over_series
from fercli.config import DataSource, SequenceConfig, TrainConfig
from fercli.errors import ConfigError, command

if TYPE_CHECKING:
    from fercli.progress import Reporter

VOICE = "voice"
"""The task of a classifier of voices."""
VOICE_OPTIONS = frozenset({"task", "dataset", "root", "teacher", "out", "config", "quiet"})
"""Options that apply to it."""


def train(
    context: typer.Context,
    dataset: Annotated[
        list[str] | None,
        typer.Option(help="Name of the data set, see 'fercli dataset list'; several are joined.", show_default=False),
    ] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            help="File or directory of each data set, in the same order, that of --valid last; by default "
            "$FERCLI_DATA/NAME or ./NAME.",
            show_default=False,
            readable=False,
        ),
    ] = None,
    weight: Annotated[
        list[float] | None,
        typer.Option(help="How often faces of each data set are drawn, relative to the others.", show_default=False),
    ] = None,
    valid: Annotated[str, typer.Option(help="Another data set, to choose the best network by.")] = "",
    classes: Annotated[
        Path | None, typer.Option(help="File with classes of your own, as in: positive = happy.", readable=False)
    ] = None,
    without: Annotated[
        Path | None, typer.Option(help="Leave out the faces listed by 'fercli dataset clean'.", readable=False)
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Directory of the run; continues one that is there.", readable=False)
    ] = Path("runs/last"),
    model: Annotated[
        str,
        typer.Option(
            help="resnet18, tsm-resnet18, tsm-resnet18-online, resnet18-lstm, resnet18-rca, attention-56, "
            "attention-56-small, dlib-resnet or tsm-dlib-resnet."
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
    pack_size: Annotated[
        int, typer.Option(help="Side to which faces are scaled once, pixels; 0 chooses it by pictures and --sizes.")
    ] = TrainConfig.pack_size,
    colour: Annotated[str, typer.Option(help="grey, rgb, or auto: rgb if there is colour.")] = TrainConfig.colour,
    targets: Annotated[str, typer.Option(help="distribution (all votes) or label (most votes).")] = TrainConfig.targets,
    smoothing: Annotated[float, typer.Option(help="Label smoothing, 0 to 1.")] = TrainConfig.smoothing,
    balanced: Annotated[bool, opt.flag("--balanced", help="Give rare classes a higher weight.")] = False,
    balance_neutral: Annotated[
        bool, opt.flag("--balance-neutral", help="Weigh neutral and all other classes together alike.")
    ] = False,
    oversample: Annotated[
        float, typer.Option(help="Draw rare classes more often, 0 to 1, with the loss corrected for it.")
    ] = TrainConfig.oversample,
    ratings: Annotated[
        float, typer.Option(help="Weight of valence and arousal in the loss, where a data set has them.")
    ] = TrainConfig.ratings,
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            help="A classifier whose probabilities are mixed into the targets; several are averaged. For voices: a "
            "workspace whose faces teach."
        ),
    ] = None,
    teacher_share: Annotated[
        float, typer.Option(help="Share of the teachers in the targets.")
    ] = TrainConfig.teacher_share,
    extra: Annotated[
        list[str] | None,
        typer.Option(help="Additional loss: word-cosine, relative-uncertainty or flip-attention; may be repeated."),
    ] = None,
    word_vectors: Annotated[
        Path | None, typer.Option(help="word2vec or GloVe file for word-cosine.", readable=False)
    ] = TrainConfig.word_vectors,
    mix: Annotated[str, typer.Option(help="none, cutmix or mixup.")] = TrainConfig.mix,
    augment: Annotated[
        str,
        typer.Option(
            help="strong; light: without compression, sharpening, gamma and things before the face; or autoaugment: "
            "light, then AutoAugment's policy."
        ),
    ] = TrainConfig.augment,
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
    task: Annotated[
        str,
        typer.Option(
            help="Train over series instead of pictures: valence, classes or intensity. Or voice: a classifier of "
            "voices from --dataset and --root, from the faces of --teacher WORKSPACE, or both.",
            show_default=False,
            rich_help_panel=SERIES,
        ),
    ] = "",
    features: Annotated[
        Path | None,
        typer.Option(
            help="File of 'fercli features'; by default the features that come with the data set.",
            show_default=False,
            readable=False,
            rich_help_panel=SERIES,
        ),
    ] = None,
    modality: Annotated[
        list[str] | None,
        typer.Option(help="Kind of features to use; may be repeated. By default all.", rich_help_panel=SERIES),
    ] = None,
    rate: Annotated[
        float, typer.Option(help="Steps per second; 0 takes that of the features.", rich_help_panel=SERIES)
    ] = SequenceConfig.rate,
    bins: Annotated[
        int, typer.Option(help="Classes are this many parts of the range of valence.", rich_help_panel=SERIES)
    ] = SequenceConfig.bins,
    hidden: Annotated[int, typer.Option(help="Width of the network.", rich_help_panel=SERIES)] = SequenceConfig.hidden,
    dropout: Annotated[float, typer.Option(help="Dropout, 0 to 1.", rich_help_panel=SERIES)] = SequenceConfig.dropout,
    loss: Annotated[str, typer.Option(help="Of valence: ccc or mse.", rich_help_panel=SERIES)] = SequenceConfig.loss,
    tmse: Annotated[
        float, typer.Option(help="Weight of the smoothing loss of classes.", rich_help_panel=SERIES)
    ] = SequenceConfig.tmse,
    folds: Annotated[
        str,
        typer.Option(
            help="Test each of so many parts of the persons once; 'person' leaves out one at a time.",
            show_default=False,
            rich_help_panel=SERIES,
        ),
    ] = "",
) -> None:
    """Train a classifier, or continue an interrupted run. `torchrun` starts it on several GPUs. With --task, train a
    network over series: --model lstm, gru, transformer, memory-fusion, tcn or ms-tcn.

    Example: fercli train --dataset fer2013 --root fer2013.csv --out runs/first
    """
    from fercli.learn.training.loop import train as run_training

    if task == VOICE:
        _train_voice(context, ConsoleReporter(quiet=quiet))
        return
    if task:
        train_over_series(context, recorded(config), quiet=quiet)
        return
    refuse_series_options(context)
    if not dataset:
        raise ConfigError(
            "there is no data set to train on", hint="give --dataset NAME with --root PATH", code="option-missing"
        )
    (first, *others), validation = _sources(dataset, root or [], weight or [], valid)
    parameters = TrainConfig(
        dataset=first.dataset,
        root=first.root,
        weight=first.weight,
        beside=tuple(others),
        valid=validation,
        classes=classes,
        without=without,
        out=out,
        model=model,
        init=init,
        fold_div=fold_div,
        epochs=epochs,
        batch=batch,
        lr=lr,
        weight_decay=weight_decay,
        sizes=opt.parse_sizes(sizes),
        pack_size=pack_size,
        colour=colour,
        targets=targets,
        smoothing=smoothing,
        balanced=balanced,
        balance_neutral=balance_neutral,
        oversample=oversample,
        ratings=ratings,
        teachers=tuple(opt.parse_network(one) for one in teacher or ()),
        teacher_share=teacher_share,
        extras=tuple(extra or ()),
        word_vectors=word_vectors,
        mix=mix,
        augment=augment,
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
        reporter.note(f"next: {_scoring(best, first.dataset, first.root)}")


def _train_voice(context: typer.Context, reporter: Reporter) -> None:
    """Train a classifier of voices.

    Raises:
        ConfigError: an option that is only for faces is given, or nothing to learn from.
        FercliError: as `learn.voice.training.train`.
    """
    from fercli.learn.voice.training import VoiceTraining, sources_of, train

    given = given_options(context)
    if others := sorted(set(given) - VOICE_OPTIONS):
        raise ConfigError(
            f"--{others[0].replace('_', '-')} does not apply to --task voice",
            hint="leave it out",
            code="option-conflict",
        )
    parameters = VoiceTraining(
        sources_of(given.get("dataset") or (), given.get("root") or ()),
        tuple(map(Path, given.get("teacher") or ())),
        context.params["out"],
    )
    best = train(parameters, reporter)
    reporter.note(f"next: {command('classify-voices', 'WORKSPACE', '--voice-model', best)}")


def _sources(
    datasets: list[str], roots: list[Path], weights: list[float], valid: str
) -> tuple[list[DataSource], DataSource | None]:
    """The data sets to train on, and that to validate on, each with its root.

    Raises:
        ConfigError: not a root or weight for each, or no root is given and the set is not at the usual places.
    """
    from fercli.learn.datasets.roots import find_root

    names = [*datasets, *([valid] if valid else [])]
    if roots and len(roots) not in (len(datasets), len(names)):
        raise ConfigError(
            f"{len(roots)} roots for {', '.join(names)}",
            hint="give --root once for each --dataset, in the same order, that of --valid last; or none at all",
            code="option-missing",
        )
    if weights and len(weights) != len(datasets):
        raise ConfigError(
            f"{len(weights)} weights for {', '.join(datasets)}",
            hint="give --weight once for each --dataset, in the same order",
            code="option-missing",
        )
    given: list[Path | None] = [*roots, *[None] * (len(names) - len(roots))]
    found = [find_root(name, root) for name, root in zip(names, given, strict=True)]
    factors = weights or [DataSource.weight] * len(datasets)
    training = [DataSource(*row) for row in zip(datasets, found[: len(datasets)], factors, strict=True)]
    return training, DataSource(valid, found[-1]) if valid else None


def _scoring(best: Path, dataset: str, root: Path) -> str:
    """The command that scores a classifier on faces that were not used for training."""
    from fercli.models.weights import read_header

    was_tested = any("test_n" in figures for figures in read_header(best).metrics.values())
    split = "test" if was_tested else "valid"
    return command("evaluate", best, "--dataset", dataset, "--root", root, "--split", split)
