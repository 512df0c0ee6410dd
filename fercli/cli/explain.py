"""`fercli explain`: choose faces and write the sheet of heat maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.chain import EMOTIONS
from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.config import EmotionsParams, Runtime
from fercli.errors import ConfigError, InputError

if TYPE_CHECKING:
    from fercli.workspace import Workspace


def explain(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="A workspace, or an image.", show_default=False, readable=False)
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar=opt.PATH, help="The .png to write, or a directory for it.")
    ] = "explained.png",
    model: Annotated[
        str | None,
        typer.Option(
            help=f"Classifier; by default that of the workspace, or {EmotionsParams.model} for an image.",
            show_default=False,
        ),
    ] = None,
    faces: Annotated[int, typer.Option(help="Faces to show at most.")] = 24,
    device: opt.Device = Runtime.device,
    overwrite: opt.Replace = False,
    quiet: opt.Quiet = False,
) -> None:
    """Heat maps over faces: the regions that the prediction depends on most.

    Example: fercli explain episode.fercli -o explained.png
    """
    from fercli.cli.layout import counted
    from fercli.cli.names import output_file
    from fercli.models.classifier import EmotionClassifier
    from fercli.models.devices import pick_device
    from fercli.models.registry import find_classifier
    from fercli.models.weights import read_header, require_emotions
    from fercli.outputs import refuse_existing
    from fercli.views.render.explanation import explain as draw
    from fercli.views.render.explanation import faces_of_image, faces_of_workspace
    from fercli.workspace import Workspace

    file = output_file(output, "explained.png")
    if faces < 1:
        raise ConfigError(
            f"--faces must be at least 1, not {faces}", hint="leave it out for 24", code="option-out-of-range"
        )
    if not source.exists():
        raise InputError(
            f"no such file or directory: {source}", hint="give a workspace, or an image", code="file-missing"
        )
    workspace = Workspace.open(source) if source.is_dir() else None
    refuse_existing(file, overwrite=overwrite, reads=[source], workspace=workspace)
    found = faces_of_workspace(workspace, faces) if workspace else faces_of_image(source, faces)
    _, path = find_classifier(model or _model_of(workspace))
    require_emotions(path, read_header(path))
    draw(EmotionClassifier(path, pick_device(device)), found, file)
    note = f"{counted(len(found), 'faces')} explained: {file}; bright regions support the predicted class"
    ConsoleReporter(quiet=quiet).note(note)


def _model_of(workspace: Workspace | None) -> str:
    receipt = workspace.receipt(EMOTIONS.name) if workspace else None
    return str(receipt.params["model"]) if receipt else EmotionsParams.model
