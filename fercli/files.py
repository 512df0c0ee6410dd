"""Checks before opening: only regular files, because a pipe can block forever and a device can be endless."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import stat
from pathlib import Path

from fercli.errors import FercliError, InputError, reason_of

_KINDS = {
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a directory",
}
_COPY_HINT = "copy its data to a file first, and give that file"
_DESCRIPTOR = re.compile(r"/dev/(stdin|fd/\d+)|/proc/[^/]+/fd/\d+")
"""Paths of `<(COMMAND)` and `< FILE` in a shell; they do not exist for a later command."""
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+(.+)", re.IGNORECASE)
_LONGEST_NAME = 250
"""Bytes: 255, the limit of most file systems, minus the length that temporary names add."""
_STREAMS = {"rtsp", "rtsps", "rtmp", "rtmps", "rtp", "udp", "srt", "mms", "tcp"}
"""Schemes of addresses of endless streams."""


def require_regular_file(path: Path, error: type[FercliError] = InputError, hint: str = "") -> None:
    """Refuse a path that is not a regular file or a link to one, without opening it.

    Args:
        error: the class that is raised.
        hint: for a path that is missing, a directory or unreadable. For devices, pipes and sockets the hint is to copy
            what they give to a file.

    Raises:
        error: missing, a directory, a device, a named pipe, a socket, an open descriptor of the shell, or a network
            address. The message names the path.
    """
    if _DESCRIPTOR.fullmatch(str(path)):
        hint = "copy it to a file first: COMMAND > FILE, and name that file"
        raise error(
            f"{path} is stdin or a pipe of the shell, and fercli reads a file more than once",
            hint=hint,
            code="not-a-file",
        )
    try:
        kind = stat.S_IFMT(os.stat(path).st_mode)
    except FileNotFoundError as missing:
        what, how = _not_here(path)
        raise error(what, hint=how or hint or "check the path", code="file-missing") from missing
    except (OSError, ValueError) as reason:
        raise error(
            f"cannot read {path}: {reason_of(reason)}", hint=hint or "check the path", code="file-unreadable"
        ) from reason
    if kind == stat.S_IFDIR:
        raise error(f"{path} is a directory, not a file", hint=hint or "name a file", code="not-a-file")
    if kind != stat.S_IFREG:
        hint = f"copy it to a file first: cat {shlex.quote(str(path))} > FILE" if kind == stat.S_IFIFO else _COPY_HINT
        raise error(f"{path} is {_KINDS.get(kind, 'something else')}, not a file", hint=hint, code="not-a-file")


def _not_here(path: Path) -> tuple[str, str]:
    """Problem and hint for a path at which there is no file; empty if there is no special case."""
    text = str(path)
    if text == "-":
        return "cannot read from stdin: fercli reads a file more than once", (
            "copy it to a file first: COMMAND > FILE, and name that file"
        )
    scheme, _, rest = text.partition(":")
    if scheme.lower() == "file" and rest:
        local = "/" + rest.lstrip("/") if rest.startswith("/") else rest
        return f"there is no file {text}", f"give the path alone: {shlex.quote(local)}"
    url = address_of(path)
    if not url:
        return f"there is no file {text}", ""
    return f"{url} is an address, and fercli reads only files", f"copy it to a file first: {_fetching(url)}"


def address_of(path: Path) -> str:
    """The network address that was given as a path, as `s3://bucket/a.mp4`; empty if it is a path."""
    found = _ADDRESS.fullmatch(os.fspath(path))
    # `Path` has replaced two slashes by one.
    return f"{found[1]}://{found[2]}" if found and not path.exists() else ""


def _fetching(url: str) -> str:
    """The command that downloads an address to a file."""
    scheme, host = url.split("://", 1)[0].lower(), url.split("/")[2].lower()
    if scheme in _STREAMS or url.lower().partition("?")[0].endswith(".m3u8"):
        return f"ffmpeg -i {shlex.quote(url)} -t 60 -c copy video.mkv"
    if re.search(r"(^|\.)(youtube\.com|youtu\.be|vimeo\.com)(:|$)", host):
        return f"yt-dlp -o video.mp4 {shlex.quote(url)}"
    return f"curl -L -o FILE {shlex.quote(url)}"


def fitting_name(text: str, suffix: str) -> str:
    """`text` + `suffix`, shortened to a valid file name; a digest in a shortened name keeps names distinct."""
    if len(os.fsencode(text + suffix)) <= _LONGEST_NAME:
        return text + suffix
    ending = f"~{hashlib.sha256(os.fsencode(text)).hexdigest()[:8]}{suffix}"
    start = os.fsencode(text)[: _LONGEST_NAME - len(os.fsencode(ending))]
    return start.decode("utf-8", "ignore") + ending
