"""What `evaluate` and `dataset` show: tables for people on a terminal, JSON for programs, both on stdout."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from fercli.cli import layout
from fercli.cli.outputs import json_to_stdout
from fercli.errors import ConfigError, command
from fercli.learn.datasets import DATASETS, read_dataset
from fercli.learn.datasets.check import Check, check
from fercli.learn.evaluation.classification import Scores
from fercli.learn.evaluation.segments import SegmentScores
from fercli.progress import Reporter

WIDTH = 100
"""Columns that a table of eight classes needs; a narrower terminal wraps lines, which is better than cut names."""
SHOWN = 10
"""Problems and duplicates listed one by one; `--json` has all."""


def classifier(
    model: str,
    dataset: str,
    root: Path | None,
    split: str,
    figures: Path | None,
    *,
    as_json: bool,
    device: str,
    strict: bool,
    reporter: Reporter,
) -> None:
    """Score a classifier on a data set.

    Raises:
        ConfigError: no data set is named, or a split nobody knows.
        DatasetError, ModelError: the data set or the classifier cannot be read.
    """
    from fercli.learn.evaluation.predictions import evaluate

    if not dataset or root is None:
        example = command("evaluate", model, "--dataset", "fer2013", "--root", "FILE")
        raise ConfigError(
            "a classifier is scored on a data set", hint=f"{example}, or give --truth to score annotations"
        )
    data = read_dataset(dataset, root, reporter, strict=strict)
    for note in data.notes:
        reporter.note(note)
    if data.problems:
        reporter.warn(f"{len(data.problems)} samples could not be used, the first: {data.problems[0]}")
    scores, terms = evaluate(model, data, split, device, reporter)
    if figures is not None:
        _draw(scores, figures, reporter)
    if as_json:
        json_to_stdout({"model": model, "dataset": dataset, **terms, **scores.as_json()})
    else:
        _show(scores, f"{model} on {dataset} ({terms['split']}), answering as {terms['head']}")


def against_truth(
    path: Path, truth: Path, *, as_json: bool, reporter: Reporter, lasting_s: float | None = None
) -> None:
    """Score exported annotations against a person's own labels.

    Args:
        lasting_s: how long labels without an end last at most, seconds; 0 compares at their moments, None takes
            LASTING_S.

    Raises:
        ConfigError: `lasting_s` is no length of time.
        DatasetError: one of the two cannot be used.
    """
    from fercli.importers.marks import LASTING_S
    from fercli.learn.evaluation.segments import score_files
    from fercli.learn.evaluation.truth import count_human

    lasting_s = LASTING_S if lasting_s is None else lasting_s
    if not 0 <= lasting_s < math.inf:
        raise ConfigError(
            f"--lasting {lasting_s} is no length of time", hint="give seconds, or 0 to compare at moments"
        )
    notes: list[str] = []
    scores = score_files(path, truth, lasting_s, notes)
    for note in dict.fromkeys(notes):
        reporter.warn(note)
    human = count_human(path)
    if human:
        reporter.warn(
            f"corrections by a person are in {path}, {human} of them, and flatter the figures; "
            "to score the machine alone, keep segments.csv out of the workspace while exporting"
        )
    if as_json:
        json_to_stdout(scores.as_json())
    else:
        _show_agreement(scores, path, truth)


def datasets() -> None:
    """Names of all data sets, one a line."""
    print("\n".join(DATASETS))


def check_dataset(name: str, root: Path, *, as_json: bool, strict: bool, reporter: Reporter) -> bool:
    """Show what a data set holds; returns whether there is anything to put right."""
    found = check(read_dataset(name, root, reporter, strict=strict))
    if as_json:
        json_to_stdout(asdict(found))
    else:
        _show_check(found)
    return found.found_something


def _show(scores: Scores, title: str) -> None:
    console = layout.console(at_least=WIDTH)
    console.print(f"{title}: {scores.n} faces", soft_wrap=True)
    table = layout.table("figure", numbers=("value", "95 % interval"))
    for name in ("accuracy", "uar", "macro_f1", "weighted_f1", "kappa", "ece"):
        value, interval = getattr(scores, name), scores.intervals.get(name)
        between = f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else ""
        table.add_row(name, "-" if value is None else f"{value:.4f}", between)
    console.print(table)
    table = layout.table("class", numbers=("precision", "recall", "f1", "faces"))
    for name, row in scores.per_class.items():
        figures = ("-" if value is None else f"{value:.3f}" for value in (row.precision, row.recall, row.f1))
        table.add_row(name, *figures, str(row.support))
    console.print(table)
    table = layout.table("true \\ predicted", numbers=scores.classes)
    for name, counts in zip(scores.classes, scores.confusion, strict=True):
        table.add_row(name, *map(str, counts))
    console.print(table)
    if scores.per_subject:
        table = layout.table("subject", numbers=("accuracy", "faces"))
        for name, subject in scores.per_subject.items():
            table.add_row(name, f"{subject.accuracy:.3f}", str(subject.n))
        console.print(table)


def _show_agreement(scores: SegmentScores, path: Path, truth: Path) -> None:
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


def _draw(scores: Scores, directory: Path, reporter: Reporter) -> None:
    from fercli.learn.evaluation.figures import confusion_figure, reliability_figure
    from fercli.writing import writing

    with writing(directory):
        directory.mkdir(parents=True, exist_ok=True)
    confusion_figure(scores.confusion, scores.classes, directory / "confusion.png")
    reliability_figure(scores.reliability, scores.ece, directory / "reliability.png")
    reporter.note(f"pictures in {directory}")


def _show_check(found: Check) -> None:
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
