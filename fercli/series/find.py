"""The workspaces below a folder, and what the last run of `fercli annotate` over it recorded in batch.json."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from fercli.errors import InputError, WorkspaceError, command
from fercli.workspace.places import SUFFIX

FACTS = "workspace.json"
"""The file by which a directory is recognised as a workspace, whatever its name."""


@dataclass(frozen=True)
class Member:
    """One workspace of a series.

    Attributes:
        path: the directory.
        inside: its path below the folder of the series, with `/`; no two members share it.
    """

    path: Path
    inside: str

    @property
    def name(self) -> str:
        """`inside` without the suffix of workspaces."""
        return self.inside.removesuffix(SUFFIX)


@dataclass(frozen=True)
class Failure:
    """A video that failed in the last run over the folder: its path as it was given, and the error."""

    video: str
    code: str
    message: str
    hint: str

    def is_of(self, video: str) -> bool:
        """Whether it concerns a video with this absolute path."""
        given = [part for part in PurePath(os.path.normpath(self.video)).parts if part != ".."]
        return bool(given) and list(PurePath(video).parts[-len(given) :]) == given


def is_series(folder: Path) -> bool:
    """Whether a path is a directory that is no workspace itself, but has workspaces below it."""
    return folder.is_dir() and not (folder / FACTS).exists() and next(_walk(folder), None) is not None


def find_members(folder: Path) -> list[Member]:
    """All workspaces below a folder, by path; hidden folders are not searched.

    Raises:
        InputError: there is no such folder, or no workspace below it.
        WorkspaceError: it is a workspace itself.
    """
    if not folder.is_dir():
        raise InputError(
            f"there is no folder {folder}",
            hint=f"make one: {command('annotate', 'VIDEOS', '-o', folder)}",
            code="workspace-missing",
        )
    if (folder / FACTS).exists():
        raise WorkspaceError(
            f"{folder} is the workspace of one video, not a folder of workspaces",
            hint=f"give the folder that holds it; or, for this video: {command('export', folder, '-o', 'FILE')}",
            code="not-a-series",
        )
    members = [Member(path, readable(path.relative_to(folder).as_posix())) for path in _walk(folder)]
    if not members:
        raise InputError(
            f"there is no workspace below {folder}",
            hint=f"make some: {command('annotate', 'VIDEOS', '-o', folder)}",
            code="workspace-missing",
        )
    return sorted(members, key=lambda one: os.fsencode(one.path))


def read_failures(folder: Path) -> list[Failure]:
    """The failed videos of batch.json; none if there is no such file.

    Raises:
        InputError: it is damaged.
    """
    file = folder / "batch.json"
    try:
        videos = json.loads(file.read_text(encoding="utf-8"))["videos"]
        return [
            Failure(*(str(one[key]) for key in ("video", "code", "message", "hint")))
            for one in videos
            if one["state"] == "failed"
        ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"cannot read {file}: {getattr(error, 'strerror', None) or error}",
            hint=f"run `fercli annotate` over the folder again, or remove it: rm {file}",
            code="file-unreadable",
        ) from error


def readable(path: str) -> str:
    """A path as text that can be written: bytes that are not UTF-8 are replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, _ in os.walk(folder, onerror=_refuse):
        names = [name for name in sorted(folders) if not name.startswith(".")]
        found = [name for name in names if name.endswith(SUFFIX) or os.path.exists(os.path.join(place, name, FACTS))]
        folders[:] = [name for name in names if name not in found]
        yield from (Path(place, name) for name in found)


def _refuse(error: OSError) -> None:
    raise InputError(
        f"cannot read {error.filename}: {error.strerror}", hint="check its permissions", code="file-unreadable"
    ) from error
