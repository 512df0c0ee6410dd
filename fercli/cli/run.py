"""The commands that run stages."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fercli import pipeline
from fercli.cli.names import is_folder, named_after, output_file, workspace_of
from fercli.cli.outputs import refuse_what_is_no_file, refuse_what_is_read, to_stdout
from fercli.config import EmotionsParams, ExportParams, FacesParams, FramesParams, Runtime, TracksParams
from fercli.errors import ConfigError, command
from fercli.exporters import EXPORTERS, choose_format
from fercli.hashing import sha256_file
from fercli.media.container import open_video
from fercli.media.probe import probe
from fercli.progress import Reporter
from fercli.stages import EMOTIONS, EXPORT, FACES, FRAMES, STAGES, TRACKS, Stage
from fercli.stages.export import file_name
from fercli.workspace import Workspace
from fercli.writing import write_atomically

STDOUT = Path("-")
"""As an output."""

EXPORTED = "exported.json"
"""File of a workspace that says what was exported where, so that nothing else is ever replaced."""


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
    overwrite: bool,
    reporter: Reporter,
    quiet: bool,
) -> None:
    """All stages, then the exported file and a summary.

    Args:
        output: a file, `-` for stdout, or a directory; in that and without it, the file is named after the video.
    """
    with open_video(video):  # or nothing else is worth a word
        pass
    output = output or "./"
    place = workdir or workspace_of(video, Path(output) if is_folder(output) else Path(output).parent)
    file = output_file(output, named_after(video, place, _suffix_of(format)))
    export_params = _export_params(file, format)
    given = [Path(path) for path in (faces.weights, tracks.embedder, tracks.cast, emotions.model) if path]
    _check_output(file, place, [video, *given], overwrite=overwrite)
    plan: list[tuple[Stage, Any]] = [
        (FRAMES, frames),
        (FACES, faces),
        (TRACKS, tracks),
        (EMOTIONS, emotions),
        (EXPORT, export_params),
    ]
    pipeline.check(plan)
    _check_device(runtime)
    workspace = Workspace.create(place, probe(video))
    plan[0] = FRAMES, _with_images_already_kept(workspace, frames)
    with workspace.lock():
        pipeline.run(workspace, plan, runtime, reporter, force=force)
        _copy_out(workspace, export_params, file)
    if not quiet:
        from fercli.cli import show

        show.summary(workspace, file)


def extract_frames(video: Path, path: Path, params: FramesParams, *, force: bool, reporter: Reporter) -> None:
    """Make the workspace, then run the first stage."""
    workspace = Workspace.create(path, probe(video))
    with workspace.lock():
        pipeline.run(workspace, [(FRAMES, params)], Runtime(), reporter, force=force)
    _say_next(workspace, FRAMES.name, reporter)


def stage(name: str, path: Path, params: Any, runtime: Runtime, *, force: bool, reporter: Reporter) -> None:
    """Run one stage over an existing workspace."""
    workspace = Workspace.open(path)
    _check_device(runtime)
    chosen = next(stage for stage in STAGES if stage.name == name)
    with workspace.lock():
        pipeline.run(workspace, [(chosen, params)], runtime, reporter, force=force)
    _say_next(workspace, name, reporter)


def export(
    path: Path, output: str, format: str, *, raw_cells: bool, force: bool, overwrite: bool, reporter: Reporter
) -> None:
    """Run the last stage and put its file where it is wanted; `output` as of `annotate`."""
    workspace = Workspace.open(path)
    video = Path(workspace.video.path)
    file = output_file(output, named_after(video, path, _suffix_of(format)))
    params = replace(_export_params(file, format), raw_cells=raw_cells)
    if raw_cells and EXPORTERS[params.format].suffix != ".csv":
        raise ConfigError(f"--raw-cells is about CSV, and {params.format} is none", hint="leave it out")
    _check_output(file, path, [video], overwrite=overwrite)
    if not workspace.writable:
        _export_unkept(workspace, params, file, reporter)
        return
    with workspace.lock():
        pipeline.run(workspace, [(EXPORT, params)], Runtime(), reporter, force=force)
        _copy_out(workspace, params, file)


def _export_unkept(workspace: Workspace, params: ExportParams, output: Path, reporter: Reporter) -> None:
    """From a workspace that can only be read, which will not know of the file."""
    with TemporaryDirectory() as scratch:
        pipeline.run_elsewhere(workspace, EXPORT, params, Path(scratch), reporter)
        content = (Path(scratch) / file_name(params)).read_bytes()
    if output == STDOUT:
        to_stdout(content)
    else:
        write_atomically(output, content)


def _with_images_already_kept(workspace: Workspace, params: FramesParams) -> FramesParams:
    """Images that `extract-frames` wrote are no reason to do it again without them."""
    receipt = workspace.receipt(FRAMES.directory)
    kept = receipt is not None and bool(receipt.params.get("keep_images"))
    return replace(params, keep_images=params.keep_images or kept)


def _suffix_of(format: str) -> str:
    """Of the files of a format; of the default one if it is empty."""
    return EXPORTERS[choose_format(Path(), format or ExportParams.format)].suffix


def _export_params(output: Path, format: str) -> ExportParams:
    if output == STDOUT:
        format = format or ExportParams.format
    return ExportParams(choose_format(output, format))


def _check_device(runtime: Runtime) -> None:
    """Only one that may be missing is worth importing torch for."""
    if runtime.device == "cuda":
        from fercli.models.devices import pick_device

        pick_device(runtime.device)


def _check_output(output: Path, workspace: Path, reads: list[Path], *, overwrite: bool) -> None:
    """Before hours of work, not after them. A file that is still as it was exported may be replaced by a new one."""
    if output == STDOUT:
        return
    refuse_what_is_no_file(output)
    refuse_what_is_read(output, reads, workspace)
    if output.exists() and not overwrite and not _is_as_exported(output, workspace):
        raise ConfigError(
            f"{output} exists, and not as it was exported from {workspace}",
            hint="add --overwrite, or choose another -o",
        )


def _is_as_exported(output: Path, workspace: Path) -> bool:
    return sha256_file(output) in _written(workspace).get(str(output.resolve()), ())


def _written(workspace: Path) -> dict[str, list[str]]:
    """Absolute path -> sha256 of what was exported there last and, if the run was killed meanwhile, before."""
    try:
        found = json.loads((workspace / EXPORTED).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _copy_out(workspace: Workspace, params: ExportParams, output: Path) -> None:
    content = (workspace.path / EXPORT.directory / file_name(params)).read_bytes()
    if output == STDOUT:
        to_stdout(content)
        return
    place = output.resolve()
    written = _written(workspace.path)
    # Said before it is done: whichever of the two a kill leaves, the next run may replace it.
    written[str(place)] = [*written.get(str(place), [])[-1:], hashlib.sha256(content).hexdigest()]
    write_atomically(workspace.path / EXPORTED, (json.dumps(written, indent=1) + "\n").encode())
    write_atomically(place, content)


def _say_next(workspace: Workspace, name: str, reporter: Reporter) -> None:
    following = STAGES[[stage.name for stage in STAGES].index(name) + 1]
    arguments = ("-o", "annotations.json") if following is EXPORT else ()
    reporter.note(f"next: {command(following.name, workspace.path, *arguments)}")
