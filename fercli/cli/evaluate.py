"""`fercli evaluate`: scores of a classifier, of annotations, of tracks and of persons.

Tables for a terminal, JSON for programs, both on stdout.
"""

from __future__ import annotations

import math
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.cli.groups import group_with_default
from fercli.cli.sequences import evaluate_over_series
from fercli.config import TracksParams, TrainConfig
from fercli.errors import ConfigError, command

if TYPE_CHECKING:
    from fercli.learn.datasets import DatasetSplits
    from fercli.learn.evaluation.classification import Scores
    from fercli.learn.evaluation.consistency import Consistency
    from fercli.learn.evaluation.person_scores import PersonScores
    from fercli.learn.evaluation.rated import RatingScores
    from fercli.learn.evaluation.segments import SegmentScores
    from fercli.learn.evaluation.track_files import Tracks
    from fercli.learn.evaluation.tracks import TrackScores
    from fercli.learn.evaluation.word_head import WordHead
    from fercli.models.classifier import EmotionClassifier
    from fercli.progress import Reporter

WIDTH = 100
"""Columns that a table of eight classes needs; a narrower terminal wraps lines instead of shortening names."""
TRACK_COLUMNS = {
    "idf1": "IDF1",
    "idp": "IDP",
    "mota": "MOTA",
    "hota": "HOTA",
    "id_switches": "switches",
    "fragments": "fragments",
    "true_tracks": "true",
    "found_tracks": "found",
    "mixed": "mixed",
}
"""Score -> heading."""

evaluate_app = group_with_default("Evaluate a classifier, annotations, tracks or persons.")


@evaluate_app.command("model")
def evaluate(
    target: Annotated[
        str, typer.Argument(help="A classifier (name or file), or exported annotations.", show_default=False)
    ],
    dataset: Annotated[str, typer.Option(help="Data set to score a classifier on.")] = "",
    root: opt.Root = None,
    split: Annotated[str, typer.Option(help="train, valid, test or all; by default test, if the set has one.")] = "",
    truth: Annotated[
        Path | None,
        typer.Option(
            help="Reference labels to score annotations against: .csv, .eaf, .TextGrid, .json or .jsonl; or ratings "
            "over time: a table with seconds and valence.",
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
    consistency: Annotated[
        bool, opt.flag("--consistency", help="Also compare heat maps of faces and of changed faces.")
    ] = False,
    word_head: Annotated[
        bool, opt.flag("--word-head", help="Also score the nearest word vector instead of the softmax.")
    ] = False,
    json: Annotated[bool, opt.flag("--json", help="Figures as JSON on stdout.")] = False,
    prior: opt.Prior = None,
    features: Annotated[
        Path | None,
        typer.Option(help="Features of the data set, for a network over series.", show_default=False, readable=False),
    ] = None,
    device: opt.Device = TrainConfig.device,
    strict: opt.Strict = False,
    quiet: opt.Quiet = False,
) -> None:
    """Score a classifier on a data set, or exported annotations against reference labels. The default command.

    Example: fercli evaluate episode.json --truth mine.eaf
    """
    if truth is None and _is_over_series(target):
        if prior is not None:
            raise ConfigError("--prior is for classifiers", hint="leave it out", code="option-conflict")
        evaluate_over_series(
            Path(target),
            dataset,
            root,
            split,
            features,
            figures,
            as_json=json,
            device=device,
            strict=strict,
            quiet=quiet,
        )
        return
    if features is not None:
        raise ConfigError(
            f"--features is for networks over series, and {target} is none", hint="leave it out", code="option-conflict"
        )
    reporter = ConsoleReporter(quiet=quiet)
    if truth is not None:
        _refuse_beside_truth(dataset=dataset, root=root, split=split, figures=figures, strict=strict, prior=prior)
        _refuse_beside_truth(consistency=consistency, word_head=word_head)
        from fercli.learn.evaluation.rated import is_about_ratings

        if is_about_ratings(truth):
            _against_ratings(Path(target), truth, as_json=json, reporter=reporter, lasting_s=lasting)
            return
        _against_truth(Path(target), truth, as_json=json, reporter=reporter, lasting_s=lasting)
    elif lasting is not None:
        raise ConfigError(
            "--lasting can only be used with --truth",
            hint="add --truth FILE",
            code="option-conflict",
        )
    else:
        _classifier(
            target,
            dataset,
            root,
            split,
            figures,
            prior,
            as_json=json,
            device=device,
            strict=strict,
            reporter=reporter,
            consistency=consistency,
            word_head=word_head,
        )


def _is_over_series(target: str) -> bool:
    from fercli.models.sequence import is_sequence_file

    path = Path(target)
    return path.suffix.lower() == ".safetensors" and path.is_file() and is_sequence_file(path)


def _refuse_beside_truth(**options: object) -> None:
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value not in (None, "", False)]
    if given:
        raise ConfigError(
            f"--truth scores annotations; {', '.join(given)} can only be used for a classifier",
            hint="leave out --truth, or the other options",
            code="option-conflict",
        )


def _classifier(
    model: str,
    dataset: str,
    root: Path | None,
    split: str,
    figures: Path | None,
    prior: float | None,
    *,
    as_json: bool,
    device: str,
    strict: bool,
    reporter: Reporter,
    consistency: bool,
    word_head: bool,
) -> None:
    """Score a classifier on a data set.

    Raises:
        ConfigError: no data set is given, an unknown split, or a prior out of range.
        DatasetError, ModelError: the data set or the classifier cannot be read.
    """
    from fercli.cli.outputs import json_to_stdout
    from fercli.learn.datasets import read_dataset
    from fercli.learn.datasets.roots import find_root
    from fercli.learn.evaluation.predictions import evaluate, packing_for
    from fercli.learn.voice.evaluation import is_voice

    if dataset and is_voice(model):
        _voices(model, dataset, root, split, figures, prior, as_json=as_json, reporter=reporter)
        return
    if not dataset:
        example = command("evaluate", model, "--dataset", "fer2013", "--root", "FILE")
        raise ConfigError(
            "a classifier is scored on a data set",
            hint=f"{example}, or give --truth to score annotations",
            code="option-missing",
        )
    place = find_root(dataset, root)
    data = read_dataset(dataset, place, reporter, strict=strict, packing=packing_for(model))
    for note in data.notes:
        reporter.note(note)
    if data.problems:
        reporter.warn(f"{len(data.problems)} samples could not be used, the first: {data.problems[0]}")
    scores, terms = evaluate(model, data, split, device, reporter, prior)
    if figures is not None:
        _draw(scores, figures, reporter)
    maps = _consistency(model, data, terms, device, reporter) if consistency else {}
    words = _word_head(model, data, terms, device, reporter) if word_head else None
    if as_json:
        more: dict[str, object] = {"consistency": {name: vars(one) for name, one in maps.items()}} if maps else {}
        more |= {"word_head": vars(words)} if words else {}
        json_to_stdout({"model": model, "dataset": dataset, **terms, **scores.as_json(), **more})
        return
    _show_scores(scores, f"{model} on {dataset} ({terms['split']}), classification head {terms['head']}")
    if maps:
        _show_consistency(maps)
    if words:
        _show_word_head(words, scores)


def _consistency(
    model: str, data: DatasetSplits, terms: dict[str, str], device: str, reporter: Reporter
) -> dict[str, Consistency]:
    from fercli.learn.evaluation.consistency import attention_consistency

    classifier = _opened(model, terms, device)
    return attention_consistency(classifier, data.part(terms["split"]), data.face_scale, reporter)


def _word_head(model: str, data: DatasetSplits, terms: dict[str, str], device: str, reporter: Reporter) -> WordHead:
    from fercli.learn.evaluation.word_head import score_word_head
    from fercli.learn.training.word_vectors import shipped_vectors

    vectors = shipped_vectors(data.train.main.classes)
    return score_word_head(_opened(model, terms, device), data, terms["split"], vectors, reporter)


def _opened(model: str, terms: dict[str, str], device: str) -> EmotionClassifier:
    from fercli.models.classifier import EmotionClassifier
    from fercli.models.devices import pick_device
    from fercli.models.registry import find_classifier

    return EmotionClassifier(find_classifier(model)[1], pick_device(device), terms["head"])


def _voices(
    model: str,
    dataset: str,
    root: Path | None,
    split: str,
    figures: Path | None,
    prior: float | None,
    *,
    as_json: bool,
    reporter: Reporter,
) -> None:
    """Score a classifier of voices on a data set; errors as `_classifier`."""
    from fercli.cli.outputs import json_to_stdout
    from fercli.learn.voice.evaluation import evaluate

    if root is None or prior is not None:
        raise ConfigError(
            "a classifier of voices needs --root, and has no --prior",
            hint=command("evaluate", model, "--dataset", dataset, "--root", "DIRECTORY"),
            code="option-missing" if root is None else "option-conflict",
        )
    scores = evaluate(model, dataset, root, split, reporter)
    if figures is not None:
        _draw(scores, figures, reporter)
    if as_json:
        json_to_stdout({"model": model, "dataset": dataset, "split": split or "all", **scores.as_json()})
    else:
        _show_scores(scores, f"{model} on {dataset}", "clips")


def _against_truth(
    path: Path, truth: Path, *, as_json: bool, reporter: Reporter, lasting_s: float | None = None
) -> None:
    """Score exported annotations against reference labels.

    Args:
        lasting_s: how long labels without an end last at most, seconds; 0 compares at their moments, None takes
            LASTING_S.

    Raises:
        ConfigError: `lasting_s` is negative or not finite.
        DatasetError: one of the two cannot be used.
    """
    from fercli.cli.outputs import json_to_stdout
    from fercli.formats.annotations import LASTING_S
    from fercli.learn.evaluation.segments import score_files
    from fercli.learn.evaluation.truth import count_human

    lasting_s = LASTING_S if lasting_s is None else lasting_s
    if not 0 <= lasting_s < math.inf:
        raise ConfigError(
            f"--lasting {lasting_s} is not a duration",
            hint="give seconds, or 0 to compare at moments",
            code="option-out-of-range",
        )
    notes: list[str] = []
    scores = score_files(path, truth, lasting_s, notes)
    for note in dict.fromkeys(notes):
        reporter.warn(note)
    human = count_human(path)
    if human:
        reporter.warn(
            f"{path} has manual annotations ({human}), which improve the scores; "
            "to score the predictions alone, move edits.jsonl out of the workspace before exporting"
        )
    if as_json:
        json_to_stdout(scores.as_json())
    else:
        _show_agreement(scores, path, truth)


def _against_ratings(
    path: Path, truth: Path, *, as_json: bool, reporter: Reporter, lasting_s: float | None = None
) -> None:
    """Score ratings over time against reference ratings.

    Raises:
        ConfigError: `lasting_s` is given: ratings do not last.
        DatasetError: one of the two cannot be used.
    """
    from fercli.cli.outputs import json_to_stdout
    from fercli.learn.evaluation.rated import score_ratings

    if lasting_s is not None:
        raise ConfigError(
            f"--lasting is for labels, and {truth} has ratings over time", hint="leave it out", code="option-conflict"
        )
    scores, notes = score_ratings(path, truth)
    for note in dict.fromkeys(notes):
        reporter.warn(note)
    if as_json:
        json_to_stdout({"ratings": {name: one.as_json() for name, one in scores.items()}})
    else:
        _show_ratings(scores, path, truth)


@evaluate_app.command("agreement")
def evaluate_agreement(
    one: Annotated[
        Path, typer.Argument(metavar="A", help="A workspace, or annotations.", show_default=False, readable=False)
    ],
    other: Annotated[
        Path,
        typer.Argument(metavar="B", help="The same video by another annotator.", show_default=False, readable=False),
    ],
    json: Annotated[bool, opt.flag("--json", help="Figures as JSON on stdout.")] = False,
) -> None:
    """Cohen's kappa of two annotators over time, per class and per person, with 95 % intervals.

    Example: fercli evaluate agreement annotator1.fercli annotator2.fercli
    """
    from fercli.cli import layout
    from fercli.cli.outputs import json_to_stdout
    from fercli.learn.evaluation.agreement import agreement_of

    found = agreement_of(one, other)
    if json:
        json_to_stdout(found.as_json())
        return
    console = layout.console(at_least=WIDTH)
    for heading, rows in (
        ("person", {**found.per_person, "all": found.overall}),
        ("class", found.per_class),
    ):
        table = layout.table(heading, numbers=("seconds", "agreement", "kappa", "95 % interval"))
        for name, row in rows.items():
            between = f"{row.interval[0]:.3f} to {row.interval[1]:.3f}" if row.interval else "-"
            kappa = "-" if row.kappa is None else f"{row.kappa:.3f}"
            table.add_row(name, f"{row.seconds:.1f}", f"{row.agreement:.3f}", kappa, between)
        console.print(table)
    if found.only_one:
        console.print(f"annotated by only one of the two: {', '.join(found.only_one)}", soft_wrap=True)


@evaluate_app.command("tracks")
def evaluate_tracks(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="True tracks: MOTChallenge gt.txt, or LTFT.", show_default=False, readable=False
        ),
    ],
    fps: Annotated[float, typer.Option(help="Frame rate of the sequences.")] = 25.0,
    min_iou: Annotated[float, typer.Option(help="Least overlap (IoU) of boxes of one track.")] = TracksParams.min_iou,
    max_gap: Annotated[float, typer.Option(help="Bridge gaps up to this, seconds.")] = TracksParams.max_gap_s,
    min_faces: Annotated[int, typer.Option(help="Drop tracks with fewer faces.")] = TracksParams.min_faces,
    json: Annotated[bool, opt.flag("--json", help="Figures as JSON on stdout.")] = False,
) -> None:
    """Remove the identities from true tracks, track the boxes again, and score the result.

    Example: fercli evaluate tracks gt.txt --fps 25
    """
    from fercli.cli.outputs import json_to_stdout
    from fercli.learn.evaluation.track_files import read_tracks

    if fps <= 0:
        raise ConfigError(
            f"fps is {fps:g}", hint="give the frame rate of the sequences, as in --fps 25", code="option-out-of-range"
        )
    params = TracksParams(min_iou=min_iou, max_gap_s=max_gap, min_faces=min_faces)
    rows = [(str(path), _score_tracks(read_tracks(path), fps, params).as_json()) for path in files]
    means = {name: float(mean(row[name] for _, row in rows)) for name in rows[0][1]}
    if json:
        sequences = [{"file": name, **row} for name, row in rows]
        json_to_stdout({"fps": fps, "sequences": sequences, "mean": means})
    else:
        _show_tracks([*rows, ("mean", means)])


def _score_tracks(truth: Tracks, fps: float, params: TracksParams) -> TrackScores:
    from fercli.learn.evaluation.tracks import score_tracks
    from fercli.tracking.association import DROPPED, associate

    owner = associate(
        truth.frame / fps,
        truth.boxes,
        min_iou=params.min_iou,
        max_gap_s=params.max_gap_s,
        min_faces=params.min_faces,
    )
    return score_tracks(truth, truth.renamed(owner, nobody=DROPPED))


@evaluate_app.command("persons")
def evaluate_persons(
    workspace: opt.WorkspacePath,
    truth: Annotated[
        Path, typer.Option(help="True persons with times and boxes, JSON.", show_default=False, readable=False)
    ],
    json: Annotated[bool, opt.flag("--json", help="Figures as JSON on stdout.")] = False,
) -> None:
    """Score the identities in a workspace against the truth.

    Example: fercli evaluate persons episode.fercli --truth persons.json
    """
    from fercli.cli.outputs import json_to_stdout
    from fercli.learn.evaluation.person_scores import score_workspace
    from fercli.workspace import Workspace

    scores = score_workspace(Workspace.open(workspace), truth)
    if json:
        json_to_stdout(scores.as_json())
    else:
        _show_persons(scores, f"{workspace} against {truth}")


def _show_scores(scores: Scores, title: str, what: str = "faces") -> None:
    from fercli.cli import layout

    console = layout.console(at_least=WIDTH)
    console.print(f"{title}: {scores.n} {what}", soft_wrap=True)
    table = layout.table("figure", numbers=("value", "95 % interval"))
    for name in ("accuracy", "uar", "macro_f1", "weighted_f1", "kappa", "ece"):
        value, interval = getattr(scores, name), scores.intervals.get(name)
        between = f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else ""
        table.add_row(name, "-" if value is None else f"{value:.4f}", between)
    console.print(table)
    table = layout.table("class", numbers=("precision", "recall", "f1", what))
    for name, row in scores.per_class.items():
        figures = ("-" if value is None else f"{value:.3f}" for value in (row.precision, row.recall, row.f1))
        table.add_row(name, *figures, str(row.support))
    console.print(table)
    table = layout.table("true \\ predicted", numbers=scores.classes)
    for name, counts in zip(scores.classes, scores.confusion, strict=True):
        table.add_row(name, *map(str, counts))
    console.print(table)
    if scores.ratings:
        table = layout.table("rating", numbers=("CCC", "RMSE", "faces"))
        for name, rating in scores.ratings.items():
            table.add_row(name, f"{rating.ccc:.4f}", f"{rating.rmse:.4f}", str(rating.n))
        console.print(table)
    if scores.per_subject:
        table = layout.table("subject", numbers=("accuracy", what))
        for name, subject in scores.per_subject.items():
            table.add_row(name, f"{subject.accuracy:.3f}", str(subject.n))
        console.print(table)


def _show_consistency(maps: dict[str, Consistency]) -> None:
    from fercli.cli import layout

    table = layout.table("heat maps under", numbers=("correlation", "overlap", "same class", "faces"))
    for name, one in maps.items():
        table.add_row(name, f"{one.correlation:.3f}", f"{one.iou:.3f}", f"{one.same_class:.3f}", str(one.faces))
    layout.console(at_least=WIDTH).print(table)


def _show_word_head(words: WordHead, scores: Scores) -> None:
    from fercli.cli import layout

    table = layout.table("head", numbers=("accuracy", "95 % interval", "uar", "faces"))
    low, high = scores.intervals["accuracy"]
    table.add_row("softmax", f"{scores.accuracy:.4f}", f"{low:.3f} to {high:.3f}", f"{scores.uar:.4f}", str(scores.n))
    low, high = words.interval
    table.add_row("nearest word", f"{words.accuracy:.4f}", f"{low:.3f} to {high:.3f}", f"{words.uar:.4f}", str(words.n))
    layout.console(at_least=WIDTH).print(table)


def _show_agreement(scores: SegmentScores, path: Path, truth: Path) -> None:
    from fercli.cli import layout

    console = layout.console(at_least=WIDTH)
    overall = scores.overall
    console.print(f"{path} against {truth}: {overall.seconds:.1f} s labelled", soft_wrap=True)
    figures = ("seconds", "covered", "accuracy", "kappa", "macro F1", "F1@50")
    table = layout.table("person", "in the annotation", numbers=figures)
    rows = [(p.truth or "anybody", p.annotated or "(nobody)", p.agreement) for p in scores.persons]
    for name, annotated, agreement in [*rows, ("all", "", overall)]:
        kappa = "-" if agreement.kappa is None else f"{agreement.kappa:.3f}"
        table.add_row(
            name,
            annotated,
            f"{agreement.seconds:.1f}",
            *(f"{value:.3f}" for value in (agreement.coverage, agreement.accuracy)),
            kappa,
            *(f"{value:.3f}" for value in (agreement.macro_f1, agreement.segment_f1[50])),
        )
    console.print(table)
    table = layout.table("true \\ annotated, seconds", numbers=(*scores.classes, "missed"))
    for name, seconds in zip(scores.classes, overall.confusion, strict=True):
        table.add_row(name, *(f"{value:.2f}" for value in seconds))
    console.print(table)
    if scores.unscored:
        console.print(f"not in the truth, so not scored: {', '.join(scores.unscored)}", soft_wrap=True)


def _show_ratings(scores: dict[str, RatingScores], path: Path, truth: Path) -> None:
    from fercli.cli import layout

    console = layout.console(at_least=WIDTH)
    console.print(f"{path} against {truth}", soft_wrap=True)
    for name, one in scores.items():
        table = layout.table(name, numbers=("CCC", "Pearson", "RMSE", "same sign", "moments", "covered"))
        found = one.agreement
        rows = [*found.per_video.items(), ("mean of persons", found.mean), ("all moments", found.pooled)]
        for person, row in rows:
            figures = ("-" if math.isnan(v) else f"{v:.3f}" for v in (row.ccc, row.pearson, row.rmse))
            covered = f"{one.covered[person]:.3f}" if person in one.covered else ""
            table.add_row(person, *figures, f"{row.sign_agreement:.3f}", str(row.n), covered)
        console.print(table)


def _show_tracks(rows: list[tuple[str, dict[str, float]]]) -> None:
    from fercli.cli import layout

    table = layout.table("sequence", numbers=tuple(TRACK_COLUMNS.values()))
    for name, row in rows:
        figures = (row[score] for score in TRACK_COLUMNS)
        table.add_row(name, *(str(figure) if isinstance(figure, int) else f"{figure:.3f}" for figure in figures))
    layout.console(at_least=WIDTH).print(table)


def _show_persons(scores: PersonScores, title: str) -> None:
    from fercli.cli import layout

    table = layout.table("figure", numbers=("value",))
    for name, value in scores.as_json().items():
        table.add_row(name, str(value) if isinstance(value, int) else f"{value:.4f}")
    table.add_row("clusters / persons", f"{scores.clusters / scores.persons:.2f}")
    console = layout.console()
    console.print(title, soft_wrap=True)
    console.print(table)


def _draw(scores: Scores, directory: Path, reporter: Reporter) -> None:
    from fercli.learn.evaluation.figures import confusion_figure, reliability_figure
    from fercli.writing import writing

    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
    confusion_figure(scores.confusion, scores.classes, directory / "confusion.png")
    reliability_figure(scores.reliability, scores.ece, directory / "reliability.png")
    reporter.note(f"pictures in {directory}")
