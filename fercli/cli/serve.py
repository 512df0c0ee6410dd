"""`fercli serve`: the HTTP service and its web page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fercli.cli import options as opt
from fercli.config import Runtime
from fercli.errors import ConfigError

GIGABYTE = 1_000_000_000


def serve(
    root: Annotated[
        Path, typer.Option(help="Folder of your videos; the service keeps its data in .fercli there.", readable=False)
    ] = Path(),
    host: Annotated[str, typer.Option(help="Address to listen at; any but this machine's own needs a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen at; 0 takes a free one.", min=0, max=65535)] = 8000,
    jobs: opt.Jobs = 0,
    scheduler: opt.Scheduler = "",
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the token that every request must have; made if it does not exist.",
            show_default=False,
            readable=False,
        ),
    ] = None,
    retention: Annotated[
        float | None,
        typer.Option(help="Erase every job that many days after its end.", show_default=False, metavar="DAYS"),
    ] = None,
    max_gigabytes: Annotated[float, typer.Option(help="Largest upload, gigabytes.")] = 20.0,
    max_hours: Annotated[float, typer.Option(help="Longest video, hours.")] = 12.0,
    max_jobs: Annotated[int, typer.Option(help="Most jobs that are kept.", min=1)] = 1000,
    max_pixels: Annotated[int, typer.Option(help="Largest frame, width times height.", min=1)] = 8192 * 4320,
    device: opt.Device = Runtime.device,
) -> None:
    """A web page and an HTTP API: drop videos, watch the progress, correct the annotations, take them away.

    Unfinished jobs go on after a restart, in the middle of a stage.

    Example: fercli serve --root videos/
    """
    from fercli.serve.server import require_packages

    require_packages()
    from fercli.serve.server import serve as run
    from fercli.serve.settings import Limits, Settings, read_token

    if retention is not None and not retention > 0:
        raise ConfigError(
            f"--retention {retention:g} is no number of days",
            hint="give a number above 0; leave it out to keep all jobs",
            code="option-out-of-range",
        )
    if not (max_gigabytes > 0 and max_hours > 0):
        raise ConfigError(
            "--max-gigabytes and --max-hours must be above 0", hint="leave them out", code="option-out-of-range"
        )
    limits = Limits(int(max_gigabytes * GIGABYTE), max_hours, max_pixels, max_jobs)
    settings = Settings(
        root.absolute(),
        host,
        port,
        read_token(token_file) if token_file else "",
        jobs,
        scheduler,
        device,
        retention,
        limits,
    )

    def ready(address: str) -> None:
        print(f"fercli serves {address}", file=sys.stderr)
        if token_file:
            print(f"the token is in {token_file}", file=sys.stderr)
        print("stop it with Ctrl-C: unfinished jobs go on after the next start", file=sys.stderr, flush=True)

    run(settings, ready)
