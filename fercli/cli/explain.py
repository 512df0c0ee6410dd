"""`fercli explain`: which faces, and where the sheet goes."""

from __future__ import annotations

from pathlib import Path

from fercli.chain import EMOTIONS
from fercli.cli.layout import counted
from fercli.cli.outputs import refuse_existing
from fercli.config import EmotionsParams
from fercli.errors import ConfigError, InputError
from fercli.models.classifier import EmotionClassifier
from fercli.models.devices import pick_device
from fercli.models.registry import find_classifier
from fercli.progress import Reporter
from fercli.views.render.explanation import explain as draw
from fercli.views.render.explanation import faces_of_image, faces_of_workspace
from fercli.workspace import Workspace


def explain(
    source: Path, output: Path, model: str | None, limit: int, device: str, reporter: Reporter, *, overwrite: bool
) -> None:
    """Draw heat maps for the faces of a workspace (a directory) or an image (a file).

    Without a `model` it is the one that classified the workspace, or the default for an image.

    Raises:
        ConfigError: `limit` is below 1, or `output` is there already and was not to be replaced, or is read.
        InputError: there is no such file, or no face in it.
    """
    if limit < 1:
        raise ConfigError(f"--faces must be at least 1, not {limit}", hint="leave it out for 24")
    if not source.exists():
        raise InputError(f"no such file or directory: {source}", hint="give a workspace, or an image")
    workspace = Workspace.open(source) if source.is_dir() else None
    refuse_existing(output, overwrite=overwrite, reads=[source], workspace=workspace)
    faces = faces_of_workspace(workspace, limit) if workspace else faces_of_image(source, limit)
    _, path = find_classifier(model or _model_of(workspace))
    draw(EmotionClassifier(path, pick_device(device)), faces, output)
    reporter.note(f"{counted(len(faces), 'faces')} explained: {output}; bright places spoke for the class named")


def _model_of(workspace: Workspace | None) -> str:
    receipt = workspace.receipt(EMOTIONS.name) if workspace else None
    return str(receipt.params["model"]) if receipt else EmotionsParams.model
