"""`fercli render`. `fercli.cli.app` adds it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter


def render(
    workspace: opt.WorkspacePath,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar=opt.PATH,
            help="An .mp4, .mov or .mkv, or a directory for it; by default VIDEO.annotated.mp4 here.",
            show_default=False,
        ),
    ] = "./",
    blur_faces: Annotated[
        bool,
        opt.flag(
            "--blur-faces",
            help="Make every detected face unrecognisable, false alarms included. Faces that were never detected "
            "stay visible, and voices and names are kept: check the result before you publish it.",
        ),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="PERSON", help="Draw only this person, and do not blur them; may be repeated."),
    ] = None,
    mesh: Annotated[
        bool, opt.flag("--mesh", help="Draw the mesh of each face; first run measure-faces with --landmarks.")
    ] = False,
    pose: Annotated[
        bool,
        opt.flag("--pose", help="Draw where each head looks: right of it red, its top green, straight ahead blue."),
    ] = False,
    subtitles: Annotated[
        bool, opt.flag("--subtitles", help="Draw what is said, and by whom; first run transcribe.")
    ] = False,
    overwrite: opt.Replace = False,
    quiet: opt.Quiet = False,
) -> None:
    """Draw boxes, names, emotions and a timeline over the video; sound and timing are kept.

    Example: fercli render episode.fercli -o shown.mp4 --blur-faces
    """
    from fercli.cli.names import output_file
    from fercli.outputs import refuse_existing
    from fercli.views.render.video import render as write
    from fercli.workspace import Workspace
    from fercli.workspace.places import named_after

    source = Workspace.open(workspace)
    target = output_file(output, named_after(Path(source.video.path), workspace, ".annotated.mp4"))
    refuse_existing(target, overwrite=overwrite, workspace=source)
    reporter = ConsoleReporter(quiet=quiet)
    write(
        source,
        target,
        blur_faces=blur_faces,
        only=only or (),
        mesh=mesh,
        pose=pose,
        subtitles=subtitles,
        overwrite=overwrite,
        reporter=reporter,
    )
    reporter.note(f"video: {target}")
