"""All commands, in groups. `fercli.cli.entry` catches their errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from fercli.cli.annotate import annotate
from fercli.cli.collect import collect
from fercli.cli.compare import compare_app
from fercli.cli.config_file import config
from fercli.cli.dataset import dataset_app
from fercli.cli.doctor import doctor, models_app
from fercli.cli.edits import edits_app
from fercli.cli.evaluate import evaluate_app
from fercli.cli.explain import explain
from fercli.cli.export import export, formats
from fercli.cli.features import features
from fercli.cli.gallery import gallery_app
from fercli.cli.groups import StrictGroup
from fercli.cli.importing import import_corrections
from fercli.cli.people import people_app
from fercli.cli.plot import plot
from fercli.cli.render import render
from fercli.cli.report import report
from fercli.cli.serve import serve
from fercli.cli.show import show, status
from fercli.cli.stages import (
    classify_emotions,
    classify_voices,
    detect_faces,
    detect_speakers,
    estimate_valence,
    extract_audio,
    extract_frames,
    measure_faces,
    track,
    transcribe,
)
from fercli.cli.train import train
from fercli.version import VERSION

PANELS: dict[str, dict[str, Callable[..., None] | typer.Typer]] = {
    "Chain": {
        "annotate": annotate,
        "extract-frames": extract_frames,
        "detect-faces": detect_faces,
        "track": track,
        "measure-faces": measure_faces,
        "classify-emotions": classify_emotions,
        "estimate-valence": estimate_valence,
        "extract-audio": extract_audio,
        "transcribe": transcribe,
        "detect-speakers": detect_speakers,
        "classify-voices": classify_voices,
        "config": config,
    },
    "Look": {"status": status, "show": show, "report": report, "render": render, "plot": plot, "explain": explain},
    "Persons": {"people": people_app, "edits": edits_app, "import": import_corrections, "gallery": gallery_app},
    "Take away": {"export": export, "collect": collect, "formats": formats, "serve": serve},
    "Learn": {
        "features": features,
        "train": train,
        "evaluate": evaluate_app,
        "compare": compare_app,
        "dataset": dataset_app,
    },
    "Check": {"models": models_app, "doctor": doctor},
}
"""Heading of the help -> name -> command or group, in the order in which the help lists them."""


class _Root(StrictGroup):
    """Lists commands and groups in the order of PANELS; typer puts all groups last."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for commands in PANELS.values() for name in commands]


app = typer.Typer(
    name="fercli",
    cls=_Root,
    help="Who felt what, when, in a video.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(show: bool) -> None:
    if show:
        print(f"fercli {VERSION}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, metavar="", help="Print the version.")
    ] = False,
) -> None:
    """Who felt what, when, in a video."""


for _panel, _commands in PANELS.items():
    for _name, _command in _commands.items():
        if isinstance(_command, typer.Typer):
            app.add_typer(_command, name=_name, rich_help_panel=_panel)
        else:
            app.command(_name, rich_help_panel=_panel)(_command)
