"""`fercli features`: features of tracks over time, for networks over series."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fercli.cli import options as opt
from fercli.cli.console import ConsoleReporter
from fercli.config import EmotionsParams, Runtime
from fercli.errors import ConfigError, command

if TYPE_CHECKING:
    from fercli.features.file import FeatureFacts, TrackFeatures
    from fercli.features.measure import Request
    from fercli.progress import Reporter
    from fercli.workspace import Workspace


def features(
    workspace: opt.WorkspaceOrFolder,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar=opt.PATH,
            help="A .parquet file, or a folder (with a slash at its end) for one .npy a track.",
            show_default=False,
        ),
    ],
    kinds: Annotated[
        str, typer.Option("--of", help="trunk, emotions, blendshapes, pose, voice; several with commas.")
    ] = "trunk,blendshapes,pose",
    model: Annotated[
        str, typer.Option(help="Classifier of the trunk: a name from 'fercli models', or a file.")
    ] = EmotionsParams.model,
    layer: Annotated[str, typer.Option(help="Layer of the classifier: trunk, before its last layer, or logits.")] = (
        "trunk"
    ),
    rate: Annotated[
        float, typer.Option(help="Vectors per second, as 2 for SEND; 0 gives one for each window.", min=0.0)
    ] = 0.0,
    device: opt.Device = Runtime.device,
    overwrite: opt.Replace = False,
    quiet: opt.Quiet = False,
) -> None:
    """Write features of every track over time, from which `fercli train --task` learns without the videos.

    Example: fercli features annotations/ --rate 2 -o features.parquet
    """
    from fercli.cli.names import is_folder
    from fercli.features.file import write_arrays, write_features
    from fercli.features.measure import Request
    from fercli.outputs import refuse_existing

    request = Request(tuple(one.strip() for one in kinds.split(",") if one.strip()), model, layer, device)
    target, reporter = Path(output), ConsoleReporter(quiet=quiet)
    to_folder = is_folder(output)
    if not to_folder and target.suffix.lower() != ".parquet":
        raise ConfigError(
            f"cannot write features to {output}: unknown suffix",
            hint="name it .parquet, or give a folder with a slash at its end",
            code="suffix-unknown",
        )
    opened = _opened(workspace)
    if not to_folder:
        refuse_existing(target, overwrite=overwrite)
    elif target.exists():
        refuse_existing(target / "features.json", overwrite=overwrite)
    tracks = _measured(opened, request, rate, reporter)
    facts, first = next(tracks)
    write = write_arrays if to_folder else write_features
    rows = write(target, facts, _rest(first, tracks))
    reporter.note(f"{target}: {rows} vectors of {', '.join(f'{one.name} ({one.size})' for one in facts.modalities)}")
    if not to_folder:
        reporter.note(f"next: {command('train', '--task', 'valence', '--dataset', 'NAME', '--features', target)}")


def _opened(path: Path) -> dict[str, Workspace]:
    """Name of each video -> its workspace; of two videos with one name, the path below the folder tells them apart."""
    from fercli.series.find import find_members, is_series
    from fercli.workspace import Workspace

    if not is_series(path):
        one = Workspace.open(path)
        return {Path(one.video.path).stem: one}
    members = {member.name: Workspace.open(member.path) for member in find_members(path)}
    stems = [Path(one.video.path).stem for one in members.values()]
    return {
        (stem if stems.count(stem) == 1 else name): one
        for (name, one), stem in zip(members.items(), stems, strict=True)
    }


def _measured(
    opened: dict[str, Workspace], request: Request, rate: float, reporter: Reporter
) -> Iterator[tuple[FeatureFacts, TrackFeatures | None]]:
    """What the file says of itself, and each track; at least once, for a file without tracks."""
    from fercli.features.file import FeatureFacts, TrackFeatures
    from fercli.features.measure import measure, on_steps, on_windows
    from fercli.results.load import load_persons

    facts = None
    for name, workspace in opened.items():
        persons = load_persons(workspace)[0]
        shown = {track.track: person.name for person in persons if not person.ignored for track in person.tracks}
        measured = measure(workspace, request, reporter)
        found = FeatureFacts(
            tuple(one.modality for one in measured), {one.modality.name: one.columns for one in measured}, rate
        )
        facts = facts or found
        _require_alike(facts, found, name)
        yield facts, None
        for track, starts, ends, values in on_steps(measured, rate) if rate else on_windows(measured):
            if track in shown:
                named = {one.modality.name: part for one, part in zip(measured, values, strict=True)}
                yield facts, TrackFeatures(name, track, shown[track], starts, ends, named)


def _require_alike(facts: FeatureFacts, found: FeatureFacts, name: str) -> None:
    if found.columns != facts.columns:
        raise ConfigError(
            f"the features of {name} have other columns than those of the videos before it",
            hint="classify all videos with one model, or leave out emotions from --of",
            code="option-conflict",
        )


def _rest(
    first: TrackFeatures | None, tracks: Iterator[tuple[FeatureFacts, TrackFeatures | None]]
) -> Iterator[TrackFeatures]:
    if first is not None:
        yield first
    yield from (track for _, track in tracks if track is not None)
