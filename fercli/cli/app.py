"""All commands. Each collects its parameters and calls one function; `fercli.cli.entry` catches their errors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import fercli
from fercli.chain import EMOTIONS, FACES, TRACKS
from fercli.cli import learning, pictures
from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.cli.default_group import StrictGroup
from fercli.cli.gallery import gallery_app
from fercli.cli.importing import import_corrections
from fercli.cli.people import people_app
from fercli.cli.render import render
from fercli.config import (
    DECODERS,
    EmotionsParams,
    FacesParams,
    FramesParams,
    Runtime,
    TracksParams,
)
from fercli.errors import EXIT_FOUND

app = typer.Typer(
    name="fercli",
    cls=StrictGroup,
    help="Who felt what, when, in a video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_FPS = opt.show_fps(FramesParams.fps)


def _version(show: bool) -> None:
    if show:
        print(f"fercli {fercli.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, metavar="", help="Print the version.")
    ] = False,
) -> None:
    """Who felt what, when, in a video."""


@app.command()
def annotate(
    video: opt.Video,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar=opt.PATH,
            help="The file to write, a directory for it, or - for stdout; by default VIDEO and the format's suffix, "
            "here.",
        ),
    ] = None,
    workdir: Annotated[
        Path | None, typer.Option(help="By default VIDEO.fercli beside the output.", readable=False)
    ] = None,
    format: opt.Format = "",
    fps: opt.Fps = _FPS,
    start: opt.Start = "",
    end: opt.End = "",
    images: Annotated[bool, opt.flag("--images", help="Write every frame as a JPEG.")] = False,
    shot_threshold: opt.ShotThreshold = FramesParams.shot_threshold,
    decoder: opt.Decoder = DECODERS[0],
    detector: opt.Detector = FacesParams.detector,
    detector_weights: opt.DetectorWeights = None,
    min_score: opt.MinScore = FacesParams.min_score,
    max_side: opt.MaxSide = FacesParams.max_side,
    embedder: opt.Embedder = TracksParams.embedder,
    max_distance: opt.MaxDistance = TracksParams.max_distance,
    gallery: opt.Gallery = None,
    cast: opt.Cast = None,
    model: opt.Model = EmotionsParams.model,
    min_face: opt.MinFace = EmotionsParams.min_size,
    device: opt.Device = Runtime.device,
    batch: opt.Batch = Runtime.batch,
    force: opt.Force = False,
    verify: opt.Verify = False,
    overwrite: opt.Overwrite = False,
    quiet: opt.Quiet = False,
) -> None:
    """All stages in a row: a video in, annotations out. Run it again to go on where it stopped."""
    from fercli.cli import run

    run.annotate(
        video,
        output,
        workdir,
        frames=FramesParams(
            opt.parse_fps(fps),
            opt.parse_time(start, "--start"),
            opt.parse_end(end),
            images,
            shot_threshold,
            decoder=opt.parse_decoder(decoder),
        ),
        faces=FacesParams(detector, opt.absolute(detector_weights), min_score, max_side=max_side),
        tracks=TracksParams(
            opt.parse_network(embedder),
            max_distance=max_distance,
            gallery=opt.absolute(gallery),
            cast=opt.absolute(cast),
        ),
        emotions=EmotionsParams(opt.parse_network(model), min_size=min_face),
        format=format,
        runtime=Runtime(device, batch, decoder=opt.parse_decoder(decoder)),
        force=force,
        verify=verify,
        overwrite=overwrite,
        reporter=ConsoleReporter(quiet=quiet),
        quiet=quiet,
    )


@app.command()
def extract_frames(
    video: opt.Video,
    workspace: opt.WorkspacePath,
    fps: opt.Fps = _FPS,
    start: opt.Start = "",
    end: opt.End = "",
    images: Annotated[
        bool, opt.flag("--images/--no-images", help="Write every frame as a JPEG.")
    ] = FramesParams.keep_images,
    shot_threshold: opt.ShotThreshold = FramesParams.shot_threshold,
    decoder: opt.Decoder = DECODERS[0],
    force: opt.Force = False,
    verify: opt.Verify = False,
    quiet: opt.Quiet = False,
) -> None:
    """Stage 1: timestamps, shots and, by default, images of the frames to look at."""
    from fercli.cli import run

    params = FramesParams(
        opt.parse_fps(fps),
        opt.parse_time(start, "--start"),
        opt.parse_end(end),
        images,
        shot_threshold,
        decoder=opt.parse_decoder(decoder),
    )
    run.extract_frames(video, workspace, params, force=force, verify=verify, reporter=ConsoleReporter(quiet=quiet))


@app.command()
def detect_faces(
    workspace: opt.WorkspacePath,
    detector: opt.Detector = FacesParams.detector,
    detector_weights: opt.DetectorWeights = None,
    min_score: opt.MinScore = FacesParams.min_score,
    min_size: Annotated[int, typer.Option(help="Drop faces smaller than this, pixels.")] = FacesParams.min_size,
    max_side: opt.MaxSide = FacesParams.max_side,
    crop_scale: Annotated[float, typer.Option(help="Crop side in face sides.")] = FacesParams.crop_scale,
    crop_size: Annotated[int, typer.Option(help="Largest crop side, pixels.")] = FacesParams.crop_size,
    decoder: opt.Decoder = DECODERS[0],
    device: opt.Device = Runtime.device,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Stage 2: boxes, landmarks and crops of all faces."""
    from fercli.cli import run

    weights = opt.absolute(detector_weights)
    params = FacesParams(detector, weights, min_score, min_size, max_side, crop_scale, crop_size)
    runtime = Runtime(device, decoder=opt.parse_decoder(decoder))
    run.stage(FACES, workspace, params, runtime, force=force, reporter=ConsoleReporter(quiet=quiet))


@app.command()
def track(
    workspace: opt.WorkspacePath,
    embedder: opt.Embedder = TracksParams.embedder,
    max_gap: Annotated[float, typer.Option(help="Bridge gaps up to this, seconds.")] = TracksParams.max_gap_s,
    min_faces: Annotated[int, typer.Option(help="Drop tracks with fewer faces.")] = TracksParams.min_faces,
    embed_faces: Annotated[int, typer.Option(help="Faces compared a track.")] = TracksParams.embed_faces,
    max_distance: opt.MaxDistance = TracksParams.max_distance,
    gallery: opt.Gallery = None,
    cast: opt.Cast = None,
    device: opt.Device = Runtime.device,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Stage 3: faces to tracks inside each shot, tracks to persons across the video."""
    from fercli.cli import run

    params = TracksParams(
        opt.parse_network(embedder),
        max_gap_s=max_gap,
        min_faces=min_faces,
        embed_faces=embed_faces,
        max_distance=max_distance,
        gallery=opt.absolute(gallery),
        cast=opt.absolute(cast),
    )
    run.stage(TRACKS, workspace, params, Runtime(device), force=force, reporter=ConsoleReporter(quiet=quiet))


@app.command()
def classify_emotions(
    workspace: opt.WorkspacePath,
    model: opt.Model = EmotionsParams.model,
    stride: Annotated[int, typer.Option(help="Faces from one window to the next.")] = EmotionsParams.stride,
    min_face: opt.MinFace = EmotionsParams.min_size,
    min_sharpness: Annotated[
        float, typer.Option(help="Blurrier faces are not assessable.")
    ] = EmotionsParams.min_sharpness,
    min_frontal: Annotated[
        float, typer.Option(help="Faces turned further away are not assessable, 0 to 1.")
    ] = EmotionsParams.min_frontal,
    mean_segment: Annotated[
        float, typer.Option(help="Expected length of an expression; longer is smoother, seconds.")
    ] = EmotionsParams.mean_segment_s,
    min_segment: Annotated[
        float, typer.Option(help="Shorter segments join their neighbours, seconds.")
    ] = EmotionsParams.min_segment_s,
    device: opt.Device = Runtime.device,
    batch: opt.Batch = Runtime.batch,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Stage 4: emotion probabilities for windows of each track, and segments."""
    from fercli.cli import run

    params = EmotionsParams(
        opt.parse_network(model), stride, min_face, min_sharpness, min_frontal, mean_segment, min_segment
    )
    run.stage(
        EMOTIONS,
        workspace,
        params,
        Runtime(device, batch),
        force=force,
        reporter=ConsoleReporter(quiet=quiet),
    )


@app.command()
def export(
    workspace: opt.WorkspacePath,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar=opt.PATH,
            help="The file to write, a directory for it, or - for stdout.",
            show_default=False,
        ),
    ],
    format: opt.Format = "",
    raw_cells: Annotated[
        bool, opt.flag("--raw-cells", help="In CSV, leave names as they are that a spreadsheet takes for formulas.")
    ] = False,
    force: opt.Force = False,  # for scripts: an export is always written anew
    overwrite: opt.Overwrite = False,
    quiet: opt.Quiet = False,
) -> None:
    """The annotations of a finished workspace as a file."""
    from fercli.cli import export as exporting

    reporter = ConsoleReporter(quiet=quiet)
    exporting.export(workspace, output, format, raw_cells=raw_cells, overwrite=overwrite, reporter=reporter)


@app.command()
def formats() -> None:
    """All formats of `export`: what each holds, and what it cannot."""
    from fercli.cli.formats import formats as show_formats

    show_formats()


@app.command()
def show(
    workspace: opt.WorkspacePath,
    json: Annotated[bool, opt.flag("--json", help="Persons and their sums as JSON.")] = False,
) -> None:
    """Who was seen for how long, feeling what, and when: the summary that annotate ends with."""
    from fercli.cli import show as shown

    shown.show(workspace, as_json=json)


@app.command()
def status(workspace: opt.WorkspacePath, verify: opt.Verify = False) -> None:
    """Each stage: fresh, or stale and why."""
    from fercli.cli import show

    show.status(workspace, verify=verify)


@app.command()
def models() -> None:
    """All networks: task, licence, training data, and whether they can be used here."""
    from fercli.cli import show

    show.models()


@app.command()
def doctor() -> None:
    """Check this installation: packages, weights, devices. Ends with 6 if something is missing, else 0."""
    from fercli.cli import doctor as checks

    if not checks.run():
        raise typer.Exit(EXIT_FOUND)


for _command in (pictures.report, render, pictures.plot, pictures.explain, learning.train):
    app.command()(_command)
app.command("import")(import_corrections)
app.add_typer(learning.evaluate_app, name="evaluate")
app.add_typer(people_app, name="people")
app.add_typer(gallery_app, name="gallery", cls=StrictGroup)
app.add_typer(learning.dataset_app, name="dataset", cls=StrictGroup)
