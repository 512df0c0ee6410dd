"""The chain: every stage, declared once.

Order, directories, commands, tables and staleness follow from these records. A stage reads tables and writes tables;
its code lies in `fercli.stages` and is imported when it runs.

    video -> frames -> faces -> tracks -> emotions
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from fercli.config import EmotionsParams, FacesParams, FramesParams, TracksParams

Function = str | Callable[..., Any]
"""`module:function`, imported when it is called; or the function itself."""


@dataclass(frozen=True)
class Stage:
    """One step of the chain.

    Attributes:
        name: of its directory in the workspace.
        command: that runs it alone.
        reads: tables of earlier stages; `video` is the video file itself.
        writes: tables.
        version: raised by hand whenever the code changes the result.
        params: the dataclass of its parameters.
        run: `(context, params) -> counts` for the receipt; does the work.
        weights: `(params) -> name -> sha256` of the networks it uses.
        outside: `(params) -> name -> digest` of what it reads outside the workspace.
        check: `(params) -> None`, raises what can be known to be wrong before any work.
    """

    name: str
    command: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    version: int
    params: type
    run: Function
    weights: Function = "fercli.chain:nothing"
    outside: Function = "fercli.chain:nothing"
    check: Function = "fercli.chain:nothing"


FRAMES = Stage(
    name="frames",
    command="extract-frames",
    reads=("video",),
    writes=("frames",),
    version=4,
    params=FramesParams,
    run="fercli.stages.frames:run",
    check="fercli.stages.frames:check",
)
FACES = Stage(
    name="faces",
    command="detect-faces",
    reads=("frames", "video"),
    writes=("faces", "crops"),
    version=4,
    params=FacesParams,
    run="fercli.stages.faces:run",
    weights="fercli.stages.faces:weights",
    check="fercli.stages.faces:check",
)
TRACKS = Stage(
    name="tracks",
    command="track",
    reads=("frames", "faces", "crops"),
    writes=("tracks", "people", "embeddings"),
    version=7,
    params=TracksParams,
    run="fercli.stages.tracks:run",
    weights="fercli.stages.tracks:weights",
    outside="fercli.stages.tracks:outside",
    check="fercli.stages.tracks:check",
)
EMOTIONS = Stage(
    name="emotions",
    command="classify-emotions",
    reads=("frames", "faces", "crops", "tracks"),
    writes=("emotions", "segments"),
    version=5,
    params=EmotionsParams,
    run="fercli.stages.emotions:run",
    weights="fercli.stages.emotions:weights",
    check="fercli.stages.emotions:check",
)

STAGES: tuple[Stage, ...] = (FRAMES, FACES, TRACKS, EMOTIONS)
"""In the order they run: none reads what a later one writes."""
STAGE_OF = {table: stage for stage in STAGES for table in stage.writes}
"""Table -> the stage that writes it."""


def call(function: Function, *arguments: Any) -> Any:
    """Call a function of a stage."""
    if callable(function):
        return function(*arguments)
    module, name = function.split(":")
    return getattr(import_module(module), name)(*arguments)


def nothing(params: Any) -> dict[str, str]:
    """For a stage that uses no network, reads nothing outside the workspace, or takes any parameters."""
    return {}


def needed_for(*tables: str) -> tuple[Stage, ...]:
    """The stages that have to run for some tables, in order."""
    wanted, stages = set(tables), []
    for stage in reversed(STAGES):
        if wanted & set(stage.writes):
            stages.append(stage)
            wanted |= set(stage.reads)
    return tuple(reversed(stages))
