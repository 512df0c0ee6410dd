"""Before a file is opened: that it is one, so that no pipe blocks for ever and no device is read without end."""

from __future__ import annotations

import os
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
_COPY_HINT = "copy what it gives to a file first, and name that file"


def require_regular_file(path: Path, error: type[FercliError] = InputError, hint: str = "") -> None:
    """Refuse a path that is no regular file, or no link to one, without opening it.

    Args:
        error: the class that is raised.
        hint: for a path that is missing, a directory or unreadable. For devices, pipes and sockets the hint is to copy
            what they give to a file.

    Raises:
        error: missing, a directory, a device, a named pipe or a socket. The message names the path.
    """
    try:
        kind = stat.S_IFMT(os.stat(path).st_mode)
    except FileNotFoundError as missing:
        raise error(f"there is no file {path}", hint=hint or "check the path") from missing
    except (OSError, ValueError) as reason:
        raise error(f"cannot read {path}: {reason_of(reason)}", hint=hint or "check the path") from reason
    if kind == stat.S_IFDIR:
        raise error(f"{path} is a directory, not a file", hint=hint or "name a file")
    if kind != stat.S_IFREG:
        raise error(f"{path} is {_KINDS.get(kind, 'something else')}, not a file", hint=_COPY_HINT)
