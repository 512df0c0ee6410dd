"""The chain: every stage, declared once.

Order, directories, commands, tables and staleness follow from these records. A stage reads tables and writes tables;
its code is in `fercli.stages` and is imported when it runs.

    video -> frames -> faces -> tracks -> persons
                                      -> emotions -> valence
    video -> audio -> speech -> voices
    video, faces, tracks, attributes, audio -> speakers
    (with a network that hears, speech and speakers -> valence, too)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from fercli.config import (
    AttributesParams,
    AudioParams,
    EmotionsParams,
    FacesParams,
    FramesParams,
    PersonsParams,
    SpeakersParams,
    SpeechParams,
    TracksParams,
    ValenceParams,
    VoicesParams,
)

Function = str | Callable[..., Any]
"""`module:function`, imported when called; or the function itself."""


@dataclass(frozen=True)
class Stage:
    """One step of the chain.

    Attributes:
        name: name of the stage and of its directory in the workspace.
        command: command that runs it; one command may run several stages.
        reads: tables of earlier stages; `video` is the video file itself.
        writes: tables.
        version: raised by hand whenever the code changes the result.
        params: the dataclass of its parameters.
        run: `(context, params) -> counts` for the receipt; does the work.
        weights: `(params) -> name -> sha256` of the networks it uses.
        also: `(params) -> tables` of earlier stages that it reads as well, if they are there.
        outside: `(params) -> name -> digest` of what it reads outside the workspace.
        check: `(params) -> None`, raises errors that can be detected before any work.
        lacks: `(workspace, params) -> bool`, whether a requested output that is not part of the key is missing.
        complete: `(context, params) -> None`, writes that output beside the tables, which are not changed.
        optional: whether it runs only if it is asked for, and no other stage but optional ones needs it.
    """

    name: str
    command: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    version: int
    params: type
    run: Function
    weights: Function = "fercli.chain:nothing"
    also: Function = "fercli.chain:nothing"
    outside: Function = "fercli.chain:nothing"
    check: Function = "fercli.chain:nothing"
    lacks: Function | None = None
    complete: Function | None = None
    optional: bool = False

    @property
    def title(self) -> str:
        """Name in messages and `status`: its command, or its name if the command runs another stage first."""
        first = next((stage for stage in STAGES if stage.command == self.command), self)
        return self.command if first.name == self.name else self.name


FRAMES = Stage(
    name="frames",
    command="extract-frames",
    reads=("video",),
    writes=("frames",),
    version=4,
    params=FramesParams,
    run="fercli.stages.frames:run",
    check="fercli.stages.frames:check",
    lacks="fercli.stages.frames:lacks_images",
    complete="fercli.stages.frames:write_images",
)
FACES = Stage(
    name="faces",
    command="detect-faces",
    reads=("frames", "video"),
    writes=("faces", "crops"),
    version=5,
    params=FacesParams,
    run="fercli.stages.faces:run",
    weights="fercli.stages.faces:weights",
    check="fercli.stages.faces:check",
)
TRACKS = Stage(
    name="tracks",
    command="track",
    reads=("frames", "faces", "crops"),
    writes=("tracks", "embeddings"),
    version=8,
    params=TracksParams,
    run="fercli.stages.tracks:run",
    weights="fercli.stages.tracks:weights",
    check="fercli.stages.tracks:check",
)
PERSONS = Stage(
    name="persons",
    command="track",
    reads=("frames", "faces", "tracks", "embeddings"),
    writes=("persons",),
    version=1,
    params=PersonsParams,
    run="fercli.stages.persons:run",
    weights="fercli.stages.persons:weights",
    outside="fercli.stages.persons:outside",
    check="fercli.stages.persons:check",
)
ATTRIBUTES = Stage(
    name="attributes",
    command="measure-faces",
    reads=("faces", "crops"),
    writes=("attributes", "meshes"),
    version=3,
    params=AttributesParams,
    run="fercli.stages.attributes:run",
    weights="fercli.stages.attributes:weights",
    check="fercli.stages.attributes:check",
)
EMOTIONS = Stage(
    name="emotions",
    command="classify-emotions",
    reads=("frames", "faces", "crops", "tracks", "attributes"),
    writes=("emotions", "segments"),
    version=14,
    params=EmotionsParams,
    run="fercli.stages.emotions:run",
    weights="fercli.stages.emotions:weights",
    check="fercli.stages.emotions:check",
)

AUDIO = Stage(
    name="audio",
    command="extract-audio",
    reads=("video",),
    writes=("sound",),
    version=1,
    params=AudioParams,
    run="fercli.stages.audio:run",
    check="fercli.stages.audio:check",
    optional=True,
)

SPEECH = Stage(
    name="speech",
    command="transcribe",
    reads=("sound",),
    writes=("voice", "utterances", "words"),
    version=4,
    params=SpeechParams,
    run="fercli.stages.speech:run",
    weights="fercli.stages.speech:weights",
    outside="fercli.stages.speech:outside",
    check="fercli.stages.speech:check",
    optional=True,
)

SPEAKERS = Stage(
    name="speakers",
    command="detect-speakers",
    reads=("video", "frames", "faces", "tracks", "attributes", "sound"),
    writes=("talking",),
    version=2,
    params=SpeakersParams,
    run="fercli.stages.speakers:run",
    weights="fercli.stages.speakers:weights",
    optional=True,
)

VOICES = Stage(
    name="voices",
    command="classify-voices",
    reads=("sound", "utterances"),
    writes=("voices",),
    version=2,
    params=VoicesParams,
    run="fercli.stages.voices:run",
    weights="fercli.stages.voices:weights",
    optional=True,
)

VALENCE = Stage(
    name="valence",
    command="estimate-valence",
    reads=("frames", "faces", "crops", "tracks", "attributes", "emotions", "segments"),
    writes=("valence", "courses"),
    version=3,
    params=ValenceParams,
    run="fercli.stages.valence:run",
    weights="fercli.stages.valence:weights",
    also="fercli.stages.valence:also_reads",
    check="fercli.stages.valence:check",
    optional=True,
)


def in_order(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """Topological order of the stages; otherwise in the given order.

    Raises:
        ValueError: there is none: a cycle, or a table that no stage writes.
    """
    left, known, ordered = list(stages), {"video"}, []
    while left:
        ready = next((stage for stage in left if known.issuperset(stage.reads)), None)
        if ready is None:
            raise ValueError(f"no order for the stages {', '.join(stage.name for stage in left)}")
        left.remove(ready)
        ordered.append(ready)
        known |= set(ready.writes)
    return tuple(ordered)


STAGES: tuple[Stage, ...] = in_order(
    (FRAMES, FACES, TRACKS, PERSONS, ATTRIBUTES, EMOTIONS, AUDIO, SPEECH, SPEAKERS, VOICES, VALENCE)
)
"""In the order they run."""
Plan = list[tuple[Stage, Any]]
"""Stages in order, each with its parameters."""
STAGE_OF = {table: stage for stage in STAGES for table in stage.writes}
"""Table -> the stage that writes it."""


def call(function: Function, *arguments: Any) -> Any:
    """Call a function of a stage."""
    if callable(function):
        return function(*arguments)
    module, name = function.split(":")
    return getattr(import_module(module), name)(*arguments)


def nothing(params: Any) -> dict[str, str]:
    """Default for a stage that uses no network, reads nothing outside the workspace, or needs no check."""
    return {}


def needed_for(*tables: str) -> tuple[Stage, ...]:
    """The stages that must run for these tables, in order."""
    wanted, stages = set(tables), []
    for stage in reversed(STAGES):
        if wanted & set(stage.writes):
            stages.append(stage)
            wanted |= set(stage.reads)
    return tuple(reversed(stages))
