"""Videos at an address, as `https://`, `s3://` or `gs://`: fetched once, through fsspec, into a file.

Every stage reads the video, and people look at it afterwards, so it is kept as a file and not streamed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from fercli.errors import FercliError, MissingDependency, VideoError, reason_of
from fercli.files import fitting_name
from fercli.progress import Reporter
from fercli.workspace import FileState
from fercli.writing import new_file, write_atomically, writing

_PIECE = 1 << 20


def fetch(url: str, video: Path, reporter: Reporter, *, sha256: str = "") -> None:
    """Fetch a video, unless the file was fetched before and size and version at the address are the same.

    Args:
        url: the address.
        video: the file; its directory is created.
        reporter: progress callback.
        sha256: hex digest that the file must have; empty if it is not known.

    Raises:
        VideoError: it cannot be had, or it is not the file with that digest.
        MissingDependency: the package for such addresses is not installed.
        OutputError: the file cannot be written.
    """
    system, path = file_system(url, VideoError, "video-unfetchable")
    try:
        facts = system.info(path)
        version = {"url": url, "size": facts.get("size"), "version": version_of(facts), "sha256": sha256}
    except (OSError, ValueError) as error:
        raise _unfetchable(url, error) from error
    if _is_fetched(video, version):
        return
    with writing(video):
        video.parent.mkdir(parents=True, exist_ok=True)
        with new_file(video) as partial:
            _copy(system, path, url, partial, facts.get("size"), reporter, sha256)
    state = FileState.of(video)
    note = {**version, "file": [state.size, state.modified_ns] if state else None}
    write_atomically(_note(video), (json.dumps(note) + "\n").encode())


def file_system(url: str, kind: type[FercliError], code: str) -> tuple[Any, str]:
    """The file system of fsspec for an address, and the path in it.

    Raises:
        MissingDependency: the package for such addresses is not installed.
        FercliError: of that kind and code: there are no such addresses.
    """
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(url)
    except ImportError as error:
        raise MissingDependency(
            f"{url} needs a package that is not installed: {error}",
            hint="for https run: pip install 'fercli[remote]'; for s3 and gs: pip install s3fs, gcsfs",
        ) from error
    except ValueError as error:
        raise kind(f"{url} is no address that can be used: {error}", hint="check the address", code=code) from error
    return system, str(path)


def _copy(system: Any, path: str, url: str, target: Path, size: int | None, reporter: Reporter, sha256: str) -> None:
    digest, count = hashlib.sha256(), 0
    with target.open("wb") as written, reporter.task("fetch", size, "byte") as task:
        try:
            with system.open(path, "rb", cache_type="none" if size is None else "readahead") as source:
                while piece := source.read(_PIECE):
                    written.write(piece)
                    digest.update(piece)
                    count += len(piece)
                    task.advance(len(piece))
        except (OSError, ValueError) as error:
            raise _unfetchable(url, error) from error
    if size is not None and count != size:
        raise VideoError(f"{url} has {size} bytes, and {count} arrived", hint="run it again", code="video-unfetchable")
    if sha256 and digest.hexdigest() != sha256.lower():
        raise VideoError(
            f"{url} has the sha256 {digest.hexdigest()}, not {sha256}",
            hint="check the digest, or where the file comes from",
            code="video-other-digest",
        )


def _unfetchable(url: str, error: Exception) -> VideoError:
    reason = "there is no such file" if isinstance(error, FileNotFoundError) else reason_of(error)
    return VideoError(
        f"cannot fetch {url}: {reason}", hint="check the address and the network", code="video-unfetchable"
    )


def version_of(facts: dict[str, Any]) -> str:
    """What tells two files at one address apart, as far as the server says it."""
    names = ("ETag", "etag", "md5", "checksum", "LastModified", "last_modified", "mtime", "created")
    return next((str(facts[name]) for name in names if facts.get(name)), "")


def _is_fetched(video: Path, version: dict[str, Any]) -> bool:
    try:
        note = json.loads(_note(video).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    state = FileState.of(video)
    return state is not None and note == {**version, "file": [state.size, state.modified_ns]}


def _note(video: Path) -> Path:
    return video.parent / fitting_name(f".{video.name}", ".fetched.json")
