"""`fercli compare`: detectors, landmarks and classifiers side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.cli.groups import StrictGroup
from fercli.config import FacesParams, TrainConfig
from fercli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fercli.compare.classifiers import ClassifierComparison
    from fercli.compare.conditions import ConditionScore
    from fercli.compare.detectors import DetectorComparison
    from fercli.compare.landmarks import LandmarkComparison
    from fercli.progress import Reporter

WIDTH = 110
compare_app = typer.Typer(
    cls=StrictGroup, help="Detectors, landmarks or classifiers side by side.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Option(help="The set's directory.", show_default=False, readable=False)]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="Directory for JSON, CSV, a picture, and a page of disagreements.",
        show_default=False,
        readable=False,
    ),
]
Json = Annotated[bool, opt.flag("--json", help="Figures as JSON on stdout.")]


@compare_app.command("detectors")
def compare_detectors(
    dataset: Annotated[str, typer.Option(help="wider, fddb, folder or dlib.", show_default=False)],
    root: Folder,
    detectors: Annotated[
        str, typer.Option(help="Names with commas; by default all that are installed.", show_default=False)
    ] = "",
    weights: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FILE: weights of a detector that needs them.", show_default=False),
    ] = None,
    found: Annotated[
        list[str] | None,
        typer.Option(help="NAME=DIR: detections of another program, as for WIDER FACE.", show_default=False),
    ] = None,
    min_score: Annotated[float, typer.Option(help="For recall and false alarms.")] = FacesParams.min_score,
    max_side: Annotated[
        int, typer.Option(help="Scale larger pictures down to this, pixels; 0 never.", min=0)
    ] = FacesParams.max_side,
    output: Output = None,
    json: Json = False,
    overwrite: opt.Replace = False,
    quiet: opt.Quiet = False,
) -> None:
    """Average precision (WIDER FACE), recall, false alarms and time of face detectors on the same images.

    Example: fercli compare detectors --dataset dlib --root faces/ -o compared/
    """
    from fercli.compare.box_truth import read_boxes
    from fercli.compare.contenders import FromFiles, contenders
    from fercli.compare.detector_views import draw_detectors, write_disagreements
    from fercli.compare.detectors import compare_detectors as compare
    from fercli.compare.files import prepare
    from fercli.compare.orders import wrong_orders

    reporter = ConsoleReporter(quiet=quiet)
    images = read_boxes(dataset, root)
    chosen = contenders(_names(detectors), _pairs("weights", weights), _pairs("found", found), max_side, reporter)
    if output is not None:
        prepare(output, "detectors", overwrite=overwrite)
    result = compare(images, chosen, min_score, reporter)
    for warning in wrong_orders(result, [one.name for one in chosen if isinstance(one, FromFiles)]):
        reporter.warn(warning)
    terms = {
        "dataset": dataset,
        "root": root,
        "images": len(images),
        "faces": sum(len(image.boxes) for image in images),
        "min_score": min_score,
        "max_side": max_side,
    }
    if output is not None:
        draw_detectors(result, output / "detectors.png")
        write_disagreements(result, output / "detectors.html")
    _give("detectors", result.as_rows(), terms, output, as_json=json, reporter=reporter)
    if not json:
        _show_detectors(result, terms)


@compare_app.command("landmarks")
def compare_landmarks(
    dataset: Annotated[str, typer.Option(help="300w, helen, afw, lfpw, wflw, aflw2000 or dlib.", show_default=False)],
    root: Folder,
    finders: Annotated[
        str, typer.Option(help="Names with commas; by default all that are installed.", show_default=False)
    ] = "",
    output: Output = None,
    json: Json = False,
    overwrite: opt.Replace = False,
    quiet: opt.Quiet = False,
) -> None:
    """Error of landmarks by the distance of the eyes, its cumulative curve, area up to .08, and failures.

    Example: fercli compare landmarks --dataset 300w --root 300W/ -o compared/
    """
    from fercli.compare.files import prepare
    from fercli.compare.landmark_views import draw_landmarks, write_disagreements
    from fercli.compare.landmarks import compare_landmarks as compare
    from fercli.compare.point_finders import NOT_COMMERCIAL, point_finders
    from fercli.compare.point_truth import read_points
    from fercli.models.pictures import default_detector

    reporter = ConsoleReporter(quiet=quiet)
    faces, notes = read_points(dataset, root)
    chosen = point_finders(_names(finders), reporter)
    if output is not None:
        prepare(output, "landmarks", overwrite=overwrite)
    result = compare(faces, chosen, default_detector(), reporter)
    for note in notes:
        reporter.warn(note)
    terms = {
        "dataset": dataset,
        "root": root,
        "faces": len(faces),
        "detector": FacesParams.detector,
        "notes": notes,
        "not_commercial": [one.name for one in chosen if one.name in NOT_COMMERCIAL],
    }
    if output is not None:
        draw_landmarks(result, output / "landmarks.png")
        write_disagreements(result, output / "landmarks.html")
    _give("landmarks", [score.as_row() for score in result.scores], terms, output, as_json=json, reporter=reporter)
    if not json:
        _show_landmarks(result, terms)


@compare_app.command("classifiers")
def compare_classifiers(
    dataset: opt.Dataset,
    models: Annotated[str, typer.Option(help="Names or files, with commas.", show_default=False)],
    root: opt.Root = None,
    split: Annotated[str, typer.Option(help="train, valid, test or all; by default test, if the set has one.")] = "",
    open_classes: Annotated[
        bool, opt.flag("--open-classes", help="Let classifiers predict classes that the set does not have.")
    ] = False,
    by: Annotated[str, typer.Option(help="Conditions with commas: yaw, light, size.", show_default=False)] = "light",
    limit: Annotated[int, typer.Option(help="At most so many faces; 0 takes all.", min=0)] = 0,
    output: Output = None,
    json: Json = False,
    device: opt.Device = TrainConfig.device,
    overwrite: opt.Replace = False,
    quiet: opt.Quiet = False,
) -> None:
    """Classifiers on the same faces, with intervals, McNemar's tests, and accuracy by yaw, light and size.

    Example: fercli compare classifiers --dataset fer2013 --root fer2013.csv --models resnet18,tsm-resnet18
    """
    from fercli.compare.classifier_views import draw_classifiers, write_disagreements
    from fercli.compare.classifiers import compare_classifiers as compare
    from fercli.compare.classifiers import packing_of
    from fercli.compare.conditions import by_condition
    from fercli.compare.files import prepare
    from fercli.learn.datasets import read_dataset
    from fercli.learn.datasets.roots import find_root
    from fercli.learn.datasets.samples import SPLITS
    from fercli.models.devices import pick_device

    reporter, names = ConsoleReporter(quiet=quiet), _names(models)
    if len(names) < 2:
        raise ConfigError(
            f"--models {models!r} has fewer than two classifiers",
            hint="give two or more with commas; `fercli evaluate` scores one",
            code="option-out-of-range",
        )
    if split not in ("", *SPLITS, "all"):
        raise ConfigError(f"unknown split {split!r}", hint=f"known: {', '.join(SPLITS)}, all", code="name-unknown")
    place, used = find_root(dataset, root), pick_device(device)
    if output is not None:
        prepare(output, "classifiers", overwrite=overwrite)
    data = read_dataset(dataset, place, reporter, packing=packing_of(names))
    split = split or ("test" if data.official else "all")
    result = compare(names, data, split, used, reporter, restricted=not open_classes, limit=limit)
    conditions = by_condition(result, _names(by), data, used, reporter)
    terms = {
        "dataset": dataset,
        "root": place,
        "split": split,
        "faces": len(result.faces),
        "classes": "all of each classifier" if open_classes else "those of the set",
        "pairs": [vars(pair) for pair in result.pairs],
        "conditions": [vars(one) for one in conditions],
    }
    if output is not None:
        draw_classifiers(result, output / "classifiers.png")
        write_disagreements(result, output / "classifiers.html")
    _give("classifiers", [score.as_row() for score in result.scores], terms, output, as_json=json, reporter=reporter)
    if not json:
        _show_classifiers(result, conditions, terms)


def _give(
    kind: str,
    rows: Sequence[dict[str, Any]],
    terms: dict[str, Any],
    output: Path | None,
    *,
    as_json: bool,
    reporter: Reporter,
) -> None:
    """Write the figures to the directory, and as JSON on stdout."""
    from fercli.cli.outputs import json_to_stdout
    from fercli.compare.files import write_figures

    if output is not None:
        write_figures(output, kind, rows, terms)
        reporter.note(f"figures, picture and page of disagreements in {output}")
    if as_json:
        json_to_stdout({**terms, kind: list(rows)})


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    """NAME=VALUE of an option that may be repeated.

    Raises:
        ConfigError: not of that form, or a name twice.
    """
    pairs: dict[str, str] = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not name or not equals or not value or name in pairs:
            raise ConfigError(
                f"--{option} {text!r} is not NAME=PATH, or has a name twice",
                hint=f"for example --{option} yunet=yunet.onnx",
                code="option-unusable",
            )
        pairs[name] = value
    return pairs


def _figure(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _show_detectors(result: DetectorComparison, terms: dict[str, Any]) -> None:
    from fercli.cli import layout

    console = layout.console(at_least=WIDTH)
    console.print(
        f"{terms['root']}: {terms['images']} images, {terms['faces']} faces; recall at score {terms['min_score']:g}, "
        "overlap .5",
        soft_wrap=True,
    )
    levels = result.difficulties
    headings = [f"{kind} {level}" if level != "all" else kind for kind in ("AP", "recall") for level in levels]
    table = layout.table("detector", numbers=(*headings, "false alarms", "mean IoU", "ms/image", "CPU ms"))
    for score in result.scores:
        table.add_row(
            score.detector,
            *(_figure(value) for value in (*score.ap.values(), *score.recall.values())),
            _figure(score.false_alarms, 2),
            _figure(score.mean_iou),
            _figure(score.ms_per_image, 0),
            _figure(score.cpu_ms_per_image, 0),
        )
    console.print(table)


def _show_landmarks(result: LandmarkComparison, terms: dict[str, Any]) -> None:
    from fercli.cli import layout

    console = layout.console(at_least=WIDTH)
    console.print(f"{terms['root']}: {terms['faces']} faces; errors as shares of the eyes' distance", soft_wrap=True)
    table = layout.table("finder", "points", numbers=("NME", "median", "AUC@.08", "failures", "found", "CPU ms"))
    for score in result.scores:
        table.add_row(
            score.finder,
            score.points,
            *(_figure(value) for value in (score.nme, score.median, score.auc, score.failures)),
            f"{score.found}",
            _figure(score.cpu_ms_per_face, 1),
        )
    console.print(table)
    if terms["not_commercial"]:
        console.print(f"not for commercial use: {', '.join(terms['not_commercial'])}")


def _show_classifiers(
    result: ClassifierComparison, conditions: Sequence[ConditionScore], terms: dict[str, Any]
) -> None:
    from fercli.cli import layout

    console = layout.console(at_least=WIDTH)
    head = f"{terms['dataset']} ({terms['split']}): {terms['faces']} faces, classes: {terms['classes']}"
    console.print(head, soft_wrap=True)
    columns = ("accuracy", "95 % interval", "mean recall", "95 % interval", "macro F1", "95 % interval", "other")
    table = layout.table("classifier", numbers=columns)
    for score in result.scores:
        cells = []
        for name, (low, high) in score.intervals.items():
            cells += [_figure(getattr(score, name)), f"{low:.3f} to {high:.3f}"]
        table.add_row(score.model, *cells, _figure(score.other))
    console.print(table)
    differences = ("only the first right", "only the second", "difference", "95 % interval", "p (McNemar)", "p (Holm)")
    table = layout.table("first", "second", numbers=differences)
    for pair in result.pairs:
        between = f"{pair.low:+.3f} to {pair.high:+.3f}"
        counts = f"{pair.only_first}", f"{pair.only_second}", f"{pair.difference:+.3f}"
        table.add_row(pair.first, pair.second, *counts, between, f"{pair.p:.2g}", f"{pair.p_holm:.2g}")
    console.print(table)
    if conditions:
        table = layout.table("condition", numbers=("faces", *(score.model for score in result.scores)))
        for name, of in dict.fromkeys((one.condition, one.bin) for one in conditions):
            own = [one for one in conditions if (one.condition, one.bin) == (name, of)]
            table.add_row(f"{name} {of}", f"{own[0].n}", *(_figure(one.accuracy) for one in own))
        console.print(table)
