"""Whether every face can be blurred: requirements for a workspace before a blurred video is made."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fercli import tables
from fercli.chain import FACES, FRAMES
from fercli.config import NATIVE_FPS
from fercli.errors import VideoError, WorkspaceError, command
from fercli.hashing import digest
from fercli.media.decode import read_view
from fercli.media.index import FrameIndex
from fercli.views.render.artist import Artist
from fercli.views.render.paths import MAX_GAP_S
from fercli.workspace import Workspace, hint_for_moved


def require_search(workspace: Workspace, path: Path, index: FrameIndex, artist: Artist) -> None:
    """Refuse to blur if faces could stay visible. Single frames without face detection are blurred completely instead,
    see `Sampled.searched`.

    Args:
        workspace: a workspace with all tables.
        path, index: path and present index of the video.
        artist: drawing data from its tables.

    Raises:
        VideoError: the video is not the one that was annotated.
        WorkspaceError: a stretch was not analysed, the sampled frames are too far apart, some could not be decoded for
            face detection, or boxes are in other pixels than those of the video.
    """
    video, name, frames = workspace.video, path.name, artist.frames
    if digest(path) != video.sha256:
        raise VideoError(f"{path} is not the video that was annotated", hint=hint_for_moved(path), code="video-changed")
    _require_same_pixels(workspace, path)
    for skipped in artist.result.not_analysed:
        if ((index.pts_s >= skipped.start_s) & (index.pts_s < skipped.end_s)).any():
            raise WorkspaceError(
                f"faces in {name} from {skipped.start_s:.2f} s to {skipped.end_s:.2f} s cannot be blurred: "
                "that was not analysed",
                hint=f"annotate all of it: {command('annotate', path)}, without --start and --end",
                code="blur-unsafe",
            )
    fps = _count(workspace, FRAMES.name, "fps", of="params")
    if fps is not None and fps != NATIVE_FPS and fps * MAX_GAP_S <= 1 and len(frames.frame) < len(index.pts_s):
        raise WorkspaceError(
            f"faces in {name} were detected only every {1 / fps:.3g} s: those in between could not be blurred",
            hint=f"sample more often: {command('extract-frames', path, workspace.path, '--fps', 'native')}, "
            "then the stages after it",
            code="blur-unsafe",
        )
    seen = _count(workspace, FACES.name, "frames", of="counts")
    expected = len(np.unique(frames.frame))
    if seen is not None and seen < expected:
        raise WorkspaceError(
            f"{expected - int(seen)} of {expected} frames of {name} could not be decoded for face detection",
            hint=f"if the file is complete now, {workspace.run_hint(FACES)} --force",
            code="blur-unsafe",
        )


def _require_same_pixels(workspace: Workspace, path: Path) -> None:
    faces = tables.read_table(workspace.table("faces"), tables.FACES)
    video, view = workspace.video, read_view(path)
    facts = (video.width, video.height, video.rotation, video.mirrored, round(video.pixel_aspect, 6))
    screen, orientation = view.screen, view.orientation
    aspect = round(float(screen.pixel_aspect), 6)
    now = (screen.width, screen.height, orientation.rotation, orientation.mirrored, aspect)
    beyond = any(
        np.any(faces[edge].to_numpy() > side + 1) for edge, side in (("x2", video.width), ("y2", video.height))
    )
    if facts != now or beyond:
        raise WorkspaceError(
            f"faces in {path.name} cannot be blurred: boxes in {workspace.path} are in pixels of another video size",
            hint=f"annotate it again: {command('annotate', path)} with another --workdir",
            code="blur-unsafe",
        )


def _count(workspace: Workspace, directory: str, name: str, *, of: str) -> float | None:
    receipt = workspace.receipt(directory)
    found = getattr(receipt, of).get(name) if receipt else None
    return None if found is None else float(found)
