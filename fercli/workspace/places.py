"""What the workspaces and outputs of a video are called: after the video.

`episode.mp4` has the workspace `episode.fercli` and outputs such as `episode.json`. Where `episode.fercli` is that of
another video, such as `episode.mov`, they are `episode.mp4.fercli` and `episode.mp4.json`. Whatever the order of the
runs, a video finds its own workspace again.
"""

from __future__ import annotations

from pathlib import Path

from fercli.errors import InputError, WorkspaceError
from fercli.files import fitting_name
from fercli.hashing import sha256_file
from fercli.workspace import Workspace

SUFFIX = ".fercli"
"""Of workspaces."""


def workspace_of(video: Path, folder: Path) -> Path:
    """The workspace of a video in a folder, which need not be there yet."""
    places = [folder / fitting_name(base, SUFFIX) for base in dict.fromkeys((video.stem, video.name))]
    own = [_is_workspace_of(place, video) for place in places]
    if True in own:
        return places[own.index(True)]
    return places[own.index(None)] if None in own else places[0]


def _is_workspace_of(place: Path, video: Path) -> bool | None:
    """Whether it is this video's, by its path or its content; None if it is no video's."""
    try:
        known = Workspace.open(place).video
    except (InputError, WorkspaceError):
        return None  # what is there instead of a workspace is said when one is made
    if known.path == str(video.absolute()):
        return True
    return known.size == video.stat().st_size and known.sha256 == sha256_file(video)


def named_after(video: Path, workspace: Path, suffix: str) -> str:
    """Name of a file about a video: with the whole name of the video if its workspace is called so too."""
    whole = workspace.absolute().name == fitting_name(video.name, SUFFIX)
    return fitting_name(video.name if whole else video.stem, suffix)
