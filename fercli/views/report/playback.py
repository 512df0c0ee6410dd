"""Whether the page can play the video, and from where."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from fercli.workspace import VideoFacts


@dataclass(frozen=True)
class Playback:
    """The location of the video for the page.

    Attributes:
        source: URL relative to the page; empty if there is nothing to play.
        problem: why there is nothing to play; empty otherwise.
    """

    source: str
    problem: str


def find_video(video: VideoFacts, page: Path) -> Playback:
    """Find the video at the path at which it was analysed; a file of another size is not accepted.

    Args:
        video: facts of the workspace.
        page: path of the report.
    """
    path = Path(video.path)
    shown = os.fsencode(path).decode("utf-8", "replace")  # a file name may have invalid characters
    try:
        size = path.stat().st_size
    except OSError:
        return Playback("", f"the video is no longer at {shown}")
    if size != video.size:
        return Playback("", f"{shown} has changed since it was analysed")
    try:
        # Windows has no relative path between drives.
        relative = os.path.relpath(path.resolve(), page.resolve().parent)
    except ValueError:
        return Playback(path.resolve().as_uri(), "")
    return Playback(quote(os.fsencode(Path(relative).as_posix())), "")
