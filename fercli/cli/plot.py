"""`fercli plot`: training runs, or the timelines of a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.errors import ConfigError, command


def plot(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE...",
            help="Directories of training runs, or one workspace.",
            show_default=False,
            readable=False,
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar=opt.PATH, help="A .png, .svg or .pdf, or a directory for it.")
    ] = "plot.png",
    overwrite: opt.Replace = False,
    quiet: opt.Quiet = False,
) -> None:
    """Draw loss and accuracy of training runs side by side, or the emotion timelines of a workspace.

    Example: fercli plot episode.fercli -o episode.pdf
    """
    from fercli.cli.names import output_file
    from fercli.outputs import refuse_existing
    from fercli.workspace.places import named_after

    if (sources[0] / "workspace.json").is_file():
        if len(sources) > 1:
            hint = f"run: {command('plot', sources[0], '-o', output)}"
            raise ConfigError("one workspace is drawn at a time", hint=hint, code="option-conflict")
        from fercli.views.render.timeline_figure import plot_timelines
        from fercli.workspace import Workspace

        workspace = Workspace.open(sources[0])
        file = output_file(output, named_after(Path(workspace.video.path), sources[0], ".png"))
        refuse_existing(file, overwrite=overwrite, workspace=workspace)
        plot_timelines(workspace, file, overwrite=overwrite)
    else:
        from fercli.learn.training.curves import plot_runs

        file = output_file(output, "plot.png")
        refuse_existing(file, overwrite=overwrite)
        plot_runs(sources, file)
    ConsoleReporter(quiet=quiet).note(f"plot: {file}")
