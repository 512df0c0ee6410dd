"""Paths of the service: videos below the root, which no request leaves, and the folder of each job."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from fercli.batch.jobs import VIDEO_SUFFIXES
from fercli.errors import InputError
from fercli.files import fitting_name, require_regular_file

JOB_ID = re.compile(r"[0-9a-f]{16}")
_MOST_ENTRIES = 2000
"""Largest number of files in one answer."""
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def below(root: Path, text: str) -> Path:
    """The path that a request means, which lies below the root and not in a hidden folder.

    Args:
        root: the root.
        text: a path relative to it, with slashes.

    Raises:
        InputError: it is absolute, goes up, is hidden, has characters that no file name should have, or is a link
            that leads out of the root.
    """
    windows = PureWindowsPath(text)
    parts = PurePosixPath(text).parts
    odd = any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)
    if (
        not parts
        or odd
        or windows.drive
        or windows.root
        or ".." in windows.parts
        or any(part.startswith(".") for part in (*parts, *windows.parts))
    ):
        raise _outside(text)
    try:
        path = root.resolve() / PurePosixPath(text)
        real = path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise _outside(text) from error
    if not real.is_relative_to(root.resolve()) or (root.resolve() / ".fercli") in (real, *real.parents):
        raise _outside(text)
    return path


def video_below(root: Path, text: str) -> Path:
    """As `below`, for a file.

    Raises:
        InputError: as `below`, or it is no regular file.
    """
    path = below(root, text)
    require_regular_file(path, InputError, "GET /v1/files lists the videos")
    return path


@dataclass(frozen=True)
class Listing:
    """Folders and videos in a folder, by name; `complete` is false if there are too many for one answer."""

    folders: list[str]
    videos: list[tuple[str, int]]
    complete: bool


def list_videos(root: Path, folder: str) -> Listing:
    """What a folder below the root has, without hidden entries and links that lead out.

    Raises:
        InputError: as `below`, or it is no folder.
    """
    place = below(root, folder) if folder else root
    if not place.is_dir():
        raise InputError(f"there is no folder {folder!r}", hint="GET /v1/files lists them", code="file-missing")
    folders: list[str] = []
    videos: list[tuple[str, int]] = []
    seen = 0
    for entry in sorted(_entries(place), key=lambda entry: entry.name):
        name = f"{folder}/{entry.name}" if folder else entry.name
        try:
            below(root, name)
            is_folder, is_video = entry.is_dir(), Path(name).suffix.lower() in VIDEO_SUFFIXES and entry.is_file()
            size = entry.stat().st_size if is_video else 0
        except (InputError, OSError):
            continue
        if is_folder or is_video:
            seen += 1
            if seen > _MOST_ENTRIES:
                return Listing(folders, videos, False)
        if is_folder:
            folders.append(name)
        elif is_video:
            videos.append((name, size))
    return Listing(folders, videos, True)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError as error:
        raise InputError(f"cannot read {folder}", hint="check its permissions", code="file-unreadable") from error


def clean_file_name(given: str) -> str:
    """A name for an uploaded file: its last part, without what file systems cannot hold or treat as special."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    kept = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C" and letter not in '<>:"|?*')
    kept = kept.strip(" .")
    if not kept or _WINDOWS_DEVICES.fullmatch(kept):
        kept = f"video-{kept}" if kept else "video"
    stem, suffix = os.path.splitext(kept)
    return fitting_name(stem, suffix) if len(os.fsencode(suffix)) < 20 else fitting_name(kept, "")


def _outside(text: str) -> InputError:
    return InputError(
        f"{text[:200]!r} is no path below the root",
        hint="give a path relative to the root, as in season1/e01.mp4; GET /v1/files lists the videos",
        code="path-outside",
    )
