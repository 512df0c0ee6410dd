"""Errors as problem details (RFC 9457), with fercli's codes and without paths of the server."""

from __future__ import annotations

import logging
import os
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fercli import errors
from fercli.errors import FercliError

LOG = logging.getLogger("fercli.serve")
MEDIA_TYPE = "application/problem+json"
_STATUS: dict[str, int] = {
    "job-unknown": 404,
    "file-missing": 404,
    "workspace-missing": 404,
    "face-unknown": 404,
    "moment-unknown": 404,
    "person-unknown": 404,
    "edit-unknown": 404,
    "not-acceptable": 406,
    "name-taken": 409,
    "nothing-to-do": 409,
    "persons-seen-together": 409,
    "workspace-locked": 409,
    "job-not-done": 409,
    "edits-changed": 412,
    "upload-too-large": 413,
    "video-too-large": 413,
    "video-too-long": 413,
    "upload-is-no-video": 415,
    "body-type": 415,
    "host-refused": 421,
    "too-many-jobs": 429,
    "too-many-watchers": 429,
    "disk-full": 507,
}
"""Code -> HTTP status; other errors have the status of their class."""
_BY_CLASS: tuple[tuple[type[FercliError], int], ...] = (
    (errors.ConfigError, 422),
    (errors.InputError, 422),
    (errors.MissingStage, 409),
    (errors.WorkspaceError, 500),
    (errors.ModelError, 422),
)
INTERNAL = "internal"


def status_of(error: FercliError) -> int:
    """The HTTP status of an error."""
    if error.code in _STATUS:
        return _STATUS[error.code]
    return next((status for kind, status in _BY_CLASS if isinstance(error, kind)), 500)


def problem(error: FercliError, root: Path) -> dict[str, Any]:
    """The problem details of an error; paths below the root are relative to it, other ones lose their directories."""
    status = status_of(error)
    return details(status, error.code, without_paths(error.message, root), without_paths(error.hint, root))


def details(status: int, code: str, detail: str, hint: str = "") -> dict[str, Any]:
    """Problem details."""
    found = {"type": f"urn:fercli:error:{code}", "title": _title(status), "status": status, "code": code}
    return {**found, "detail": detail, **({"hint": hint} if hint else {})}


def without_paths(text: str, root: Path) -> str:
    """A message without the place of the root, and without the home directory."""
    for known in dict.fromkeys((str(root), str(root.resolve()), os.path.expanduser("~"))):
        if len(known) > 1:
            text = text.replace(f"{known}/", "").replace(known, ".")
    return text


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
