"""The commands that run stages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from fercli import pipeline
from fercli.chain import EMOTIONS, FACES, FRAMES, STAGES, TRACKS, Stage
from fercli.cli.export import check_output, format_of, suffix_of, write_export
from fercli.cli.names import is_folder, named_after, output_file, workspace_of
from fercli.config import EmotionsParams, FacesParams, FramesParams, Runtime, TracksParams
from fercli.errors import command
from fercli.media.container import open_video
from fercli.media.probe import probe
from fercli.progress import Reporter
from fercli.required import first_missing
from fercli.workspace import FileState, Workspace


def annotate(
    video: Path,
    output: str | None,
    workdir: Path | None,
    *,
    frames: FramesParams,
    faces: FacesParams,
    tracks: TracksParams,
    emotions: EmotionsParams,
    format: str,
    runtime: Runtime,
    force: bool,
    verify: bool,
    overwrite: bool,
    reporter: Reporter,
    quiet: bool,
) -> None:
    """All stages, then the exported file and a summary.

    Args:
        output: a file, `-` for stdout, or a directory; in that and without it, the file is named after the video.
        verify: read the whole video even if its file is unchanged.
    """
    with open_video(video):  # or nothing else is worth a word
        pass
    output = output or "./"
    place = workdir or workspace_of(video, Path(output) if is_folder(output) else Path(output).parent)
    file = output_file(output, named_after(video, place, suffix_of(format)))
    chosen = format_of(file, format)
    given = [Path(path) for path in (faces.weights, tracks.embedder, tracks.cast, emotions.model) if path]
    check_output(file, place, [video, *given], overwrite=overwrite)
    plan: list[tuple[Stage, Any]] = [(FRAMES, frames), (FACES, faces), (TRACKS, tracks), (EMOTIONS, emotions)]
    pipeline.check(plan)
    _check_device(runtime)
    workspace = _workspace_at(place, video, verify=verify)
    plan[0] = FRAMES, _with_images_already_kept(workspace, frames)
    with workspace.lock():
        pipeline.run(workspace, plan, runtime, reporter, force=force)
        write_export(workspace, chosen, file, reporter)
    if not quiet:
        from fercli.cli import show

        show.summary(workspace, file)


def extract_frames(
    video: Path, path: Path, params: FramesParams, *, force: bool, verify: bool, reporter: Reporter
) -> None:
    """Make the workspace, then run the first stage."""
    workspace = _workspace_at(path, video, verify=verify)
    with workspace.lock():
        pipeline.run(workspace, [(FRAMES, params)], Runtime(), reporter, force=force)
    _say_next(workspace, reporter)


def stage(chosen: Stage, path: Path, params: Any, runtime: Runtime, *, force: bool, reporter: Reporter) -> None:
    """Run one stage over an existing workspace."""
    workspace = Workspace.open(path)
    _check_device(runtime)
    with workspace.lock():
        pipeline.run(workspace, [(chosen, params)], runtime, reporter, force=force)
    _say_next(workspace, reporter)


def _workspace_at(path: Path, video: Path, *, verify: bool) -> Workspace:
    """The workspace of a video; the video is read only if there is none yet, or if its file changed."""
    found = None if verify else Workspace.of_unchanged(path, video)
    if found is not None:
        return found
    file = FileState.of(video)  # before it is read: a later change is then seen
    return Workspace.create(path, probe(video), file)


def _with_images_already_kept(workspace: Workspace, params: FramesParams) -> FramesParams:
    """Images that `extract-frames` wrote are no reason to do it again without them."""
    receipt = workspace.receipt(FRAMES.name)
    kept = receipt is not None and bool(receipt.params.get("keep_images"))
    return replace(params, keep_images=params.keep_images or kept)


def _check_device(runtime: Runtime) -> None:
    """Only one that may be missing is worth importing torch for."""
    if runtime.device == "cuda":
        from fercli.models.devices import pick_device

        pick_device(runtime.device)


def _say_next(workspace: Workspace, reporter: Reporter) -> None:
    """The first stage that has to run now, or the export where all are up to date."""
    missing = first_missing(workspace, STAGES)
    words = (missing.stage.command, workspace.path) if missing else ("export", workspace.path, "-o", "annotations.json")
    reporter.note(f"next: {command(*words)}")
