"""From the arguments of a command to a list of jobs: files, folders, text lists and CSV tables of videos."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from fercli.errors import ConfigError, InputError, VideoError
from fercli.files import address_of, require_regular_file

_SUFFIXES = (
    "3g2 3gp asf avi dv f4v flv m2ts m2v m4v mkv mov mp4 mpeg mpg mts mxf ogm ogv qt rm rmvb ts vob webm wmv y4m"
)
VIDEO_SUFFIXES = frozenset(f".{suffix}" for suffix in _SUFFIXES.split())
"""Suffixes of the files that count as videos in a folder, in lower case. A file that is named itself may have any."""
LIST_SUFFIX, TABLE_SUFFIX = ".txt", ".csv"
COLUMNS = ("video", "start", "end", "gallery", "name", "sha256")
"""Columns of a CSV table; only the first is required."""


@dataclass(frozen=True)
class Job:
    """One video of a run.

    Attributes:
        video: the file.
        inside: path of the video below the folder that was given, as in `season1/e01.mkv`; or its file name.
        start_s, end_s: the part to analyse, seconds; an `end_s` of 0 is the end of the video. None: as for all videos.
        gallery: pictures of known persons for this video; empty: as for all videos.
        name: path of its outputs without a suffix; empty: derived from `inside`.
        url: address from which the video is fetched; empty for a file.
        sha256: digest that a fetched video must have; empty if it is not known.
    """

    video: Path
    inside: Path
    start_s: float | None = None
    end_s: float | None = None
    gallery: str = ""
    name: str = ""
    url: str = ""
    sha256: str = ""

    @property
    def source(self) -> str:
        """Where the video comes from, for messages: its path or its address."""
        return self.url or str(self.video)


def is_one_video(arguments: list[Path]) -> bool:
    """Whether the arguments name a single video file, and no folder, list, table or address."""
    return len(arguments) == 1 and not _stands_for_many(arguments[0]) and not address_of(arguments[0])


def find_jobs(arguments: Iterable[Path], *, recursive: bool, fetched: Path = Path("videos")) -> list[Job]:
    """The jobs in a fixed order, whatever the order of the arguments; a video that is named twice is one job.

    Args:
        arguments: videos or their addresses, folders, `.txt` lists with a path a line, and `.csv` tables with the
            columns COLUMNS. Paths in a list or table are relative to it; blank lines and lines that begin with `#` are
            skipped.
        recursive: whether folders within a folder are searched too; hidden ones never are.
        fetched: folder of the videos that are given as addresses.

    Raises:
        InputError: a list or a table cannot be read; a folder has no video.
        ConfigError: a table has an unknown column or an invalid value; the message names file and line.
    """
    found = [job for argument in arguments for job in _jobs_of(argument, recursive=recursive)]
    found = [replace(job, video=fetched / _name_of(job.url)) if job.url else job for job in found]
    distinct = {(os.path.abspath(job.video), job.start_s, job.end_s, job.name): job for job in found}
    return sorted(distinct.values(), key=lambda job: (os.fsencode(job.inside), os.fsencode(job.video), job.name))


def _stands_for_many(path: Path) -> bool:
    return path.suffix.lower() in (LIST_SUFFIX, TABLE_SUFFIX) or os.path.isdir(path)


def _jobs_of(argument: Path, *, recursive: bool) -> Iterator[Job]:
    if os.path.isdir(argument):
        yield from _in_folder(argument, recursive=recursive)
    elif argument.suffix.lower() == LIST_SUFFIX:
        for line in _text(argument).splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                yield _job(line.strip(), argument.parent)
    elif argument.suffix.lower() == TABLE_SUFFIX:
        yield from _in_table(argument)
    else:
        yield _job(os.fspath(argument), Path())


def _job(video: str, folder: Path) -> Job:
    """A video by its path, relative to a folder, or by its address."""
    url = address_of(Path(video))
    if url:
        return Job(Path(), Path(_last_part(url)), url=url)
    return Job(folder / video, Path(Path(video).name))


def _name_of(url: str) -> str:
    """A file name for a fetched video; that of the address, and a digest, because folders differ."""
    return f"{hashlib.sha256(url.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}-{_last_part(url)}"


def _last_part(url: str) -> str:
    path = url.partition("://")[2].partition("?")[0]
    return unquote(PurePosixPath(path).name).replace("/", "_") or "video"


def _in_folder(folder: Path, *, recursive: bool) -> Iterator[Job]:
    from fercli.workspace.places import SUFFIX

    count = 0
    for place, folders, files in os.walk(folder, onerror=_refuse, followlinks=False):
        folders[:] = [one for one in folders if recursive and not one.startswith(".") and not one.endswith(SUFFIX)]
        for name in files:
            if Path(name).suffix.lower() in VIDEO_SUFFIXES and not name.startswith("."):
                video = Path(place, name)
                count += 1
                yield Job(video, video.relative_to(folder))
    if not count:
        hint = "name the videos one by one, or give another folder"
        if not recursive:
            hint = "add --recursive to search the folders in it too, or give another folder"
        raise InputError(f"there is no video in {folder}", hint=hint, code="no-videos")


def _refuse(error: OSError) -> None:
    raise InputError(
        f"cannot read {error.filename}: {error.strerror}", hint="check its permissions", code="file-unreadable"
    ) from error


def _in_table(table: Path) -> Iterator[Job]:
    rows = csv.DictReader(io.StringIO(_text(table)), strict=True)
    unknown = sorted({name or "(no name)" for name in rows.fieldnames or ()} - set(COLUMNS))
    if unknown or "video" not in (rows.fieldnames or ()):
        problem = f"has the unknown column {unknown[0]!r}" if unknown else "has no column 'video'"
        raise ConfigError(
            f"the table {table} {problem}",
            hint=f"columns: {', '.join(COLUMNS)}; only video is required",
            code="table-columns",
        )
    try:
        for row in rows:
            if None in row:
                raise TypeError("it has more fields than the first line")
            if row["video"].strip():
                yield _job_of(row, table, rows.line_num)
    except (csv.Error, AttributeError, TypeError) as error:
        raise ConfigError(
            f"{table}, line {rows.line_num}: not a row of this table: {error}",
            hint="write the table again as CSV",
            code="table-malformed",
        ) from error


def _job_of(row: Mapping[str, str | None], table: Path, line: int) -> Job:
    given = {name: (row.get(name) or "").strip() for name in COLUMNS}
    name = Path(given["name"])
    if given["name"] and (name.is_absolute() or ".." in name.parts):
        raise ConfigError(
            f"{table}, line {line}: the name {given['name']!r} leads out of the folder of outputs",
            hint="give a name, or a path below the folder of -o",
            code="output-unsafe",
        )
    return replace(
        _job(given["video"], table.parent),
        start_s=_seconds(given["start"], "start", table, line),
        end_s=_seconds(given["end"], "end", table, line),
        gallery=str((table.parent / given["gallery"]).absolute()) if given["gallery"] else "",
        name=given["name"],
        sha256=given["sha256"],
    )


def _seconds(text: str, column: str, table: Path, line: int) -> float | None:
    from fercli.timing import parse_time

    if not text:
        return None
    try:
        return parse_time(text)
    except ValueError as error:
        raise ConfigError(
            f"{table}, line {line}: the {column} {text!r} is not a time",
            hint="give seconds, m:s or h:m:s, for example 90 or 1:30",
            code="option-out-of-range",
        ) from error


def _text(file: Path) -> str:
    """Content of a list or a table; bytes of file names that are not UTF-8 survive."""
    require_regular_file(file, VideoError, "give a list of videos, a path a line")
    try:
        return file.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise InputError(
            f"cannot read {file}: {error.strerror}", hint="check its permissions", code="file-unreadable"
        ) from error
