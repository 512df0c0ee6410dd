"""Names of the workspaces and outputs of a video, derived from its name.

`episode.mp4` has the workspace `episode.fercli` and outputs such as `episode.json`. If `episode.fercli` belongs to
another video, such as `episode.mov`, they are `episode.mp4.fercli` and `episode.mp4.json`. The workspace of a video is
found again in any order of runs.
"""

from __future__ import annotations

from pathlib import Path

from fercli.errors import InputError, WorkspaceError
from fercli.files import fitting_name
from fercli.hashing import sha256_file
from fercli.workspace import FileState, Workspace

SUFFIX = ".fercli"
"""Suffix of workspaces."""


def workspace_of(video: Path, folder: Path) -> Path:
    """The path of a video's workspace in a folder; it may not exist yet."""
    places = [folder / fitting_name(base, SUFFIX) for base in dict.fromkeys((video.stem, video.name))]
    own = [is_workspace_of(place, video) for place in places]
    if True in own:
        return places[own.index(True)]
    return places[own.index(None)] if None in own else places[0]


def is_workspace_of(place: Path, video: Path) -> bool | None:
    """Whether the workspace belongs to this video, by path or content; None if it is not a workspace."""
    try:
        known = Workspace.open(place).video
    except (InputError, WorkspaceError):
        return None  # reported when the workspace is created
    if known.path == str(video.absolute()):
        return True
    state = FileState.of(video)
    return state is not None and known.size == state.size and known.sha256 == sha256_file(video)


def named_after(video: Path, workspace: Path, suffix: str) -> str:
    """Name of an output of a video: with the full name of the video if its workspace has the full name."""
    whole = workspace.absolute().name == fitting_name(video.name, SUFFIX)
    return fitting_name(video.name if whole else video.stem, suffix)
